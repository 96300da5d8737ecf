package sqlite

import (
	"sync"
	"time"

	"exeunt.dev/internal/idp"
)

// leap is the largest forward step of the wall clock that is taken over although the monotonic clock did not see it.
const leap = idp.Time(30_000)

// clock makes the wall clock monotone. While the wall clock is behind, time goes on by the monotonic clock; a forward
// step of more than leap is not taken over until the wall clock is right again.
type clock struct {
	wall func() idp.Time      // Unix milliseconds
	mono func() time.Duration // counts suspension, where the system can tell

	mu   sync.Mutex
	base idp.Time
	at   time.Duration
}

func newClock(wall func() idp.Time, mono func() time.Duration) *clock {
	return &clock{wall: wall, mono: mono, base: wall(), at: mono()}
}

// now returns ledger time. idp.ErrClock: the wall clock has leapt; the time goes on from the last good one.
func (c *clock) now() (idp.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, mono := c.wall(), c.mono()
	expected := c.base + idp.Time((mono - c.at).Milliseconds())
	switch {
	case wall > expected+leap:
		return expected, idp.ErrClock
	case wall > expected:
		c.base, c.at = wall, mono
		return wall, nil
	}
	return expected, nil
}

// told takes over a time that the database has already seen.
func (c *clock) told(t idp.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mono := c.mono()
	if t > c.base+idp.Time((mono-c.at).Milliseconds()) {
		c.base, c.at = t, mono
	}
}
