package faults

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/e2e/faults/api/talk"
	"exeunt.dev/e2e/proxy"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// exchanges is a proxy of one exchange a connection, before the shared server.
func (w *world) exchanges(t *testing.T, rule proxy.Rule) *proxy.Exchanges {
	t.Helper()
	p, err := proxy.NewExchanges(w.c.nodes[0].address(), rule)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// kept are answers that a proxy has seen, by path.
type kept struct {
	mu  sync.Mutex
	all map[string][][]byte
}

// note passes an answer on and keeps it as far as it came.
func (k *kept) note(e *proxy.Exchange) io.Reader {
	k.mu.Lock()
	defer k.mu.Unlock()
	path := e.URL.Path
	k.all[path] = append(k.all[path], nil)
	i := len(k.all[path]) - 1
	return io.TeeReader(e.Real(), writer(func(b []byte) (int, error) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.all[path][i] = append(k.all[path][i], b...)
		return len(b), nil
	}))
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// any is one of the answers that were kept for a path.
func (k *kept) any(path string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.all[path]); n > 0 {
		return bytes.Clone(k.all[path][rand.IntN(n)])
	}
	return nil
}

func honest(e *proxy.Exchange) io.Reader { return e.Real() }

// open is bytes after which nothing more comes, and no end either, until whoever asked has hung up.
func open(b []byte, e *proxy.Exchange) io.Reader {
	r, w := io.Pipe()
	go func() { w.Write(b); <-e.Gone(); w.Close() }()
	return r
}

