package sqlite

import (
	"strings"

	_ "modernc.org/sqlite" // on arm64 it corrects SQLite's idea of the size of a page of memory
	"zombiezen.com/go/sqlite"

	"exeunt.dev/internal/store/verbs"
)

// conn is one connection with its prepared statements. It belongs to one goroutine at a time. It is not database/sql's: that one's driver
// asks for the names and types of columns with each query and guards each call by a lock, a tenth of what a sign-out costs.
type conn struct {
	c     *sqlite.Conn
	stmts map[string]*sqlite.Stmt // so that they need not be reset and cleared first, as by Conn.Prepare
	// fatal is the first error after which the transaction that saw it cannot go on, whatever the closure made of it.
	fatal error
}

func newConn(uri string, pragmas ...string) (*conn, error) {
	c := &conn{stmts: map[string]*sqlite.Stmt{}}
	var err error
	if c.c, err = sqlite.OpenConn(uri, sqlite.OpenReadWrite|sqlite.OpenURI); err != nil {
		return nil, c.seen(err)
	}
	c.c.SetBusyTimeout(busy)
	for _, p := range pragmas {
		if err = c.script("PRAGMA " + p); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *conn) close() { c.c.Close() }

// script runs statements that are not worth preparing; no comment may follow the last.
func (c *conn) script(sql string) error {
	for sql = strings.TrimSpace(sql); sql != ""; sql = strings.TrimSpace(sql) {
		s, rest, err := c.c.PrepareTransient(sql)
		if err != nil {
			return c.seen(err)
		}
		for more := true; more && err == nil; {
			more, err = s.Step()
		}
		s.Finalize()
		if err != nil {
			return c.seen(err)
		}
		sql = sql[len(sql)-rest:]
	}
	return nil
}

// exec runs one statement and says how many rows it changed.
func (c *conn) exec(sql string, args ...any) (int64, error) {
	_, err := c.run(sql, nil, 0, args)
	if err != nil {
		return 0, err
	}
	return int64(c.c.Changes()), nil
}

// each calls f for every row. f must not use the connection.
func (c *conn) each(sql string, f func(verbs.Row), args ...any) error {
	_, err := c.run(sql, f, -1, args)
	return err
}

// one calls f for the first row and says whether there was one.
func (c *conn) one(sql string, f func(verbs.Row), args ...any) (bool, error) {
	n, err := c.run(sql, f, 1, args)
	return n > 0 && err == nil, err
}

// run calls f for up to so many rows (-1: all), and says for how many.
func (c *conn) run(sql string, f func(verbs.Row), most int, args []any) (n int, err error) {
	s, err := c.stmt(sql)
	if err != nil {
		return 0, err
	}
	defer s.ClearBindings() // which are secrets, some of them, and may be large
	defer s.Reset()
	if !bind(s, args) {
		return 0, c.broken(verbs.ErrProgram)
	}
	r := row{s: s, columns: s.ColumnCount()}
	for {
		more, err := s.Step()
		switch {
		case err != nil:
			return n, c.seen(err)
		case !more:
			return n, nil
		case f == nil:
			continue
		}
		r.at = 0
		f(&r)
		if n++; r.bad {
			return n, verbs.ErrRow
		}
		if n == most {
			return n, nil
		}
	}
}

func (c *conn) stmt(sql string) (*sqlite.Stmt, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	s, err := c.c.Prepare(sql)
	if err != nil {
		return nil, c.seen(err)
	}
	c.stmts[sql] = s
	return s, nil
}

// bind gives a statement all its arguments, and says whether they are its.
func bind(s *sqlite.Stmt, args []any) bool {
	if s.BindParamCount() != len(args) {
		return false
	}
	for i, a := range args {
		switch v := verbs.Value(a).(type) {
		case nil:
			s.BindNull(i + 1)
		case int64:
			s.BindInt64(i+1, v)
		case bool:
			s.BindBool(i+1, v)
		case string:
			s.BindText(i+1, v)
		case []byte:
			if v == nil {
				s.BindNull(i + 1)
			} else {
				s.BindBytes(i+1, v)
			}
		default:
			return false
		}
	}
	return true
}

// seen turns a driver's error into our error and remembers the ones that end a transaction.
func (c *conn) seen(err error) error {
	if err == nil {
		return nil
	}
	if err = fault(sqlite.ErrCode(err)); isFatal(err) {
		return c.broken(err)
	}
	return err
}

func (c *conn) broken(err error) error {
	if c.fatal == nil {
		c.fatal = err
	}
	return err
}
