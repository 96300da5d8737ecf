package rptest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"exeunt.dev/rp"
)

func (b *bench) token(session, sealed string, change ...func(*rp.Token)) *rp.Token {
	t := &rp.Token{Provider: "p", Subject: "a", User: "alice", Session: hash(session), Sealed: []byte(sealed), Revocable: true, Created: b.now}
	for _, f := range change {
		f(t)
	}
	return t
}

func (b *bench) held(session, provider string) string {
	b.Helper()
	t, err := b.FindToken(b.Context(), hash(session), provider, b.now)
	if err != nil {
		b.want(err, rp.ErrNone)
		return ""
	}
	if t.Provider != provider || t.Session != hash(session) || t.User == "" || t.Subject == "" {
		b.Error(t)
	}
	return string(t.Sealed)
}

func tokens(t *testing.T, b *bench) {
	ctx := t.Context()
	b.create(b.session("1"), b.token("1", "one"))
	if b.held("1", "p") != "one" || b.held("1", "q") != "" || b.held("2", "p") != "" {
		t.Error("a token is found by session and provider")
	}
	b.want(b.PutToken(ctx, *b.token("1", "two"), []byte("not one"), b.now), rp.ErrNone)
	b.want(b.PutToken(ctx, *b.token("1", "two"), []byte("one"), b.now), nil)
	b.want(b.PutToken(ctx, *b.token("1", "q", func(t *rp.Token) { t.Provider = "q" }), nil, b.now), nil)
	b.want(b.PutToken(ctx, *b.token("2", "x"), nil, b.now), rp.ErrNone)
	if b.held("1", "p") != "two" || b.held("1", "q") != "q" {
		t.Error("a token is replaced by compare and swap")
	}
	// It outlives its session, out of the session's reach, until the identity comes again.
	b.end(rp.Ending{Session: hash("1")})
	if b.held("1", "p") != "" {
		t.Error("an ended session has a token")
	}
	b.want(b.PutToken(ctx, *b.token("1", "three"), []byte("two"), b.now), rp.ErrNone)
	b.create(b.session("3"), b.token("3", "new"))
	b.create(b.session("4"), b.token("4", "newer"))
	out := b.end(rp.Ending{RevokeUser: "alice", Revoke: []string{"p"}})
	var got []string
	for _, d := range out.Duties {
		got = append(got, string(d.Sealed))
	}
	if slices.Sort(got); !slices.Equal(got, []string{"new", "newer"}) {
		t.Error("live sessions keep theirs, dead ones' go:", got)
	}
}

