package idp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Kinds of error that programs act on. Wrap them with %w and context; compare with errors.Is.
var (
	ErrNotFound    = errors.New("not found")
	ErrConflict    = errors.New("already exists")
	ErrEnded       = errors.New("has ended") // what the act rests on is over
	ErrWrong       = errors.New("username or password is wrong")
	ErrLocked      = errors.New("account is locked") // no epoch: nothing can be born
	ErrSecond      = errors.New("a second factor is missing")
	ErrDoubtful    = errors.New("a credential from before the account was recovered") // see Care.Doubtful
	ErrUnavailable = errors.New("store unavailable")                                  // nothing happened: disk full, database gone
	ErrUnknown     = errors.New("outcome is unknown")                                 // COMMIT was sent and its answer lost: ask again under the same request
	ErrClock       = errors.New("the database's clock has jumped; nothing is issued until it is right again")
)

// InvalidError is bad input: the field and a sentence that may be shown to a person. Where the sentence quotes what was written, Quoted is
// that, and Pattern the sentence with %s in its place, to be translated.
type InvalidError struct{ Field, Sentence, Pattern, Quoted string }

func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Sentence) }

// Invalid makes an [InvalidError].
func Invalid(field, sentence string) error { return &InvalidError{Field: field, Sentence: sentence} }

// InvalidText makes one whose sentence quotes what was written, once.
func InvalidText(field, quoted, pattern string) error {
	return &InvalidError{field, strings.Replace(pattern, "%s", quoted, 1), pattern, quoted}
}

// LimitedError says that somebody must wait.
type LimitedError struct{ Wait time.Duration }

func (e *LimitedError) Error() string { return "too many attempts" }

// RetryAfter is the header's value: whole seconds, rounded up.
func (e *LimitedError) RetryAfter() string { return strconv.Itoa(int(e.Wait.Seconds()) + 1) }
