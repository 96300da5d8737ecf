package guard

import (
	"context"
	"sync"
	"time"
)

// watches are the contexts that end with their token. They lie in shards by token, so that requests with different
// tokens seldom meet here.
type watches [16]watchShard

type watchShard struct {
	mu sync.Mutex
	of map[*entry]map[*watch]struct{}
}

type watch struct{ cancel context.CancelCauseFunc }

func (w *watches) shard(e *entry) *watchShard { return &w[e.hash>>32%uint64(len(w))] }

func (w *watches) add(e *entry, x *watch) {
	s := w.shard(e)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[*entry]map[*watch]struct{}{}
	}
	if s.of[e] == nil {
		s.of[e] = map[*watch]struct{}{}
	}
	s.of[e][x] = struct{}{}
}

func (w *watches) remove(e *entry, x *watch) {
	s := w.shard(e)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of[e], x)
	if len(s.of[e]) == 0 {
		delete(s.of, e)
	}
}

// end cancels all that watch e. What it cancels stays until its stop, and is cancelled once.
func (w *watches) end(e *entry, cause error) {
	s := w.shard(e)
	s.mu.Lock()
	all := make([]*watch, 0, len(s.of[e]))
	for x := range s.of[e] {
		all = append(all, x)
	}
	s.mu.Unlock()
	for _, x := range all {
		x.cancel(cause)
	}
}

// entries that are watched.
func (w *watches) entries() (all []*entry) {
	for i := range w {
		s := &w[i]
		s.mu.Lock()
		for e := range s.of {
			all = append(all, e)
		}
		s.mu.Unlock()
	}
	return all
}

func (w *watches) endAll(cause error) {
	for _, e := range w.entries() {
		w.end(e, cause)
	}
}

// Watch returns a context that is cancelled when the token ends, so that what outlives one check (a stream, a socket,
// a long download) ends with it. context.Cause tells why: ErrEnded, ErrExpired, or ErrStale when the guard itself can
// no longer vouch for the token. The latter comes a twentieth of [MaxStaleness] before checks give ErrStale, so that the stream
// itself is over within the bound, if its handler looks at the context. Call stop when done, as with any context.
func (g *Guard) Watch(ctx context.Context, tok *Token) (watched context.Context, stop context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if tok == nil || tok.entry == nil || tok.entry.guard != g {
		cancel(invalid("not a token of this guard"))
		return ctx, func() {}
	}
	e := tok.entry
	if !e.pin() { // dropped from the cache meanwhile
		e = g.settled(&e.token)
	}
	x := &watch{cancel: cancel}
	g.watches.add(e, x)
	// After adding: whatever ended before is seen here, whatever ends later finds the watch.
	if err := g.admit(e); err != nil {
		cancel(err)
	} else if g.trustLeft() < g.early()/2 {
		cancel(ErrStale) // nothing is begun that may not be cut in time
	}
	return ctx, sync.OnceFunc(func() {
		g.watches.remove(e, x)
		e.unpin()
		cancel(context.Canceled)
	})
}

// early is how long before checks stop admitting streams are cut, so that a timer that fires late, and a handler that is slow to
// see it, are within the bound.
func (g *Guard) early() time.Duration { return g.conf.maxStaleness / 20 }

// keepWatch ends what is watched when its token expires or the guard is about to become stale, and reports the latter.
func (g *Guard) keepWatch(ctx context.Context) {
	for sleep(ctx, g.watchPause()) {
		if a := g.anchor.Load(); a != nil && a.age(g.conf.clock()) > g.conf.maxStaleness && g.stale.CompareAndSwap(false, true) {
			g.tell(Event{Kind: Stale, Err: g.lastErr(), Age: a.age(g.conf.clock())})
		}
		if g.streamsLeft() <= 0 {
			g.watches.endAll(ErrStale)
			continue
		}
		now := g.floorNow()
		for _, e := range g.watches.entries() {
			if e.exp <= now {
				g.watches.end(e, ErrExpired)
			}
		}
	}
}

// watchPause is until streams are to be cut, and never long, for those that expire. Once they have been, checks still admit
// for a moment: what is opened then is cut soon.
func (g *Guard) watchPause() time.Duration {
	pause := min(g.interval(), time.Second)
	switch left := g.streamsLeft(); {
	case left > 0:
		return min(pause, left)
	case g.trustLeft() > 0:
		return g.early() / 8
	}
	return pause
}

// streamsLeft is for how long streams may go on if nothing more is heard.
func (g *Guard) streamsLeft() time.Duration { return g.trustLeft() - g.early() }

// trustLeft is for how long checks will still admit if nothing more is heard.
func (g *Guard) trustLeft() time.Duration {
	a := g.anchor.Load()
	if a == nil || !a.proven {
		return 0
	}
	return max(g.conf.maxStaleness+g.conf.accept-a.age(g.conf.clock()), 0)
}
