package rp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/rp"
)

// One local user, several providers: by a POST of a recent sign-in, and never because two addresses are equal.
func TestLink(t *testing.T) {
	o, g := optest.New(t), newGitHub(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()), rp.Provider("github", g.provider))
	b := h.browser()
	csrf := b.signIn("op")
	form := url.Values{"csrf": {csrf}, "return": {"/private/linked"}}
	for name, a := range map[string]answer{
		"GET":        b.once("/auth/link/github"),
		"cross-site": b.send("POST", "/auth/link/github", form.Encode(), map[string]string{"Sec-Fetch-Site": "cross-site"}),
		"no token":   b.post("/auth/link/github", url.Values{}),
		"signed out": h.browser().post("/auth/link/github", form),
	} {
		if a.status != 403 && a.status != 405 && a.status != 401 {
			t.Error(name, a.status)
		}
	}
	h.forward(11 * time.Minute)
	if a := b.post("/auth/link/github", form); a.status != 403 {
		t.Error("a sign-in that is not recent:", a.status)
	}
	h.forward(-11 * time.Minute)
	if len(h.users) != 1 {
		t.Fatal("linked", h.users)
	}
	if a := b.post("/auth/link/github", form); a.status != 200 || a.at.Path != "/private/linked" || h.users["github:9007199254740993"] != "user-1" {
		t.Fatal(a, h.users)
	}
	if a := b.get("/token/github"); a.body != "gho_secret" {
		t.Error("the linked token is kept:", a)
	}
	// Signing in by either is the same user; taking all consents back reaches both providers.
	x := h.browser()
	if csrf := x.signIn("github"); csrf == "" || len(h.users) != 2 {
		t.Fatal(h.users)
	}
	r := b.signOut(csrf, "revoke").report(t)
	done := 0
	for _, y := range r.Layers {
		if y.Kind == rp.LayerConsent && y.State == rp.Done {
			done++
		}
	}
	if done != 2 || len(o.Revoked) != 1 || len(g.calls()) != 1 || !x.signedIn() {
		t.Errorf("%+v", r)
	}
	// An identity of another user stays that user's.
	o.Set(func() { o.Sub = "bob-at-op" })
	bob := h.browser()
	form.Set("csrf", bob.signIn("op"))
	if a := bob.post("/auth/link/github", form); a.status != 409 || !strings.Contains(a.body, "<h1>That did not work</h1>") || h.users["github:9007199254740993"] != "user-1" {
		t.Error(a, h.users)
	}
}

// The session that asked to link ends on the way: nothing is linked.
func TestLinkDiesWithItsSession(t *testing.T) {
	o, g := optest.New(t), newGitHub(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()), rp.Provider("github", g.provider))
	b := h.browser()
	csrf := b.signIn("op")
	hops := 0
	stop := *b.c
	stop.CheckRedirect = stopAfter(&hops, 1)
	a := (&browser{h, &stop}).post("/auth/link/github", url.Values{"csrf": {csrf}})
	to := a.header.Get("Location")
	b.signOut(csrf)
	if a := b.get(to); a.status != 403 || len(h.users) != 1 {
		t.Error(a, h.users)
	}
	// Nor does a session of somebody else in this browser inherit it.
	o.Set(func() { o.Sub = "bob-at-op" })
	hops = 0
	csrf = b.signIn("op")
	a = (&browser{h, &stop}).post("/auth/link/github", url.Values{"csrf": {csrf}})
	to = a.header.Get("Location")
	o.Set(func() { o.Sub = "carol-at-op" })
	b.signIn("op")
	if a := b.get(to); a.status != 403 || len(h.users) != 3 {
		t.Error(a, h.users)
	}
	// Nor one whose cookie has taken its place while it lives on.
	o.Set(func() { o.Sub = "bob-at-op" })
	hops = 0
	csrf = b.signIn("op")
	to = (&browser{h, &stop}).post("/auth/link/github", url.Values{"csrf": {csrf}}).header.Get("Location")
	o.Set(func() { o.Sub = "carol-at-op" })
	carol := h.browser()
	carol.signIn("op")
	at, _ := url.Parse(h.at)
	for _, c := range carol.cookies() {
		if c.Name == "rp-session" {
			b.c.Jar.SetCookies(at, []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
		}
	}
	if a := b.get(to); a.status != 403 || len(h.users) != 3 {
		t.Error(a, h.users)
	}
}
