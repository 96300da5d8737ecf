package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

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
		if err := each(ctx, c, "SELECT "+strings.Join(t.Columns, ", ")+" FROM "+t.Name, func(values []any) error { return row(i, values) }); err != nil {
			return err
		}
	}
	return nil
}

// each is conn.each with values as they are, and an end when ctx ends.
func each(ctx context.Context, c *conn, sql string, f func([]any) error) error {
	st, err := c.stmt(sql)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(context.Background(), nil)
	if err != nil {
		return c.seen(err)
	}
	defer rows.Close()
	in := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(in); errors.Is(err, io.EOF) {
			return ctx.Err()
		} else if err != nil {
			return c.seen(err)
		}
		out := make([]any, len(in))
		for i, v := range in {
			if b, ok := v.([]byte); ok {
				v = append([]byte{}, b...)
			}
			out[i] = v
		}
		if err := errors.Join(f(out), ctx.Err()); err != nil {
			return err
		}
	}
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
	return c.script("COMMIT")
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

// HandOver exports for the last time. The counter row goes, so that a server that still runs can acknowledge nothing more.
func (s *Store) HandOver(ctx context.Context, row func(int, []any) error, done func() error) error {
	if err := s.file.there(); err != nil {
		return err
	}
	c, err := s.dialWriter()
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.script("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err = export(ctx, c, row)
	if err == nil {
		_, err = c.exec("DELETE FROM counter")
	}
	if err == nil {
		err = done()
	}
	if err != nil {
		return errors.Join(err, c.script("ROLLBACK"))
	}
	return c.script("COMMIT")
}
