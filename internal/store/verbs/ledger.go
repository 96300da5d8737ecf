package verbs

import (
	"cmp"
	"slices"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// EntriesAfter is what follows a number; ReadEntry reads its rows.
const EntriesAfter = `SELECT name, until FROM ending WHERE number > ? ORDER BY number LIMIT CAST(? AS BIGINT)`

const (
	sqlEntriesHeld = `SELECT name, until FROM ending WHERE number > ? AND number <= ? AND until > ?`
	sqlForever     = `SELECT name, until FROM ending WHERE until = 4294967295 AND number <= ?`
	// An ending that were not there would count as later: guards hold too much rather than too little.
	sqlFirstSince = `WITH RECURSIVE b(low, high) AS (SELECT CAST(1 AS BIGINT), CAST(?1 AS BIGINT) + 1 UNION ALL
		SELECT CASE WHEN (SELECT at FROM ending WHERE number = (low + high) / 2) < ?2 THEN (low + high) / 2 + 1 ELSE low END,
			CASE WHEN (SELECT at FROM ending WHERE number = (low + high) / 2) < ?2 THEN high ELSE (low + high) / 2 END
		FROM b WHERE low < high) SELECT low FROM b WHERE low >= high`
	sqlEndings = `SELECT e.name, e.what, e.until, e.number, e.at, r.id FROM ending e JOIN receipt r ON r.number = e.receipt
		WHERE e.number > ? ORDER BY e.number LIMIT CAST(? AS BIGINT)`
)

// LifeCap is how long tokens may live, in seconds.
func (v *View) LifeCap() (int64, error) {
	n, err := v.E.Counter()
	return n.Cap, err
}

// Holds is how long an ending at t is held.
func (v *View) Holds(t idp.Time) (time.Duration, error) {
	n, err := v.E.Counter()
	return n.holds(t), err
}

// ReadEntry reads a row of EntriesAfter.
func ReadEntry(r Row) idp.Entry { return idp.Entry{Name: r.Name(), Until: uint32(r.Int())} }

// EntriesAfter returns what follows a number.
func (v *View) EntriesAfter(after uint64, limit int) (out []idp.Entry, err error) {
	err = v.E.Each(EntriesAfter, func(r Row) { out = append(out, ReadEntry(r)) }, after, limit)
	return out, err
}

// Tail is the head and what follows a number.
func (v *View) Tail(after uint64, limit int) (h idp.Head, out []idp.Entry, err error) {
	n, err := v.E.Counter()
	if err != nil {
		return h, nil, err
	}
	out, err = v.EntriesAfter(after, limit)
	return n.Head(), out, err
}

// Entries lists what is still to be held at now. Only the tail of the table is read: ledger time grows with the number, and nothing but a
// killed key is held longer than the largest life_cap.
func (v *View) Entries(now idp.Time, after, to uint64, limit int) (out []idp.Entry, next uint64, err error) {
	keep := func(r Row) { out = append(out, ReadEntry(r)) }
	if after == 0 {
		n, err := v.E.Counter()
		if err != nil {
			return nil, 0, err
		}
		first, err := v.firstSince(now-idp.Time(n.Max*1000)-2000, n.Number)
		if err != nil {
			return nil, 0, err
		}
		if after = first - 1; after > 0 {
			if err := v.E.Each(sqlForever, keep, min(after, to)); err != nil {
				return nil, 0, err
			}
		}
	}
	if next = min(after+uint64(max(limit, 1)), to); next > after {
		err = v.E.Each(sqlEntriesHeld, keep, after, next, int64(now)/1000)
	}
	return out, max(next, after), err
}

// firstSince finds, by halving, the first number whose ending is not before t; last+1 if there is none.
func (v *View) firstSince(t idp.Time, last uint64) (first uint64, err error) {
	err = v.find(sqlFirstSince, func(r Row) { first = uint64(r.Int()) }, last, t)
	return first, err
}

// Endings returns what follows a number, with all that an operator may see.
func (v *View) Endings(after uint64, limit int) (out []idp.Ending, err error) {
	err = v.E.Each(sqlEndings, func(r Row) {
		e := ending(r)
		e.Receipt = idp.ReceiptID(r.Text())
		out = append(out, e)
	}, after, limit)
	return out, err
}

// ending reads name, what, until, number, at.
func ending(r Row) idp.Ending {
	e := idp.Ending{Name: r.Name(), What: idp.What(r.Text())}
	until := uint32(r.Int())
	e.Number, e.At, e.Held = uint64(r.Int()), r.Time(), idp.Time(until)*1000
	switch until {
	case ledger.Forever:
		e.Until, e.Held = idp.UntilForever, 0
	case ledger.Until(e.At, 0):
		e.Until = idp.UntilNow
	}
	return e
}

const (
	receiptColumns = ` r.id, r.request, r.cause, r.actor, r.reason, r.selector, r.account, r.client, r.session, r.at, r.told_at, r.number `

	sqlReceiptByRequest = `SELECT` + receiptColumns + `FROM receipt r WHERE r.request = ?`
	sqlReceiptOfEnding  = `SELECT` + receiptColumns + `FROM ending e JOIN receipt r ON r.number = e.receipt WHERE e.name = ?`
	sqlReceipts         = `SELECT` + receiptColumns + `FROM receipt r WHERE r.number < ? ORDER BY r.number DESC LIMIT CAST(? AS BIGINT)`
	sqlReceiptsAfter    = `SELECT` + receiptColumns + `FROM receipt r WHERE r.number > ? ORDER BY r.number LIMIT CAST(? AS BIGINT)`
	sqlReceiptByNumber  = `SELECT` + receiptColumns + `FROM receipt r WHERE r.number = ?`
	sqlReceiptsOf       = `SELECT` + receiptColumns + `FROM receipt r WHERE r.account = ? AND r.account <> '' AND r.number < ? ORDER BY r.number DESC LIMIT CAST(? AS BIGINT)`
	sqlEndingsOf        = `SELECT e.name, e.what, e.until, e.number, e.at FROM ending f
		JOIN receipt r ON r.number = f.receipt
		JOIN ending e ON e.number >= r.number AND e.number < r.number + r.endings WHERE f.name = ? AND r.id = ? ORDER BY e.number`
	sqlOwed = `SELECT count(*) FROM receipt WHERE told_at = 0`
)

func readReceipt(r Row) idp.Receipt {
	return idp.Receipt{
		ID: idp.ReceiptID(r.Text()), Request: r.Hash(), Cause: idp.CauseKind(r.Text()), Actor: idp.Actor(r.Text()), Reason: r.Text(),
		Selector: idp.SelectorKind(r.Text()), Account: idp.AccountID(r.Text()), Client: idp.ClientID(r.Text()), Session: r.Name(),
		At: r.Time(), ToldAt: r.Time(), Number: uint64(r.Int()),
	}
}

func byName(b *Buffer) map[idp.Name]int { return b.byName }

// buffered looks among what this commit has appended so far.
func buffered[K comparable](v *View, in func(*Buffer) map[K]int, key K) *Act {
	if v.Buffer == nil {
		return nil
	}
	if i, ok := in(v.Buffer)[key]; ok {
		return &v.Buffer.Acts[i]
	}
	return nil
}

func (v *View) receipt(a *Act, sql string, key any) (out idp.Receipt, err error) {
	if a != nil {
		return a.Receipt, nil
	}
	err = v.find(sql, func(r Row) { out = readReceipt(r) }, key)
	return out, err
}

// Receipt reads one by its id.
func (v *View) Receipt(id idp.ReceiptID) (idp.Receipt, error) {
	name, ok := id.Ended()
	if !ok {
		return idp.Receipt{}, idp.ErrNotFound
	}
	r, err := v.ReceiptOfEnding(name)
	if err == nil && !r.ID.Is(id) {
		return idp.Receipt{}, idp.ErrNotFound
	}
	return r, err
}

// ReceiptByRequest reads the one that a request has made.
func (v *View) ReceiptByRequest(h idp.Hash) (idp.Receipt, error) {
	return v.receipt(buffered(v, func(b *Buffer) map[idp.Hash]int { return b.byRequest }, h), sqlReceiptByRequest, h)
}

// ReceiptOfEnding reads the one by which a name ended.
func (v *View) ReceiptOfEnding(n idp.Name) (idp.Receipt, error) {
	return v.receipt(buffered(v, byName, n), sqlReceiptOfEnding, n)
}

// EndingsOf lists what a receipt ended.
func (v *View) EndingsOf(id idp.ReceiptID) (out []idp.Ending, err error) {
	name, ok := id.Ended()
	if !ok {
		return nil, nil
	}
	if a := buffered(v, byName, name); a != nil && a.Receipt.ID.Is(id) {
		return slices.Clone(a.Endings), nil
	}
	err = v.E.Each(sqlEndingsOf, func(r Row) {
		e := ending(r)
		e.Receipt = id
		out = append(out, e)
	}, name, string(id))
	return out, err
}

// ReceiptByNumber reads one by its number in the ledger.
func (v *View) ReceiptByNumber(n uint64) (out idp.Receipt, err error) {
	err = v.find(sqlReceiptByNumber, func(r Row) { out = readReceipt(r) }, n)
	return out, err
}

// Receipts lists the newest.
func (v *View) Receipts(a idp.AccountID, before uint64, limit int) (out []idp.Receipt, err error) {
	keep := func(r Row) { out = append(out, readReceipt(r)) }
	limit, before = cmp.Or(max(limit, 0), 1), cmp.Or(before, 1<<62)
	if a == "" {
		err = v.E.Each(sqlReceipts, keep, before, limit)
	} else {
		err = v.E.Each(sqlReceiptsOf, keep, a, before, limit)
	}
	return out, err
}

// ReceiptsAfter lists the oldest behind a number.
func (v *View) ReceiptsAfter(after uint64, limit int) (out []idp.Receipt, err error) {
	err = v.E.Each(sqlReceiptsAfter, func(r Row) { out = append(out, readReceipt(r)) }, after, max(limit, 1))
	return out, err
}

// Owed counts the fan-outs still to be worked off.
func (v *View) Owed() (n int64, err error) {
	_, err = v.E.One(sqlOwed, func(r Row) { n = r.Int() })
	return n, err
}
