package idp

import (
	"context"
	"errors"

	"exeunt.dev/ledger"
)

// Movable is a store whose rows can be moved to another one, also of another kind: backups, and the way from one node to
// several. Values are nil, int64, string or []byte, in the order of the table's columns.
type Movable interface {
	// Export hands over all rows of one snapshot.
	Export(ctx context.Context, row func(table int, values []any) error) error
	// Import takes rows into a database that has none but those it was made with, all of them or none. ErrNotEmpty.
	Import(ctx context.Context, from func(row func(table int, values []any) error) error) error
	// HandOver is Export for the last time, to the database that is called to. The store is closed, whatever comes of it. Before the first row
	// is read the database is marked, for good, as being moved there: nobody uses it any more, so that never two are alive, whatever becomes
	// of this process. An error of row or done takes the mark away that this call has made, unless it is ErrUnknown. A database that is marked
	// is handed over again if to is the same, since nobody knows how far the last one came. ErrInUse, MovedError.
	HandOver(ctx context.Context, to string, row func(table int, values []any) error, done func() error) error
}

// Reasons to leave a database as it is.
var (
	ErrNotEmpty   = errors.New("the database is not empty")
	ErrNoDatabase = errors.New("there is no database of Exeunt")
	ErrOlder      = errors.New("the database was written by an older version of this program")
	ErrInUse      = errors.New("the database is in use: a server runs on it, or a command")
)

// MovedError says that the database is another one now.
type MovedError struct {
	To      string         // what messages may call the other one
	Done    bool           // false: it is not known whether all of it is there
	Lineage ledger.Lineage // of both
}

func (e *MovedError) Error() string {
	if !e.Done {
		return "the database is being moved to " + e.To + ", which was interrupted"
	}
	return "the database was moved to " + e.To
}

// Resumes says whether a move to a database finishes one that was interrupted.
func (e *MovedError) Resumes(to string) bool { return !e.Done && e.To == to }

func (e *MovedError) Unwrap() error { return ErrUnavailable }

// Advice says what to do.
func (e *MovedError) Advice() string {
	if !e.Done {
		return "run the same exeunt migrate again, which finishes it; docs/operations.md says what else can be done"
	}
	return "use the configuration that names the new database; docs/operations.md says how to come back"
}

// Advise adds to an error what to do about it, for who runs a command.
func Advise(err error, advice string) error { return &advised{err, advice} }

type advised struct {
	error
	advice string
}

func (e *advised) Unwrap() error  { return e.error }
func (e *advised) Advice() string { return e.advice }
