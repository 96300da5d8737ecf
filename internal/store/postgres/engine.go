package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// engine runs the statements of one transaction. What needs no answer waits, and goes with what does.
type engine struct {
	store *Store
	c     *pgx.Conn
	ctx   context.Context // the store's limit, never the caller's: a cancelled caller would cost the connection
	begin string          // until it is sent

	waiting []statement
	sent    bool  // a write of this transaction has left
	failed  error // the first error: nothing more is sent
}

// statement waits to be sent.
type statement struct {
	sql  string
	args []any
	must bool // no row: idp.ErrNotFound
}

var _ verbs.Writer = (*engine)(nil)

// fly sends what waits and then, if there is one, a statement whose rows or count are wanted.
func (e *engine) fly(sql string, f func(verbs.Row), args []any) (n int64, err error) {
	if e.failed != nil {
		return 0, e.failed
	}
	var b pgx.Batch
	if e.begin != "" {
		b.Queue(e.begin)
	}
	for _, s := range e.waiting {
		b.Queue(s.sql, s.args...)
	}
	b.Queue(e.store.placeholders(sql), bind(args)...)
	n, err = e.receive(e.c.SendBatch(e.ctx, &b), f)
	e.begin, e.waiting = "", e.waiting[:0]
	if err != nil {
		e.failed = err
	}
	return n, err
}

// receive reads the answers to what fly sent.
func (e *engine) receive(answers pgx.BatchResults, f func(verbs.Row)) (int64, error) {
	defer answers.Close()
	if e.begin != "" {
		if _, err := answers.Exec(); err != nil {
			return 0, e.fault(err)
		}
	}
	for _, s := range e.waiting {
		tag, err := answers.Exec()
		if err != nil {
			return 0, e.fault(err)
		}
		if s.must && tag.RowsAffected() == 0 {
			return 0, idp.ErrNotFound
		}
	}
	if f == nil {
		tag, err := answers.Exec()
		if err != nil {
			return 0, e.fault(err)
		}
		return tag.RowsAffected(), nil
	}
	rows, err := answers.Query()
	if err != nil {
		return 0, e.fault(err)
	}
	n, err := each(rows, f)
	if err != nil && err != verbs.ErrRow {
		err = e.fault(err)
	}
	return int64(n), err
}

// One calls f for the first row and says whether there was one.
func (e *engine) One(sql string, f func(verbs.Row), args ...any) (bool, error) {
	first := true
	n, err := e.fly(sql, func(r verbs.Row) {
		if first {
			f(r)
		}
		first = false
	}, args)
	return n > 0, err
}

// Each calls f for every row.
func (e *engine) Each(sql string, f func(verbs.Row), args ...any) error {
	_, err := e.fly(sql, f, args)
	return err
}

// Write runs a statement and says how many rows it changed.
func (e *engine) Write(sql string, args ...any) (int64, error) {
	e.sent = true
	return e.fly(sql, nil, args)
}

// Later lets a statement wait for the next flight.
func (e *engine) Later(must bool, sql string, args ...any) error {
	if e.failed != nil {
		return e.failed
	}
	e.waiting = append(e.waiting, statement{e.store.placeholders(sql), bind(args), must})
	return nil
}

const sqlOver = `SELECT name FROM ending WHERE name = ANY(?)`

// Over returns those of the names that are in the table of endings.
func (e *engine) Over(names []idp.Name) (over []idp.Name, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	err = e.Each(sqlOver, func(r verbs.Row) { over = append(over, r.Name()) }, nameArray(names))
	return over, err
}

const sqlCounter = `SELECT ` + verbs.CounterColumns + `, ` + wall + `, pg_is_in_recovery() FROM counter`

// wall is the database's clock, in Unix milliseconds.
const wall = `CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)`

// Counter reads the counter row. R: a node vouches only for what it read: a standby and a deposed primary are refused.
func (e *engine) Counter() (verbs.Counter, error) {
	n, _, err := e.counter()
	return n, err
}

// counter is Counter with the database's clock beside it.
func (e *engine) counter() (n verbs.Counter, clock idp.Time, err error) {
	standby := false
	found, err := e.One(sqlCounter, func(r verbs.Row) { n, clock, standby = verbs.ReadCounter(r), r.Time(), r.Bool() })
	switch {
	case err != nil:
		return n, 0, err
	case !found:
		return n, 0, fmt.Errorf("%w: the counter row is missing", idp.ErrUnavailable)
	case standby:
		return n, 0, fmt.Errorf("%w: the server is a standby", idp.ErrUnavailable)
	}
	if err := e.store.seen(n.Head()); err != nil {
		return n, 0, err
	}
	e.store.clock.read(n.Time, clock)
	return n, clock, nil
}

// bind turns arguments into what pgx sends.
func bind(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = verbs.Value(a)
	}
	return out
}

func nameArray(names []idp.Name) [][]byte {
	out := make([][]byte, len(names))
	for i := range names {
		out[i] = names[i][:]
	}
	return out
}

// placeholders turns ? and ?1 into $1, once for each text.
func (s *Store) placeholders(sql string) string {
	if out, ok := s.texts.Load(sql); ok {
		return out.(string)
	}
	var b strings.Builder
	n := 0
	for i := 0; i < len(sql); i++ {
		if sql[i] != '?' {
			b.WriteByte(sql[i])
			continue
		}
		b.WriteByte('$')
		if i+1 < len(sql) && sql[i+1] >= '0' && sql[i+1] <= '9' {
			continue
		}
		n++
		b.WriteString(strconv.Itoa(n))
	}
	s.texts.Store(sql, b.String())
	return b.String()
}

type texts = sync.Map // statements as they are written → as they are sent
