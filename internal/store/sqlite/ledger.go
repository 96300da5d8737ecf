package sqlite

import (
	"cmp"
	"slices"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

const (
	sqlEntriesAfter = `SELECT name, until FROM ending WHERE number > ? ORDER BY number LIMIT ?`
	sqlEntriesHeld  = `SELECT name, until FROM ending WHERE number >= ? AND until > ?`
	sqlForever      = `SELECT name, until FROM ending WHERE until = 4294967295 AND number < ?`
	sqlAtOf         = `SELECT at FROM ending WHERE number = ?`
	sqlEndings      = `SELECT e.name, e.what, e.until, e.number, e.at, r.id FROM ending e JOIN receipt r ON r.number = e.receipt
		WHERE e.number > ? ORDER BY e.number LIMIT ?`
)

// Head is the counter row. In an Update its time is what endings of this transaction will carry; its number does not
// count them.
func (v *view) Head() (idp.Head, error) {
	if f := v.flight; f != nil {
		h := f.read.head()
		h.Time = f.now
		return h, nil
	}
	n, err := readCounter(v.c)
	if err != nil {
		return idp.Head{}, err
	}
	v.store.clock.observe(n.time)
	return n.head(), nil
}

// LifeCap is how long tokens may live, in seconds.
func (v *view) LifeCap() (int64, error) {
	if f := v.flight; f != nil {
		return f.counter.cap, nil
	}
	n, err := readCounter(v.c)
	return n.cap, err
}

func entry(r *row) idp.Entry { return idp.Entry{Name: r.name(), Until: uint32(r.int())} }

// EntriesAfter returns what follows a number.
func (v *view) EntriesAfter(after uint64, limit int) (out []idp.Entry, err error) {
	err = v.c.each(sqlEntriesAfter, func(r *row) { out = append(out, entry(r)) }, after, limit)
	return out, err
}

// Entries calls f for every entry still to be held at now, in the order of names. Only the tail of the table is read:
// ledger time grows with the number, and nothing but a killed key is held longer than the largest life_cap.
func (v *view) Entries(now idp.Time, f func(idp.Entry) error) error {
	n, err := readCounter(v.c)
	if err != nil {
		return err
	}
	first, err := v.firstSince(now-idp.Time(n.max*1000)-2000, n.number)
	if err != nil {
		return err
	}
	var held []idp.Entry
	keep := func(r *row) { held = append(held, entry(r)) }
	if err := v.c.each(sqlForever, keep, first); err != nil {
		return err
	}
	if err := v.c.each(sqlEntriesHeld, keep, first, int64(now)/1000); err != nil {
		return err
	}
	slices.SortFunc(held, func(a, b idp.Entry) int { return a.Name.Compare(b.Name) })
	for _, e := range held {
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

// firstSince finds, by halving, the first number whose ending is not before t; last+1 if there is none.
func (v *view) firstSince(t idp.Time, last uint64) (uint64, error) {
	low, high := uint64(1), last+1
	for low < high {
		middle := low + (high-low)/2
		var at idp.Time
		if err := v.find(sqlAtOf, func(r *row) { at = r.time() }, middle); err != nil {
			return 0, err
		}
		if at < t {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

// Endings returns what follows a number, with all that an operator may see.
func (v *view) Endings(after uint64, limit int) (out []idp.Ending, err error) {
	err = v.c.each(sqlEndings, func(r *row) {
		e := ending(r)
		e.Receipt = idp.ReceiptID(r.text())
		out = append(out, e)
	}, after, limit)
	return out, err
}

// ending reads name, what, until, number, at.
func ending(r *row) idp.Ending {
	e := idp.Ending{Name: r.name(), What: idp.What(r.text())}
	until := uint32(r.int())
	e.Number, e.At = uint64(r.int()), r.time()
	switch until {
	case ledger.Forever:
		e.Until = idp.UntilForever
	case ledger.Until(e.At, 0):
		e.Until = idp.UntilNow
	}
	return e
}

const (
	receiptColumns = ` r.id, r.request, r.cause, r.actor, r.reason, r.selector, r.account, r.client, r.session, r.at, r.told_at `

	sqlReceiptByRequest = `SELECT` + receiptColumns + `FROM receipt r WHERE r.request = ?`
	sqlReceiptOfEnding  = `SELECT` + receiptColumns + `FROM ending e JOIN receipt r ON r.number = e.receipt WHERE e.name = ?`
	sqlReceipts         = `SELECT` + receiptColumns + `FROM receipt r ORDER BY r.number DESC LIMIT ?`
	sqlReceiptsOf       = `SELECT` + receiptColumns + `FROM receipt r WHERE r.account = ? AND r.account <> '' ORDER BY r.number DESC LIMIT ?`
	sqlEndingsOf        = `SELECT e.name, e.what, e.until, e.number, e.at FROM ending f
		JOIN receipt r ON r.number = f.receipt
		JOIN ending e ON e.number >= r.number AND e.number < r.number + r.endings WHERE f.name = ? AND r.id = ? ORDER BY e.number`
	sqlOwed = `SELECT count(*) FROM receipt WHERE told_at = 0`
)

func readReceipt(r *row) idp.Receipt {
	return idp.Receipt{
		ID: idp.ReceiptID(r.text()), Request: r.hash(), Cause: idp.CauseKind(r.text()), Actor: idp.Actor(r.text()), Reason: r.text(),
		Selector: idp.SelectorKind(r.text()), Account: idp.AccountID(r.text()), Client: idp.ClientID(r.text()), Session: r.name(),
		At: r.time(), ToldAt: r.time(),
	}
}

func byName(b *buffer) map[idp.Name]int { return b.byName }

// buffered looks among what this commit has appended so far.
func buffered[K comparable](v *view, in func(*buffer) map[K]int, key K) *act {
	if v.flight == nil {
		return nil
	}
	if i, ok := in(&v.flight.buffer)[key]; ok {
		return &v.flight.buffer.acts[i]
	}
	return nil
}

func (v *view) receipt(a *act, sql string, key any) (out idp.Receipt, err error) {
	if a != nil {
		return a.receipt, nil
	}
	err = v.find(sql, func(r *row) { out = readReceipt(r) }, key)
	return out, err
}

// Receipt reads one by its id.
func (v *view) Receipt(id idp.ReceiptID) (idp.Receipt, error) {
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
func (v *view) ReceiptByRequest(h idp.Hash) (idp.Receipt, error) {
	return v.receipt(buffered(v, func(b *buffer) map[idp.Hash]int { return b.byRequest }, h), sqlReceiptByRequest, h)
}

// ReceiptOfEnding reads the one by which a name ended.
func (v *view) ReceiptOfEnding(n idp.Name) (idp.Receipt, error) {
	return v.receipt(buffered(v, byName, n), sqlReceiptOfEnding, n)
}

// EndingsOf lists what a receipt ended.
func (v *view) EndingsOf(id idp.ReceiptID) (out []idp.Ending, err error) {
	name, ok := id.Ended()
	if !ok {
		return nil, nil
	}
	if a := buffered(v, byName, name); a != nil && a.receipt.ID.Is(id) {
		return slices.Clone(a.endings), nil
	}
	err = v.c.each(sqlEndingsOf, func(r *row) {
		e := ending(r)
		e.Receipt = id
		out = append(out, e)
	}, name, string(id))
	return out, err
}

// Receipts lists the newest.
func (v *view) Receipts(a idp.AccountID, limit int) (out []idp.Receipt, err error) {
	keep := func(r *row) { out = append(out, readReceipt(r)) }
	limit = cmp.Or(max(limit, 0), 1)
	if a == "" {
		err = v.c.each(sqlReceipts, keep, limit)
	} else {
		err = v.c.each(sqlReceiptsOf, keep, a, limit)
	}
	return out, err
}

// Owed counts the fan-outs still to be worked off.
func (v *view) Owed() (n int64, err error) {
	_, err = v.c.one(sqlOwed, func(r *row) { n = r.int() })
	return n, err
}
