package postgres

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// view is a read-only transaction.
type view struct {
	verbs.View
	e *engine

	looks bool // no snapshot in common, and may run again
}

var _ idp.View = (*view)(nil)

// Head is the counter row.
func (v *view) Head() (idp.Head, error) {
	n, err := v.E.Counter()
	return n.Head(), err
}

// Tail is the head and what follows a number, in one flight.
func (v *view) Tail(after uint64, limit int) (h idp.Head, out []idp.Entry, err error) {
	n, _, err := v.e.counter(&question{sql: verbs.EntriesAfter, args: []any{after, limit}, f: func(r verbs.Row) { out = append(out, verbs.ReadEntry(r)) }})
	return n.Head(), out, err
}

// tx is a transaction that writes.
type tx struct {
	verbs.Tx
	e        *engine
	foreseen *foreseen // of a joined flight; else nil
	held     held
	lifeCap  int64 // beside the time that Mint has told
}

var _ idp.Tx = (*tx)(nil)

// Head is the counter row. Its time is not later than what endings of this transaction will carry.
func (t *tx) Head() (idp.Head, error) {
	n, wall, err := t.e.counter()
	if err != nil {
		return idp.Head{}, err
	}
	h := n.Head()
	if now, jumped := t.e.store.clock.now(); !jumped && wall < now+maxStep {
		h.Time = max(h.Time, wall)
	}
	return h, nil
}

// Mint is the ledger time for tokens: one that stood in the counter row, committed, before the names are read.
func (t *tx) Mint() (idp.Time, error) {
	s := t.e.store
	if _, jumped := s.clock.now(); jumped {
		return 0, idp.ErrClock
	}
	at, lifeCap, fresh := s.clock.minted(verbs.MintAge)
	if !fresh {
		var err error
		if at, lifeCap, err = s.tick(); err != nil {
			return 0, err
		}
	}
	t.lifeCap = lifeCap
	return at, nil
}

// Record writes an event.
func (t *tx) Record(e idp.Event) error {
	now, _ := t.e.store.clock.now()
	return t.RecordAt(e, now)
}

// LifeCap is how long tokens may live, in seconds: what stood beside the time that Mint has told, if it was asked.
func (t *tx) LifeCap() (int64, error) {
	if t.lifeCap > 0 {
		return t.lifeCap, nil
	}
	return t.Tx.LifeCap()
}

const (
	sqlHoldCounter = `SELECT 1 FROM counter FOR UPDATE`
	sqlSetCap      = `UPDATE counter SET time = ?, life_cap = ?, old_cap = ?, old_cap_until = ?, max_cap = ?`
)

// SetLifeCap says how long tokens may live from this commit on.
func (t *tx) SetLifeCap(seconds int64) error {
	if err := verbs.CheckLifeCap(seconds); err != nil {
		return err
	}
	if err := t.e.Later(true, sqlHoldCounter); err != nil {
		return err
	}
	h, err := t.Head()
	if err != nil {
		return err
	}
	n, err := t.e.Counter()
	if err != nil {
		return err
	}
	n.SetCap(seconds, h.Time)
	return t.e.Later(true, sqlSetCap, h.Time, n.Cap, n.Old, n.Until, n.Max)
}

// Locks wait with what is to be written: they are sent, in their order, before what is read next. S2: what was known to be
// alive before a lock is asked for again after it.
const (
	sqlLockRealm   = `SELECT 1 FROM realm FOR `
	sqlLockAccount = `SELECT 1 FROM account WHERE id = ? FOR `
	sqlLockSession = `SELECT 1 FROM session WHERE name = ? FOR `
	sqlLockClient  = `SELECT 1 FROM client WHERE id = ? FOR `
	sqlLockGrant   = `SELECT 1 FROM grant_ WHERE name = ? FOR `
	sqlLockFamily  = `SELECT 1 FROM family WHERE name = ? FOR `
	sqlLockHandle  = `SELECT 1 FROM family WHERE handle = ? FOR `
	sqlMakeSlot    = `INSERT INTO slot (session, client, grant_, must_ask) VALUES (?, ?, NULL, false) ON CONFLICT (session, client) DO NOTHING`
	sqlLockSlot    = `SELECT 1 FROM slot WHERE session = ? AND client = ? FOR UPDATE`
)

