package guard

import (
	"bytes"
	"errors"
	"io"
	"net/http"
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
		raw, other, known := iss.Token(exeunttest.HangsOn(session)), iss.Token(), iss.Token()
		for _, x := range []string{raw, other, known} {
			wantErr(t, g, x, nil)
		}
		iss.EndToken(known)
		synctest.Wait()
		wantErr(t, g, known, ErrEnded)
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
		wantErr(t, g, known, ErrEnded) // what it knows it goes on saying
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
	const slow = 3 * time.Second
	iss := exeunttest.NewInMemory(t)
	var clock handClock
	_, client := through(iss, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if r.URL.Path == ledger.PathBeat {
			clock.mono.Add(int64(slow))
		}
		return resp, err
	})
	g := caughtUp(t, iss, client, clock.option())
	raw := iss.Token()
	wantErr(t, g, raw, nil)
	if age := g.Status().Age; age != slow {
		t.Errorf("age %s: freshness must count from the question", age)
	}
	iss.EndToken(raw)
	clock.mono.Add(int64(DefaultMaxStaleness-slow) + 1)
	wantErr(t, g, raw, ErrStale)
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

// A lower time than one that was told before, from a node that is late or a buffer, takes nothing back: what has expired stays so.
func TestToldTimeOnlyRises(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	var clock handClock
	g := caughtUp(t, iss, clock.option())
	raw := iss.Token(exeunttest.Lives(60 * time.Second))
	earlier := ledger.Time(iss.Now().UnixMilli())
	iss.Advance(60 * time.Second)
	catchUp(t, g)
	wantErr(t, g, raw, ErrExpired)
	g.applying.Lock()
	g.hear(earlier)
	g.applying.Unlock()
	wantErr(t, g, raw, ErrExpired)
}

// A check that stands still between its reads holds exp against the latest time: by that names are forgotten.
func TestExpByTheLatestTime(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	between := func() {}
	g := caughtUp(t, iss, func(s *settings) error {
		s.clock = func() reading {
			f := between
			between = func() {}
			f()
			return reading{}
		}
		return nil
	})
	raw := iss.Token(exeunttest.Lives(60 * time.Second))
	wantErr(t, g, raw, nil)
	between = func() {
		iss.Advance(60 * time.Second)
		catchUp(t, g)
	}
	wantErr(t, g, raw, ErrExpired)
}

// A name is forgotten by what was told, not by the floor: that runs ahead when the ledger's clock is slower than the guard's, and comes back
// down to what is told next.
func TestForgottenByWhatWasTold(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	var clock handClock
	g := caughtUp(t, iss, clock.option())
	session := ledger.NewName()
	raw := iss.Token(exeunttest.HangsOn(session))
	iss.End(session)
	catchUp(t, g)
	clock.mono.Add(int64(48 * time.Hour))
	catchUp(t, g) // the ledger's time stands still
	iss.Advance(time.Second)
	catchUp(t, g)
	wantErr(t, g, raw, ErrEnded)
}
