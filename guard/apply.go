package guard

import (
	"fmt"

	"exeunt.dev/ledger"
)

// markChunk is how many entries are marked before mu is given back.
const markChunk = 512

// apply makes endings take effect. When it returns, every token in the cache that hangs on one of them is marked and
// none can be filed any more, so that a freshness proof may be built on it. now decides only how finely the set is kept. It needs applying.
//
// The names enter the set first. From then on first sight refuses them, so that what is filed under them only shrinks;
// marking it may then give mu back between chunks. Until marking is done no proof covers these entries: hits in
// between lean on an older one.
func (g *Guard) apply(entries []ledger.Entry, now ledger.Time) {
	// Only the holder of applying changes the set, so the new one is built without mu.
	next := g.ended.with(entries, now)
	g.mu.Lock()
	g.ended = next
	g.mu.Unlock()

	for len(entries) > 0 {
		var watched []*entry
		g.mu.Lock()
		for budget := markChunk; budget > 0 && len(entries) > 0; {
			done, w, all := g.cache.mark(entries[0].Name, budget, watched)
			watched, budget = w, budget-done-1
			if all {
				entries = entries[1:]
			}
		}
		g.mu.Unlock()
		for _, e := range watched {
			g.watches.end(e, ErrEnded)
		}
	}
}

// hear takes over a ledger time, and forgets what no unexpired token can hang on any more. The anchor is stored first:
// whoever finds a name forgotten compares exp with no less than the time by which it was. It needs applying.
func (g *Guard) hear(t ledger.Time) {
	a := anchor{}
	if old := g.anchor.Load(); old != nil {
		a = *old
	}
	if t > a.told {
		a.told, a.heard = t, g.conf.clock().mono
		g.anchor.Store(&a)
	}
	if next := g.ended.without(a.told); next != g.ended {
		g.mu.Lock()
		g.ended = next
		g.mu.Unlock()
	}
}

// prove takes over a proof of freshness whose question was sent at asked. It needs applying, and that everything up to
// the answered head has been applied.
func (g *Guard) prove(asked reading) {
	a := *g.anchor.Load()
	a.proven, a.asked = true, asked // questions are asked one after the other, so this is the latest
	g.anchor.Store(&a)
}

// follow applies consecutive entries of the current history, leaving out those already known. It needs applying.
func (g *Guard) follow(first uint64, entries []ledger.Entry, now ledger.Time) error {
	at := g.at
	if first > at.number+1 {
		return fmt.Errorf("%w: %d came after %d", ledger.ErrGap, first, at.number)
	}
	known := min(at.number+1-first, uint64(len(entries)))
	if entries = entries[known:]; len(entries) == 0 {
		return nil
	}
	g.apply(entries, now)
	at.number += uint64(len(entries))
	g.move(at)
	g.tell(Event{Kind: Applied, Number: at.number, Entries: len(entries)})
	return nil
}

// place is how far the guard has come in which history. era tells histories apart that carry the same lineage although
// one was rewritten.
type place struct {
	lineage ledger.Lineage
	number  uint64
	era     int
}

// move changes the place. It needs applying; whoever only reads needs that or mu.
func (g *Guard) move(to place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at = to
}

func (g *Guard) place() place {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.at
}
