package delivery

import (
	"fmt"
	"testing"
	"time"
)

// Waits double up to the longest, and what failed together does not come back together.
func TestWaits(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Second, 1: 2 * time.Second, 5: 32 * time.Second, 11: 2048 * time.Second, 12: time.Hour, 31: time.Hour, 1 << 40: time.Hour} {
		d := grown(waitFirst, n, waitLonger)
		if d != want {
			t.Errorf("after %d failures: %s", n, d)
		}
		met := map[time.Duration]bool{}
		for range 100 {
			j := jitter(d)
			if j < d/2 || j > d {
				t.Errorf("%s became %s", d, j)
			}
			met[j] = true
		}
		if len(met) < 50 {
			t.Errorf("a hundred waits of %s are %d", d, len(met))
		}
	}
}

// However many hosts there are, so many calls are under way and no more, and one batch takes half of them.
func TestRoomAltogether(t *testing.T) {
	g := newGates()
	at := func(i int) way { return way{"app", fmt.Sprint("host", i)} }
	v, taken := g.look(), 0
	for i := range 2 * altogether {
		if n := v.room(at(i)); n > 0 {
			v.take(at(i), 1)
			taken++
		}
	}
	if taken != altogether/2 {
		t.Error("one batch takes", taken)
	}
	for i := range altogether {
		if g.room(at(i)) < 1 {
			t.Fatal("no room after", i)
		}
		g.begin(at(i))
	}
	if n := g.room(at(altogether)); n != 0 {
		t.Error("room for", n, "more")
	}
	g.end(at(0), time.Now(), true)
	if n := g.room(at(altogether)); n != 1 {
		t.Error("after one has ended, room for", n)
	}
}

// Calls that fail together close the gate once, for as short as it begins with; then one call may begin, and each that fails closes it for longer.
func TestGateCloses(t *testing.T) {
	g := newGates()
	w := way{"app", "host"}
	closed := func() time.Duration { return time.Until(g.ways[w].to) }
	var all []time.Time
	for range perHost {
		all = append(all, g.begin(w))
	}
	for i, began := range all {
		if open := g.busy(w); open != (i < breakAfter) {
			t.Errorf("after %d failures: busy %t", i, open)
		}
		g.end(w, began, false)
	}
	if g.room(w) != 0 || closed() > breakFirst {
		t.Errorf("after %d failures at once: room for %d, closed for %s", perHost, g.room(w), closed())
	}
	for round := 1; round < 12; round++ {
		g.open()
		if n := g.room(w); n != 1 {
			t.Fatalf("round %d: room for %d", round, n)
		}
		began := g.begin(w)
		if n := g.room(w); n != 0 {
			t.Errorf("round %d: room for %d beside the one", round, n)
		}
		g.end(w, began, false)
		if long := grown(breakFirst, round, breakLonger); closed() > long || closed() < long/2-time.Second/10 {
			t.Errorf("round %d: closed for %s", round, closed())
		}
	}
	g.open()
	g.end(w, g.begin(w), true)
	if n := g.room(w); n != perHost {
		t.Errorf("it has answered: room for %d", n)
	}
}

// What an operator wants sent is tried at once, also at an app that is left alone.
func TestAsk(t *testing.T) {
	d := &Delivery{gates: newGates(), room: make(chan struct{}, 1)}
	w := way{"app", "host"}
	for range breakAfter {
		d.gates.end(w, d.gates.begin(w), false)
	}
	if d.gates.room(w) != 0 {
		t.Fatal("the gate is open")
	}
	if d.Ask(); d.gates.room(w) != 1 || len(d.room) != 1 {
		t.Errorf("room for %d, woken %t", d.gates.room(w), len(d.room) == 1)
	}
}
