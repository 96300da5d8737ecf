package guard

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exeunt.dev/exeunttest"
	"exeunt.dev/ledger"
)

// Over real sockets: an ending takes effect with one push, long before the next question.
func TestEndedWithinOnePush(t *testing.T) {
	iss := exeunttest.New(t)
	applied := make(chan Event, 16)
	g, err := New(iss.URL, Audience(iss.Audience), Credentials(iss.ID, iss.Secret), MaxStaleness(time.Hour),
		Observe(func(e Event) {
			if e.Kind == Applied {
				applied <- e
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	follow(t, g)
	if err := g.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	session := ledger.NewName()
	a, b := iss.Token(exeunttest.HangsOn(session)), iss.Token(exeunttest.HangsOn(session, ledger.NewName()))
	other := iss.Token()
	wantErr(t, g, a, nil) // b is never seen before its end
	wantErr(t, g, other, nil)
	iss.End(session)
	if e := <-applied; e.Number != 1 || e.Entries != 1 {
		t.Errorf("%+v", e)
	}
	wantErr(t, g, a, ErrEnded)
	wantErr(t, g, b, ErrEnded)
	wantErr(t, g, other, nil) // nobody else
	iss.EndToken(other)
	<-applied
	wantErr(t, g, other, ErrEnded)
}

// Promise: no API accepts a token later than max staleness after its end, because a guard that has lost the feed stops
// trusting itself; and it is 503, not a sign-out, and it recovers.
func TestPromiseBounded_FeedLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		var seen events
		g := running(t, iss, seen.option())
		session := ledger.NewName()
		raw, other := iss.Token(exeunttest.HangsOn(session)), iss.Token()
		wantErr(t, g, raw, nil)
		wantErr(t, g, other, nil)
		iss.SetDown(true)
		iss.End(session)
		ended := time.Now()
		time.Sleep(2 * time.Second)
		wantErr(t, g, other, nil) // an outage shorter than the bound is not felt
		time.Sleep(3*time.Second + time.Millisecond)
		if time.Since(ended) > DefaultMaxStaleness+time.Millisecond {
			t.Fatal("the test slept too long")
		}
		wantErr(t, g, raw, ErrStale)
		wantErr(t, g, other, ErrStale)
		wantErr(t, g, iss.Token(), ErrStale)
		time.Sleep(time.Second)
		if seen.count(Stale) != 1 || seen.count(Trouble) == 0 {
			t.Errorf("observed:\n%s", seen.String())
		}
		iss.SetDown(false)
		if err := g.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantErr(t, g, raw, ErrEnded)
		wantErr(t, g, other, nil)
		synctest.Wait() // the observer is told after the proof counts
		if seen.count(Fresh) != 2 {
			t.Errorf("observed:\n%s", seen.String())
		}
	})
}

// Promise: the bound holds behind a proxy that lets no tail through; the guard lives on beats alone.
func TestPromiseBounded_BeatsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		_, client := through(iss, noTail)
		g := running(t, iss, client)
		names := make([]ledger.Name, 3*ledger.MaxEntries)
		for i := range names {
			names[i] = ledger.NewName()
		}
		raw := iss.Token(exeunttest.HangsOn(names[len(names)-1]))
		wantErr(t, g, raw, nil)
		for _, n := range names {
			iss.End(n)
		}
		time.Sleep(g.interval() * 6 / 5) // one question, three answers
		synctest.Wait()
		wantErr(t, g, raw, ErrEnded)
		if s := g.Status(); s.Number != uint64(len(names)) || s.Endings != len(names) {
			t.Errorf("%+v", s)
		}
	})
}

// Promise: old answers, kept and delivered again, prove nothing.
func TestPromiseBounded_ReplayedBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		var kept [][]byte
		var replay atomic.Bool
		_, client := through(iss, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if r.URL.Path != ledger.PathBeat {
				return noTail(r, next)
			}
			resp, err := next.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if !replay.Load() {
				kept = append(kept, b)
			} else {
				b = kept[len(kept)-1]
			}
			resp.Body = io.NopCloser(bytes.NewReader(b))
			return resp, err
		})
		var seen events
		g := running(t, iss, client, seen.option())
		raw := iss.Token()
		wantErr(t, g, raw, nil)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		wantErr(t, g, raw, nil)
		replay.Store(true)
		iss.EndToken(raw)
		time.Sleep(DefaultMaxStaleness + time.Millisecond)
		wantErr(t, g, raw, ErrStale)
		if !errors.Is(g.lastErr(), errNonce) {
			t.Errorf("last trouble: %v", g.lastErr())
		}
	})
}