func (t *tx) lock(sql string, m idp.LockMode, args ...any) error {
	how := "SHARE"
	if m == idp.Exclusive {
		how = "UPDATE"
	}
	t.Buffer.Doubt()
	return t.e.Later(true, sql+how, args...)
}

// LockRealm locks the realm's row.
func (t *tx) LockRealm(m idp.LockMode) error { return t.lock(sqlLockRealm, m) }

// LockAccount locks an account's row; that there is none is told with what is read next.
func (t *tx) LockAccount(a idp.AccountID, m idp.LockMode) error { return t.lock(sqlLockAccount, m, a) }

// LockSession locks a session's row.
func (t *tx) LockSession(n idp.Name, m idp.LockMode) error {
	if t.foreseen != nil {
		if s, ok := t.foreseen.sessions[n]; ok && s == nil {
			return idp.ErrNotFound
		} else if ok {
			return nil
		}
		if t.foreseen.presumed && m == idp.Exclusive {
			return t.e.Later(true, sqlLockSession+"UPDATE", n) // no doubt: COMMIT finds out what has ended meanwhile
		}
	}
	return t.lock(sqlLockSession, m, n)
}

// Session reads one by its name.
func (t *tx) Session(n idp.Name) (idp.Session, error) {
	if t.foreseen != nil && t.foreseen.sessions[n] != nil {
		return *t.foreseen.sessions[n], nil
	}
	return t.Tx.Session(n)
}

// LockClient locks an app's row.
func (t *tx) LockClient(c idp.ClientID, m idp.LockMode) error { return t.lock(sqlLockClient, m, c) }

// LockGrant locks a grant's row.
func (t *tx) LockGrant(n idp.Name, m idp.LockMode) error { return t.lock(sqlLockGrant, m, n) }

// LockFamily locks a family's row.
func (t *tx) LockFamily(n idp.Name, m idp.LockMode) error { return t.lock(sqlLockFamily, m, n) }

// LockArrival takes locks by number, of the session and of the subject: of what has not arrived yet there is no row.
func (t *tx) LockArrival(provider, issuer, sid, subject string) error {
	var keys []int64
	for i, value := range []string{sid, subject} {
		if value == "" {
			continue
		}
		sum := sha256.Sum256([]byte(strings.Join([]string{provider, issuer, strconv.Itoa(i), value}, "\x00")))
		keys = append(keys, int64(binary.BigEndian.Uint64(sum[:])))
	}
	slices.Sort(keys)
	t.Buffer.Doubt()
	for _, k := range keys {
		if err := t.e.Later(false, sqlLockNumber, k); err != nil {
			return err
		}
	}
	return nil
}

// LockHandle locks a family by its handle, if there is one.
func (t *tx) LockHandle(h idp.Hash, m idp.LockMode) error {
	t.Buffer.Doubt()
	if m == idp.Exclusive {
		t.held = held{handle: h}
		return t.e.Later(false, sqlLockHandle+"UPDATE", h)
	}
	return t.e.Later(false, sqlLockHandle+"SHARE", h)
}

// LockSlot locks a slot's row, and makes it if there is none.
func (t *tx) LockSlot(session idp.Name, client idp.ClientID) error {
	t.Buffer.Doubt()
	if err := t.e.Later(false, sqlMakeSlot, session, client); err != nil {
		return err
	}
	return t.e.Later(true, sqlLockSlot, session, client)
}

// ReceiptByRequest reads the one that a request has made.
func (t *tx) ReceiptByRequest(h idp.Hash) (idp.Receipt, error) {
	if t.foreseen != nil && t.foreseen.unasked(h) && !t.Buffer.HasRequest(h) {
		return idp.Receipt{}, fmt.Errorf("receipt: %w", idp.ErrNotFound)
	}
	return t.Tx.ReceiptByRequest(h)
}

const (
	sweepLock     = 0x65787377 // "exsw"
	sqlLockNumber = `SELECT pg_advisory_xact_lock(?)`
	sqlMine       = `SELECT pg_try_advisory_xact_lock(?)`
)

// Sweep deletes what nobody asks for any more, if no other node is at it.
func (t *tx) Sweep(now idp.Time, limit int) (int, error) {
	mine := false
	if _, err := t.e.One(sqlMine, func(r verbs.Row) { mine = r.Bool() }, sweepLock); err != nil || !mine {
		return 0, err
	}
	return t.Tx.Sweep(now, limit)
}
