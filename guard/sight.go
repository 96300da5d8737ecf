package guard

import (
	"context"
	"errors"

	"exeunt.dev/ledger"
)

// flight is one check of a signature that several requests wait for.
type flight struct {
	done  chan struct{}
	entry *entry
	err   error
}

var errPanicked = errors.New("guard: the check did not finish")

// firstSight verifies a token that is not in the cache, once for all who bring it at the same time. The signature is
// checked outside mu; asking for its names and filing it is one step under mu, so that an ending either is seen here
// or finds the entry filed.
func (g *Guard) firstSight(ctx context.Context, raw string) (*entry, error) {
	if len(raw) > maxToken {
		return nil, invalid("too long")
	}
	if g.anchor.Load() == nil {
		return nil, ErrStale
	}
	for {
		g.mu.Lock()
		if e := g.cache.find(raw); e != nil {
			g.mu.Unlock()
			if err := g.admit(e); err == nil {
				return e, nil
			} else if !errors.Is(err, errDropped) {
				return nil, err
			}
			continue // dropped just now, and out of the cache
		}
		f, follow := g.flights[raw]
		if !follow {
			f = &flight{done: make(chan struct{}), err: errPanicked}
			g.flights[raw] = f
		}
		g.mu.Unlock()
		if !follow {
			return g.lead(f, raw)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, errors.Join(ErrStale, ctx.Err())
		}
		if f.err != nil {
			return nil, f.err
		}
		if err := g.admit(f.entry); err == nil {
			return f.entry, nil
		} else if !errors.Is(err, errDropped) {
			return nil, err
		}
	}
}

// lead does the work of a flight. The entry is pinned until its own verdict, so that a full cache cannot drop it
// before it was used once.
func (g *Guard) lead(f *flight, raw string) (*entry, error) {
	defer func() {
		g.mu.Lock()
		delete(g.flights, raw)
		g.mu.Unlock()
		close(f.done)
	}()
	token, err := g.verify(raw)
	if err != nil {
		f.err = err
		return nil, err
	}
	f.entry, f.err = g.settled(token), nil
	defer f.entry.unpin()
	if err := g.admit(f.entry); err != nil {
		return nil, err
	}
	return f.entry, nil
}

// settled is the filed entry of a verified token, pinned: one that is there, or a new one, which is marked if one of its
// names has ended. The names are asked before mu is taken, because with millions of endings that takes longer than
// everything else here, and once more under it only if the set has changed since.
func (g *Guard) settled(t *Token) *entry { return g.settledAfter(t, g.endings()) }

func (g *Guard) settledAfter(t *Token, set *ended) *entry {
	over := set.hasAny(t.hangs...)
	g.mu.Lock()
	defer g.mu.Unlock()
	if e := g.cache.find(t.raw); e != nil && e.pin() {
		return e
	}
	if g.ended != set && !over {
		over = g.ended.hasAny(t.hangs...)
	}
	e := newEntry(g, t)
	g.cache.insert(e, over, g.floorNow())
	return e
}

// endings is the set as it is now.
func (g *Guard) endings() *ended {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ended
}

// floorNow is the floor clock; 0 before the guard has started.
func (g *Guard) floorNow() ledger.Time {
	a := g.anchor.Load()
	if a == nil {
		return 0
	}
	return a.floor(g.conf.clock())
}
