package postgres

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// Reasons to refuse a server or a database.
var (
	ErrForgetful = errors.New("the server may forget what it has acknowledged")
	ErrDeposed   = fmt.Errorf("%w: this server knows less of the ledger than was read before, so it is no longer the primary", idp.ErrUnavailable)
	ErrTooNew    = errors.New("the database was written by a newer version of this program")
	ErrChanged   = errors.New("the database was made by a different text of its migrations")
	ErrForeign   = errors.New("the schema holds tables of another program")
)

// errAgain says that the transaction lost a race and is to be run again.
var errAgain = errors.New("run again")

// faultError is an error of the server by its code. Its text is left behind: it may hold data.
type faultError struct {
	code string
	kind error
}

func (e *faultError) Error() string { return fmt.Sprintf("%v: postgres: %s", e.kind, e.code) }
func (e *faultError) Unwrap() error { return e.kind }

// fault gives an error of pgx one of idp's kinds. What is no answer of the server is a connection that does not work.
func fault(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return fmt.Errorf("%w: postgres: the connection does not work", idp.ErrUnavailable)
	}
	kind := idp.ErrUnavailable
	switch e.Code[:2] {
	case "23": // integrity constraint
		kind = idp.ErrConflict
		if e.ConstraintName == "ending_name" || e.ConstraintName == "receipt_request" {
			kind = errAgain
		}
	case "40": // serialization failure, deadlock
		kind = errAgain
	case "22", "25", "42", "0A", "2D": // data, state, syntax: ours
		kind = verbs.ErrProgram
	}
	switch e.Code {
	case "25006", "25P03", "42501": // a standby; idle too long; no right to
		kind = idp.ErrUnavailable
	}
	return &faultError{code: e.Code, kind: kind}
}

// fault is the package's fault, for an error met on this connection: what the server did not say and did not cost the
// connection, pgx said before it sent anything.
func (e *engine) fault(err error) error {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) && !e.c.IsClosed() {
		return fmt.Errorf("%w: postgres: it could not be sent", verbs.ErrProgram)
	}
	return fault(err)
}

// lost says that the server did not answer, or answered only that the connection is over, so that a COMMIT under way may
// have happened. A server that is stopped may answer so even after it has committed.
func (e *engine) lost(err error) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return e.c.IsClosed()
	}
	return answer.Severity == "FATAL" || answer.Severity == "PANIC"
}

// unknownError is a COMMIT whose answer was lost.
type unknownError struct{ cause error }

func (e *unknownError) Error() string   { return fmt.Sprintf("%v: %v", idp.ErrUnknown, e.cause) }
func (e *unknownError) Is(t error) bool { return t == idp.ErrUnknown }
