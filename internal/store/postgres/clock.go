package postgres

import (
	"sync"
	"time"

	"exeunt.dev/internal/idp"
)

// maxStep is the largest step of the database's clock, unseen by the node's monotonic one, that is taken over.
const maxStep = idp.Time(30_000)

// clock makes ledger time on a node from the clock of the database, read now and then, and monotonic time in between. A
// reading within maxStep of what monotonic time says is the new point to go on from, so that the node follows the
// database's clock and not its own drift. One further back is a clock that was set back: monotonic time alone counts. One
// further ahead is not believed: jumped, until a reading comes back.
type clock struct {
	mono func() time.Duration

	mu     sync.Mutex
	begun  bool
	at     idp.Time
	since  time.Duration
	last   idp.Time // the latest that was told
	row    idp.Time // the latest time of the counter row that was read
	cap    int64    // and the life cap beside it, in seconds
	jumped bool
}

// read takes over a reading: the counter row's time and cap, and the database's clock beside it.
func (c *clock) read(row idp.Time, lifeCap int64, wall idp.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mono := c.mono()
	if row >= c.row {
		c.row, c.cap = row, lifeCap
	}
	if !c.begun {
		c.at, c.since, c.begun = max(wall, row), mono, true
		return
	}
	if now := c.estimate(mono); wall <= now+maxStep {
		c.jumped = false
		if wall >= now-maxStep {
			c.at, c.since = wall, mono
		}
	} else {
		c.jumped = true
	}
	if row > c.estimate(mono) {
		c.at, c.since = row, mono // another node's commit: nothing told later lies before it
	}
}

// now never goes backwards.
func (c *clock) now() (t idp.Time, jumped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last, c.estimate(c.mono()))
	return c.last, c.jumped
}

// minted is the counter row's time that tokens may be minted under, and the cap of their lives; false: it is too old.
func (c *clock) minted(age idp.Time) (idp.Time, int64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.row, c.cap, c.estimate(c.mono())-c.row <= age
}

func (c *clock) estimate(mono time.Duration) idp.Time {
	return c.at + idp.Time((mono - c.since).Milliseconds())
}
