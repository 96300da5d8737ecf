package sqlite

import (
	"fmt"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// view is idp.View on one connection inside a transaction.
type view struct {
	conn  *conn
	store *Store
	tx    *tx // nil for readers
}

// tx is idp.Tx: one commit, shared by its members one after another.
type tx struct {
	view
	savepoint bool // the current member's is open
	wrote     bool

	head    idp.Head // of the counter row
	cap     int64
	oldCap  int64
	oldTill idp.Time
	ticked  bool

	// Appended and not written yet.
	receipts []idp.Receipt
	endings  []idp.Ending
	fresh    map[idp.Name]int // name → index of its receipt
}

type mark struct {
	receipts, endings int
	cap, oldCap       int64
	oldTill           idp.Time
}

func (t *tx) mark() mark {
	return mark{len(t.receipts), len(t.endings), t.cap, t.oldCap, t.oldTill}
}

func (t *tx) undo(m mark) {
	if t.savepoint {
		t.conn.exec(`ROLLBACK TO member`)
		t.conn.exec(`RELEASE member`)
	}
	for _, e := range t.endings[m.endings:] {
		delete(t.fresh, e.Name)
	}
	t.receipts, t.endings = t.receipts[:m.receipts], t.endings[:m.endings]
	t.cap, t.oldCap, t.oldTill = m.cap, m.oldCap, m.oldTill
}

func (t *tx) readCounter() error {
	var lineage []byte
	var number, at, till int64
	err := t.conn.row(`SELECT number, time, lineage, life_cap, old_cap, old_cap_until FROM counter`, nil,
		&number, &at, &lineage, &t.cap, &t.oldCap, &till)
	if err != nil {
		return err
	}
	t.head = idp.Head{Number: uint64(number), Time: idp.Time(at)}
	copy(t.head.Lineage[:], lineage)
	t.oldTill = idp.Time(till)
	t.store.clock.told(t.head.Time)
	return nil
}

// flush writes what was appended, with numbers and the time of this commit, and the counter row.
func (t *tx) flush() error {
	if len(t.endings) == 0 && !t.ticked {
		return nil
	}
	if len(t.endings) > 0 {
		now, _ := t.store.clock.now()
		t.head.Time = max(now, t.head.Time+1)
		for i := range t.receipts {
			t.receipts[i].At = t.head.Time
		}
		if err := t.writeReceipts(); err != nil {
			return err
		}
		if err := t.writeEndings(); err != nil {
			return err
		}
		t.head.Number += uint64(len(t.endings))
	}
	t.wrote = true
	_, err := t.conn.exec(`UPDATE counter SET number = ?, time = ?, life_cap = ?, old_cap = ?, old_cap_until = ?`,
		int64(t.head.Number), int64(t.head.Time), t.cap, t.oldCap, int64(t.oldTill))
	return err
}

// several is how many rows one INSERT carries at most; statements exist for 1 and for several.
const several = 16

func (t *tx) writeEndings() error {
	until := ledger.Until(t.head.Time, time.Duration(t.effectiveCap())*time.Second)
	args := make([]any, 0, several*6)
	number := int64(t.head.Number)
	return inserts(t.conn, `INSERT INTO ending (number, name, what, receipt, at, until) VALUES `, 6, len(t.endings), func(i int) []any {
		e := &t.endings[i]
		u := until
		switch e.Until {
		case idp.UntilForever:
			u = ledger.Forever
		case idp.UntilNow:
			u = ledger.Until(t.head.Time, 0)
		}
		return append(args[:0], number+int64(i)+1, e.Name[:], string(e.What), string(e.Receipt), int64(t.head.Time), int64(u))
	})
}

func (t *tx) writeReceipts() error {
	return inserts(t.conn, `INSERT INTO receipt (id, request, cause, actor, reason, selector, account, client, session, at, told_at) VALUES `,
		11, len(t.receipts), func(i int) []any {
			r := &t.receipts[i]
			return []any{string(r.ID), r.Request[:], string(r.Cause), string(r.Actor), r.Reason, string(r.Selector),
				string(r.Account), string(r.Client), null(r.Session), int64(r.At), int64(0)}
		})
}

// inserts writes n rows, several at a time.
func inserts(c *conn, head string, columns, n int, row func(int) []any) error {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", columns), ",") + ")"
	many := head + strings.TrimSuffix(strings.Repeat(one+",", several), ",")
	args := make([]any, 0, several*columns)
	for i := 0; i < n; {
		if n-i >= several {
			args = args[:0]
			for k := range several {
				args = append(args, row(i+k)...)
			}
			if _, err := c.exec(many, args...); err != nil {
				return err
			}
			i += several
			continue
		}
		if _, err := c.exec(head+one, row(i)...); err != nil {
			return err
		}
		i++
	}
	return nil
}

// effectiveCap is the larger of life_cap and the one before it, until that is over.
func (t *tx) effectiveCap() int64 {
	if t.head.Time < t.oldTill {
		return max(t.cap, t.oldCap)
	}
	return t.cap
}

// The single writer needs no row locks; a row that is not there is told all the same.

func (t *tx) exists(query string, key any) error {
	var one int
	return t.conn.row(query, []any{key}, &one)
}

func (t *tx) LockRealm(idp.LockMode) error { return nil }

func (t *tx) LockAccount(id idp.AccountID, _ idp.LockMode) error {
	return t.exists(`SELECT 1 FROM account WHERE id = ?`, string(id))
}

func (t *tx) LockSession(n idp.Name, _ idp.LockMode) error {
	return t.exists(`SELECT 1 FROM session WHERE name = ?`, n[:])
}

func (t *tx) LockClient(id idp.ClientID, _ idp.LockMode) error {
	return t.exists(`SELECT 1 FROM client WHERE id = ?`, string(id))
}

func (t *tx) LockGrant(n idp.Name, _ idp.LockMode) error {
	return t.exists(`SELECT 1 FROM grant_ WHERE name = ?`, n[:])
}

func (t *tx) LockFamily(n idp.Name, _ idp.LockMode) error {
	return t.exists(`SELECT 1 FROM family WHERE name = ?`, n[:])
}

func (t *tx) LockSlot(session idp.Name, client idp.ClientID) error {
	_, err := t.write(`INSERT OR IGNORE INTO slot (session, client, newest, must_ask) VALUES (?, ?, NULL, 0)`, session[:], string(client))
	return err
}

// null writes a zero name or hash as NULL.
func null[T idp.Name | idp.Hash](v T) any {
	switch v := any(v).(type) {
	case idp.Name:
		if !v.IsZero() {
			return v[:]
		}
	case idp.Hash:
		if !v.IsZero() {
			return v[:]
		}
	}
	return nil
}

// bytesInto scans a BLOB or NULL into a name or hash.
type bytesInto struct{ to []byte }

func (b bytesInto) Scan(src any) error {
	clear(b.to)
	raw, ok := src.([]byte)
	if src == nil {
		return nil
	}
	if !ok || len(raw) != len(b.to) {
		return fmt.Errorf("a column of %d bytes holds %T", len(b.to), src)
	}
	copy(b.to, raw)
	return nil
}

func into(b []byte) bytesInto { return bytesInto{b} }

func ms(d time.Duration) int64       { return d.Milliseconds() }
func duration(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
func words(s []string) string        { return strings.Join(s, " ") }
