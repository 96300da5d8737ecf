package sqlite

import (
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// view is a read-only transaction.
type view struct {
	verbs.View
	clock *clock
}

var _ idp.View = (*view)(nil)

// Head is the counter row.
func (v *view) Head() (idp.Head, error) {
	n, err := v.E.Counter()
	if err != nil {
		return idp.Head{}, err
	}
	v.clock.observe(n.Time)
	return n.Head(), nil
}

// Tail is the head and what follows a number.
func (v *view) Tail(after uint64, limit int) (h idp.Head, out []idp.Entry, err error) {
	if h, err = v.Head(); err == nil {
		out, err = v.EntriesAfter(after, limit)
	}
	return h, out, err
}

// Abreast runs reads in turn: no question is a trip.
func (v *view) Abreast(reads ...func(idp.View) error) error { return verbs.InTurn(v, reads) }

// maxAsk is how many names one question for endings holds.
const maxAsk = 16

// sqlEnded holds the question for 1 to maxAsk names: one integer with a bit for each that has ended. An IN list would
// build a sorted table first.
var sqlEnded = func() (q [maxAsk + 1]string) {
	var terms []string
	for n := 1; n <= maxAsk; n++ {
		shift := string("0123456789abcdef"[n-1])
		terms = append(terms, "(EXISTS (SELECT 1 FROM ending WHERE name = ?) << 0x"+shift+")")
		q[n] = "SELECT " + strings.Join(terms, " | ") + " AS bits"
	}
	return q
}()

// Over returns those of the names that are in the table of endings.
func (e *engine) Over(names []idp.Name) (over []idp.Name, err error) {
	var args [maxAsk]any
	for len(names) > 0 {
		n := nameArgs(args[:], names[:min(len(names), maxAsk)])
		var bits int64
		if _, err := e.One(sqlEnded[n], func(r verbs.Row) { bits = r.Int() }, args[:n]...); err != nil {
			return nil, err
		}
		over = marked(over, names[:n], bits)
		names = names[n:]
	}
	return over, nil
}

// nameArgs makes arguments of names without copying them; the zero name is never in the table.
func nameArgs(args []any, names []idp.Name) int {
	for i := range names {
		args[i] = names[i][:]
	}
	return len(names)
}

// marked appends the names whose bits are set.
func marked(over, names []idp.Name, bits int64) []idp.Name {
	for i, n := range names {
		if bits>>i&1 != 0 {
			over = append(over, n)
		}
	}
	return over
}
