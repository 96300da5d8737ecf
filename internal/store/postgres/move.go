package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

var _ idp.Movable = (*Store)(nil)

// Export hands over all rows of one snapshot.
func (s *Store) Export(ctx context.Context, row func(int, []any) error) error {
	return s.moving(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error { return export(ctx, tx, row) })
}

// moving is a transaction that takes as long as it takes.
func (s *Store) moving(ctx context.Context, o pgx.TxOptions, f func(pgx.Tx) error) error {
	config := s.pool.Config().ConnConfig
	for _, limit := range []string{"statement_timeout", "idle_in_transaction_session_timeout"} {
		config.RuntimeParams[limit] = "0"
	}
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fault(err)
	}
	defer c.Close(context.WithoutCancel(ctx))
	if err := s.trust(ctx, c); err != nil {
		return err
	}
	tx, err := c.BeginTx(ctx, o)
	if err != nil {
		return fault(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(context.WithoutCancel(ctx)); err != nil && lost(err) {
		return &unknownError{fault(err)}
	} else if err != nil {
		return fault(err)
	}
	return nil
}

func export(ctx context.Context, tx pgx.Tx, row func(int, []any) error) error {
	for i, t := range verbs.Tables() {
		rows, err := tx.Query(ctx, t.Read())
		if err != nil {
			return fault(err)
		}
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				rows.Close()
				return fault(err)
			}
			for k, v := range values {
				if b, ok := v.(bool); ok {
					values[k] = map[bool]int64{true: 1}[b]
				}
			}
			if err := row(i, values); err != nil {
				rows.Close()
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return fault(err)
		}
	}
	return nil
}

// Import takes rows into a new database.
func (s *Store) Import(ctx context.Context, from func(func(int, []any) error) error) error {
	return s.moving(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		tables := verbs.Tables()
		for _, t := range tables {
			var n int64
			if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+t.Name).Scan(&n); err != nil {
				return fault(err)
			}
			if n > 0 && !t.Born() {
				return fmt.Errorf("table %s has rows: %w", t.Name, idp.ErrNotEmpty)
			}
			if _, err := tx.Exec(ctx, "DELETE FROM "+t.Name); err != nil {
				return fault(err)
			}
		}
		in := &intake{ctx: ctx, tx: tx, table: -1, tables: tables}
		return errors.Join(from(in.row), in.finish())
	})
}

// intake copies the rows of one table after the other.
type intake struct {
	ctx    context.Context
	tx     pgx.Tx
	tables []verbs.Table
	table  int
	rows   [][]any
}

const intakeRows = 5000

func (in *intake) row(table int, values []any) error {
	if table != in.table || len(in.rows) >= intakeRows {
		if err := in.finish(); err != nil {
			return err
		}
	}
	in.table = table
	for i, c := range in.tables[table].Columns {
		if n, ok := values[i].(int64); ok && verbs.Booleans(c) {
			values[i] = n != 0
		}
	}
	in.rows = append(in.rows, values)
	return nil
}

func (in *intake) finish() error {
	if len(in.rows) == 0 {
		return nil
	}
	t := in.tables[in.table]
	_, err := in.tx.CopyFrom(in.ctx, pgx.Identifier{t.Name}, t.Columns, pgx.CopyFromRows(in.rows))
	in.rows = in.rows[:0]
	if err != nil {
		return fault(err)
	}
	return nil
}

// movedTable is what "ending" is called in a database that is another one now: whatever matters asks that table, so that nodes which still run
// are refused, in their reads too.
const movedTable = "moved_ending"

// HandOver exports for the last time.
func (s *Store) HandOver(ctx context.Context, to string, row func(int, []any) error, done func() error) error {
	defer s.Close()
	free, err := s.handing(ctx)
	if err != nil {
		return err
	}
	defer free()
	n, err := s.leave(ctx, to)
	if err != nil {
		return err
	}
	err = s.moving(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "ALTER TABLE "+movedTable+" RENAME TO ending"); err != nil { // for nobody else: it is rolled back
			return fault(err)
		}
		var names []string
		for _, t := range verbs.Tables() {
			names = append(names, t.Name)
		}
		if _, err := tx.Exec(ctx, "LOCK TABLE "+strings.Join(names, ", ")+" IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return fault(err)
		}
		if err := export(ctx, tx, row); err != nil {
			return err
		}
		if err := done(); err != nil {
			return err
		}
		return errHandedOver
	})
	ctx = context.WithoutCancel(ctx)
	switch {
	case errors.Is(err, errHandedOver):
		if err := s.moving(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error { return setLineage(ctx, tx, verbs.MovedMark(n.Lineage, to, true)) }); err != nil {
			return &unknownError{err}
		}
		return nil
	case errors.Is(err, idp.ErrUnknown), n.Moved != "":
		return err
	}
	return errors.Join(err, s.moving(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "ALTER TABLE "+movedTable+" RENAME TO ending"); err != nil {
			return fault(err)
		}
		return setLineage(ctx, tx, n.Lineage[:])
	}))
}

var errHandedOver = errors.New("handed over")

// handing lets one program at a time hand the database over.
func (s *Store) handing(ctx context.Context) (free func(), err error) {
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, unreachable(err)
	}
	free = func() { c.Conn().Close(context.WithoutCancel(ctx)); c.Release() }
	alone := false
	if err = c.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", handOverLock).Scan(&alone); err != nil {
		err = fault(err)
	} else if !alone {
		err = idp.ErrInUse
	}
	if err != nil {
		free()
	}
	return free, err
}

// leave marks the database and takes away what nodes ask, when whoever has asked is done. It returns the counter row as it was.
func (s *Store) leave(ctx context.Context, to string) (n verbs.Counter, err error) {
	err = s.moving(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+verbs.CounterColumns+" FROM counter")
		if err != nil {
			return fault(err)
		}
		if _, err := each(rows, func(r verbs.Row) { n = verbs.ReadCounter(r) }); err != nil {
			return fault(err)
		}
		var before *idp.MovedError
		if err := n.Alive(); errors.As(err, &before) {
			if !before.Resumes(to) {
				return err
			}
			return nil // interrupted
		}
		if _, err := tx.Exec(ctx, "ALTER TABLE ending RENAME TO "+movedTable); err != nil {
			return fault(err)
		}
		return setLineage(ctx, tx, verbs.MovedMark(n.Lineage, to, false))
	})
	return n, err
}

func setLineage(ctx context.Context, tx pgx.Tx, l []byte) error {
	if _, err := tx.Exec(ctx, "UPDATE counter SET lineage = $1", l); err != nil {
		return fault(err)
	}
	return nil
}
