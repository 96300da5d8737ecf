package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"exeunt.dev/rp"
)

// patience is how long a call goes on trying if its context has no end.
const patience = 10 * time.Second

// Store is an rp.Store. It may be used by any number of goroutines and processes.
type Store struct {
	db *sql.DB
	d  Dialect
}

var _ rp.Store = (*Store)(nil)

// Open makes the tables that are not there yet. The database stays the caller's to close.
func Open(ctx context.Context, db *sql.DB, d Dialect) (*Store, error) {
	if d != SQLite && d != Postgres {
		return nil, errors.New("sqlstore: the dialect is SQLite or Postgres")
	}
	s := &Store{db, d}
	err := s.update(ctx, func(q tx) error {
		if d == Postgres {
			// Replicas that start together would trip over each other's CREATE (their catalogue rows are unique).
			if _, err := q.exec(`SELECT pg_advisory_xact_lock(7853371001)`); err != nil {
				return err
			}
		}
		for _, one := range strings.Split(d.schema(), ";") {
			if _, err := q.exec(one); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// tx is a transaction, or the database where one statement is enough.
type tx struct {
	ctx context.Context
	d   Dialect
	on  interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}
}

// exec gives the number of rows.
func (q tx) exec(text string, args ...any) (int, error) {
	r, err := q.on.ExecContext(q.ctx, q.d.sql(text), args...)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}

func (q tx) row(text string, args ...any) *sql.Row {
	return q.on.QueryRowContext(q.ctx, q.d.sql(text), args...)
}

func (q tx) rows(each func(scan func(...any) error) error, text string, args ...any) error {
	rows, err := q.on.QueryContext(q.ctx, q.d.sql(text), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one runs a single statement, which is a transaction of its own.
func (s *Store) one(ctx context.Context, f func(tx) error) error {
	return s.again(ctx, func(ctx context.Context) error { return f(tx{ctx, s.d, s.db}) })
}

// update runs f in a serializable transaction. f may run more than once.
func (s *Store) update(ctx context.Context, f func(tx) error) error {
	return s.again(ctx, func(ctx context.Context) error {
		if s.d == SQLite {
			return s.immediate(ctx, f)
		}
		t, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
		if err != nil {
			return err
		}
		defer t.Rollback() // after a commit it does nothing
		if err := f(tx{ctx, s.d, t}); err != nil {
			return err
		}
		return t.Commit()
	})
}

// immediate takes SQLite's write lock before it reads. database/sql would begin without, and a transaction that reads first
// fails when it comes to write after somebody else.
func (s *Store) immediate(ctx context.Context, f func(tx) error) error {
	c, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err = f(tx{ctx, s.d, c}); err == nil {
		_, err = c.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		if _, e := c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); e != nil {
			c.Raw(func(any) error { return driver.ErrBadConn }) // nobody gets a connection in the middle of a transaction
		}
	}
	return err
}

// again repeats what the database refused because of others.
func (s *Store) again(ctx context.Context, f func(context.Context) error) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := f(ctx)
		if err == nil || !crowded(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}

// crowded reports an error that others caused and that says that nothing was done: 40001 and 40P01 of Postgres (pgx, lib/pq),
// SQLITE_BUSY and SQLITE_LOCKED.
func crowded(err error) bool {
	var pg interface{ SQLState() string }
	if errors.As(err, &pg) {
		return pg.SQLState() == "40001" || pg.SQLState() == "40P01"
	}
	var lite interface{ Code() int } // modernc
	if errors.As(err, &lite) {
		return lite.Code()&0xff == 5 || lite.Code()&0xff == 6
	}
	return strings.Contains(err.Error(), "database is locked") || strings.Contains(err.Error(), "database table is locked") // mattn
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func at(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n)
}
