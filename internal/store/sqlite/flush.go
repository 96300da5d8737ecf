package sqlite

import (
	"strings"

	"exeunt.dev/internal/store/verbs"
)

// rows inserts many rows with few statements: what a statement costs besides its rows is more than a row costs.
type rows struct {
	columns int
	one     string
	many    string
	atOnce  int // in many
}

// most values of one statement: with more rows at once nothing is gained.
const mostValues = 60

func newRows(table string, columns int) rows {
	row := "(?" + strings.Repeat(", ?", columns-1) + ")"
	one, n := "INSERT INTO "+table+" VALUES "+row, mostValues/columns
	return rows{columns: columns, one: one, many: one + strings.Repeat(", "+row, n-1), atOnce: n}
}

var (
	endingRows  = newRows("ending (number, name, what, receipt, at, until)", 6)
	receiptRows = newRows("receipt (number, endings, id, request, cause, actor, reason, selector, account, client, session, at, told_at, cleared)", 14)
)

func (r rows) insert(c *conn, args []any) error {
	for len(args) > 0 {
		sql, n := r.one, r.columns
		if len(args) >= r.columns*r.atOnce {
			sql, n = r.many, r.columns*r.atOnce
		}
		if _, err := c.exec(sql, args[:n]...); err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}

// mark is a place in the flight to come back to when a member fails.
type mark struct {
	buffer  verbs.Mark
	tick    bool
	counter verbs.Counter
}

func (f *flight) mark() mark { return mark{f.buffer.Mark(), f.tick, f.counter} }

func (f *flight) reset(m mark) {
	f.buffer.Reset(m.buffer)
	f.tick, f.counter = m.tick, m.counter
}

// flush writes what the members appended, with numbers, and the counter row.
func (f *flight) flush() error {
	if f.buffer.Endings == 0 && !f.tick && f.counter == f.read {
		return nil
	}
	f.counter.Time = f.now
	endings := make([]any, 0, f.buffer.Endings*endingRows.columns)
	receipts := make([]any, 0, len(f.buffer.Acts)*receiptRows.columns)
	for _, a := range f.buffer.Acts {
		first := f.counter.Number + 1
		for _, e := range a.Endings {
			f.counter.Number++
			endings = append(endings, f.counter.Number, e.Name, string(e.What), first, f.now, f.counter.UntilOf(e.Until, f.now))
		}
		r := &a.Receipt
		receipts = append(receipts, first, len(a.Endings), string(r.ID), r.Request, string(r.Cause), string(r.Actor), r.Reason,
			string(r.Selector), r.Account, r.Client, r.Session, f.now, r.ToldAt, 0)
	}
	if err := endingRows.insert(f.c, endings); err != nil {
		return err
	}
	if err := receiptRows.insert(f.c, receipts); err != nil {
		return err
	}
	n := &f.counter
	_, err := f.c.exec(sqlCounterWrite, n.Number, n.Time, n.Cap, n.Old, n.Until, n.Max)
	return err
}
