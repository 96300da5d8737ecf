package sqlite

import (
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// faultError is an error of the database by its code. The driver's text is left behind: it may hold data.
type faultError struct {
	code int
	kind error
}

func (e *faultError) Error() string {
	return fmt.Sprintf("%v: sqlite: %s", e.kind, describe(e.code))
}

func (e *faultError) Unwrap() error { return e.kind }

// Is: a file that is no database at all is not ours.
func (e *faultError) Is(t error) bool { return t == ErrForeign && e.code&0xff == lib.SQLITE_NOTADB }

// Advice says what to do; "": nobody knows.
func (e *faultError) Advice() string {
	switch e.code & 0xff {
	case lib.SQLITE_NOTADB:
		return "name a database of Exeunt; nothing was changed"
	case lib.SQLITE_CORRUPT:
		return "the file is damaged, or not whole: take a backup; nothing was changed"
	case lib.SQLITE_FULL:
		return "the disk is full: make room; nothing was changed"
	case lib.SQLITE_BUSY:
		return "another program has it for itself, such as exeunt migrate: try again when that is done; nothing was changed"
	case lib.SQLITE_READONLY, lib.SQLITE_PERM, lib.SQLITE_CANTOPEN, lib.SQLITE_AUTH:
		return "let this user read and write the file, those beside it, and their folder; nothing was changed"
	}
	return ""
}

func describe(code int) string {
	if s := driver.ErrorCodeString[code]; s != "" {
		return s
	}
	return fmt.Sprintf("%s (code %d)", driver.ErrorCodeString[code&0xff], code)
}

// fault gives a driver's error one of idp's kinds.
func fault(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%w: sqlite: the connection does not work", idp.ErrUnavailable)
	}
	kind := idp.ErrUnavailable
	switch e.Code() & 0xff {
	case lib.SQLITE_CONSTRAINT:
		kind = idp.ErrConflict
	case lib.SQLITE_ERROR, lib.SQLITE_MISUSE, lib.SQLITE_RANGE, lib.SQLITE_MISMATCH, lib.SQLITE_TOOBIG:
		kind = verbs.ErrProgram
	}
	return &faultError{code: e.Code(), kind: kind}
}

// isFatal says that SQLite may have rolled the whole transaction back by itself, or that going on is pointless.
func isFatal(err error) bool { return errors.Is(err, idp.ErrUnavailable) }

// primary is the error's primary result code, or 0.
func primary(err error) int {
	var e *faultError
	if !errors.As(err, &e) {
		return 0
	}
	return e.code & 0xff
}
