package delivery

import (
	"math/rand/v2"
	"net/url"
	"sync"
	"time"
)

const (
	perHost    = 16   // calls under way to one host
	altogether = 1024 // calls under way
	// A host that has failed breakAfter times in a row is left alone for a while, then asked once; each time that fails, for longer.
	breakAfter  = 5
	breakFirst  = time.Second
	breakLonger = 5 * time.Minute
)

// gates keep one dead app from delaying the others: each host has so many calls under way and no more, and a host that does not
// answer is asked now and then only.
type gates struct {
	mu    *sync.Mutex
	hosts map[string]*gate
	all   int
}

type gate struct {
	underWay int
	failed   int // in a row
	closed   time.Time
}

func newGates() gates { return gates{mu: new(sync.Mutex), hosts: map[string]*gate{}} }

// room is how many calls to a host may begin now.
func (g *gates) room(host string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.roomOf(host, time.Now())
}

// busy says that there is no room because calls are under way, to a host that answers: there will be when they end.
func (g *gates) busy(host string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.hosts[host]
	return h == nil || h.failed < breakAfter
}

func (g *gates) roomOf(host string, now time.Time) int {
	all := altogether - g.all
	h := g.hosts[host]
	switch {
	case h == nil:
		return min(perHost, all)
	case h.failed >= breakAfter && (now.Before(h.closed) || h.underWay > 0):
		return 0
	case h.failed >= breakAfter:
		return min(1, all)
	}
	return min(perHost-h.underWay, all)
}

// begin counts a call.
func (g *gates) begin(host string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.hosts[host]
	if h == nil {
		h = &gate{}
		g.hosts[host] = h
	}
	h.underWay++
	g.all++
}

// end counts what came of it: answered says that the host is alive, whatever it said.
func (g *gates) end(host string, answered bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.hosts[host]
	h.underWay--
	g.all--
	if answered {
		h.failed = 0
		if h.underWay == 0 {
			delete(g.hosts, host)
		}
		return
	}
	if h.failed++; h.failed >= breakAfter {
		h.closed = time.Now().Add(jitter(grown(breakFirst, h.failed-breakAfter, breakLonger)))
	}
}

// look copies how much room there is, for a closure that may run twice.
func (g *gates) look() view { return view{gates: g, taken: map[string]int{}} }

type view struct {
	gates *gates
	taken map[string]int
	all   int
}

// take says whether one call more may begin, counting those taken before.
func (v *view) take(host string) bool {
	if v.gates.room(host)-v.taken[host] <= 0 || v.all >= altogether/2 {
		return false
	}
	v.taken[host]++
	v.all++
	return true
}

// grown is a wait that doubles with each failure.
func grown(first time.Duration, failures int, longest time.Duration) time.Duration {
	if failures > 30 {
		return longest
	}
	return min(first<<failures, longest)
}

// jitter spreads a wait over its half and its whole, so that what failed together does not come back together.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// hostOf is host and port of an address, as gates know it.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}