// Promise: an answer that was long on its way proves only what was true when it was asked for.
func TestPromiseBounded_SlowAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		var slow atomic.Int64
		_, client := through(iss, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if r.URL.Path == ledger.PathBeat && err == nil {
				time.Sleep(time.Duration(slow.Load()))
			}
			return resp, err
		})
		g := running(t, iss, client)
		slow.Store(int64(2 * time.Second))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if age := g.Status().Age; age < 2*time.Second || age > 5*time.Second {
			t.Errorf("age %s: freshness must count from the question", age)
		}
	})
}

func TestPromiseBounded_SuspendedMachine(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	var clock handClock
	g := caughtUp(t, iss, clock.option())
	raw := iss.Token()
	wantErr(t, g, raw, nil)
	clock.wall.Add(int64(6 * time.Second)) // asleep: the monotonic clock stood still
	wantErr(t, g, raw, ErrStale)
	catchUp(t, g)
	wantErr(t, g, raw, nil)
	clock.wall.Add(-int64(time.Hour)) // somebody sets the clock back
	wantErr(t, g, raw, nil)
	clock.mono.Add(int64(DefaultMaxStaleness))
	wantErr(t, g, raw, nil)
	clock.mono.Add(1)
	wantErr(t, g, raw, ErrStale)
	catchUp(t, g)
	wantErr(t, g, raw, nil)
}

// exp is held against ledger time and nothing else.
func TestFloorClock(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	var clock handClock
	g := caughtUp(t, iss, clock.option(), MaxStaleness(time.Hour))
	raw := iss.Token(exeunttest.Lives(10 * time.Second))
	wantErr(t, g, raw, nil)
	clock.wall.Add(int64(30 * time.Minute)) // the wall clock is not asked
	wantErr(t, g, raw, nil)
	clock.mono.Add(int64(10*time.Second - time.Millisecond))
	wantErr(t, g, raw, nil)
	clock.mono.Add(int64(time.Millisecond))
	wantErr(t, g, raw, ErrExpired)

	raw = iss.Token(exeunttest.Lives(60 * time.Second))
	wantErr(t, g, raw, nil)
	iss.Advance(60 * time.Second) // ledger time alone
	wantErr(t, g, raw, nil)       // not heard of yet
	catchUp(t, g)
	wantErr(t, g, raw, ErrExpired)
}

// A restored backup: its lineage is added to what is held, so that an ending that the backup has lost stays.
func TestLineageChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		var seen events
		g := running(t, iss, seen.option())
		lost, kept := iss.Token(exeunttest.HangsOn(ledger.NewName())), iss.Token()
		before := iss.Token()
		for _, raw := range []string{lost, kept, before} {
			wantErr(t, g, raw, nil)
		}
		iss.EndToken(kept)
		iss.EndToken(lost)
		synctest.Wait()
		iss.Restore(1)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		wantErr(t, g, lost, ErrEnded)
		wantErr(t, g, kept, ErrEnded)
		wantErr(t, g, before, ErrEnded) // the realm has ended
		after := iss.Token()
		wantErr(t, g, after, nil)
		iss.EndToken(after) // and the tail follows the new history
		synctest.Wait()
		wantErr(t, g, after, ErrEnded)
		if seen.count(NewLineage) != 1 || g.Status().Lineage != iss.Head().Lineage {
			t.Errorf("observed:\n%s", seen.String())
		}
	})
}

// A guard that was away for longer than the ledger retains takes a snapshot; it never jumps the gap.
func TestSnapshotNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		var seen events
		g := running(t, iss, seen.option())
		raw, other := iss.Token(), iss.Token()
		wantErr(t, g, raw, nil)
		iss.SetDown(true)
		synctest.Wait()
		iss.EndToken(raw)
		iss.Forget()
		iss.SetDown(false)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		wantErr(t, g, raw, ErrEnded)
		wantErr(t, g, other, nil)
		if seen.count(SnapshotTaken) != 2 {
			t.Errorf("observed:\n%s", seen.String())
		}
		iss.EndToken(other) // the tail goes on
		synctest.Wait()
		wantErr(t, g, other, ErrEnded)
	})
}

