package delivery

import (
	"math/rand/v2"
	"sync"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/outbound"
)

const (
	perHost    = 16   // calls under way to one host
	altogether = 1024 // calls under way
	// An app of which breakAfter calls in a row have failed is left alone for a while, then asked once; each time that fails, for longer.
	breakAfter  = 5
	breakFirst  = time.Second
	breakLonger = 5 * time.Minute
)

// way is one app at one host: several apps may be behind one, and one of them dead.
type way struct {
	client idp.ClientID
	host   string
}

func wayOf(c *idp.Client) way { return way{c.ID, outbound.HostPort(c.BackchannelLogoutURI)} }

// gates keep one dead app from delaying the others: each host has so many calls under way and no more, and an app that does not
// answer is asked now and then only.
type gates struct {
	mu    *sync.Mutex
	hosts map[string]int // calls under way
	ways  map[way]*gate
	all   int
}

type gate struct {
	underWay int
	failed   int       // in a row
	rounds   int       // how often it was closed since it answered last
	from, to time.Time // closed
}

func newGates() gates {
	return gates{mu: new(sync.Mutex), hosts: map[string]int{}, ways: map[way]*gate{}}
}

// room is how many calls may begin now.
func (g *gates) room(w way) int { return g.beside(w, 0, false) }

// busy says that there is no room because calls are under way, to an app that answers: there will be when they end. An app that does not
// answer is never busy.
func (g *gates) busy(w way) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.ways[w]
	return h == nil || h.failed < breakAfter
}

// beside is room beside calls that are not counted yet: so many to the host, some of them to the app or none.
func (g *gates) beside(w way, host int, app bool) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	room := min(perHost-g.hosts[w.host]-host, altogether-g.all)
	h := g.ways[w]
	switch {
	case h == nil || h.failed < breakAfter:
		return room
	case time.Now().Before(h.to) || h.underWay > 0 || app:
		return 0
	}
	return min(1, room)
}

// begin counts a call. It returns when it began, for end.
func (g *gates) begin(w way) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.ways[w]
	if h == nil {
		h = &gate{}
		g.ways[w] = h
	}
	h.underWay++
	g.hosts[w.host]++
	g.all++
	return time.Now()
}

// end counts what came of it: answered says that the app is alive, whatever it said. Calls that were under way when the gate was closed
// tell nothing new by failing.
func (g *gates) end(w way, began time.Time, answered bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.ways[w]
	h.underWay--
	g.all--
	if g.hosts[w.host]--; g.hosts[w.host] == 0 {
		delete(g.hosts, w.host)
	}
	if answered {
		h.failed, h.rounds = 0, 0
		if h.underWay == 0 {
			delete(g.ways, w)
		}
		return
	}
	if h.failed++; h.failed >= breakAfter && began.After(h.from) {
		h.from = time.Now()
		h.to = h.from.Add(jitter(grown(breakFirst, h.rounds, breakLonger)))
		h.rounds++
	}
}

// open ends all waits: each app is asked once.
func (g *gates) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, h := range g.ways {
		h.to = time.Time{}
	}
}

// look copies how much room there is, for a closure that may run twice.
func (g *gates) look() view { return view{gates: g, taken: map[way]bool{}, hosts: map[string]int{}} }

type view struct {
	gates *gates
	taken map[way]bool
	hosts map[string]int
	all   int
}

// room is how many calls more may begin, counting those taken before.
func (v *view) room(w way) int {
	return min(v.gates.beside(w, v.hosts[w.host], v.taken[w]), altogether/2-v.all)
}

// take counts calls that are to begin.
func (v *view) take(w way, calls int) {
	v.taken[w] = true
	v.hosts[w.host] += calls
	v.all += calls
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
