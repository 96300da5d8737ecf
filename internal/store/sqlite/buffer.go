package sqlite

import (
	"slices"
	"strings"

	"exeunt.dev/internal/idp"
)

// act is one call of Append: a receipt and its endings, none of which had ended.
type act struct {
	receipt idp.Receipt
	endings []idp.Ending
}

// buffer is what the members of a flight have appended so far, and what they have learned about the ledger: nobody else
// can write while this flight holds the lock.
type buffer struct {
	acts    []act
	endings int

	byName    map[idp.Name]int // index in acts
	byRequest map[idp.Hash]int
	live      map[idp.Name]struct{} // asked, and not in the table
}

// mark is a place in the buffer to come back to when a member fails.
type mark struct {
	acts    int
	endings int
	tick    bool
	counter counter
}

func (f *flight) mark() mark { return mark{len(f.buffer.acts), f.buffer.endings, f.tick, f.counter} }

func (f *flight) reset(m mark) {
	b := &f.buffer
	for _, a := range b.acts[m.acts:] {
		for _, e := range a.endings {
			delete(b.byName, e.Name)
		}
		delete(b.byRequest, a.receipt.Request)
	}
	b.acts, b.endings = b.acts[:m.acts], m.endings
	f.tick, f.counter = m.tick, m.counter
}

func (b *buffer) add(r idp.Receipt, endings []idp.Ending) {
	if b.byName == nil {
		b.byName, b.byRequest = map[idp.Name]int{}, map[idp.Hash]int{}
	}
	i := len(b.acts)
	b.acts = append(b.acts, act{r, endings})
	b.endings += len(endings)
	for _, e := range endings {
		b.byName[e.Name] = i
	}
	if !r.Request.IsZero() {
		b.byRequest[r.Request] = i
	}
}

func (b *buffer) has(n idp.Name) bool { _, ok := b.byName[n]; return ok }

func (b *buffer) isLive(n idp.Name) bool { _, ok := b.live[n]; return ok && !b.has(n) }

// learn keeps the answer of the table to a question for names.
func (b *buffer) learn(asked, over []idp.Name) {
	if b.live == nil {
		b.live = map[idp.Name]struct{}{}
	}
	for _, n := range asked {
		if !slices.Contains(over, n) {
			b.live[n] = struct{}{}
		}
	}
}

// rows inserts many rows with few statements: what a statement costs besides its rows is more than a row costs.
type rows struct {
	columns int
	one     string
	many    string // manyRows at once
}

const manyRows = 16

func newRows(table string, columns int) rows {
	row := "(?" + strings.Repeat(", ?", columns-1) + ")"
	one := "INSERT INTO " + table + " VALUES " + row
	return rows{columns: columns, one: one, many: one + strings.Repeat(", "+row, manyRows-1)}
}

var (
	endingRows  = newRows("ending (number, name, what, receipt, at, until)", 6)
	receiptRows = newRows("receipt (number, endings, id, request, cause, actor, reason, selector, account, client, session, at, told_at, cleared)", 14)
)

func (r rows) insert(c *conn, args []any) error {
	for len(args) > 0 {
		sql, n := r.one, r.columns
		if len(args) >= r.columns*manyRows {
			sql, n = r.many, r.columns*manyRows
		}
		if _, err := c.exec(sql, args[:n]...); err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}

// flush writes what the members appended, with numbers, and the counter row.
func (f *flight) flush() error {
	if f.buffer.endings == 0 && !f.tick && f.counter == f.read {
		return nil
	}
	f.counter.time = f.now
	endings := make([]any, 0, f.buffer.endings*endingRows.columns)
	receipts := make([]any, 0, len(f.buffer.acts)*receiptRows.columns)
	for _, a := range f.buffer.acts {
		first := f.counter.number + 1
		for _, e := range a.endings {
			f.counter.number++
			endings = append(endings, f.counter.number, e.Name, string(e.What), first, f.now, f.counter.untilOf(e.Until, f.now))
		}
		r := &a.receipt
		receipts = append(receipts, first, len(a.endings), string(r.ID), r.Request, string(r.Cause), string(r.Actor), r.Reason,
			string(r.Selector), r.Account, r.Client, r.Session, f.now, r.ToldAt, 0)
	}
	if err := endingRows.insert(f.c, endings); err != nil {
		return err
	}
	if err := receiptRows.insert(f.c, receipts); err != nil {
		return err
	}
	n := &f.counter
	_, err := f.c.exec(sqlCounterWrite, n.number, n.time, n.cap, n.old, n.until, n.max)
	return err
}
