package guard

import (
	"hash/maphash"
	"math/bits"
	"strings"
	"sync/atomic"

	"exeunt.dev/internal/dpop"
	"exeunt.dev/ledger"
)

// Bits of an entry's state. Above them it counts its watchers: an entry that is watched is not dropped, because then
// no ending would find it.
const (
	stateEnded   = 1 << iota // a name it hangs on is in the ledger
	stateDropped             // no longer filed: whoever still holds it must look again
	onePin
)

// entry is one verified token. The first line of fields is what a hit reads.
type entry struct {
	hash  uint64
	raw   string
	exp   ledger.Time
	state atomic.Uint32
	used  atomic.Bool // hit since the hand passed
	bound bool        // to a key or an address: CheckRequest looks at more
	next  atomic.Pointer[entry]

	token Token
	guard *Guard
	links []link
	ring  int // position in cache.ring
}

// pin keeps the entry filed. It fails on one that was dropped.
func (e *entry) pin() bool {
	for {
		s := e.state.Load()
		if s&stateDropped != 0 {
			return false
		}
		if e.state.CompareAndSwap(s, s+onePin) {
			return true
		}
	}
}

func (e *entry) unpin() { e.state.Add(^uint32(onePin - 1)) }

// link files an entry under one name: a doubly linked list per name, so that leaving costs the same however many hang
// on it.
type link struct {
	prev, next *link
	entry      *entry
	name       ledger.Name
	filed      bool
}

// cache holds verified tokens, within a bound of bytes. find takes no lock; everything else happens under Guard.mu.
type cache struct {
	seed    maphash.Seed
	buckets []atomic.Pointer[entry]
	filed   map[ledger.Name]*link
	ring    []*entry // all entries; hand goes round it
	hand    int
	bytes   int
	limit   int
}

func newCache(limit int) *cache {
	// A quarter of the usual cost of an entry for each bucket keeps chains short; made once, it never has to grow.
	n := 1 << bits.Len(uint(limit/entryCost))
	return &cache{
		seed:    maphash.MakeSeed(),
		buckets: make([]atomic.Pointer[entry], n),
		filed:   map[ledger.Name]*link{},
		limit:   limit,
	}
}

// What an entry costs beside its text: measured by TestCacheBytesAreHonest.
const (
	entryCost = 640
	linkCost  = 80
)

func (e *entry) cost() int {
	return entryCost + 2*len(e.token.subject) + len(e.raw) + linkCost*len(e.links)
}

// hashOf hashes the tail only, which is signature. What is in the cache has been verified, so that the tail of each is
// as good as random and nobody can make many that collide; the exact comparison of the whole token decides.
func (c *cache) hashOf(raw string) uint64 {
	return maphash.String(c.seed, raw[max(len(raw)-tailSize, 0):])
}

const tailSize = 32

// find looks a token up. It may miss one that is there while the chain is changed; first sight then finds it under the
// lock.
func (c *cache) find(raw string) *entry {
	h := c.hashOf(raw)
	for e := c.buckets[h&uint64(len(c.buckets)-1)].Load(); e != nil; e = e.next.Load() {
		if e.hash == h && e.raw == raw {
			return e
		}
	}
	return nil
}

// insert adds an entry for a token that is not there, pinned for the caller; over says whether a name it hangs on has ended. An ended one is kept too, so
// that a client which goes on sending it costs no signature check each time.
func (c *cache) insert(e *entry, over bool, now ledger.Time) {
	e.used.Store(true)
	if over {
		e.state.Store(onePin | stateEnded)
	} else {
		e.state.Store(onePin)
		e.links = make([]link, len(e.token.hangs))
		for i, n := range e.token.hangs {
			c.file(&e.links[i], e, n)
		}
	}
	b := &c.buckets[e.hash&uint64(len(c.buckets)-1)]
	e.next.Store(b.Load())
	b.Store(e)
	e.ring = len(c.ring)
	c.ring = append(c.ring, e)
	c.bytes += e.cost()
	c.makeRoom(now)
}

// makeRoom looks at two entries for every one that comes, so that expired ones go without a job of their own; and when
// there is too much, at as many as it takes, dropping those not used since it last came by.
func (c *cache) makeRoom(now ledger.Time) {
	for range 2 {
		if e := c.turn(); e.exp <= now {
			c.drop(e)
		}
	}
	for looks := 2 * len(c.ring); c.bytes > c.limit && looks > 0; looks-- {
		if e := c.turn(); e.exp <= now || !e.used.Swap(false) {
			c.drop(e)
		}
	}
}

// turn moves the hand on by one. The ring is never empty here: makeRoom follows an insert of a pinned entry.
func (c *cache) turn() *entry {
	c.hand++
	if c.hand >= len(c.ring) {
		c.hand = 0
	}
	return c.ring[c.hand]
}

// drop takes an entry out unless it is pinned. Its own next stays, for readers on their way through the chain.
func (c *cache) drop(e *entry) {
	for {
		s := e.state.Load()
		if s >= onePin {
			return
		}
		if e.state.CompareAndSwap(s, s|stateDropped) {
			break
		}
	}
	at := &c.buckets[e.hash&uint64(len(c.buckets)-1)]
	for p := at.Load(); p != e; p = at.Load() {
		at = &p.next
	}
	at.Store(e.next.Load())
	for i := range e.links {
		c.unfile(&e.links[i])
	}
	last := len(c.ring) - 1
	c.ring[e.ring] = c.ring[last]
	c.ring[e.ring].ring = e.ring
	c.ring[last] = nil
	c.ring = c.ring[:last]
	c.bytes -= e.cost()
}

func (c *cache) file(l *link, e *entry, n ledger.Name) {
	head := c.filed[n]
	*l = link{next: head, entry: e, name: n, filed: true}
	if head != nil {
		head.prev = l
	}
	c.filed[n] = l
}

func (c *cache) unfile(l *link) {
	switch {
	case !l.filed:
		return
	case l.prev != nil:
		l.prev.next = l.next
	case l.next != nil:
		c.filed[l.name] = l.next
	default:
		delete(c.filed, l.name)
	}
	if l.next != nil {
		l.next.prev = l.prev
	}
	l.prev, l.next, l.filed = nil, nil, false
}

// mark marks up to budget entries filed under n, and takes them from under it. Nothing can be filed under n meanwhile,
// because n is in the set of ended names before the first call. It returns how many it marked, those among them that
// are watched, and whether that was all.
func (c *cache) mark(n ledger.Name, budget int, watched []*entry) (int, []*entry, bool) {
	l := c.filed[n]
	if l == nil {
		return 0, watched, true
	}
	done := 0
	for ; l != nil && done < budget; done++ {
		if l.entry.state.Or(stateEnded) >= onePin {
			watched = append(watched, l.entry)
		}
		next := l.next
		l.prev, l.next, l.filed = nil, nil, false
		l = next
	}
	if l == nil {
		delete(c.filed, n)
		return done, watched, true
	}
	l.prev = nil
	c.filed[n] = l
	return done, watched, false
}

func newEntry(g *Guard, t *Token) *entry {
	// A copy: the text given may be a piece of a whole request's headers, which would stay in memory with it.
	t.raw = strings.Clone(t.raw)
	e := &entry{guard: g, raw: t.raw, hash: g.cache.hashOf(t.raw), exp: ledger.Time(t.expires) * 1000, token: *t, bound: t.bond != dpop.Bond{}}
	e.token.entry = e
	e.state.Store(stateDropped) // until it is filed
	return e
}
