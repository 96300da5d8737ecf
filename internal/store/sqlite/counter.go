package sqlite

import (
	"fmt"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// counter is the counter row.
type counter struct {
	lineage ledger.Lineage
	number  uint64
	time    idp.Time
	cap     int64 // seconds: what may be minted
	old     int64 // what was allowed before cap was lowered, and still counts until oldUntil
	until   idp.Time
	max     int64 // the largest cap there ever was
}

const (
	sqlCounter      = `SELECT lineage, number, time, life_cap, old_cap, old_cap_until, max_cap FROM counter`
	sqlCounterWrite = `UPDATE counter SET number = ?, time = ?, life_cap = ?, old_cap = ?, old_cap_until = ?, max_cap = ?`
)

func readCounter(c *conn) (n counter, err error) {
	found, err := c.one(sqlCounter, func(r *row) {
		b := r.bytes()
		r.bad = len(b) != len(n.lineage)
		copy(n.lineage[:], b)
		n.number, n.time = uint64(r.int()), r.time()
		n.cap, n.old, n.until, n.max = r.int(), r.int(), r.time(), r.int()
	})
	if err == nil && !found {
		err = fmt.Errorf("%w: the counter row is missing", idp.ErrUnavailable)
	}
	return n, err
}

func (n *counter) head() idp.Head {
	return idp.Head{Lineage: n.lineage, Number: n.number, Time: n.time}
}

// holds is how long an ending at t must be held: no token minted at or before t lives longer.
func (n *counter) holds(t idp.Time) time.Duration {
	seconds := n.cap
	if t < n.until {
		seconds = max(seconds, n.old)
	}
	return time.Duration(seconds) * time.Second
}

// setCap raises at once. A lower cap is what may be minted from now on, but the larger one holds for endings until the
// last token minted under it is over.
func (n *counter) setCap(seconds int64, now idp.Time) {
	if seconds < n.cap {
		if now >= n.until {
			n.old = 0
		}
		n.old = max(n.old, n.cap)
		n.until = max(n.until, now+idp.Time(n.cap*1000)+1000)
	}
	n.cap, n.max = seconds, max(n.max, seconds)
}

// untilOf is the until of an ending at t.
func (n *counter) untilOf(u idp.Until, t idp.Time) uint32 {
	switch u {
	case idp.UntilForever:
		return ledger.Forever
	case idp.UntilNow:
		return ledger.Until(t, 0)
	}
	return min(ledger.Until(t, n.holds(t)), ledger.Forever-1)
}
