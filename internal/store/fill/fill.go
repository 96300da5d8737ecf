// Package fill writes very many rows into the database of a test or a benchmark while no server runs on it: rows that the program could
// have written, at many times its speed. Indexes go first and are built again at the end; Postgres takes the rows by COPY and keeps no log
// of them, SQLite keeps no journal.
//
// It refuses to be of use in production: a database that is being filled when the machine stops is lost.
package fill

import (
	"fmt"
	"iter"
	"strings"

	"exeunt.dev/internal/store/verbs"
)

// Table is what one table is filled with.
type Table struct {
	Name   string
	Anew   bool            // what it had before is deleted
	Same   map[string]any  // columns that are the same in all rows
	Rows   iter.Seq[[]any] // every other column, in the order of verbs.Tables; the slice may be used again
	Number int             // of rows
}

func (t *Table) columns() ([]string, error) {
	for _, known := range verbs.Tables() {
		if known.Name == t.Name {
			return known.Columns, nil
		}
	}
	return nil, fmt.Errorf("there is no table %q", t.Name)
}

// check says whether so many rows came as were announced.
func (t *Table) check(came int64) error {
	if came != int64(t.Number) {
		return fmt.Errorf("table %s has got %d rows instead of %d", t.Name, came, t.Number)
	}
	return nil
}

// into is "name (columns)".
func (t *Table) into(columns []string) string {
	return t.Name + " (" + strings.Join(columns, ", ") + ")"
}
