package rptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"exeunt.dev/rp"
)

// Store runs the contract of rp.Store. open gives a new, empty store.
func Store(t *testing.T, open func(*testing.T) rp.Store) {
	for _, c := range []struct {
		name string
		f    func(*testing.T, *bench)
	}{
		{"an attempt is redeemed once, by its browser, in time", attempts},
		{"a POSTed answer is attached once", postedOnce},
		{"attempts are bounded", trimmed},
		{"a session lives within its limits", limits},
		{"a new session replaces", replaces},
		{"an ending touches what it names", endings},
		{"a tombstone overtakes", tombstones},
		{"a logout token works once", replay},
		{"sign-in and sign-out race", race},
		{"tokens belong to live sessions", tokens},
		{"revoking moves tokens into duties", duties},
		{"a duty is leased to one and settled once", leases},
		{"the sweep deletes what is over", sweep},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.f(t, &bench{T: t, Store: open(t), now: time.UnixMilli(1_800_000_000_000)})
		})
	}
}

type bench struct {
	*testing.T
	rp.Store
	now time.Time
}

func hash(s string) (h rp.Hash) { copy(h[:], s); return h }

// session is one of alice at p, unless said otherwise.
func (b *bench) session(id string, change ...func(*rp.Session)) rp.Session {
	s := rp.Session{
		ID: hash(id), User: "alice", Signed: b.now, Begun: b.now, Created: b.now, Idle: b.now.Add(time.Hour), Ends: b.now.Add(24 * time.Hour),
		Provider: "p", Subject: "a", SID: "sid-" + id, Issued: b.now, Sealed: []byte("sealed " + id),
	}
	for _, f := range change {
		f(&s)
	}
	return s
}

func (b *bench) create(s rp.Session, t *rp.Token) {
	b.Helper()
	if err := b.CreateSession(b.Context(), s, rp.Hash{}, t); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) alive(id string) bool {
	b.Helper()
	_, err := b.FindSession(b.Context(), hash(id), b.now)
	if err != nil && !errors.Is(err, rp.ErrNone) {
		b.Fatal(err)
	}
	return err == nil
}

func (b *bench) end(e rp.Ending) rp.Ended {
	b.Helper()
	e.Now = b.now
	out, err := b.End(b.Context(), e)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

func (b *bench) want(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Errorf("got %v, want %v", err, want)
	}
}

func attempts(t *testing.T, b *bench) {
	ctx := t.Context()
	a := rp.Attempt{State: hash("s"), Browser: hash("b"), Provider: "p", Sealed: []byte{0, 1, 255}, Expires: b.now.Add(time.Minute)}
	b.want(b.PutAttempt(ctx, a), nil)
	for _, c := range []struct {
		state, browser string
		at             time.Time
	}{{"s", "thief", b.now}, {"other", "b", b.now}, {"s", "b", a.Expires}} {
		_, err := b.TakeAttempt(ctx, hash(c.state), hash(c.browser), c.at)
		b.want(err, rp.ErrNone)
	}
	got, err := b.TakeAttempt(ctx, a.State, a.Browser, b.now)
	if err != nil || got.Provider != "p" || string(got.Sealed) != string(a.Sealed) || got.Posted != nil || !got.Expires.Equal(a.Expires) || got.State != a.State || got.Browser != a.Browser {
		t.Fatal(got, err)
	}
	_, err = b.TakeAttempt(ctx, a.State, a.Browser, b.now)
	b.want(err, rp.ErrNone)
}

func postedOnce(t *testing.T, b *bench) {
	ctx := t.Context()
	a := rp.Attempt{State: hash("s"), Browser: hash("b"), Provider: "p", Sealed: []byte("x"), Expires: b.now.Add(time.Minute)}
	b.want(b.PostAttempt(ctx, a.State, []byte("1"), b.now), rp.ErrNone)
	b.want(b.PutAttempt(ctx, a), nil)
	b.want(b.PostAttempt(ctx, a.State, []byte("late"), a.Expires), rp.ErrNone)
	b.want(b.PostAttempt(ctx, a.State, []byte("1"), b.now), nil)
	b.want(b.PostAttempt(ctx, a.State, []byte("2"), b.now), rp.ErrNone)
	got, err := b.TakeAttempt(ctx, a.State, a.Browser, b.now)
	if err != nil || string(got.Posted) != "1" {
		t.Fatal(got, err)
	}
}

func trimmed(t *testing.T, b *bench) {
	ctx := t.Context()
	put := func(state, provider string, life time.Duration) {
		b.Helper()
		b.want(b.PutAttempt(ctx, rp.Attempt{State: hash(state), Browser: hash("b"), Provider: provider, Sealed: []byte("x"), Expires: b.now.Add(life)}), nil)
	}
	b.want(b.TrimAttempts(ctx, 0), nil)
	put("told", "", time.Second)
	for i := range 9 {
		put(fmt.Sprint("s", 8-i), []string{"p", "q"}[i%2], time.Duration(9-i)*time.Minute)
	}
	b.want(b.TrimAttempts(ctx, 9), nil)
	b.want(b.TrimAttempts(ctx, 4), nil)
	var left []string
	for i := range 9 {
		s := fmt.Sprint("s", i)
		if _, err := b.TakeAttempt(ctx, hash(s), hash("b"), b.now); err == nil {
			left = append(left, s)
		} else {
			b.want(err, rp.ErrNone)
		}
	}
	if !slices.Equal(left, []string{"s5", "s6", "s7", "s8"}) {
		t.Error("left:", left)
	}
	_, err := b.TakeAttempt(ctx, hash("told"), hash("b"), b.now)
	b.want(err, nil)
}

