package rp_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
)

// pressing sees when a second press waits for the answer to the first.
type pressing struct {
	rp.Store
	ends  atomic.Int32
	again chan struct{} // closed then
}

func (p *pressing) TakeAttempt(ctx context.Context, state, browser rp.Hash, now time.Time) (rp.Attempt, error) {
	if p.ends.Load() > 0 {
		if p.ends.Add(1) == 2 {
			close(p.again)
		}
	}
	return p.Store.TakeAttempt(ctx, state, browser, now)
}

func (p *pressing) End(ctx context.Context, e rp.Ending) (rp.Ended, error) {
	defer p.ends.CompareAndSwap(0, 1)
	return p.Store.End(ctx, e)
}

// A double click: the browser shows the answer to the second press, so it must say as much and lead as far as the first.
func TestPressedTwice(t *testing.T) {
	o := optest.New(t)
	st := &pressing{Store: rptest.NewMemory(), again: make(chan struct{})}
	h := newWebsiteOn(t, st, rp.Provider("op", o.Provider()))
	b := h.browser()
	csrf := b.signIn("op")
	thief := h.browser()
	thief.c.Jar.SetCookies(mustURL(h.at), b.cookies())
	o.Set(func() {
		o.Answers = func(http.ResponseWriter, *http.Request) bool { // the provider is slow, so that the presses overlap
			<-st.again
			return false
		}
	})
	reports := make([]rp.Report, 3)
	tabs := []*browser{h.browser(), h.browser(), h.browser()}
	for _, x := range tabs {
		x.c.Jar.SetCookies(mustURL(h.at), b.cookies())
	}
	var all sync.WaitGroup
	for i, x := range tabs {
		all.Go(func() { reports[i] = x.signOut(csrf, "revoke", "provider", "everywhere").report(t) })
	}
	all.Wait()
	for _, r := range reports {
		if state(r, rp.LayerWebsite) != rp.Done || state(r, rp.LayerConsent) != rp.Done || state(r, rp.LayerProvider) != rp.Going || r.Continue == "" || r.Continue != reports[0].Continue {
			t.Errorf("%+v", r)
		}
	}
	o.Set(func() {
		if len(o.Revoked) != 1 {
			t.Error("revoked", len(o.Revoked), "times")
		}
	})
	// Asked for less or more, it is another sign-out, and nothing is claimed for it.
	if r := thief.signOut(csrf, "revoke").report(t); state(r, rp.LayerWebsite) != rp.Gone || len(r.Layers) != 1 || r.Continue != "" {
		t.Errorf("%+v", r)
	}
	// Nor is it later.
	x := h.browser()
	csrf = x.signIn("op")
	kept := x.cookies()
	x.signOut(csrf, "provider")
	h.forward(2 * time.Minute)
	late := h.browser()
	late.c.Jar.SetCookies(mustURL(h.at), kept)
	if r := late.signOut(csrf, "provider").report(t); state(r, rp.LayerWebsite) != rp.Gone || r.Continue != "" {
		t.Errorf("%+v", r)
	}
}

// The same while the provider does not answer at all.
func TestPressedTwiceWhileTheProviderHangs(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	csrf := b.signIn("op")
	hung := make(chan struct{})
	o.Set(func() {
		o.Answers = func(http.ResponseWriter, *http.Request) bool { close(hung); <-h.t.Context().Done(); return true }
	})
	other := h.browser()
	other.c.Jar.SetCookies(mustURL(h.at), b.cookies())
	var first, second rp.Report
	var all sync.WaitGroup
	all.Go(func() { first = b.signOut(csrf, "revoke", "provider").report(t) })
	<-hung
	all.Go(func() { second = other.signOut(csrf, "revoke", "provider").report(t) })
	all.Wait()
	if state(first, rp.LayerConsent) != rp.Queued || state(second, rp.LayerConsent) != rp.Queued || first.Continue == "" || first.Continue != second.Continue {
		t.Errorf("%+v\n%+v", first, second)
	}
}
