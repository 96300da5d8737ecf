package idp

import (
	"errors"
	"fmt"
)

// Kinds of error that programs act on. Wrap them with %w and context; compare with errors.Is.
var (
	ErrNotFound    = errors.New("not found")
	ErrConflict    = errors.New("already exists")
	ErrEnded       = errors.New("has ended")          // what the act rests on is over
	ErrLocked      = errors.New("account is locked")  // no epoch: nothing can be born
	ErrUnavailable = errors.New("store unavailable")  // nothing happened: disk full, database gone
	ErrUnknown     = errors.New("outcome is unknown") // COMMIT was sent and its answer lost: ask again under the same request
	ErrClock       = errors.New("the database's clock has jumped; nothing is issued until it is right again")
)

// InvalidError is bad input: the field and a sentence that may be shown to a person.
type InvalidError struct{ Field, Sentence string }

func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Sentence) }

// Invalid makes an [InvalidError].
func Invalid(field, sentence string) error { return &InvalidError{Field: field, Sentence: sentence} }