// Promise: cutting tail or snapshot at every byte, and resuming, yields the same set; and nothing that was cut makes
// the guard fresh.
func TestCutAtEveryByte(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	var want []ledger.Name
	for range 3 {
		want = append(want, ledger.NewName())
	}
	slices.SortFunc(want, compare)
	cut, cutting := 0, ""
	_, client := through(iss, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err == nil && r.URL.Path == cutting {
			resp.Body = &cutBody{ReadCloser: resp.Body, left: cut}
		}
		return resp, err
	})
	start := caughtUp(t, iss) // its place is before all entries
	iss.End(want...)
	held := func(g *Guard) (all []ledger.Name) {
		for _, b := range g.ended.buckets {
			for _, r := range b.runs {
				all = merge(all, r.names)
			}
		}
		return all
	}
	tailSize := len(ledger.AppendBatch(ledger.AppendHello(nil, ledger.Hello{}), ledger.Batch{Entries: make([]ledger.Entry, 3)}))
	for cut = 0; cut <= tailSize; cut++ {
		g := made(t, iss, client)
		g.at = start.at
		g.anchor.Store(start.anchor.Load())
		for cutting = ledger.PathTail; g.at.number < 3; cutting = "" {
			ctx, cancel := context.WithCancel(t.Context())
			g.conf.observe = func(e Event) {
				if e.Kind == Applied {
					cancel()
				}
			}
			if _, err := g.readTail(ctx, 0, g.place()); err == nil {
				t.Fatal("a tail never ends well")
			}
			cancel()
		}
		if got := held(g); !slices.Equal(got, want) {
			t.Fatalf("tail cut at %d: %v, want %v", cut, got, want)
		}
	}
	cutting = ledger.PathSnapshot
	for cut = 0; cut < int(ledger.SnapshotSize(3)); cut++ {
		g := made(t, iss, client)
		if again, err := g.ask(t.Context(), 0); err == nil {
			t.Fatalf("snapshot cut at %d: %v, %v", cut, again, err)
		}
		if g.place() != (place{}) || g.anchor.Load() != nil {
			t.Fatalf("snapshot cut at %d counted", cut)
		}
	}
	cutting = ""
	g := made(t, iss, client)
	catchUp(t, g)
	if got := held(g); !slices.Equal(got, want) || g.Status().Age == forever {
		t.Fatalf("whole snapshot: %v", got)
	}
}

type cutBody struct {
	io.ReadCloser
	left int
}

