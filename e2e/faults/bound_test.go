package faults

import (
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// world is what the faults of lines share: one server, and APIs in another process.
type world struct {
	c       *cluster
	program string // of APIs
	at      *apis
	mu      sync.Mutex
	people  []*person
	table   []*line
}

func (w *world) person() *person {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.people[0]
	w.people = w.people[1:]
	return p
}

// row runs one fault and adds it to the table, in the order of the calls.
func (w *world) row(t *testing.T, name string, outage bool, f func(t *testing.T, row *line)) {
	row := &line{name: name, outage: outage}
	w.table = append(w.table, row)
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		f(t, row)
	})
}

// TestBound is promise 2 under every fault that we know: the real server, real guards in other processes, and the fault between
// them or at one of their ends. In each no request with an ended token that began later than max staleness after the end was
// acknowledged is admitted, streams are cut within the same time, the guard recovers by itself, an outage gives 503 and never
// 401, and good tokens are good in the end. All times are of one clock, CLOCK_MONOTONIC of this machine. The end is counted from
// its acknowledgement, which comes after the commit; the request from before the check.
//
// What each must catch is said at each, as a change of the guard or server by which it fails.
func TestBound(t *testing.T) {
	w := &world{c: start(t, 1, nil, "lifetimes:\n  access_token: 1h\n"), program: buildAPIs(t)}
	w.at = newAPIs(t, w.program)
	w.people = w.c.people(20)
	t.Run("faults", func(t *testing.T) {
		w.lines(t)
	})
	text := []string{tableHead}
	for _, row := range w.table {
		if row.ends > 0 {
			text = append(text, row.String())
		}
	}
	t.Logf("max staleness %v\n%s", staleness, strings.Join(text, "\n"))
}

// on is a plight on the server that is shared.
func (w *world) on(t *testing.T, row *line, victims int) *plight {
	t.Helper()
	return newPlight(t, w.c, w.person(), w.at, row, victims)
}

// lines are faults between guard and server.
func (w *world) lines(t *testing.T) {
	// Caught: a guard that does not stop trusting itself.
	w.row(t, "cut", true, func(t *testing.T, row *line) {
		s := w.on(t, row, 6)
		s.follow()
		s.ends(1, 0)
		s.link.Aim()
		s.ends(s.left(), staleness)
		time.Sleep(staleness / 2)
		s.heal(func() { s.link.Aim(s.c.nodes[0].address()) })
		s.settle()
	})
	// Caught: a guard that waits for a connection to break.
	w.row(t, "stalled, but open", true, func(t *testing.T, row *line) {
		s := w.on(t, row, 6)
		s.follow()
		s.link.Stalled.Store(true)
		s.ends(s.left(), staleness)
		time.Sleep(staleness / 2)
		s.heal(func() { s.link.Stalled.Store(false) })
		s.settle()
	})
	// Both ways, for everything; then the line stalls. Caught: streams that are cut when a timer comes round.
	w.row(t, "delayed", true, func(t *testing.T, row *line) {
		s := w.on(t, row, 10)
		s.follow()
		s.link.Delay(staleness / 5)
		s.ends(5, staleness)
		s.link.Stalled.Store(true)
		s.ends(s.left(), staleness/2)
		time.Sleep(staleness)
		s.heal(func() { s.link.Delay(0); s.link.Stalled.Store(false) })
		s.settle()
	})
	// Caught: a guard that trusts a timer to have noticed.
	w.row(t, "guard stopped, and resumed with a request", true, func(t *testing.T, row *line) {
		own := newAPIs(t, w.program)
		s := newPlight(t, w.c, w.person(), own, row, 2)
		s.at.guard(t, s.c, s.id, s.link.URL())
		s.at.ask(t, "GET", "/"+s.id+"/ready", nil, nil)
		s.try("?pause=0s")
		until(t, "every token is admitted at first", func() bool { return s.well(s.at.seen(t, s.id)) })
		own.cmd.Process.Signal(syscall.SIGSTOP)
		s.ends(s.left(), staleness/2)
		s.link.Stalled.Store(true) // else the first answer could come before the first request
		time.Sleep(staleness * 5 / 4)
		s.stopped = true
		own.cmd.Process.Signal(syscall.SIGCONT)
		time.Sleep(staleness / 4)
		s.heal(func() { s.link.Stalled.Store(false) })
		s.settle()
	})
	w.wires(t)
	w.servers(t)
}
