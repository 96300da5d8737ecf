package faults

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"exeunt.dev/e2e/faults/api/talk"
	"exeunt.dev/e2e/proxy"
	"exeunt.dev/ledger"
)

// cutting cuts one answer for each guard, whose name in the path says which and where.
type cutting struct {
	mu    sync.Mutex
	done  map[string]bool
	plain int // bytes of a beat's answer without entries
}

// exchangesOf are what a guard lives on; the last is a beat that brings entries, for a guard that no tail reaches.
var exchangesOf = []string{"/.well-known/jwks.json", ledger.PathSnapshot, ledger.PathBeat, ledger.PathTail, "entries"}

func (c *cutting) first(who string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.done[who]
	c.done[who] = true
	return !was
}

func (c *cutting) rule(e *proxy.Exchange) io.Reader {
	which, where, _ := strings.Cut(e.Who, "-")
	i, _ := strconv.Atoi(which)
	at, _ := strconv.Atoi(where)
	path := e.URL.Path
	switch {
	case exchangesOf[i] == "entries" && path == ledger.PathTail:
		return open(nil, e)
	case exchangesOf[i] == "entries" && path == ledger.PathBeat:
		answer, _ := io.ReadAll(e.Real())
		if len(answer) > c.plain+8 && c.first(e.Who) {
			return bytes.NewReader(answer[:min(at, len(answer))])
		}
		return bytes.NewReader(answer)
	case path == exchangesOf[i] && c.first(e.Who):
		return io.LimitReader(e.Real(), int64(at))
	}
	return e.Real()
}

// truncated cuts each kind of answer at each byte, a guard for each place: none may admit what has ended before it was made, all
// must be well afterwards, and hear of what ends then. Caught: a guard that takes a part for the whole.
func (w *world) truncated(t *testing.T) {
	w.row(t, "truncated at every byte", false, func(t *testing.T, row *line) {
		s := w.on(t, row, 1)
		s.ends(1, 0) // which no guard may ever admit
		old := &kept{all: map[string][][]byte{}}
		p := w.exchanges(t, old.note)
		s.at.guard(t, s.c, "learner", p.URL()+"/me")
		s.at.ask(t, "GET", "/learner/ready", nil, nil)
		for begun := talk.Now(); talk.Now() < begun+staleness/2; time.Sleep(10 * time.Millisecond) {
		}
		s.at.ask(t, "DELETE", "/learner", nil, nil)
		cut := &cutting{done: map[string]bool{}, plain: len(old.all[ledger.PathBeat][1])}
		p.Rule(cut.rule)
		var whos []string
		for i, path := range exchangesOf {
			size, headers := cut.plain+3*16, bytes.Index(old.all[ledger.PathBeat][1], []byte("\r\n\r\n"))
			if path != "entries" {
				size, headers = len(old.all[path][0]), bytes.Index(old.all[path][0], []byte("\r\n\r\n"))
			}
			if i == 0 {
				headers = size // one JSON text
			}
			if path == ledger.PathTail {
				size += 64 // a frame with an entry
			}
			for at := range size {
				if at < headers && at%5 > 0 && !long() {
					continue // much the same
				}
				whos = append(whos, fmt.Sprintf("%d-%d", i, at))
			}
		}
		row.note = fmt.Sprintf("%d places of %d answers", len(whos), len(exchangesOf))
		const atOnce = 20 // with a hundred, a slow machine has no time left for their beats
		for len(whos) > 0 {
			n := min(atOnce, len(whos))
			s.cutAt(p, whos[:n])
			whos = whos[n:]
		}
		if t.Failed() {
			return
		}
		s.at.guard(t, s.c, s.id, p.URL()+"/0-0")
		s.at.ask(t, "GET", "/"+s.id+"/ready", nil, nil)
		s.try("")
		s.ends(s.left(), 0)
		s.settle()
	})
}

// cutAt is some guards, each with its place. What ends is counted from its acknowledgement.
func (s *plight) cutAt(p *proxy.Exchanges, whos []string) {
	s.t.Helper()
	a, err := s.p.sessions[0].enter("books")
	s.must(err)
	tokens := map[string]string{"over": s.victims[0].raw, "goes": a.access, "good": s.good["books"]}
	for _, who := range whos {
		s.at.guard(s.t, s.c, who, p.URL()+"/"+who)
		s.at.ask(s.t, "POST", "/"+who+"/try?pause=50ms", tokens, nil)
	}
	all := func(what string, is func(who string, tokens map[string]talk.Token) bool) {
		waiting := append([]string(nil), whos...)
		defer func() {
			if len(waiting) > 0 {
				s.t.Logf("cut at %s: %+v", waiting[0], s.at.seen(s.t, waiting[0]))
			}
		}()
		until(s.t, what, func() bool {
			for len(waiting) > 0 && is(waiting[0], s.at.seen(s.t, waiting[0]).Tokens) {
				waiting = waiting[1:]
			}
			return len(waiting) == 0
		})
	}
	all("every guard is well", func(_ string, k map[string]talk.Token) bool { return k["good"].Admitted > 0 && k["goes"].Admitted > 0 })
	s.must(s.revoke(a.refresh))
	ended := talk.Now()
	s.line.ends++
	all("every guard has heard, and is well", func(who string, k map[string]talk.Token) bool {
		if k["goes"].Answers[401] == 0 || k["good"].Turns[len(k["good"].Turns)-1].Status != 200 {
			return false
		}
		late := k["goes"].Admitted - ended
		s.line.latest = max(s.line.latest, late)
		if late > staleness || k["over"].Answers[200] > 0 {
			s.t.Errorf("cut at %s: admitted %v after its end; %+v", who, late, k)
		}
		s.answers("good", k["good"], 200, 503)
		return true
	})
	for _, who := range whos {
		s.at.ask(s.t, "DELETE", "/"+who, nil, nil)
	}
}
