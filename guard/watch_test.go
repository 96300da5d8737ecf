package guard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"exeunt.dev/exeunttest"
	"exeunt.dev/ledger"
)

func cause(t *testing.T, ctx context.Context, want error) {
	t.Helper()
	synctest.Wait()
	if got := context.Cause(ctx); !errors.Is(got, want) || (got == nil) != (want == nil) {
		t.Fatalf("cause %v, want %v", got, want)
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		g := running(t, iss, CacheBytes(minCacheBytes))
		watch := func(raw string) context.Context {
			tok, err := g.Check(raw)
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := g.Watch(t.Context(), tok)
			t.Cleanup(stop)
			return ctx
		}
		session := ledger.NewName()
		a, b := watch(iss.Token(exeunttest.HangsOn(session))), watch(iss.Token(exeunttest.HangsOn(session)))
		other := watch(iss.Token(exeunttest.Lives(LifeOfTest)))
		short := watch(iss.Token(exeunttest.Lives(10 * time.Second)))
		cause(t, a, nil)
		iss.End(session)
		cause(t, a, ErrEnded)
		cause(t, b, ErrEnded)
		cause(t, other, nil) // nobody else

		time.Sleep(9 * time.Second)
		cause(t, short, nil)
		time.Sleep(2 * time.Second)
		cause(t, short, ErrExpired)
		cause(t, other, nil)

		iss.SetDown(true)
		time.Sleep(DefaultMaxStaleness - g.early() - g.interval()*6/5)
		cause(t, other, nil)
		time.Sleep(3 * time.Second)
		cause(t, other, ErrStale)
	})
}

// LifeOfTest is longer than any test here.
const LifeOfTest = time.Hour

func TestWatchOfWhatIsOverAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		g := running(t, iss, CacheBytes(minCacheBytes))
		raw := iss.Token()
		tok, err := g.Check(raw)
		if err != nil {
			t.Fatal(err)
		}
		// Between the check and the watch it is dropped from the cache and ends: no ending finds it any more.
		g.mu.Lock()
		g.cache.drop(tok.entry)
		g.mu.Unlock()
		live, stop := g.Watch(t.Context(), tok)
		cause(t, live, nil)
		iss.EndToken(raw)
		cause(t, live, ErrEnded)
		stop()
		g.mu.Lock()
		g.cache.drop(g.cache.find(raw))
		g.mu.Unlock()
		late, stop := g.Watch(t.Context(), tok)
		defer stop()
		cause(t, late, ErrEnded)

		for _, tok := range []*Token{nil, {}} {
			ctx, stop := g.Watch(t.Context(), tok)
			cause(t, ctx, ErrInvalid)
			stop()
		}
		checkFiling(t, g)
	})
}

func TestWatchEndsWithItsParentAndItsStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		g := running(t, iss)
		tok, err := g.Check(iss.Token())
		if err != nil {
			t.Fatal(err)
		}
		parent, cancel := context.WithCancelCause(t.Context())
		a, stopA := g.Watch(parent, tok)
		b, stopB := g.Watch(t.Context(), tok)
		cancel(errLine)
		cause(t, a, errLine)
		cause(t, b, nil)
		stopA()
		stopB()
		stopB()
		cause(t, b, context.Canceled)
		if n := tok.entry.state.Load(); n != 0 {
			t.Errorf("state %d: still pinned", n)
		}
		if n := len(g.watches.entries()); n != 0 {
			t.Errorf("%d still watched", n)
		}
	})
}

// After Run nobody hears of endings: what is streamed may go on for as long as a check would admit it, and no longer.
func TestWatchEndsAfterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		g := made(t, iss)
		stopRun := follow(t, g)
		if err := g.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		raw := iss.Token()
		tok, err := g.Check(raw)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := g.Watch(t.Context(), tok)
		defer stop()
		stopRun()
		time.Sleep(3 * time.Second) // requests under way may finish
		cause(t, ctx, nil)
		wantErr(t, g, raw, nil)
		time.Sleep(3 * time.Second)
		cause(t, ctx, ErrStale)
		wantErr(t, g, raw, ErrStale)
	})
}

// Promise: a stream ends within max staleness of its token's end when the guard hears nothing any more, at whatever moment of
// its round of questions the line was lost, and also when Run has ended.
func TestPromiseBounded_Streams(t *testing.T) {
	for name, lose := range map[string]func(iss *exeunttest.Issuer, stop func()){
		"line lost":   func(iss *exeunttest.Issuer, _ func()) { iss.SetDown(true) },
		"Run is over": func(_ *exeunttest.Issuer, stop func()) { stop() },
	} {
		t.Run(name, func(t *testing.T) {
			for at := range 20 {
				synctest.Test(t, func(t *testing.T) {
					iss := exeunttest.NewInMemory(t)
					g := made(t, iss)
					stop := follow(t, g)
					if err := g.Ready(t.Context()); err != nil {
						t.Fatal(err)
					}
					raw := iss.Token()
					tok, err := g.Check(raw)
					if err != nil {
						t.Fatal(err)
					}
					ctx, done := g.Watch(t.Context(), tok)
					defer done()
					time.Sleep(10*time.Second + time.Duration(at)*97*time.Millisecond)
					lose(iss, stop)
					iss.EndToken(raw)
					ended := time.Now()
					<-ctx.Done()
					if late := time.Since(ended); late >= DefaultMaxStaleness || !errors.Is(context.Cause(ctx), ErrStale) {
						t.Errorf("cut after %v: %v", late, context.Cause(ctx))
					}
					if left := g.trustLeft(); left < g.early()/2 {
						t.Errorf("cut when %v of the bound are left: a handler has no time to see it", left)
					}
					for tok, err := g.Check(raw); err == nil; tok, err = g.Check(raw) { // as long as new ones are begun
						ctx, done := g.Watch(t.Context(), tok)
						<-ctx.Done()
						done()
						if late := time.Since(ended); late >= DefaultMaxStaleness {
							t.Fatalf("a stream that was begun late is cut after %v", late)
						}
						time.Sleep(time.Millisecond)
					}
				})
			}
		})
	}
}
