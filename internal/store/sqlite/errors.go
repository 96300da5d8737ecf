package sqlite

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// faultError is an error of the database by its code. The driver's text is left behind: it may hold data.
type faultError struct {
	code sqlite.ResultCode
	kind error
}

func (e *faultError) Error() string {
	return fmt.Sprintf("%v: sqlite: %s (%v)", e.kind, e.code.Message(), e.code)
}

func (e *faultError) Unwrap() error { return e.kind }

// Is: a file that is no database at all is not ours.
func (e *faultError) Is(t error) bool {
	return t == ErrForeign && e.code.ToPrimary() == sqlite.ResultNotADB
}

// Advice says what to do; "": nobody knows.
func (e *faultError) Advice() string {
	switch e.code.ToPrimary() {
	case sqlite.ResultNotADB:
		return "name a database of Exeunt; nothing was changed"
	case sqlite.ResultCorrupt:
		return "the file is damaged, or not whole: take a backup; nothing was changed"
	case sqlite.ResultFull:
		return "the disk is full: make room; nothing was changed"
	case sqlite.ResultBusy:
		return "another program has it for itself, such as exeunt migrate: try again when that is done; nothing was changed"
	case sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultCantOpen, sqlite.ResultAuth:
		return "let this user read and write the file, those beside it, and their folder; nothing was changed"
	}
	return ""
}

// fault gives a result code one of idp's kinds.
func fault(code sqlite.ResultCode) error {
	kind := idp.ErrUnavailable
	switch code.ToPrimary() {
	case sqlite.ResultConstraint:
		kind = idp.ErrConflict
	case sqlite.ResultError, sqlite.ResultMisuse, sqlite.ResultRange, sqlite.ResultMismatch, sqlite.ResultTooBig:
		kind = verbs.ErrProgram
	}
	return &faultError{code: code, kind: kind}
}

// isFatal says that SQLite may have rolled the whole transaction back by itself, or that going on is pointless. A statement that is wrong
// is one of these: errors of the driver's own, as that it got no memory, have that code.
func isFatal(err error) bool { return !errors.Is(err, idp.ErrConflict) }

// primary is the error's primary result code, or 0.
func primary(err error) sqlite.ResultCode {
	var e *faultError
	if !errors.As(err, &e) {
		return 0
	}
	return e.code.ToPrimary()
}
