package guard

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exeunt.dev/exeunttest"
	"exeunt.dev/ledger"
)

// Promise: a check that begins after the guard has said that an ending is applied refuses, whatever runs beside it:
// first sights, hits, drops, watches. Nobody else is touched.
func TestRaceOfHitsAndEndings(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	const sessions, each = 60, 4
	var applied atomic.Uint64
	g := made(t, iss, CacheBytes(minCacheBytes), MaxStaleness(time.Minute), Observe(func(e Event) {
		if e.Kind == Applied {
			applied.Store(e.Number)
		}
	}))
	follow(t, g)
	if err := g.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	names := make([]ledger.Name, sessions)
	raws := make([][]string, sessions)
	for i := range names {
		names[i] = ledger.NewName()
		for range each {
			raws[i] = append(raws[i], iss.Token(exeunttest.HangsOn(names[i])))
		}
	}
	var began atomic.Int64 // how many sessions somebody has begun to end
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		wg.Go(func() {
			for i := w; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				s := i * 7 % sessions
				over := uint64(s) < applied.Load() // ended in order: session s is number s+1
				tok, err := g.Check(raws[s][i%each])
				switch {
				case over && !errors.Is(err, ErrEnded):
					t.Errorf("session %d was applied: %v", s, err)
					return
				case errors.Is(err, ErrEnded) && int64(s) >= began.Load():
					t.Errorf("session %d was never ended", s)
					return
				case err != nil && !errors.Is(err, ErrEnded):
					t.Error(err)
					return
				case err == nil && i%3 == 0:
					_, done := g.Watch(t.Context(), tok)
					done()
				case i%50 == 0:
					g.mu.Lock()
					if n := len(g.cache.ring); n > 0 {
						g.cache.drop(g.cache.ring[i%n])
					}
					g.mu.Unlock()
				}
			}
		})
	}
	for s, n := range names {
		began.Store(int64(s) + 1)
		iss.End(n)
		for applied.Load() <= uint64(s) {
			heard := g.news.wait()
			if applied.Load() > uint64(s) {
				break
			}
			select {
			case <-heard:
			case <-time.After(time.Millisecond):
			}
		}
	}
	close(stop)
	wg.Wait()
	checkFiling(t, g)
	for s := range raws {
		for _, raw := range raws[s] {
			wantErr(t, g, raw, ErrEnded)
		}
	}
}

// A burst of one unseen token is verified once.
func TestBurstVerifiesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		gate := make(chan struct{})
		var hold atomic.Bool
		v, client := through(iss, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if r.URL.Path == jwksPath && hold.Load() {
				<-gate
			}
			return next.RoundTrip(r)
		})
		g := running(t, iss, client)
		time.Sleep(keysAgain)
		iss.RotateKey() // the check must ask for the key, and waits there
		raw := iss.Token()
		hold.Store(true)
		before := v.count(jwksPath)
		var toks sync.Map
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				tok, err := g.Check(raw)
				if err != nil {
					t.Error(err)
				}
				toks.Store(tok, true)
			})
		}
		synctest.Wait()
		g.mu.Lock()
		n := len(g.flights)
		g.mu.Unlock()
		close(gate)
		wg.Wait()
		different := 0
		toks.Range(func(any, any) bool { different++; return true })
		if n != 1 || different != 1 || v.count(jwksPath)-before != 1 || len(g.flights) != 0 {
			t.Errorf("%d flights, %d tokens, %d questions", n, different, v.count(jwksPath)-before)
		}
	})
}

// A token that ends while its signature is being checked is refused.
func TestEndedWhileBeingVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		gate := make(chan struct{})
		var hold atomic.Bool
		_, client := through(iss, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if r.URL.Path == jwksPath && hold.Load() {
				<-gate
			}
			return next.RoundTrip(r)
		})
		g := running(t, iss, client)
		time.Sleep(keysAgain)
		iss.RotateKey()
		raw := iss.Token()
		hold.Store(true)
		got := make(chan error)
		go func() {
			_, err := g.Check(raw)
			got <- err
		}()
		synctest.Wait()
		iss.EndToken(raw)
		synctest.Wait()
		close(gate)
		if err := <-got; !errors.Is(err, ErrEnded) {
			t.Errorf("%v", err)
		}
	})
}

// The narrowest gap: the name takes effect after first sight has asked for it and before it files the token.
func TestEndedBetweenAskingAndFiling(t *testing.T) {
	g, proto := held(t)
	n := ledger.NewName()
	tok := *proto
	tok.raw, tok.hangs = "another", []ledger.Name{ledger.NewName(), n}
	asked := g.endings()
	g.applying.Lock()
	g.apply([]ledger.Entry{{Name: n, Until: ledger.Forever}}, day)
	g.applying.Unlock()
	if err := g.admit(g.settledAfter(&tok, asked)); !errors.Is(err, ErrEnded) {
		t.Errorf("%v", err)
	}
}
