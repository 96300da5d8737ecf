package sqlite

import (
	"fmt"
	"slices"

	"exeunt.dev/internal/idp"
)

// tx is one member's transaction.
type tx struct {
	view
	saved bool // it has written rows, so it has a savepoint

	locked *idp.Session // as read by LockSession, until the next write
}

var _ idp.Tx = (*tx)(nil)

// write is exec for rows other than endings. The first one makes the savepoint that the member's failure goes back to; a
// member alone in its flight goes back to BEGIN.
func (t *tx) write(sql string, args ...any) (int64, error) {
	t.locked = nil
	if !t.saved {
		if !t.flight.alone {
			if _, err := t.c.exec(sqlSave); err != nil {
				return 0, err
			}
		}
		t.saved = true
	}
	return t.c.exec(sql, args...)
}

// swap is write for an update by compare: it says whether a row was there to be changed.
func (t *tx) swap(sql string, args ...any) (bool, error) {
	n, err := t.write(sql, args...)
	return n > 0, err
}

// must is write for an update of a row that has to be there.
func (t *tx) must(sql string, args ...any) error {
	changed, err := t.swap(sql, args...)
	if err == nil && !changed {
		err = idp.ErrNotFound
	}
	return err
}

// add is write for an insert.
func (t *tx) add(sql string, args ...any) error {
	_, err := t.write(sql, args...)
	return err
}

// Append buffers endings and their receipt. See idp.LedgerWriter.
func (t *tx) Append(r idp.Receipt, endings []idp.Ending) error {
	b := &t.flight.buffer
	if _, taken := b.byRequest[r.Request]; taken {
		return fmt.Errorf("request: %w", idp.ErrConflict)
	}
	names := make([]idp.Name, 0, len(endings))
	for _, e := range endings {
		if e.Name.IsZero() {
			return fmt.Errorf("%w: the zero name cannot end", errProgram)
		}
		names = append(names, e.Name)
	}
	over, err := t.Ended(names...)
	if err != nil {
		return err
	}
	fresh := make([]idp.Ending, 0, len(endings))
	for i, e := range endings {
		if slices.Contains(over, e.Name) || slices.Contains(names[:i], e.Name) {
			continue
		}
		e.Receipt, e.At = r.ID, t.flight.now
		fresh = append(fresh, e)
	}
	if len(fresh) == 0 {
		return nil
	}
	if n, ok := r.ID.Ended(); !ok || !slices.ContainsFunc(fresh, func(e idp.Ending) bool { return e.Name == n }) {
		return fmt.Errorf("%w: a receipt's id holds a name that it ends", errProgram)
	}
	r.At = t.flight.now
	b.add(r, fresh)
	return nil
}

// mintAge is how old the counter row's time may be when a token is minted under it.
const mintAge = idp.Time(1000)

// Mint is the ledger time for tokens.
func (t *tx) Mint() (idp.Time, error) {
	f := t.flight
	if f.jumped {
		return 0, idp.ErrClock
	}
	if f.now-f.counter.time > mintAge || f.tick {
		f.tick = true
		return f.now, nil
	}
	return f.counter.time, nil
}

// maxLifeCap in seconds, a year, keeps every until far from idp's "forever".
const maxLifeCap = 366 * 24 * 3600

// SetLifeCap says how long tokens may live from this commit on.
func (t *tx) SetLifeCap(seconds int64) error {
	if seconds < 1 || seconds > maxLifeCap {
		return fmt.Errorf("%w: life cap of %d s", errProgram, seconds)
	}
	f := t.flight
	if seconds != f.counter.cap {
		f.counter.setCap(seconds, f.now)
		f.tick = true
	}
	return nil
}

const sqlSwapRealm = `UPDATE realm SET epoch = ?2 WHERE epoch = ?1`

// SwapRealmEpoch replaces the realm's epoch by compare.
func (t *tx) SwapRealmEpoch(old, next idp.Name) (bool, error) {
	if next.IsZero() {
		return false, fmt.Errorf("%w: a realm has an epoch", errProgram)
	}
	return t.swap(sqlSwapRealm, old, next)
}

const (
	sqlHasAccount = `SELECT 1 FROM account WHERE id = ?`
	sqlHasClient  = `SELECT 1 FROM client WHERE id = ?`
	sqlHasGrant   = `SELECT 1 FROM grant_ WHERE name = ?`
	sqlHasFamily  = `SELECT 1 FROM family WHERE name = ?`
)

// The locks: BEGIN IMMEDIATE holds all of them, so they only say whether the row is there.

func (t *tx) there(sql string, args ...any) error { return t.find(sql, func(*row) {}, args...) }

// LockRealm does nothing: there is one realm and one writer.
func (t *tx) LockRealm(idp.LockMode) error { return nil }

// LockAccount returns idp.ErrNotFound if there is none.
func (t *tx) LockAccount(a idp.AccountID, _ idp.LockMode) error { return t.there(sqlHasAccount, a) }

// LockSession returns idp.ErrNotFound if there is none. Who locks a session reads it next and asks whether it has ended, so
// both are read here.
func (t *tx) LockSession(n idp.Name, _ idp.LockMode) error {
	var s idp.Session
	var over bool
	err := t.find(sqlLockSession, func(r *row) { s, over = readSession(r), r.bool() }, n)
	if err != nil {
		return err
	}
	t.locked = &s
	if !over {
		t.flight.buffer.learn([]idp.Name{n}, nil)
	}
	return nil
}

// Session reads one by its name.
func (t *tx) Session(n idp.Name) (idp.Session, error) {
	if t.locked != nil && t.locked.Name == n {
		return *t.locked, nil
	}
	return t.view.Session(n)
}

// LockClient returns idp.ErrNotFound if there is none.
func (t *tx) LockClient(c idp.ClientID, _ idp.LockMode) error { return t.there(sqlHasClient, c) }

// LockGrant returns idp.ErrNotFound if there is none.
func (t *tx) LockGrant(n idp.Name, _ idp.LockMode) error { return t.there(sqlHasGrant, n) }

// LockFamily returns idp.ErrNotFound if there is none.
func (t *tx) LockFamily(n idp.Name, _ idp.LockMode) error { return t.there(sqlHasFamily, n) }

const sqlMakeSlot = `INSERT OR IGNORE INTO slot (session, client, grant_, must_ask) VALUES (?, ?, NULL, 0)`

// LockSlot makes the slot if there is none.
func (t *tx) LockSlot(session idp.Name, client idp.ClientID) error {
	if _, err := t.Slot(session, client); err == nil {
		return nil
	}
	return t.add(sqlMakeSlot, session, client)
}
