//go:build !linux

package server

import "errors"

// renameNew refuses.
func renameNew(string, string) error { return errors.ErrUnsupported }
