package sqlite

import (
	"sync"
	"time"

	"exeunt.dev/internal/idp"
)

// maxStep is the largest forward step of the wall clock, unseen by the monotonic one, that is taken over.
const maxStep = idp.Time(30_000)

// clock makes ledger time from a wall clock and a monotonic one. It holds a point (at, since) on which it last agreed
// with the wall clock, and goes on from there by monotonic time:
//
//   - while the wall clock is behind that (it was set back), monotonic time alone counts;
//   - while it is ahead by at most maxStep, it is believed and becomes the new point;
//   - further ahead, it is not believed: jumped, until it comes back within maxStep.
type clock struct {
	wall func() time.Time
	mono func() time.Duration

	mu    sync.Mutex
	at    idp.Time
	since time.Duration
}

// newClock believes the wall clock, since there is nothing yet to compare it with. [clock.observe] says what the
// database knows better.
func newClock(wall func() time.Time, mono func() time.Duration) *clock {
	return &clock{wall: wall, mono: mono, at: idp.Time(wall().UnixMilli()), since: mono()}
}

// observe takes over a ledger time read from the counter row: nothing told later lies before it.
func (c *clock) observe(t idp.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if mono := c.mono(); t > c.estimate(mono) {
		c.at, c.since = t, mono
	}
}

// now never goes backwards. jumped says that the wall clock is too far ahead to be believed.
func (c *clock) now() (t idp.Time, jumped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mono, wall := c.mono(), idp.Time(c.wall().UnixMilli())
	t = c.estimate(mono)
	switch {
	case wall > t+maxStep:
		return t, true
	case wall > t:
		c.at, c.since = wall, mono
		return wall, false
	}
	return t, false
}

func (c *clock) estimate(mono time.Duration) idp.Time {
	return c.at + idp.Time((mono - c.since).Milliseconds())
}

// next is the ledger time of a commit after one at last.
func (c *clock) next(last idp.Time) (t idp.Time, jumped bool) {
	c.observe(last)
	t, jumped = c.now()
	if jumped {
		return last + 1, true
	}
	return t, false
}