func duties(t *testing.T, b *bench) {
	b.create(b.session("1"), b.token("1", "old", func(t *rp.Token) { t.Created = b.now.Add(-time.Hour) }))
	b.create(b.session("2"), b.token("2", "new"))
	b.create(b.session("3"), b.token("3", "q", func(t *rp.Token) { t.Provider, t.Revocable = "q", false }))
	b.create(b.session("4", func(s *rp.Session) { s.User = "bob" }), b.token("4", "bob", func(t *rp.Token) { t.User, t.Subject = "bob", "b" }))
	e := rp.Ending{Session: hash("1"), RevokeUser: "alice", Revoke: []string{"p", "q", "unknown"}, Whole: []string{"p"}, Lease: b.now.Add(time.Minute), GiveUp: b.now.Add(time.Hour)}
	out := b.end(e)
	if out.Sessions != 1 || len(out.Duties) != 1 || !slices.Equal(out.Dropped, []string{"q"}) {
		t.Fatalf("%+v", out)
	}
	d := out.Duties[0]
	if d.Provider != "p" || d.Subject != "a" || d.User != "alice" || d.State != rp.Owed || string(d.Sealed) != "new" || d.Attempts != 1 || d.ID == "" ||
		!d.Created.Equal(b.now) || !d.Next.Equal(e.Lease) || !d.GiveUp.Equal(e.GiveUp) {
		t.Errorf("%+v", d)
	}
	if b.held("2", "p") != "" || b.held("3", "q") != "" || b.held("4", "p") != "bob" || !b.alive("2") {
		t.Error("the tokens of this person at these providers go, and nothing else")
	}
	if out := b.end(e); out.Sessions+len(out.Duties)+len(out.Dropped) != 0 {
		t.Error("pressed twice:", out)
	}
	// The tokens of the sessions that end, at the provider that ends them.
	b.create(b.session("7"), b.token("7", "seven"))
	b.want(b.PutToken(t.Context(), *b.token("7", "q7", func(t *rp.Token) { t.Provider = "q" }), nil, b.now), nil)
	b.create(b.session("8"), b.token("8", "eight"))
	out = b.end(rp.Ending{Provider: "p", SID: "sid-7", RevokeEnded: true, Lease: b.now, GiveUp: b.now.Add(time.Hour)})
	if len(out.Duties) != 1 || string(out.Duties[0].Sealed) != "seven" || out.Duties[0].User != "alice" || b.held("8", "p") != "eight" {
		t.Errorf("%+v", out)
	}
	b.end(rp.Ending{User: "alice", RevokeUser: "alice", Revoke: []string{"p", "q"}, Lease: b.now, GiveUp: b.now.Add(time.Hour)})
	// Where one token does not stand for all, each is revoked.
	b.create(b.session("5"), b.token("5", "five"))
	b.create(b.session("6"), b.token("6", "six"))
	if out := b.end(rp.Ending{User: "alice", RevokeUser: "alice", Revoke: []string{"p"}, Lease: b.now}); len(out.Duties) != 2 {
		t.Errorf("%+v", out)
	}
}

