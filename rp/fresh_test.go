package rp_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
)

// Another site's link, or one in a letter, leads nobody who is signed in out of their session: that takes a click here.
func TestLinkFromElsewhereReplacesNoSession(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	if a := b.send("GET", "/auth/login/op?return=/private/x", "", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-User": "?1"}); a.at.Path != "/private/x" {
		t.Fatal("who is not signed in is led in:", a)
	}
	o.Set(func() { o.Sub = "mallory-at-op" })
	for name, header := range map[string]map[string]string{
		"cross-site":          {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-User": "?1"},
		"same-site":           {"Sec-Fetch-Site": "same-site", "Sec-Fetch-User": "?1"},
		"from a script of us": {"Sec-Fetch-Site": "same-origin"},
		"an old browser":      nil,
	} {
		asked := len(o.Asked)
		if a := b.send("GET", "/auth/login/op?return=/private/y", "", header); a.at.Path != "/auth/login/op" || !strings.Contains(a.body, "Continue with") || len(o.Asked) != asked {
			t.Error(name, a)
		}
	}
	if a := b.get("/private/x"); !strings.Contains(a.body, "user=user-1") {
		t.Fatal("the session was replaced:", a)
	}
	if b.signIn("op"); !strings.Contains(b.get("/private/x").body, "user=user-2") {
		t.Error("a click does not lead to another sign-in")
	}
}

// A sign-in is recent if the provider has asked. One that tells no time may have let in whoever sits there.
func TestLinkingNeedsAProof(t *testing.T) {
	o, g := optest.New(t), newGitHub(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()), rp.Provider("github", g.provider))
	b := h.browser()
	may := func() bool {
		t.Helper()
		m := csrf.FindStringSubmatch(b.get("/private/").body)
		hops := 0
		one := *b.c
		one.CheckRedirect = stopAfter(&hops, 0)
		a := (&browser{h, &one}).post("/auth/link/github", url.Values{"csrf": {m[1]}})
		if a.status == 403 && !strings.Contains(a.body, "again=1") {
			t.Error("nothing leads on:", a.body)
		}
		return a.status == 303
	}
	old := func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }
	for _, c := range []struct {
		name, again string
		change      func()
		want        bool
	}{
		{"asked just now", "", func() {}, true},
		{"an old session there", "", func() { o.Claims = old }, false},
		{"an old session there, and asked", "&again=1", func() {}, false},
		{"silent", "", func() { o.Claims, o.Silent = nil, true }, false},
		{"silent, and asked", "&again=1", func() {}, true},
		{"a clock that is behind", "&again=1", func() {
			o.Silent = false
			o.Claims = func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Minute).Unix() }
		}, true},
		{"a clock that is ahead", "", func() { o.Claims = func(c map[string]any) { c["auth_time"] = time.Now().Add(time.Hour).Unix() } }, true},
	} {
		o.Set(c.change)
		if a := b.send("GET", "/auth/login/op?return=/private/x"+c.again, "", clicked); a.at.Path != "/private/x" {
			t.Fatal(c.name, a)
		}
		q := o.Asked[len(o.Asked)-1]
		if (q.Get("max_age") == "0" && q.Get("prompt") == "login") != (c.again != "") {
			t.Error(c.name, q)
		}
		if may() != c.want {
			t.Error(c.name, "may link:", !c.want)
		}
	}
}

// A provider that has no word for asking was told nothing, whatever the address said that led to it: a session there has answered.
func TestLinkingNeedsAProof_OfOneThatCanBeAsked(t *testing.T) {
	o, g := optest.New(t), newGitHub(t)
	for _, can := range []bool{true, false} {
		if !can {
			g.provider.Ask = nil
		}
		h := newWebsite(t, rp.Provider("op", o.Provider()), rp.Provider("github", g.provider))
		b := h.browser()
		if a := b.send("GET", "/auth/login/github?return=/private/x&again=1", "", clicked); a.at.Path != "/private/x" {
			t.Fatal(a)
		}
		m := csrf.FindStringSubmatch(b.get("/private/").body)
		hops := 0
		one := *b.c
		one.CheckRedirect = stopAfter(&hops, 0)
		if a := (&browser{h, &one}).post("/auth/link/op", url.Values{"csrf": {m[1]}}); (a.status == http.StatusSeeOther) != can || (a.status == http.StatusForbidden) == can {
			t.Errorf("can be asked: %v; %d %s", can, a.status, a.body)
		}
	}
}

// A password that is checked while it is changed makes no session.
func TestOwnSignInIsOvertaken(t *testing.T) {
	s, err := rp.New(rptest.NewMemory(), rp.Origin("https://site.example"), rp.Key(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/login", nil)
	began := time.Now()
	s.EndUser(t.Context(), "alice") // the password was changed
	if err := s.SignIn(w, r, "alice", began); !errors.Is(err, rp.ErrOvertaken) || len(w.Result().Cookies()) != 0 {
		t.Error(err)
	}
	if err := s.SignIn(w, r, "bob", began); err != nil {
		t.Error(err)
	}
}
