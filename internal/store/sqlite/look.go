package sqlite

import (
	"context"
	"errors"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// Look runs f without a transaction: each statement has a snapshot of its own, and there is nothing to begin or to end.
func (s *Store) Look(ctx context.Context, f func(idp.View) error) error {
	return s.read(ctx, func(c *conn) error {
		stale, err := s.look(c, false, f)
		if stale {
			_, err = s.look(c, true, f)
		}
		return err
	})
}

func (s *Store) look(c *conn, again bool, f func(idp.View) error) (stale bool, err error) {
	e := &looking{engine: engine{c: c}, again: again}
	defer func() { e.c = nil }() // as in View
	err = f(&look{view: view{View: verbs.View{E: e, Cache: s.clients}, clock: s.clock}, e: e})
	if sure := e.sure(); sure != nil {
		err = sure
	}
	return e.stale, err
}

// look is the View of a Look.
type look struct {
	view
	e *looking
}

// Client reads an app. A copy that this process keeps is told at once, and whether it is the row's is asked with what is asked next. If it is
// not, the closure runs again, and that run asks first: nothing that rests on the copy is told before the row was asked.
func (l *look) Client(id idp.ClientID) (idp.Client, error) {
	c, version, kept := l.Cache.Copy(id)
	if !kept || l.e.again || l.e.copy != "" {
		return l.view.Client(id)
	}
	l.e.copy, l.e.version = id, version
	return c, nil
}

// errStale is told to a closure that will run again.
var errStale = errors.New("a copy is not what the row is")

// looking is the engine of a Look.
type looking struct {
	engine
	copy    idp.ClientID // that was told, and whose row is still to be asked; "": none
	version int64
	stale   bool
	again   bool // a run before this one was stale
}

// One calls f for the first row and says whether there was one.
func (l *looking) One(sql string, f func(verbs.Row), args ...any) (bool, error) {
	if err := l.sure(); err != nil {
		return false, err
	}
	return l.engine.One(sql, f, args...)
}

// Each calls f for every row.
func (l *looking) Each(sql string, f func(verbs.Row), args ...any) error {
	if err := l.sure(); err != nil {
		return err
	}
	return l.engine.Each(sql, f, args...)
}

// Counter is the counter row.
func (l *looking) Counter() (verbs.Counter, error) {
	if err := l.sure(); err != nil {
		return verbs.Counter{}, err
	}
	return l.engine.Counter()
}

// Over returns those of the names that are in the table of endings.
func (l *looking) Over(names []idp.Name) ([]idp.Name, error) {
	if l.copy == "" || l.stale || len(names) > maxAsk {
		if err := l.sure(); err != nil {
			return nil, err
		}
		return l.engine.Over(names)
	}
	return l.ask(names)
}

// sure asks the row of a copy that was told.
func (l *looking) sure() error {
	if l.copy != "" && !l.stale {
		if _, err := l.ask(nil); err != nil {
			return err
		}
	}
	if l.stale {
		return errStale
	}
	return nil
}

// sqlAsk is sqlEnded with a bit more, behind those of the names: that a client's row has the version.
var sqlAsk = func() (q [maxAsk + 1]string) {
	const same = "(EXISTS (SELECT 1 FROM client WHERE id = ? AND version = ?) << 0x10)"
	q[0] = "SELECT " + same + " AS bits"
	for n := 1; n <= maxAsk; n++ {
		q[n] = strings.TrimSuffix(sqlEnded[n], " AS bits") + " | " + same + " AS bits"
	}
	return q
}()

// ask asks for at most maxAsk names, and for the copy's row.
func (l *looking) ask(names []idp.Name) ([]idp.Name, error) {
	var args [maxAsk + 2]any
	n := nameArgs(args[:], names)
	args[n], args[n+1] = l.copy, l.version
	var bits int64
	if _, err := l.engine.One(sqlAsk[n], func(r verbs.Row) { bits = r.Int() }, args[:n+2]...); err != nil {
		return nil, err
	}
	if l.stale = bits&(1<<maxAsk) == 0; l.stale {
		return nil, errStale
	}
	l.copy = ""
	return marked(nil, names, bits), nil
}
