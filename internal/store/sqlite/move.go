package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

var _ idp.Movable = (*Store)(nil)

// Export hands over all rows of one snapshot.
func (s *Store) Export(ctx context.Context, row func(int, []any) error) error {
	if err := s.file.there(); err != nil {
		return err
	}
	c, err := s.dialReader()
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.script("BEGIN"); err != nil {
		return err
	}
	return export(ctx, c, row)
}

func export(ctx context.Context, c *conn, row func(int, []any) error) error {
	for i, t := range verbs.Tables() {
		if err := each(ctx, c, t.Read(), func(values []any) error { return row(i, values) }); err != nil {
			return err
		}
	}
	return nil
}

// each is conn.each with values as they are, and an end when f fails or ctx ends.
func each(ctx context.Context, c *conn, sql string, f func([]any) error) (err error) {
	over := c.each(sql, func(in verbs.Row) {
		r := in.(*row)
		out := make([]any, r.columns)
		for i := range out {
			out[i] = r.value()
		}
		if r.bad {
			return
		}
		if err = errors.Join(f(out), ctx.Err()); err != nil {
			r.bad = true
		}
	})
	return cmp.Or(err, over, ctx.Err())
}

// Import takes rows into a new database.
func (s *Store) Import(_ context.Context, from func(func(int, []any) error) error) error {
	c, err := s.dialWriter()
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.script("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := take(c, from); err != nil {
		return errors.Join(err, c.script("ROLLBACK"))
	}
	if err := c.script(sqlCommit); err != nil && primary(err) != sqlite.ResultFull {
		return &unknownError{err}
	} else if err != nil {
		return errors.Join(err, c.script("ROLLBACK"))
	}
	return nil
}

func take(c *conn, from func(func(int, []any) error) error) error {
	tables := verbs.Tables()
	inserts := make([]string, len(tables))
	for i, t := range tables {
		var n int64
		if _, err := c.one("SELECT count(*) FROM "+t.Name, func(r verbs.Row) { n = r.Int() }); err != nil {
			return err
		}
		if n > 0 && !t.Born() {
			return fmt.Errorf("table %s has rows: %w", t.Name, idp.ErrNotEmpty)
		}
		if _, err := c.exec("DELETE FROM " + t.Name); err != nil {
			return err
		}
		inserts[i] = fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)", t.Name, strings.Join(t.Columns, ", "), strings.Repeat(", ?", len(t.Columns)-1))
	}
	return from(func(table int, values []any) error {
		_, err := c.exec(inserts[table], values...)
		return err
	})
}

// HandOver exports for the last time. SQLite itself says that nobody else uses the file, and keeps everybody out until the end.
func (s *Store) HandOver(ctx context.Context, to string, row func(int, []any) error, done func() error) error {
	c, err := s.alone()
	if err != nil {
		return err
	}
	defer c.close()
	n, err := readCounter(c)
	var before *idp.MovedError
	if errors.As(err, &before) && before.Resumes(to) {
		err = nil // interrupted
	}
	if err != nil {
		return err
	}
	if err := setLineage(c, verbs.MovedMark(n.Lineage, to, false)); err != nil {
		return err
	}
	if err = export(ctx, c, row); err == nil {
		err = done()
	}
	switch {
	case err == nil:
		return setLineage(c, verbs.MovedMark(n.Lineage, to, true))
	case errors.Is(err, idp.ErrUnknown), before != nil:
		return err
	}
	return errors.Join(err, setLineage(c, n.Lineage[:]))
}

func setLineage(c *conn, l []byte) error {
	if _, err := c.exec("UPDATE counter SET lineage = ?", l); err != nil {
		return &unknownError{err}
	}
	return nil
}

// Settle closes the store and leaves one whole file, with nothing beside it.
func (s *Store) Settle() error {
	c, err := s.alone()
	if err != nil {
		return err
	}
	c.close()
	return nil
}

// alone closes the store and takes its file for one connection, with nothing beside it. idp.ErrInUse: another process is connected, also one
// that stands still.
func (s *Store) alone() (*conn, error) {
	s.Close()
	if err := s.file.there(); err != nil {
		return nil, err
	}
	c, err := newConn(s.file.dsn, "synchronous = FULL", "temp_store = MEMORY", "locking_mode = EXCLUSIVE")
	if err != nil {
		return nil, err
	}
	var mode string
	if _, err = c.one("PRAGMA journal_mode = DELETE", func(r verbs.Row) { mode = r.Text() }); err == nil && mode == "delete" {
		// A read does not lock a file without a log for itself, a write does, until the connection is closed.
		_, err = c.exec("UPDATE counter SET number = number")
	}
	if primary(err) == sqlite.ResultBusy || (err == nil && mode != "delete") {
		err = idp.ErrInUse
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}
