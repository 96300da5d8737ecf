//go:build !linux

// Package boottime is the stores' monotonic clock.
package boottime

import "time"

// Now is Go's monotonic clock, which on some systems stands still while the machine sleeps. After a sleep of more
// than 30 s nothing is minted there until the server is started again.
func Now() time.Duration { return time.Since(processStart) }

var processStart = time.Now()
