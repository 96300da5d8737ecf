package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"exeunt.dev/internal/store/verbs"
)

// conn is one connection with its prepared statements. It belongs to one goroutine at a time.
type conn struct {
	dc    driver.Conn
	stmts map[string]statement
	args  []driver.NamedValue
	// fatal is the first error after which the transaction that saw it cannot go on, whatever the closure made of it.
	fatal error
}

// statement is what the driver's statements can do; the older methods of driver.Stmt would allocate more.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func newConn(d driver.Driver, dsn string, pragmas ...string) (*conn, error) {
	dc, err := d.Open(dsn)
	if err != nil {
		return nil, fault(err)
	}
	c := &conn{dc: dc, stmts: map[string]statement{}}
	for _, p := range pragmas {
		if err := c.script("PRAGMA " + p); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *conn) close() {
	for _, s := range c.stmts {
		s.Close()
	}
	c.dc.Close()
}

// script runs statements that are not worth preparing.
func (c *conn) script(sql string) error {
	_, err := c.dc.(driver.ExecerContext).ExecContext(context.Background(), sql, nil)
	return c.seen(err)
}

// exec runs one statement and says how many rows it changed.
func (c *conn) exec(sql string, args ...any) (int64, error) {
	s, err := c.stmt(sql)
	if err != nil {
		return 0, err
	}
	// Never the caller's context: a cancelled one would interrupt the connection that others share.
	res, err := s.ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, c.seen(err)
	}
	return res.RowsAffected()
}

// each calls f for every row. f must not use the connection.
func (c *conn) each(sql string, f func(verbs.Row), args ...any) error {
	s, err := c.stmt(sql)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return c.seen(err)
	}
	defer rows.Close()
	r := row{values: make([]driver.Value, len(rows.Columns()))}
	for {
		if err := rows.Next(r.values); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return c.seen(err)
		}
		r.at = 0
		f(&r)
		if r.bad {
			return verbs.ErrRow
		}
	}
}

// one calls f for the first row and says whether there was one.
func (c *conn) one(sql string, f func(verbs.Row), args ...any) (bool, error) {
	s, err := c.stmt(sql)
	if err != nil {
		return false, err
	}
	rows, err := s.QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return false, c.seen(err)
	}
	defer rows.Close()
	r := row{values: make([]driver.Value, len(rows.Columns()))}
	if err := rows.Next(r.values); errors.Is(err, io.EOF) {
		return false, nil
	} else if err != nil {
		return false, c.seen(err)
	}
	f(&r)
	if r.bad {
		return false, verbs.ErrRow
	}
	return true, nil
}

func (c *conn) stmt(sql string) (statement, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	ds, err := c.dc.Prepare(sql)
	if err != nil {
		return nil, c.seen(err)
	}
	s := ds.(statement)
	c.stmts[sql] = s
	return s, nil
}

// seen turns a driver's error into ours and remembers the ones that end a transaction.
func (c *conn) seen(err error) error {
	if err == nil {
		return nil
	}
	err = fault(err)
	if c.fatal == nil && isFatal(err) {
		c.fatal = err
	}
	return err
}
