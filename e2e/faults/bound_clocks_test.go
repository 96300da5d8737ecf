package faults

import (
	"testing"
	"time"
)

// clocks are wall clocks stepped by a day while the program runs. Each is one line of the program changed when it is built
// (clock_test.go): a switch for it is not in the product, and a library that the dynamic linker puts before the C library's clock
// does not reach a Go program.
func (w *world) clocks(t *testing.T) {
	const day = 24 * time.Hour
	// Caught: endings that are held by the wall clock; tokens that are expired by it.
	w.row(t, "server's wall clock stepped ± a day", false, func(t *testing.T, row *line) {
		clock := newWatch(t)
		c := start(t, 1, nil, "")
		n := c.nodes[0]
		n.kill()
		n.binary = clock.binary
		n.up()
		s := newPlight(t, c, c.people(1)[0], w.at, row, 8)
		s.follow()
		for _, off := range []time.Duration{day, 0, -day} {
			clock.set(off)
			s.ends(3, staleness/2)
		}
		s.settle()
	})
	// The step forward makes the guard doubt itself until the next answer: it may have slept for a day. The step back must not make it
	// trust itself for a day longer. Caught: freshness by the wall clock.
	w.row(t, "guard's wall clock stepped ± a day", true, func(t *testing.T, row *line) {
		clock := watched(t, "exeunt.dev/e2e/faults/api", "exeunt.dev/guard", "clock.go", "wall: now.UnixNano()", "wall: testNow().UnixNano()")
		s := newPlight(t, w.c, w.person(), newAPIs(t, clock.binary), row, 10)
		s.follow()
		for _, off := range []time.Duration{day, 0, -day} {
			clock.set(off)
			s.ends(2, staleness/2)
		}
		s.link.Aim()
		clock.set(-2 * day)
		s.ends(s.left(), staleness)
		time.Sleep(staleness / 2)
		s.heal(func() { s.link.Aim(s.c.nodes[0].address()) })
		s.settle()
	})
}
