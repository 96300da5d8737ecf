package guard

import (
	"time"

	"exeunt.dev/ledger"
)

// reading is one look at both clocks of the machine, in nanoseconds since arbitrary instants.
type reading struct {
	mono int64 // never goes back, may stand still while the machine sleeps
	wall int64 // counts sleep, may be set by anybody
}

// since is how much time has passed for certain or perhaps: the larger of both differences, so that a suspended machine
// counts its sleep. A wall clock that is set forward makes the guard ask again, one set back changes nothing.
func (r reading) since(then reading) time.Duration {
	return time.Duration(max(r.mono-then.mono, r.wall-then.wall))
}

// clock reads both. Tests put their own.
type clock func() reading

// machineClock reads the clocks of the machine.
func machineClock() clock {
	start := time.Now()
	return func() reading {
		now := time.Now()
		return reading{mono: int64(now.Sub(start)), wall: now.UnixNano()}
	}
}

// anchor is what the guard knows about time and freshness. It never changes; a newer one takes its place.
type anchor struct {
	proven bool        // a question has been answered, and everything up to its head is marked
	asked  reading     // when that question was sent
	told   ledger.Time // the highest ledger time that was told
	heard  int64       // monotonic time when it was told
}

// floor is the guard's only clock for exp: the highest ledger time it was told, advanced by monotonic time. It is never
// ahead of ledger time but for the drift of the monotonic clock since then, and never below told.
func (a *anchor) floor(now reading) ledger.Time {
	return a.told + ledger.Time(max(now.mono-a.heard, 0)/int64(time.Millisecond))
}

// age is how long ago the guard last knew everything.
func (a *anchor) age(now reading) time.Duration {
	if !a.proven {
		return forever
	}
	return now.since(a.asked)
}

const forever = time.Duration(1<<63 - 1)
