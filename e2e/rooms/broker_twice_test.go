package rooms_test

import (
	"net/http"
	"sync"
	"testing"
)

// What comes twice, at the same moment: the answer to a trip, a provider's logout token. One of the two counts.
func TestBroker_AnswersTwice(t *testing.T) {
	b := startBroker(t)
	b.linked()
	p := b.person()
	tab := p.thief()
	back := p.there(p.button("/login", "hub")).location
	tab.c.Jar = p.c.Jar
	both := func(one, two func() answer) (x, y answer) {
		var all sync.WaitGroup
		all.Go(func() { x = one() })
		all.Go(func() { y = two() })
		all.Wait()
		if x.status > y.status {
			x, y = y, x
		}
		return x, y
	}
	if x, y := both(func() answer { return p.get(back) }, func() answer { return tab.get(back) }); x.status != http.StatusSeeOther || y.status != http.StatusBadRequest || p.user() != "alice" {
		t.Errorf("an answer twice: %d, %d, signed in as %q", x.status, y.status, p.user())
	}
	token := b.op.LogoutToken(nil)
	if x, y := both(func() answer { return b.tell(token) }, func() answer { return b.tell(token) }); x.status != http.StatusOK || y.status != http.StatusBadRequest || p.user() != "" {
		t.Errorf("a logout token twice: %d, %d", x.status, y.status)
	}
}

// Two tabs begin at once, and come back in the other order.
func TestBroker_TwoTabs(t *testing.T) {
	b := startBroker(t)
	b.linked()
	p := b.person()
	one, two := p.button("/login", "hub"), p.button("/login", "hub")
	second, first := p.there(two).location, p.there(one).location
	if a := p.get(second); a.status != http.StatusSeeOther || p.user() != "alice" {
		t.Errorf("the second: %d %s", a.status, a.body)
	}
	if a := p.get(first); a.status != http.StatusSeeOther || p.user() != "alice" {
		t.Errorf("the first: %d %s", a.status, a.body)
	}
}

// The database goes away in the middle: 503, nobody is in, and nobody is said to be out. The provider is asked to come again.
func TestBroker_DatabaseGone(t *testing.T) {
	b := startBroker(t)
	b.linked()
	in, p := b.person(), b.person()
	in.through("/login", "hub")
	back := p.there(p.button("/login", "hub")).location
	form, out := fields(p.get("/login").body), fields(in.get("/account").body)
	token := b.op.LogoutToken(nil)
	if err := b.server.Store.Close(); err != nil {
		t.Fatal(err)
	}
	for what, a := range map[string]answer{
		"the answer":     p.get(back),
		"a trip":         p.post("/login/hub", form),
		"a logout token": b.tell(token),
		"a sign-out":     in.post("/account/signout", out),
	} {
		if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || len(a.header.Values("Clear-Site-Data")) > 0 {
			t.Errorf("%s: %d %v %s", what, a.status, a.header, a.body)
		}
	}
	b.restart()
	if in.user() != "alice" || p.user() != "" {
		t.Errorf("something happened that was not written: %q %q", in.user(), p.user())
	}
	if a := b.tell(token); a.status != http.StatusOK || in.user() != "" {
		t.Errorf("it came again: %d %s", a.status, a.body)
	}
}
