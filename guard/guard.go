package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/dpop"
)

// Guard verifies access tokens and follows the ledger. All methods may be called at the same time.
type Guard struct {
	issuer string
	conf   settings
	keys   *keys
	feed   feed

	// What a hit reads. anchor is nil until the guard has started.
	cache  *cache
	proofs *dpop.Memory
	anchor atomic.Pointer[anchor]

	// mu joins first sight and ledger: a token is filed, or a name takes effect, never half of each at once. Hits do
	// not take it. It is held for short pieces of work only.
	mu      sync.Mutex
	ended   *ended             // the value never changes; the field does
	flights map[string]*flight // tokens whose signature is being checked

	// applying is held by whoever applies entries, from the first to the last of them marked; it is always taken
	// before mu. It owns the place.
	applying sync.Mutex
	at       place
	cutTail  context.CancelFunc // ends a tail that goes on from a place that no longer counts

	watches     watches
	running     atomic.Bool
	stale       atomic.Bool  // what the observer was told last
	accepted    atomic.Int64 // when AcceptedStale was told last
	lastTrouble atomic.Pointer[error]
	news        news // keys, snapshots and proofs of freshness
}

// New makes a guard for tokens of issuer, which is compared exactly with iss. It dials nothing; until Run follows the
// ledger every check gives ErrStale.
func New(issuer string, opts ...Option) (*Guard, error) {
	conf, err := newSettings(issuer, opts)
	if err != nil {
		return nil, err
	}
	g := &Guard{
		issuer:  issuer,
		conf:    conf,
		cache:   newCache(conf.cacheBytes),
		proofs:  dpop.NewMemory(conf.proofBytes),
		ended:   &ended{},
		flights: map[string]*flight{},
		feed:    newFeed(conf),
	}
	g.keys = newKeys(g.feed, conf.clock)
	g.stale.Store(true)
	return g, nil
}

// Ready waits until the guard knows the ledger: at first until the first snapshot has been proved fresh, later, if it
// has become stale, until it is fresh again. When ctx ends first it says what the last trouble was.
func (g *Guard) Ready(ctx context.Context) error {
	for {
		heard := g.news.wait()
		if a := g.anchor.Load(); a != nil && a.age(g.conf.clock()) <= g.conf.maxStaleness && g.keys.held() {
			return nil
		}
		select {
		case <-heard:
		case <-ctx.Done():
			return fmt.Errorf("guard: not ready: %w", errors.Join(context.Cause(ctx), g.lastErr()))
		}
	}
}

// Check verifies a raw access token. The error is one of ErrEnded, ErrExpired, ErrInvalid, ErrBound and ErrStale.
//
// A token that was seen before costs a lookup, an exact comparison and two loads: no lock, no allocation. It may wait
// for keys when the token names an unknown one; CheckRequest waits no longer than the request does.
//
// It does not see who calls: a token that is bound to a key or an address (cnf) is ErrBound, and is for CheckRequest.
func (g *Guard) Check(raw string) (*Token, error) {
	e, err := g.check(context.Background(), raw)
	if err != nil {
		return nil, g.refuse(err)
	}
	if e.bound {
		return nil, g.refuse(ErrBound)
	}
	return &e.token, nil
}

// check is Check without a look at what the token is bound to.
func (g *Guard) check(ctx context.Context, raw string) (*entry, error) {
	if e := g.cache.find(raw); e != nil {
		if err := g.admit(e); err == nil {
			return e, nil
		} else if !errors.Is(err, errDropped) {
			return nil, err
		}
	}
	return g.firstSight(ctx, raw)
}

var errDropped = errors.New("guard: no longer filed")

// admit is the decision about a verified token. The order of its reads is the proof of the bound: the freshness proof
// first, then the mark, then the time. If the mark is not there, the token's ending was not among what the proof
// covers, so it was committed after the proof's question was sent; and now is at most maxStaleness later than that.
// A mark read before the proof, or a time read before the mark, would say nothing after a pause in between.
func (g *Guard) admit(e *entry) error {
	proof := g.anchor.Load()
	state := e.state.Load()
	now := g.conf.clock()
	switch {
	case state&stateDropped != 0:
		return errDropped
	case state&stateEnded != 0:
		return ErrEnded
	case proof == nil:
		return ErrStale
	}
	// The latest anchor for exp: endings are forgotten by what was told last, so exp is held against no less.
	if g.anchor.Load().floor(now) >= e.exp {
		return ErrExpired
	}
	if age := proof.age(now); age > g.conf.maxStaleness && !g.tolerate(age, now) {
		return ErrStale
	}
	if !e.used.Load() {
		e.used.Store(true)
	}
	return nil
}

// tolerate says whether policy admits at this age, and reports it once a second.
func (g *Guard) tolerate(age time.Duration, now reading) bool {
	if age == forever || age-g.conf.maxStaleness > g.conf.accept {
		return false
	}
	last := g.accepted.Load()
	if (last == 0 || now.mono-last >= int64(time.Second)) && g.accepted.CompareAndSwap(last, max(now.mono, 1)) {
		g.tell(Event{Kind: AcceptedStale, Age: age})
	}
	return true
}

// news wakes everybody who waits for something to have changed.
type news struct {
	mu sync.Mutex
	c  chan struct{}
}

func (n *news) wait() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.c == nil {
		n.c = make(chan struct{})
	}
	return n.c
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.c != nil {
		close(n.c)
		n.c = nil
	}
}
