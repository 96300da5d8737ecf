package rp_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
)

// watched tells when duties were settled, so that tests wait for what they wait for.
type watched struct {
	rp.Store
	settled chan rp.Duty
}

func (w *watched) SettleDuty(ctx context.Context, d rp.Duty) error {
	err := w.Store.SettleDuty(ctx, d)
	w.settled <- d
	return err
}

func (w *watched) next(t *testing.T) rp.Duty {
	t.Helper()
	select {
	case d := <-w.settled:
		return d
	case <-time.After(2 * time.Minute):
		t.Fatal("nothing was settled")
		return rp.Duty{}
	}
}

func run(t *testing.T, s *rp.Site) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
}

// What a provider does not take is retried, later each time and when it says so, until it is done.
func TestOwedIsRetried(t *testing.T) {
	g := newGitHub(t)
	g.set(503, "7200")
	st := &watched{rptest.NewMemory(), make(chan rp.Duty, 10)}
	h := newWebsiteOn(t, st, rp.Provider("github", g.provider))
	b := h.browser()
	start := h.now()
	r := b.signOut(b.signIn("github"), "revoke").report(t)
	if state(r, rp.LayerConsent) != rp.Queued || len(r.Layers[1].Duties) != 1 || b.signedIn() {
		t.Fatalf("%+v", r)
	}
	if d := st.next(t); d.State != rp.Owed || d.Why != "status 503" || d.Next.Before(start.Add(2*time.Hour)) {
		t.Errorf("%+v", d)
	}
	g.set(429, "")
	run(t, h.site)
	h.forward(2*time.Hour + time.Minute)
	d := st.next(t)
	if wait := d.Next.Sub(h.now()); d.State != rp.Owed || d.Attempts != 2 || wait < 5*time.Second || wait > 20*time.Second {
		t.Errorf("%+v", d)
	}
	g.set(204, "")
	h.forward(time.Minute)
	if d := st.next(t); d.State != rp.Revoked || d.Attempts != 3 || d.ID != r.Layers[1].Duties[0] {
		t.Errorf("%+v", d)
	}
	owed, err := h.site.Owed(t.Context(), "user-1", 10)
	if err != nil || len(owed) != 1 || owed[0].State != rp.Revoked || owed[0].Why != "" {
		t.Error(owed, err)
	}
	if ds, err := st.LeaseDuties(t.Context(), "github", 9, h.now().Add(1000*time.Hour), h.now()); err != nil || len(ds) != 0 {
		t.Error("a done duty is given out", ds, err)
	}
	if n := len(g.calls()); n != 3 {
		t.Error(n, "calls")
	}
}

func TestRefusedForGoodIsShown(t *testing.T) {
	g := newGitHub(t)
	g.set(422, "")
	h := newWebsite(t, rp.Provider("github", g.provider))
	b := h.browser()
	r := b.signOut(b.signIn("github"), "revoke").report(t)
	if state(r, rp.LayerConsent) != rp.Refused || r.Layers[1].Link != "https://github.com/settings/applications" {
		t.Errorf("%+v", r)
	}
	owed, _ := h.site.Owed(t.Context(), "", 10)
	if len(owed) != 1 || owed[0].State != rp.GivenUp || owed[0].Why != "status 422" {
		t.Error(owed)
	}
	// Already gone is done.
	g.set(404, "")
	if r := b.signOut(b.signIn("github"), "revoke").report(t); state(r, rp.LayerConsent) != rp.Done {
		t.Errorf("%+v", r)
	}
}

func TestGiveUp(t *testing.T) {
	g := newGitHub(t)
	g.set(401, "") // the website's own secret is wrong: its owner can put that right
	st := &watched{rptest.NewMemory(), make(chan rp.Duty, 10)}
	h := newWebsiteOn(t, st, rp.Provider("github", g.provider))
	b := h.browser()
	b.signOut(b.signIn("github"), "revoke")
	if d := st.next(t); d.State != rp.Owed || d.Why != "status 401" {
		t.Errorf("%+v", d)
	}
	h.forward(7*24*time.Hour - 3*time.Second) // the next attempt would be too late
	run(t, h.site)
	if d := st.next(t); d.State != rp.GivenUp {
		t.Errorf("%+v", d)
	}
}

// The process dies between the sign-out and the attempt: another one takes the duty up when the lease is over.
func TestOwedSurvivesACrash(t *testing.T) {
	o := optest.New(t)
	st := &watched{rptest.NewMemory(), make(chan rp.Duty, 10)}
	h := newWebsiteOn(t, st, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signIn("op")
	// The ending is committed with its duty; the process is gone before it asks anybody.
	now := h.now()
	out, err := st.End(t.Context(), rp.Ending{User: "user-1", RevokeUser: "user-1", Revoke: []string{"op"}, Now: now, Lease: now.Add(30 * time.Second), GiveUp: now.Add(time.Hour)})
	if err != nil || len(out.Duties) != 1 || b.signedIn() {
		t.Fatal(out, err)
	}
	run(t, h.site)
	h.forward(31 * time.Second)
	if d := st.next(t); d.State != rp.Revoked || d.Attempts != 2 {
		t.Errorf("%+v", d)
	}
	o.Set(func() {
		if !slices.Equal(o.Revoked, []string{"refresh-secret"}) {
			t.Error(o.Revoked)
		}
	})
}

// A key that is missing keeps the duty, not the secret's owner, waiting.
func TestKeysChange(t *testing.T) {
	o := optest.New(t)
	store := &watched{rptest.NewMemory(), make(chan rp.Duty, 10)}
	h := newWebsiteOn(t, store, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signIn("op")
	old, next := make([]byte, 32), make([]byte, 32)
	copy(old, "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")
	copy(next, "another")
	both, err := rp.New(store, rp.Origin(h.at), rp.Key(next, old), rp.Provider("op", o.Provider()))
	if err != nil {
		t.Fatal(err)
	}
	lost, err := rp.New(store, rp.Origin(h.at), rp.Key(next), rp.Provider("op", o.Provider()))
	if err != nil {
		t.Fatal(err)
	}
	r, _ := http.NewRequest("GET", h.at, nil)
	for _, c := range b.cookies() {
		r.AddCookie(c)
	}
	if v, err := both.Visitor(r); err != nil || v.Name != "Alice" {
		t.Error(v, err)
	}
	if _, err := lost.Visitor(r); err == nil {
		t.Error("opened without the key")
	}
	if rep := lost.EndUser(t.Context(), "user-1", rp.Revoke()); rep.Err != nil || state(rep, rp.LayerConsent) != rp.Queued || b.signedIn() {
		t.Errorf("%+v", rep)
	}
	if d := store.next(t); d.State != rp.Owed || d.Why != "the token cannot be opened with the keys at hand" {
		t.Errorf("%+v", d)
	}
}

// What two replicas store is nothing that opens a session or a provider.
func TestNothingReadableIsStored(t *testing.T) {
	o := optest.New(t)
	st := &recorder{Memory: rptest.NewMemory()}
	h := newWebsiteOn(t, st, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signOut(b.signIn("op"), "revoke")
	all := fmt.Sprintf("%s", st.seen)
	for _, secret := range []string{"access-secret", "refresh-secret", "code-secret", "mail@", "eyJ"} {
		if containsText(all, secret) {
			t.Error("the store saw", secret)
		}
	}
	for _, c := range b.cookies() {
		if c.Name != "rp-left" && containsText(all, c.Value) {
			t.Error("the store saw a cookie")
		}
	}
	if len(st.seen) < 3 {
		t.Error("nothing was recorded")
	}
	for _, s := range h.said {
		t.Error("said:", s)
	}
}
