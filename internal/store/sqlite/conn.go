package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"exeunt.dev/internal/idp"
	sqlite3 "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// conn is one connection with its prepared statements. It is used by one goroutine at a time.
type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
}

// background: the driver starts a goroutine for every statement whose context can be cancelled.
var background = context.Background()

func (c *conn) stmt(query string) (*sql.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	s, err := c.c.PrepareContext(background, query)
	if err != nil {
		return nil, fail(err)
	}
	c.stmts[query] = s
	return s, nil
}

func (c *conn) exec(query string, args ...any) (int64, error) {
	s, err := c.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(background, args...)
	if err != nil {
		return 0, fail(err)
	}
	n, err := res.RowsAffected()
	return n, err
}

func (c *conn) row(query string, args []any, into ...any) error {
	s, err := c.stmt(query)
	if err != nil {
		return err
	}
	return fail(s.QueryRowContext(background, args...).Scan(into...))
}

func (c *conn) rows(query string, args []any, each func(scan func(...any) error) error) error {
	s, err := c.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(background, args...)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return fail(rows.Err())
}

// fail turns the driver's errors into kinds. Texts of SQLite stay inside: they may hold data.
func fail(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, sql.ErrNoRows) {
		return idp.ErrNotFound
	}
	var e *sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_CONSTRAINT:
		return idp.ErrConflict
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_CANTOPEN, lib.SQLITE_READONLY,
		lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_NOMEM, lib.SQLITE_INTERRUPT:
		return fmt.Errorf("%w (SQLite code %d)", idp.ErrUnavailable, e.Code())
	}
	return fmt.Errorf("sqlite code %d", e.Code())
}
