package sqlite

import (
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

const (
	sqlBeginWrite = `BEGIN IMMEDIATE`
	sqlCommit     = `COMMIT`
	sqlSave       = `SAVEPOINT member`
	sqlUndo       = `ROLLBACK TO member`
	sqlRelease    = `RELEASE member`
)

// flight is one commit and the members that share it.
type flight struct {
	c     *conn
	alone bool

	read    verbs.Counter // as it was after BEGIN IMMEDIATE
	counter verbs.Counter // with what members changed
	now     idp.Time      // ledger time of this commit
	jumped  bool
	tick    bool // the counter row is to be written even without an ending
	buffer  verbs.Buffer

	sessions map[idp.Name]*idp.Session // that were read, until a member writes a row
}

// fly runs the members' closures in one transaction, commits, and answers. What fails as a whole is flown again member
// by member, if nothing can have happened.
func (w *writer) fly(batch []*member) {
	batch = slices.DeleteFunc(batch, func(m *member) bool { return !m.boards() })
	if len(batch) == 0 {
		return
	}
	w.flying = batch
	err := w.try(batch)
	w.flying = nil
	if err == nil {
		answer(batch)
		return
	}
	w.abandon()
	if isUnknown(err) {
		// Who wrote nothing may have seen what a neighbour wrote, so its verdict is worth nothing: it asks again.
		again := slices.DeleteFunc(slices.Clone(batch), func(m *member) bool { return m.wrote && m.err == nil })
		for _, m := range batch {
			if m.wrote && m.err == nil {
				m.finish(err)
			}
		}
		w.flyAlone(again)
		return
	}
	if len(batch) == 1 {
		batch[0].finish(err)
		return
	}
	w.flyAlone(batch)
}

// flyAlone gives each a commit of its own. redo says, meanwhile, what is still to come.
func (w *writer) flyAlone(batch []*member) {
	later := w.redo
	for i, m := range batch {
		w.redo = slices.Concat(batch[i+1:], later)
		w.fly([]*member{m})
	}
	w.redo = later
}

// boards says whether the member still wants its turn, and answers it if not.
func (m *member) boards() bool {
	if m.take() {
		m.err, m.panicked, m.wrote = nil, nil, false
		return true
	}
	if m.state.CompareAndSwap(waiting, cancelled) {
		m.finish(m.ctx.Err())
	}
	return false
}

func (m *member) finish(err error) {
	if err != nil {
		m.err = err
	}
	close(m.done)
}

func answer(batch []*member) {
	for _, m := range batch {
		m.finish(nil)
	}
}

// try is the transaction. A nil error means committed, with each member's own verdict in the member.
func (w *writer) try(batch []*member) error {
	f, err := w.begin(len(batch) == 1)
	if err != nil {
		return err
	}
	if err := f.ask(batch); err != nil {
		return err
	}
	for _, m := range batch {
		if err := w.run(f, m); err != nil {
			return err
		}
	}
	if f.alone && batch[0].failed() {
		return w.rollback()
	}
	if err := f.flush(); err != nil {
		return err
	}
	if err := w.store.commit(f.c); err != nil {
		if primary(err) == sqlite.ResultFull {
			return err // the frame that would have committed was never written
		}
		return &unknownError{err}
	}
	w.store.clock.observe(f.counter.Time)
	w.store.told(f)
	return nil
}

func commit(c *conn) error {
	_, err := c.exec(sqlCommit)
	return err
}

func (w *writer) begin(alone bool) (*flight, error) {
	s := w.store
	if err := s.file.there(); err != nil {
		return nil, err
	}
	if w.c == nil {
		c, err := s.dialWriter()
		if err != nil {
			return nil, err
		}
		w.c = c
	}
	if _, err := w.c.exec(sqlBeginWrite); err != nil {
		return nil, err
	}
	f := &flight{c: w.c, alone: alone}
	var err error
	if f.read, err = readCounter(w.c); err != nil {
		return nil, err
	}
	f.counter = f.read
	f.now, f.jumped = s.clock.next(f.read.Time)
	return f, nil
}

// sessionsAtOnce is how many sessions one statement reads.
const sessionsAtOnce = 16

var sqlSessionsAtOnce = verbs.SessionsBy + ` IN (?` + strings.Repeat(", ?", sessionsAtOnce-1) + `)`

// ask reads the sessions that members foresee, and learns which of the names are alive.
func (f *flight) ask(batch []*member) error {
	e := &engine{c: f.c, flight: f}
	var sessions, names []idp.Name
	for _, m := range batch {
		sessions = append(sessions, m.asks.Sessions...)
		names = append(names, m.asks.Names...)
	}
	names = append(names, sessions...)
	for len(sessions) > 0 {
		var args [sessionsAtOnce]any
		n := nameArgs(args[:], sessions[:min(len(sessions), sessionsAtOnce)])
		err := e.Each(sqlSessionsAtOnce, func(r verbs.Row) {
			f.foresee(verbs.ReadSession(r))
		}, args[:]...)
		if err != nil {
			return err
		}
		sessions = sessions[n:]
	}
	if len(names) == 0 {
		return nil
	}
	over, err := e.Over(names)
	if err == nil {
		f.buffer.Learn(names, over)
	}
	return err
}

func (f *flight) foresee(s idp.Session) {
	if f.sessions == nil {
		f.sessions = map[idp.Name]*idp.Session{}
	}
	f.sessions[s.Name] = &s
}

// run gives one member its turn. It returns an error only if the whole transaction is lost.
func (w *writer) run(f *flight, m *member) error {
	e := &engine{c: f.c, flight: f}
	t := &tx{Tx: verbs.NewTx(e, w.store.clients, &f.buffer), engine: e}
	before := f.mark()
	w.call(t, m)
	e.c = nil // a Tx that escaped its closure must not write into a neighbour's
	if f.c.fatal != nil {
		return f.c.fatal
	}
	m.wrote = e.saved || f.mark() != before
	if m.failed() {
		f.reset(before)
	}
	if !e.saved || f.alone {
		return nil
	}
	if m.failed() {
		if _, err := f.c.exec(sqlUndo); err != nil {
			return err
		}
	}
	_, err := f.c.exec(sqlRelease)
	return err
}

func (m *member) failed() bool { return m.err != nil || m.panicked != nil }

func (w *writer) call(t *tx, m *member) {
	w.turn = m
	returned := false
	defer func() {
		if !returned {
			if m.panicked = recover(); m.panicked == nil {
				return // runtime.Goexit, which cannot be stopped: writer.loop goes on from here
			}
		}
		w.turn = nil
	}()
	m.err = m.f(t)
	returned = true
}

// exited is the end of a flight whose member called runtime.Goexit: nothing of it happens, and its neighbours go again.
func (w *writer) exited() {
	w.abandon()
	m := w.turn
	w.redo = slices.Concat(slices.DeleteFunc(w.flying, func(o *member) bool { return o == m }), w.redo)
	w.turn, w.flying = nil, nil
	if m != nil {
		m.exited = true
		m.finish(nil)
	}
}

func (w *writer) rollback() error {
	_, err := w.c.exec(sqlRollback)
	return err
}

// abandon leaves the transaction. A connection on which that does not work is opened anew.
func (w *writer) abandon() {
	if w.c == nil {
		return
	}
	if w.c.fatal == nil && w.rollback() == nil {
		return
	}
	w.c.close()
	w.c = nil
}

// unknownError is a COMMIT whose answer was lost.
type unknownError struct{ cause error }

func (e *unknownError) Error() string   { return fmt.Sprintf("%v: %v", idp.ErrUnknown, e.cause) }
func (e *unknownError) Is(t error) bool { return t == idp.ErrUnknown }

func isUnknown(err error) bool {
	_, ok := err.(*unknownError)
	return ok
}