func (w *world) wires(t *testing.T) {
	w.nginxes(t)
	// Every answer is one that was given before: beats, tails, snapshots, keys. Caught: a guard that does not look at the nonce; one
	// for which whatever arrives is news.
	w.row(t, "old answers replayed", true, func(t *testing.T, row *line) {
		s := w.on(t, row, 6)
		old := &kept{all: map[string][][]byte{}}
		p := w.exchanges(t, old.note)
		s.follow(p.URL() + "/me")
		time.Sleep(staleness) // to have some
		p.Rule(func(e *proxy.Exchange) io.Reader {
			if e.URL.Path == ledger.PathTail {
				return open(old.any(e.URL.Path), e)
			}
			return bytes.NewReader(old.any(e.URL.Path))
		})
		s.ends(s.left(), staleness)
		time.Sleep(staleness)
		s.heal(func() { p.Rule(honest) })
		s.settle()
	})
	// There is no tail, and the last answer comes late: it was true when it was made, before the last ends. Caught: a guard that is fresh
	// as of an answer's arrival.
	w.row(t, "answers held back, and then none", true, func(t *testing.T, row *line) {
		s := w.on(t, row, 6)
		p := w.exchanges(t, honest)
		through := strings.TrimPrefix(p.URL(), "http://")
		s.link.Aim(through)
		s.follow(s.link.URL() + "/me")
		made := make(chan struct{})
		var last atomic.Bool
		p.Rule(func(e *proxy.Exchange) io.Reader {
			if e.URL.Path != ledger.PathBeat {
				return open(nil, e)
			}
			if last.Load() {
				return open(nil, e)
			}
			answer, _ := io.ReadAll(e.Real())
			select {
			case made <- struct{}{}: // somebody waits for it
				last.Store(true)
			default:
			}
			time.Sleep(staleness * 2 / 5) // a question takes no longer than half
			return bytes.NewReader(answer)
		})
		s.link.Aim(through)
		s.ends(3, staleness)
		<-made
		s.ends(s.left(), 0)
		time.Sleep(2 * staleness)
		s.heal(func() { p.Rule(honest); s.link.Aim(through) })
		s.settle()
	})
	// Connections break after a moment, again and again; every second new tail begins as an older one did, some answers are held
	// until later ones have been given, and some are older ones. A guard that took an old tail for a continuation of what it has would
	// be set right by its next question: this row is for the recovery, and for nobody being refused.
	w.row(t, "reordered reconnects", false, func(t *testing.T, row *line) {
		s := w.on(t, row, 10)
		old := &kept{all: map[string][][]byte{}}
		p := w.exchanges(t, old.note)
		s.follow(p.URL() + "/me")
		p.Rule(func(e *proxy.Exchange) io.Reader {
			tail := e.URL.Path == ledger.PathTail
			switch n := rand.IntN(4); {
			case tail && n < 2:
				return breaking{io.MultiReader(bytes.NewReader(old.any(e.URL.Path)), e.Real()), time.Now().Add(50 * time.Millisecond)}
			case tail:
				return breaking{old.note(e), time.Now().Add(rand.N(300 * time.Millisecond))}
			case n == 0:
				return bytes.NewReader(old.any(e.URL.Path))
			case n == 1:
				answer, _ := io.ReadAll(e.Real())
				time.Sleep(rand.N(staleness / 3))
				return bytes.NewReader(answer)
			}
			return old.note(e)
		})
		s.ends(s.left(), 2*staleness)
		s.heal(func() { p.Rule(honest) })
		s.settle()
	})
	// Thousands of requests at once with a token that nobody has seen, while it ends. Caught: a guard that files what it has verified
	// without asking again whether it has ended.
	w.row(t, "one unseen token, thousands of requests at once", false, func(t *testing.T, row *line) {
		s := w.on(t, row, 1)
		s.follow()
		s.ends(s.left(), 0)
		requests := 0
		for i := range 8 {
			a, err := s.p.sessions[0].enter("books")
			s.must(err)
			var got talk.Token
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.at.ask(t, "POST", "/"+s.id+"/burst?n=3000", a.access, &got)
			}()
			time.Sleep(time.Duration(i) * 2 * time.Millisecond)
			s.must(s.revoke(a.refresh))
			ended := talk.Now()
			<-done
			row.ends++
			row.latest = max(row.latest, got.Admitted-ended)
			if got.Admitted-ended > staleness {
				t.Errorf("admitted %v after its end", got.Admitted-ended)
			}
			for status, n := range got.Answers {
				requests += n
				if status != 200 && status != 401 {
					t.Errorf("%d answers of %d", n, status)
				}
			}
			var again talk.Token
			until(t, "the guard has heard", func() bool {
				s.at.ask(t, "POST", "/"+s.id+"/burst?n=1", a.access, &again)
				return again.Answers[401] == 1
			})
		}
		row.note = fmt.Sprintf("%d requests", requests)
		s.settle()
	})
	w.truncated(t)
}

// breaking ends at a moment.
type breaking struct {
	io.Reader
	at time.Time
}

func (b breaking) Read(p []byte) (int, error) {
	type result struct {
		b   []byte
		err error
	}
	got := make(chan result, 1)
	go func() {
		own := make([]byte, len(p))
		n, err := b.Reader.Read(own)
		got <- result{own[:n], err}
	}()
	select {
	case r := <-got:
		return copy(p, r.b), r.err
	case <-time.After(time.Until(b.at)):
		return 0, io.EOF
	}
}

// crowd ends n names that nobody has.
func (c *cluster) crowd(n int) {
	c.t.Helper()
	c.inside(func(s idp.Store) {
		for n > 0 {
			err := s.Update(c.t.Context(), func(tx idp.Tx) error {
				var all []idp.Ending
				for range min(n, 2000) {
					all = append(all, idp.Ending{Name: ledger.NewName(), What: idp.WhatToken})
				}
				return tx.Append(idp.Receipt{ID: idp.NewReceiptID(all[0].Name), Cause: idp.CauseSignOut, Actor: "test:it", Selector: idp.SelectToken, ToldAt: idp.NobodyToTell}, all)
			})
			if err != nil {
				c.t.Fatal(err)
			}
			n -= 2000
		}
	})
}