func (c *cutBody) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, errLine
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// What the feed must not say: the guard does not become fresh by it.
func TestFeedLies(t *testing.T) {
	answer := func(change func(q ledger.Question, a *ledger.Answer)) func(*http.Request, http.RoundTripper) (*http.Response, error) {
		return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if r.URL.Path != ledger.PathBeat {
				return noTail(r, next)
			}
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			q, err := ledger.ParseQuestion(b)
			if err != nil {
				return nil, err
			}
			a := ledger.Answer{Nonce: q.Nonce, Head: ledger.Head{Lineage: q.Lineage, Number: q.After, Time: 1_800_000_000_000}}
			change(q, &a)
			b, err = ledger.AppendAnswer(nil, a)
			if err != nil {
				return nil, err
			}
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {ledger.TypeBeat}}, Body: io.NopCloser(bytes.NewReader(b))}, nil
		}
	}
	status := func(code int, header http.Header) func(*http.Request, http.RoundTripper) (*http.Response, error) {
		return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if r.URL.Path != ledger.PathBeat {
				return noTail(r, next)
			}
			return &http.Response{StatusCode: code, Header: header, Body: http.NoBody, Request: r}, nil
		}
	}
	one := []ledger.Entry{{Name: ledger.NewName(), Until: 1_800_000_300}}
	for name, c := range map[string]struct {
		hook func(*http.Request, http.RoundTripper) (*http.Response, error)
		want error
	}{
		"another nonce":          {answer(func(_ ledger.Question, a *ledger.Answer) { a.Nonce[0]++ }), errNonce},
		"head above, no entries": {answer(func(_ ledger.Question, a *ledger.Answer) { a.Head.Number++ }), ledger.ErrGap},
		"entries after a gap": {answer(func(q ledger.Question, a *ledger.Answer) {
			a.First, a.Entries, a.Head.Number = q.After+2, one, q.After+2
		}), ledger.ErrGap},
		"more, and nothing":        {answer(func(_ ledger.Question, a *ledger.Answer) { a.Head.Number++; a.More = true }), errNotCaught},
		"snapshot again and again": {answer(func(_ ledger.Question, a *ledger.Answer) { a.Snapshot = true }), nil},
		"another lineage":          {answer(func(_ ledger.Question, a *ledger.Answer) { a.Head.Lineage[0]++ }), nil},
		"a login page":             {status(200, http.Header{"Content-Type": {"text/html"}}), nil},
		"not for you":              {status(401, nil), statusError{ledger.PathBeat, 401}},
		"look over there":          {status(307, http.Header{"Location": {"https://evil.test/ledger/beat"}}), statusError{ledger.PathBeat, 307}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iss := exeunttest.NewInMemory(t)
				v, client := through(iss, c.hook)
				g := made(t, iss, client)
				follow(t, g)
				time.Sleep(20 * time.Second)
				synctest.Wait()
				if g.Status().Age != forever {
					t.Error("became fresh")
				}
				if c.want != nil && !errors.Is(g.lastErr(), c.want) {
					t.Errorf("last trouble: %v, want %v", g.lastErr(), c.want)
				}
				if n := v.count(ledger.PathBeat); n < 10 || n > 30 {
					t.Errorf("asked %d times in 20 s", n)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := g.Ready(ctx); err == nil {
					t.Error("Ready")
				}
			})
		})
	}
}

// A ledger that falls behind what it told has been rewritten without a new lineage: nothing known of its numbers counts.
func TestRewrittenLedger(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	var seen events
	g := caughtUp(t, iss, seen.option())
	iss.End(ledger.NewName())
	catchUp(t, g)
	g.move(place{lineage: g.at.lineage, number: 5}) // it had heard of five
	raw := iss.Token()
	wantErr(t, g, raw, nil)
	iss.EndToken(raw)
	catchUp(t, g)
	if g.at.number != 2 || g.at.era != 1 || seen.count(Rewritten) != 1 {
		t.Errorf("%+v\n%s", g.at, seen.String())
	}
	wantErr(t, g, raw, ErrEnded)
}

// With several addresses one that is dead, or hangs, does not make the guard stale.
func TestSeveralFeeds(t *testing.T) {
	for name, dead := range map[string]func(*http.Request) (*http.Response, error){
		"dead":  func(*http.Request) (*http.Response, error) { return nil, errLine },
		"hangs": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iss := exeunttest.NewInMemory(t)
				var lost atomic.Bool
				_, client := through(iss, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
					if lost.Load() && r.URL.Host == "a.test" {
						return dead(r)
					}
					return next.RoundTrip(r)
				})
				g := running(t, iss, client, Feeds("https://a.test", "https://b.test/"))
				lost.Store(true)
				raw := iss.Token()
				for range 20 {
					time.Sleep(time.Second)
					wantErr(t, g, raw, nil)
				}
			})
		})
	}
}

func TestAcceptFor(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	var clock handClock
	var seen events
	g := made(t, iss, clock.option(), OnStale(AcceptFor(time.Minute)), seen.option())
	raw := iss.Token()
	wantErr(t, g, raw, ErrStale) // never started: nothing to go on
	if err := g.keys.refresh(); err != nil {
		t.Fatal(err)
	}
	catchUp(t, g)
	clock.mono.Add(int64(DefaultMaxStaleness + time.Minute))
	for range 3 {
		wantErr(t, g, raw, nil)
	}
	if seen.count(AcceptedStale) != 1 {
		t.Errorf("observed:\n%s", seen.String())
	}
	clock.mono.Add(1)
	wantErr(t, g, raw, ErrStale)
}

func TestRunOnce(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	g := running(t, iss)
	if err := g.Run(t.Context()); err == nil {
		t.Error("a second Run followed too")
	}
}