func limits(t *testing.T, b *bench) {
	ctx := t.Context()
	s := b.session("1")
	b.create(s, nil)
	got, err := b.FindSession(ctx, s.ID, b.now)
	if err != nil || got.ID != s.ID || got.User != s.User || got.Provider != "p" || got.Subject != "a" || got.SID != s.SID || string(got.Sealed) != string(s.Sealed) ||
		!got.Signed.Equal(s.Signed) || !got.Begun.Equal(s.Begun) || !got.Created.Equal(s.Created) || !got.Idle.Equal(s.Idle) || !got.Ends.Equal(s.Ends) || !got.Issued.Equal(s.Issued) {
		t.Fatal(got, err)
	}
	b.want(b.TouchSession(ctx, s.ID, b.now.Add(2*time.Hour), b.now), nil)
	b.now = b.now.Add(90 * time.Minute)
	if !b.alive("1") {
		t.Error("a touched session ended at its old limit")
	}
	b.now = b.now.Add(time.Hour)
	if b.alive("1") {
		t.Error("a session outlived its idle limit")
	}
	b.want(b.TouchSession(ctx, s.ID, b.now.Add(time.Hour), b.now), nil)
	if b.alive("1") {
		t.Error("a touch revived")
	}
	b.create(b.session("2", func(s *rp.Session) { s.Idle = b.now.Add(time.Hour); s.Ends = b.now.Add(time.Minute) }), nil)
	b.create(b.session("3", func(s *rp.Session) { s.Idle = b.now.Add(time.Hour) }), nil)
	b.now = b.now.Add(time.Minute)
	if live, err := b.LiveSessions(ctx, []rp.Hash{hash("3"), hash("1"), hash("2"), hash("nobody"), hash("3")}, b.now); err != nil || len(slices.Compact(live)) != 1 || live[0] != hash("3") {
		t.Error(live, err)
	}
	if b.alive("2") {
		t.Error("a session outlived its absolute limit")
	}
	b.want(b.TouchSession(ctx, hash("none"), b.now, b.now), nil)
}

func replaces(t *testing.T, b *bench) {
	b.create(b.session("1"), nil)
	b.create(b.session("2"), nil)
	b.want(b.CreateSession(t.Context(), b.session("3"), hash("1"), nil), nil)
	if b.alive("1") || !b.alive("2") || !b.alive("3") {
		t.Error("the replaced session, and it alone, must go")
	}
}

func endings(t *testing.T, b *bench) {
	none := func(s *rp.Session) { s.SID = "" }
	fill := func() {
		b.create(b.session("1"), nil)
		b.create(b.session("2"), nil)
		b.create(b.session("nosid", none), nil)
		b.create(b.session("other", func(s *rp.Session) { s.User, s.Subject = "bob", "b" }), nil)
		b.create(b.session("nosid-other", none, func(s *rp.Session) { s.User, s.Subject = "bob", "b" }), nil)
		b.create(b.session("q", func(s *rp.Session) { s.Provider, s.SID = "q", "sid-1" }), nil)
		b.create(b.session("own", func(s *rp.Session) { s.Provider, s.Subject, s.SID, s.Sealed = "", "", "", nil }), nil)
	}
	all := []string{"1", "2", "nosid", "other", "nosid-other", "q", "own"}
	for _, c := range []struct {
		e    rp.Ending
		gone []string
	}{
		{rp.Ending{}, nil},
		{rp.Ending{Provider: "p"}, nil},
		{rp.Ending{Session: hash("1")}, []string{"1"}},
		{rp.Ending{Session: hash("unknown")}, nil},
		{rp.Ending{User: "alice"}, []string{"1", "2", "nosid", "q", "own"}},
		{rp.Ending{Provider: "p", SID: "sid-1"}, []string{"1"}},
		{rp.Ending{Provider: "p", SID: "sid-1", Subject: "a"}, []string{"1", "nosid"}},
		{rp.Ending{Provider: "p", SID: "unknown", Subject: "b"}, []string{"nosid-other"}},
		{rp.Ending{Provider: "p", Subject: "a"}, []string{"1", "2", "nosid"}},
		{rp.Ending{Provider: "q", Subject: "b"}, nil},
	} {
		for _, id := range all { // from the last round
			b.end(rp.Ending{Session: hash(id)})
		}
		fill()
		if n := b.end(c.e).Sessions; n != len(c.gone) {
			t.Errorf("%+v: %d sessions", c.e, n)
		}
		gone := map[string]bool{}
		for _, id := range c.gone {
			gone[id] = true
		}
		for _, id := range all {
			if b.alive(id) == gone[id] {
				t.Errorf("%+v: %s is alive: %v", c.e, id, !gone[id])
			}
		}
	}
}

