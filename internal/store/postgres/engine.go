package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
	"exeunt.dev/ledger"
)

// engine runs the statements of one transaction. What needs no answer waits, and goes with what does.
type engine struct {
	store *Store
	c     *pgx.Conn
	begin string      // until it is sent
	again bool        // a run before this one came to nothing
	known ledger.Head // the longest that was read before this transaction began

	waiting []*question
	unsure  bool  // one of them decides whether what the closure was told is so
	sent    bool  // a write or a lock of this transaction has left
	failed  error // the first error: nothing more is sent

	beside func([]*question) error // of a read that runs beside others: asks with them
}

var _ verbs.Writer = (*engine)(nil)

// question is a statement whose rows, or with a nil f whose count, are wanted.
type question struct {
	sql  string
	args []any
	must bool // no row: idp.ErrNotFound
	f    func(verbs.Row)
	then func() error // judges the answer
	n    int64        // the answer's rows
}

// fly sends what waits and then the questions, all in one flight.
func (e *engine) fly(ask ...*question) error {
	if e.failed != nil {
		return e.failed
	}
	if e.beside != nil {
		return e.beside(ask)
	}
	all := append(e.waiting, ask...)
	for _, q := range all {
		e.sent = e.sent || q.f == nil
	}
	if e.begin == "" && len(all) == 1 && all[0].f != nil { // a batch would cost more
		rows, err := e.c.Query(noLimit, e.store.placeholders(all[0].sql), bind(all[0].args)...)
		if err != nil {
			e.failed = e.fault(err)
			return e.failed
		}
		e.failed = e.take(rows, all[0])
	} else {
		var b pgx.Batch
		if e.begin != "" {
			b.Queue(e.begin)
		}
		for _, q := range all {
			b.Queue(e.store.placeholders(q.sql), bind(q.args)...)
		}
		e.failed = e.receive(e.c.SendBatch(noLimit, &b), all)
	}
	e.begin, e.waiting = "", e.waiting[:0]
	e.unsure = e.unsure && e.failed != nil
	return e.failed
}

// receive reads the answers to what fly sent.
func (e *engine) receive(answers pgx.BatchResults, all []*question) error {
	defer answers.Close()
	if e.begin != "" {
		if _, err := answers.Exec(); err != nil {
			return e.fault(err)
		}
	}
	for _, q := range all {
		if q.f == nil {
			tag, err := answers.Exec()
			if err != nil {
				return e.fault(err)
			}
			if q.n = tag.RowsAffected(); q.must && q.n == 0 {
				return idp.ErrNotFound
			}
			continue
		}
		rows, err := answers.Query()
		if err != nil {
			return e.fault(err)
		}
		if err := e.take(rows, q); err != nil {
			return err
		}
	}
	return nil
}

// take reads the rows of one answer.
func (e *engine) take(rows pgx.Rows, q *question) (err error) {
	if q.n, err = each(rows, q.f); err != nil && err != verbs.ErrRow {
		err = e.fault(err)
	}
	if err == nil && q.then != nil {
		err = q.then()
	}
	return err
}

// sure sends what decides whether the closure was told what is so, if it waits still. Neither a verdict nor a COMMIT may
// come before.
func (e *engine) sure() error {
	switch {
	case !e.unsure:
		return nil
	case errors.Is(e.failed, idp.ErrNotFound): // told instead of what was to be decided
		return errAgain
	}
	return e.fly()
}

// noLimit is the context of all statements: the limit is the connection's deadline, and never the caller's, since a cancelled
// caller would cost the connection.
var noLimit = context.Background()

// One calls f for the first row and says whether there was one.
func (e *engine) One(sql string, f func(verbs.Row), args ...any) (bool, error) {
	first := true
	q := question{sql: sql, args: args, f: func(r verbs.Row) {
		if first {
			f(r)
		}
		first = false
	}}
	err := e.fly(&q)
	return q.n > 0, err
}

// Each calls f for every row.
func (e *engine) Each(sql string, f func(verbs.Row), args ...any) error {
	return e.fly(&question{sql: sql, args: args, f: f})
}

// Write runs a statement and says how many rows it changed.
func (e *engine) Write(sql string, args ...any) (int64, error) {
	q := question{sql: sql, args: args}
	err := e.fly(&q)
	return q.n, err
}

// Writes is Write for each of the arguments, in one flight.
func (e *engine) Writes(sql string, args [][]any) ([]int64, error) {
	all := make([]*question, len(args))
	for i, a := range args {
		all[i] = &question{sql: sql, args: a}
	}
	if err := e.fly(all...); err != nil {
		return nil, err
	}
	out := make([]int64, len(args))
	for i, q := range all {
		out[i] = q.n
	}
	return out, nil
}

// Later lets a statement wait for the next flight.
func (e *engine) Later(must bool, sql string, args ...any) error {
	if e.failed != nil {
		return e.failed
	}
	e.waiting = append(e.waiting, &question{sql: sql, args: args, must: must})
	return nil
}

const sqlOver = `SELECT name FROM ending WHERE name = ANY(?)`

// Over returns those of the names that are in the table of endings.
func (e *engine) Over(names []idp.Name) (over []idp.Name, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	err = e.fly(askOver(names, &over))
	return over, err
}

func askOver(names []idp.Name, over *[]idp.Name) *question {
	return &question{sql: sqlOver, args: []any{nameArray(names)}, f: func(r verbs.Row) { *over = append(*over, r.Name()) }}
}

const sqlCounter = `SELECT ` + verbs.CounterColumns + `, ` + wall + `, pg_is_in_recovery() FROM counter`

// wall is the database's clock, in Unix milliseconds.
const wall = `CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)`

// Counter reads the counter row. R: a node vouches only for what it read: a standby and a deposed primary are refused.
func (e *engine) Counter() (verbs.Counter, error) {
	n, _, err := e.counter()
	return n, err
}

// counter is Counter with the database's clock beside it. What is to be asked in the same flight comes to nothing if it fails.
func (e *engine) counter(beside ...*question) (n verbs.Counter, clock idp.Time, err error) {
	standby := false
	row := &question{sql: sqlCounter, f: func(r verbs.Row) { n, clock, standby = verbs.ReadCounter(r), r.Time(), r.Bool() }}
	err = e.fly(append(beside, row)...)
	switch {
	case err != nil:
		return n, 0, err
	case row.n == 0:
		return n, 0, fmt.Errorf("%w: the counter row is missing", idp.ErrUnavailable)
	case standby:
		return n, 0, fmt.Errorf("%w: the server is a standby", idp.ErrUnavailable)
	}
	if err := n.Alive(); err != nil {
		return n, 0, err
	}
	if err := e.store.seen(n.Head(), e.known); err != nil {
		return n, 0, err
	}
	e.store.clock.read(n.Time, n.Cap, clock)
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
