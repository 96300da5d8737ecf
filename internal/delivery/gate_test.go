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
	g.end(at(0), true)
	if n := g.room(at(altogether)); n != 1 {
		t.Error("after one has ended, room for", n)
	}
}