func tombstones(t *testing.T, b *bench) {
	at := func(d time.Duration) time.Time { return b.now.Add(d) }
	until := at(time.Hour)
	b.end(rp.Ending{Provider: "p", SID: "dead", Tombstone: until, Issued: b.now})
	b.end(rp.Ending{Provider: "p", SID: "both", Subject: "n", Tombstone: until, Issued: b.now})
	b.end(rp.Ending{Provider: "p", Subject: "out", Tombstone: until, Issued: b.now})
	b.end(rp.Ending{Provider: "p", Subject: "out", Tombstone: until, Issued: at(-time.Hour)}) // an older one takes nothing back
	b.end(rp.Ending{User: "left", Tombstone: until})
	for i, c := range []struct {
		change func(*rp.Session)
		want   error
	}{
		{func(s *rp.Session) { s.SID = "dead" }, rp.ErrOvertaken},
		{func(s *rp.Session) { s.SID, s.Issued = "dead", at(rp.SIDLeeway) }, rp.ErrOvertaken},
		{func(s *rp.Session) { s.SID, s.Issued = "dead", at(rp.SIDLeeway+time.Second) }, nil},
		{func(s *rp.Session) { s.SID, s.Provider = "dead", "q" }, nil},
		{func(s *rp.Session) { s.SID, s.Subject = "", "n" }, rp.ErrOvertaken},
		{func(s *rp.Session) { s.SID, s.Subject = "other device", "n" }, nil},
		{func(s *rp.Session) { s.Subject = "out" }, rp.ErrOvertaken},
		{func(s *rp.Session) { s.Subject, s.Issued = "out", at(-time.Minute) }, rp.ErrOvertaken},
		{func(s *rp.Session) { s.Subject, s.Issued = "out", at(time.Second) }, nil},
		{func(s *rp.Session) { s.Subject, s.Provider = "out", "q" }, nil},
		{func(s *rp.Session) { s.User = "left" }, rp.ErrOvertaken},
		{func(s *rp.Session) { s.User, s.Provider, s.Subject, s.SID = "left", "", "", "" }, rp.ErrOvertaken},
		{func(s *rp.Session) { s.User, s.Begun = "left", at(time.Second) }, nil},
		{func(s *rp.Session) { s.User = "stays" }, nil},
	} {
		id := fmt.Sprint("t", i)
		err := b.CreateSession(t.Context(), b.session(id, c.change), rp.Hash{}, nil)
		if !errors.Is(err, c.want) || b.alive(id) != (c.want == nil) {
			t.Errorf("%d: %v", i, err)
		}
	}
	// A refused sign-in replaces nothing.
	b.create(b.session("old"), nil)
	b.want(b.CreateSession(t.Context(), b.session("new", func(s *rp.Session) { s.SID = "dead" }), hash("old"), nil), rp.ErrOvertaken)
	if !b.alive("old") {
		t.Error("a refused sign-in ended the session before it")
	}
}

func replay(t *testing.T, b *bench) {
	e := rp.Ending{Provider: "p", SID: "sid-1", JTI: "j", Tombstone: b.now.Add(time.Hour), Issued: b.now.Add(-2 * time.Minute)}
	b.create(b.session("1"), nil)
	if out := b.end(e); out.Replayed || out.Sessions != 1 {
		t.Fatal(out)
	}
	b.create(b.session("1"), nil) // the same sid again, younger than the token
	if out := b.end(e); !out.Replayed || out.Sessions != 0 || !b.alive("1") {
		t.Fatal(out)
	}
	e.Provider = "q"
	if out := b.end(e); out.Replayed {
		t.Fatal("another provider's jti")
	}
}

// race proves that of a sign-in and the sign-out that covers it no session remains, whichever comes first.
func race(t *testing.T, b *bench) {
	const pairs = 40
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for i := range pairs {
		id := fmt.Sprint("r", i)
		start := make(chan struct{})
		all.Go(func() {
			<-start
			err := b.CreateSession(ctx, b.session(id), rp.Hash{}, &rp.Token{Provider: "p", Subject: "a", User: "alice", Session: hash(id), Sealed: []byte("t"), Created: b.now})
			if err != nil && !errors.Is(err, rp.ErrOvertaken) {
				t.Error(err)
			}
		})
		all.Go(func() {
			<-start
			if _, err := b.End(ctx, rp.Ending{Provider: "p", SID: "sid-" + id, JTI: id, Tombstone: b.now.Add(time.Hour), Issued: b.now, Now: b.now}); err != nil {
				t.Error(err)
			}
		})
		close(start)
		if i%8 == 7 {
			all.Wait()
		}
	}
	all.Wait()
	for i := range pairs {
		if b.alive(fmt.Sprint("r", i)) {
			t.Errorf("session %d outlived its end", i)
		}
	}
}
