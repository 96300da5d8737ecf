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
	honest := answer(func(ledger.Question, *ledger.Answer) {})
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
		"an answer by another name": {func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			resp, err := honest(r, next)
			if err == nil && r.URL.Path == ledger.PathBeat {
				resp.Header.Set("Content-Type", "application/octet-stream")
			}
			return resp, err
		}, nil},
		"not for you":     {status(401, nil), statusError{ledger.PathBeat, 401}},
		"look over there": {status(307, http.Header{"Location": {"https://evil.test/ledger/beat"}}), statusError{ledger.PathBeat, 307}},
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

// A snapshot from a cache is added, and moves nothing back within one history.
func TestOldSnapshotMovesNothingBack(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	var old []byte
	_, client := through(iss, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil || r.URL.Path != ledger.PathSnapshot {
			return resp, err
		}
		if old == nil {
			old, err = io.ReadAll(resp.Body)
		}
		resp.Body = io.NopCloser(bytes.NewReader(old))
		return resp, err
	})
	g := caughtUp(t, iss, client)
	iss.End(ledger.NewName(), ledger.NewName())
	catchUp(t, g)
	before := g.place()
	if err := g.takeSnapshot(t.Context(), 0, false); err != nil || g.place() != before || before.number != 2 {
		t.Errorf("from %+v to %+v: %v", before, g.place(), err)
	}
}

// A tail over which nothing comes, not even a ping, is given up for another: else what ends would be heard of by questions only, for ever.
func TestSilentTailIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		v, client := through(iss, noTail)
		running(t, iss, client)
		time.Sleep(10 * tailSilence)
		if n := v.count(ledger.PathTail); n < 3 {
			t.Errorf("%d tails were opened", n)
		}
	})
}

// A tail of a history that was left is given up at once, not when it ends or falls silent: what ends now comes by another.
func TestTailOfALeftHistoryIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		v, client := through(iss, noTail)
		g := running(t, iss, client)
		synctest.Wait()
		before := v.count(ledger.PathTail)
		iss.Restore(0)
		time.Sleep(2 * g.interval())
		synctest.Wait()
		if n := v.count(ledger.PathTail) - before; n != 1 {
			t.Errorf("%d tails were opened since", n)
		}
	})
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

// Tail and beat bring the same entries; each counts once, and a tail of a history that was left counts no more.
func TestOverlapAndLeftHistory(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	g := caughtUp(t, iss)
	entries := make([]ledger.Entry, 5)
	for i := range entries {
		entries[i] = ledger.Entry{Name: ledger.NewName(), Until: ledger.Forever}
	}
	g.applying.Lock()
	for _, c := range []struct{ first, last, number uint64 }{{1, 3, 3}, {2, 4, 4}, {1, 2, 4}, {4, 5, 5}} {
		if err := g.follow(c.first, entries[c.first-1:c.last], day); err != nil || g.at.number != c.number {
			t.Errorf("%+v: %d, %v", c, g.at.number, err)
		}
	}
	if err := g.follow(7, entries[:1], day); !errors.Is(err, ledger.ErrGap) || g.at.number != 5 {
		t.Errorf("gap: %d, %v", g.at.number, err)
	}
	left := g.at.era
	g.applying.Unlock()
	iss.Restore(0)
	catchUp(t, g)
	before := g.place()
	err := g.takeBatch(left, ledger.Batch{First: before.number + 1, Time: day, Entries: entries[:1]})
	if err == nil || g.place() != before {
		t.Errorf("%v, %v", g.place(), err)
	}
	proof := g.anchor.Load()
	again, err := g.take(place{lineage: before.lineage, number: before.number, era: left}, ledger.Answer{Head: ledger.Head{Lineage: before.lineage, Number: before.number, Time: day}}, g.conf.clock())
	if again || err != nil || g.anchor.Load() != proof {
		t.Error("an answer to a question of a history that was left proves nothing:", again, err)
	}
}
