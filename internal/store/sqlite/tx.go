package sqlite

import (
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// engine runs statements: of a snapshot, or, with a flight, of one member's transaction.
type engine struct {
	c      *conn
	flight *flight
	saved  bool // it has written rows, so it has a savepoint
}

var _ verbs.Writer = (*engine)(nil)

// One calls f for the first row and says whether there was one.
func (e *engine) One(sql string, f func(verbs.Row), args ...any) (bool, error) {
	return e.c.one(sql, f, args...)
}

// Each calls f for every row.
func (e *engine) Each(sql string, f func(verbs.Row), args ...any) error {
	return e.c.each(sql, f, args...)
}

// Counter is the counter row.
func (e *engine) Counter() (verbs.Counter, error) {
	if e.flight != nil {
		return e.flight.counter, nil
	}
	return readCounter(e.c)
}

// Write runs a statement for rows other than endings. The first one makes the savepoint that the member's failure goes back
// to; a member alone in its flight goes back to BEGIN.
func (e *engine) Write(sql string, args ...any) (int64, error) {
	if !e.saved {
		if !e.flight.alone {
			if _, err := e.c.exec(sqlSave); err != nil {
				return 0, err
			}
		}
		e.saved = true
		e.flight.sessions = nil
	}
	return e.c.exec(sql, args...)
}

// Writes is Write for one after the other.
func (e *engine) Writes(sql string, args [][]any) ([]int64, error) {
	out := make([]int64, len(args))
	for i, a := range args {
		var err error
		if out[i], err = e.Write(sql, a...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Later is Write at once: nothing is gained by waiting.
func (e *engine) Later(must bool, sql string, args ...any) error {
	n, err := e.Write(sql, args...)
	if err == nil && must && n == 0 {
		err = idp.ErrNotFound
	}
	return err
}

// tx is one member's transaction.
type tx struct {
	verbs.Tx
	engine *engine
}

var _ idp.Tx = (*tx)(nil)

// Head is the counter row. Its time is what endings of this transaction will carry; its number does not count them.
func (t *tx) Head() (idp.Head, error) {
	h := t.engine.flight.read.Head()
	h.Time = t.engine.flight.now
	return h, nil
}

// Abreast runs reads in turn.
func (t *tx) Abreast(reads ...func(idp.View) error) error { return verbs.InTurn(t, reads) }

// Mint is the ledger time for tokens.
func (t *tx) Mint() (idp.Time, error) {
	f := t.engine.flight
	if f.jumped {
		return 0, idp.ErrClock
	}
	if f.now-f.counter.Time > verbs.MintAge || f.tick {
		f.tick = true
		return f.now, nil
	}
	return f.counter.Time, nil
}

// Record writes an event.
func (t *tx) Record(e idp.Event) error { return t.RecordAt(e, t.engine.flight.now) }

// SetLifeCap says how long tokens may live from this commit on.
func (t *tx) SetLifeCap(seconds int64) error {
	if err := verbs.CheckLifeCap(seconds); err != nil {
		return err
	}
	f := t.engine.flight
	if seconds != f.counter.Cap {
		f.counter.SetCap(seconds, f.now)
		f.tick = true
	}
	return nil
}

const (
	sqlHasAccount = `SELECT 1 FROM account WHERE id = ?`
	sqlHasClient  = `SELECT 1 FROM client WHERE id = ?`
	sqlHasGrant   = `SELECT 1 FROM grant_ WHERE name = ?`
	sqlHasFamily  = `SELECT 1 FROM family WHERE name = ?`
)

// The locks: BEGIN IMMEDIATE holds all of them, so they only say whether the row is there.

func (t *tx) there(sql string, args ...any) error {
	found, err := t.E.One(sql, func(verbs.Row) {}, args...)
	if err == nil && !found {
		err = idp.ErrNotFound
	}
	return err
}

// LockRealm does nothing: there is one realm and one writer.
func (t *tx) LockRealm(idp.LockMode) error { return nil }

// LockAccount returns idp.ErrNotFound if there is none.
func (t *tx) LockAccount(a idp.AccountID, _ idp.LockMode) error { return t.there(sqlHasAccount, a) }

// LockSession returns idp.ErrNotFound if there is none.
func (t *tx) LockSession(n idp.Name, _ idp.LockMode) error {
	if t.engine.flight.sessions[n] != nil {
		return nil
	}
	return t.HoldSession(n)
}

// Session reads one by its name.
func (t *tx) Session(n idp.Name) (idp.Session, error) {
	if s := t.engine.flight.sessions[n]; s != nil {
		return *s, nil
	}
	return t.Tx.Session(n)
}

// SessionByCookie reads one, and learns whether it lives: nobody else writes.
func (t *tx) SessionByCookie(h idp.Hash) (idp.Session, error) {
	s, over, err := t.Tx.LiveSessionByCookie(h)
	if err == nil && !over {
		f := t.engine.flight
		f.buffer.Learn(s.Names(), nil)
		f.foresee(s)
	}
	return s, err
}

// HeldByHandle reads a family, and learns whether it lives.
func (t *tx) HeldByHandle(h idp.Hash) (idp.Held, error) {
	f, err := t.Tx.HeldByHandle(h)
	if err == nil && !f.Over {
		t.engine.flight.buffer.Learn([]idp.Name{f.Name}, nil)
	}
	return f, err
}

// LockClient returns idp.ErrNotFound if there is none.
func (t *tx) LockClient(c idp.ClientID, _ idp.LockMode) error { return t.there(sqlHasClient, c) }

// LockArrival does nothing: there is one writer.
func (t *tx) LockArrival(_, _, _, _ string) error { return nil }

// LockGrant returns idp.ErrNotFound if there is none.
func (t *tx) LockGrant(n idp.Name, _ idp.LockMode) error { return t.there(sqlHasGrant, n) }

// LockFamily returns idp.ErrNotFound if there is none.
func (t *tx) LockFamily(n idp.Name, _ idp.LockMode) error { return t.there(sqlHasFamily, n) }

// LockHandle does nothing: who locks a handle reads its chain next, and finds out whether there is one.
func (t *tx) LockHandle(idp.Hash, idp.LockMode) error { return nil }

const sqlMakeSlot = `INSERT OR IGNORE INTO slot (session, client, grant_, must_ask) VALUES (?, ?, NULL, 0)`

// LockSlot makes the slot if there is none.
func (t *tx) LockSlot(session idp.Name, client idp.ClientID) error {
	if _, err := t.Slot(session, client); err == nil {
		return nil
	}
	return t.W.Later(false, sqlMakeSlot, session, client)
}
