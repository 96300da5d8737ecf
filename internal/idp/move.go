package idp

import (
	"context"
	"errors"
)

// Movable is a store whose rows can be moved to another one, also of another kind: backups, and the way from one node to
// several. Values are nil, int64, string or []byte, in the order of the table's columns.
type Movable interface {
	// Export hands over all rows of one snapshot.
	Export(ctx context.Context, row func(table int, values []any) error) error
	// Import takes rows into a database that has none but those it was made with, all of them or none. ErrNotEmpty.
	Import(ctx context.Context, from func(row func(table int, values []any) error) error) error
	// HandOver is Export for the last time: nothing is written meanwhile, and after done has returned nil the database can
	// no longer be used.
	HandOver(ctx context.Context, row func(table int, values []any) error, done func() error) error
}

// ErrNotEmpty says that a database holds data already.
var ErrNotEmpty = errors.New("the database is not empty")
