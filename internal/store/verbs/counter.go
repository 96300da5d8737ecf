package verbs

import (
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Counter is the counter row.
type Counter struct {
	Lineage ledger.Lineage
	Number  uint64
	Time    idp.Time
	Cap     int64 // seconds: what may be minted
	Old     int64 // what was allowed before Cap was lowered, and still counts until OldUntil
	Until   idp.Time
	Max     int64  // the largest cap there ever was
	Moved   string // the mark of a database that is another one now; "": it is alive
}

// CounterColumns are what ReadCounter reads.
const CounterColumns = `lineage, number, time, life_cap, old_cap, old_cap_until, max_cap`

// ReadCounter reads the counter row's columns.
func ReadCounter(r Row) (n Counter) {
	b := r.Bytes()
	if copy(n.Lineage[:], b) != len(n.Lineage) {
		r.Bad()
	} else if len(b) > len(n.Lineage) {
		n.Moved = string(b[len(n.Lineage):])
	}
	n.Number, n.Time = uint64(r.Int()), r.Time()
	n.Cap, n.Old, n.Until, n.Max = r.Int(), r.Int(), r.Time(), r.Int()
	return n
}

// Marks of a database that is another one now stand behind its lineage.
const (
	moving = "?" // where to follows
	moved  = "!"
)

// MovedMark is a lineage with the mark that the database is being moved, or was.
func MovedMark(l ledger.Lineage, to string, done bool) []byte {
	mark := moving
	if done {
		mark = moved
	}
	return append(append(l[:], mark...), to...)
}

// Alive returns an [idp.MovedError] if the database is another one now.
func (n *Counter) Alive() error {
	if n.Moved == "" {
		return nil
	}
	return &idp.MovedError{To: n.Moved[1:], Done: n.Moved[:1] == moved, Lineage: n.Lineage}
}

// Head is what a beat says.
func (n *Counter) Head() idp.Head {
	return idp.Head{Lineage: n.Lineage, Number: n.Number, Time: n.Time}
}

// holds is how long an ending at t must be held: no token minted at or before t lives longer.
func (n *Counter) holds(t idp.Time) time.Duration {
	seconds := n.Cap
	if t < n.Until {
		seconds = max(seconds, n.Old)
	}
	return time.Duration(seconds) * time.Second
}

// SetCap raises at once. A lower cap is what may be minted from now on, but the larger one holds for endings until the
// last token minted under it is over.
func (n *Counter) SetCap(seconds int64, now idp.Time) {
	if seconds < n.Cap {
		if now >= n.Until {
			n.Old = 0
		}
		n.Old = max(n.Old, n.Cap)
		n.Until = max(n.Until, now+idp.Time(n.Cap*1000)+1000)
	}
	n.Cap, n.Max = seconds, max(n.Max, seconds)
}

// UntilOf is the until of an ending at t.
func (n *Counter) UntilOf(u idp.Until, t idp.Time) uint32 {
	switch u {
	case idp.UntilForever:
		return ledger.Forever
	case idp.UntilNow:
		return ledger.Until(t, 0)
	}
	return min(ledger.Until(t, n.holds(t)), ledger.Forever-1)
}
