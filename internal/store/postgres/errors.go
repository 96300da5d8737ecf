package postgres

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"

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

// Advice says what to do; "": nobody knows.
func (e *faultError) Advice() string {
	switch e.code {
	case "42501":
		return "the role may not do this: ALTER DATABASE name OWNER TO role gives it the right; nothing was changed"
	case "53100":
		return "the database's disk is full: make room; nothing was changed"
	case "42P01":
		return "a table is missing: the database is damaged, or was moved; exeunt config check says which"
	}
	return ""
}

// stoodStill is the server's word for a transaction in which nothing was asked for too long: it was thrown out before it read what came
// then, a COMMIT, too. The locks are given away, and nothing was done.
const stoodStill = "25P03"

// unreachable is an error of a connection that could not be made, by what an operator can do about it.
func unreachable(err error) error {
	said, advice := "the server cannot be reached", "does the server run, and can this machine reach it?"
	var answer *pgconn.PgError
	var name *net.DNSError
	var root x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &answer):
		said, advice = refusal(answer.Code)
	case errors.As(err, &name):
		said, advice = "there is no machine called "+strconv.Quote(name.Name), "correct the machine's name in postgres.url"
	case errors.Is(err, syscall.ECONNREFUSED):
		said, advice = "nobody listens at its address", "does the server run? postgres.url names machine and port"
	case errors.As(err, &root), errors.As(err, &host):
		said, advice = "its certificate is not to be trusted for this address", "name the machine as its certificate does; sslrootcert=FILE in postgres.url names a root of your own"
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		said, advice = "it does not take writes: it is a standby", "name the primary, or all machines: postgres://user@one,two/name"
	case strings.Contains(err.Error(), "refused TLS"): // pgconn has no kind for it
		said, advice = "it does not speak TLS", "turn ssl on in the server, or use sslmode=disable on this machine only"
	}
	return idp.Advise(fmt.Errorf("%w: postgres: %s", idp.ErrUnavailable, said), advice)
}

func refusal(code string) (said, advice string) {
	switch code {
	case "28P01", "28000":
		return "the server does not let this role in (" + code + ")", "correct user and password (postgres.url, password_file); the server's log and pg_hba.conf say whom it lets in"
	case "3D000":
		return "the server has no such database", "make it: CREATE DATABASE name OWNER role; or correct the name in postgres.url"
	case "42501":
		return "this role may not connect to the database", "GRANT CONNECT ON DATABASE name TO role"
	case "53300":
		return "the server has no connection left", "raise its max_connections, or lower postgres.connections of the nodes"
	case "57P03":
		return "the server is starting or stopping", "wait, and try again"
	}
	return "the server refuses connections (" + code + ")", "the server's log says more"
}

// fault gives an error of pgx one of idp's kinds. What is no answer of the server is a connection that does not work.
func fault(err error) error {
	if errors.Is(err, ErrForgetful) {
		return fmt.Errorf("%w: %w", idp.ErrUnavailable, err)
	}
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
	case "25006", "42501", "42P01": // a standby; no right to; a database that was moved has not all tables
		kind = idp.ErrUnavailable
	case stoodStill:
		kind = errAgain
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
func lost(err error) bool {
	var answer *pgconn.PgError
	return !errors.As(err, &answer) || (answer.Severity == "FATAL" && answer.Code != stoodStill) || answer.Severity == "PANIC"
}

// lost is the package's lost: what pgx said before it sent anything has not cost the connection.
func (e *engine) lost(err error) bool {
	var answer *pgconn.PgError
	return lost(err) && (errors.As(err, &answer) || e.c.IsClosed())
}

// unknownError is a COMMIT whose answer was lost.
type unknownError struct{ cause error }

func (e *unknownError) Error() string   { return fmt.Sprintf("%v: %v", idp.ErrUnknown, e.cause) }
func (e *unknownError) Is(t error) bool { return t == idp.ErrUnknown }