func leases(t *testing.T, b *bench) {
	ctx := t.Context()
	for i := range 6 {
		id := fmt.Sprint("s", i)
		b.create(b.session(id), b.token(id, id, func(t *rp.Token) { t.Subject = id }))
	}
	b.end(rp.Ending{User: "alice", RevokeUser: "alice", Revoke: []string{"p"}, Lease: b.now.Add(time.Minute), GiveUp: b.now.Add(time.Hour)})
	lease := func(n int) []rp.Duty {
		t.Helper()
		ds, err := b.LeaseDuties(ctx, "p", n, b.now, b.now.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		return ds
	}
	if ds := lease(10); len(ds) != 0 {
		t.Fatal("leased to two:", ds)
	}
	b.now = b.now.Add(time.Minute)
	if ds, err := b.LeaseDuties(ctx, "q", 10, b.now, b.now.Add(time.Minute)); err != nil || len(ds) != 0 {
		t.Fatal("another provider's:", ds, err)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	seen := map[string]rp.Duty{}
	for range 3 {
		all.Go(func() {
			for _, d := range lease(2) {
				mu.Lock()
				if _, twice := seen[d.ID]; twice {
					t.Error("leased twice")
				}
				seen[d.ID] = d
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if rest := lease(10); len(seen)+len(rest) != 6 {
		t.Fatal(len(seen), len(rest))
	} else {
		for _, d := range rest {
			seen[d.ID] = d
		}
	}
	i := 0
	for _, d := range seen {
		if d.Attempts != 2 || len(d.Sealed) == 0 {
			t.Errorf("%+v", d)
		}
		d.State, d.Next, d.Why = []rp.DutyState{rp.Owed, rp.Revoked, rp.GivenUp}[i%3], b.now.Add(10*time.Second), "why"
		b.want(b.SettleDuty(ctx, d), nil)
		d.State, d.Attempts = rp.Revoked, d.Attempts-1 // who was too slow says nothing any more
		b.want(b.SettleDuty(ctx, d), nil)
		i++
	}
	list, err := b.ListDuties(ctx, "alice", 10)
	if err != nil || len(list) != 6 {
		t.Fatal(list, err)
	}
	count := map[rp.DutyState]int{}
	for _, d := range list {
		count[d.State]++
		if d.Sealed != nil || d.Why != "why" {
			t.Errorf("%+v", d)
		}
	}
	if count[rp.Owed] != 2 || count[rp.Revoked] != 2 || count[rp.GivenUp] != 2 {
		t.Error(count)
	}
	if none, err := b.ListDuties(ctx, "bob", 10); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
	if some, err := b.ListDuties(ctx, "", 4); err != nil || len(some) != 4 {
		t.Error(some, err)
	}
	b.now = b.now.Add(10 * time.Second)
	if ds := lease(10); len(ds) != 2 || ds[0].Attempts != 3 {
		t.Error("what is still owed is given out again:", ds)
	}
}

func sweep(t *testing.T, b *bench) {
	ctx := t.Context()
	b.want(b.PutAttempt(ctx, rp.Attempt{State: hash("s"), Browser: hash("b"), Provider: "p", Sealed: []byte("x"), Expires: b.now.Add(time.Minute)}), nil)
	b.create(b.session("1"), b.token("1", "one"))
	b.create(b.session("2", func(s *rp.Session) { s.Idle = b.now.Add(10 * time.Hour) }), nil)
	out := b.end(rp.Ending{User: "bob", RevokeUser: "alice", Revoke: []string{"p"}, Tombstone: b.now.Add(time.Minute), Lease: b.now, GiveUp: b.now.Add(time.Hour)})
	b.end(rp.Ending{Provider: "p", SID: "gone", JTI: "j", Issued: b.now.Add(time.Hour), Tombstone: b.now.Add(time.Minute)})
	d := out.Duties[0]
	b.want(b.Sweep(ctx, b.now, b.now), nil)
	if !b.alive("1") {
		t.Error("swept too early")
	}
	if _, err := b.TakeAttempt(ctx, hash("s"), hash("b"), b.now); err != nil {
		t.Error("swept too early:", err)
	}
	d.State, d.Next = rp.Revoked, b.now
	b.want(b.SettleDuty(ctx, d), nil)
	b.now = b.now.Add(2 * time.Hour)
	b.want(b.Sweep(ctx, b.now, b.now.Add(-3*time.Hour)), nil)
	if ds, _ := b.ListDuties(ctx, "", 9); len(ds) != 1 {
		t.Error("a settled duty is kept for a while:", ds)
	}
	b.want(b.Sweep(ctx, b.now, b.now), nil)
	if ds, _ := b.ListDuties(ctx, "", 9); len(ds) != 0 {
		t.Error("a settled duty stays:", ds)
	}
	if b.alive("1") || !b.alive("2") {
		t.Error("expired sessions, and they alone, go")
	}
	b.create(b.session("9", func(s *rp.Session) { s.Idle, s.Ends = b.now.Add(time.Hour), b.now.Add(time.Hour) }), b.token("9", "nine"))
	b.end(rp.Ending{Session: hash("9"), RevokeUser: "alice", Revoke: []string{"p"}, Lease: b.now, GiveUp: b.now.Add(time.Minute)})
	b.want(b.Sweep(ctx, b.now.Add(time.Minute), b.now), nil)
	if ds, err := b.ListDuties(ctx, "", 9); err != nil || len(ds) != 1 || ds[0].State != rp.GivenUp || !ds[0].Next.Equal(b.now.Add(time.Minute)) {
		t.Error("a duty whose time is over is given up:", ds, err)
	}
	if ds, err := b.LeaseDuties(ctx, "p", 9, b.now.Add(time.Minute), b.now); err != nil || len(ds) != 0 {
		t.Error("given out after its time:", ds, err)
	}
	b.create(b.session("3", func(s *rp.Session) { s.SID, s.Issued = "gone", b.now.Add(-2*time.Hour) }), nil) // the tombstone is over
	if b.end(rp.Ending{Provider: "p", SID: "x", JTI: "j", Tombstone: b.now.Add(time.Minute)}).Replayed {
		t.Error("a jti stays")
	}
}
