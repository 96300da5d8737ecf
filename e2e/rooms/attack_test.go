package rooms_test

import (
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

// Promise 4, nobody else: the question names alice; whoever has signed in in another tab since is asked anew, by name.
func TestLogoutConfirm_IsForWhomItNamed(t *testing.T) {
	n := start(t)
	p := n.alice()
	asked := fields(p.get("/logout").body)
	p.follow(p.signIn(p.get(n.authorizeURL("books", "prompt", "login")).location, "bob", bobPW))
	if p.user() != "bob" {
		t.Fatalf("signed in: %q", p.user())
	}
	again := p.post("/logout/confirm", with(asked, "act", "all"))
	if p.user() != "bob" || !strings.Contains(again.body, "<strong>bob</strong>") {
		t.Errorf("alice's answer: %d, and %q is signed in", again.status, p.user())
	}
	if a := p.post("/logout/confirm", with(fields(again.body), "act", "all")); !strings.HasPrefix(a.location, "/signout/") || p.user() != "" {
		t.Errorf("bob's own answer: %d to %q", a.status, a.location)
	}
}

// What a page asked of one person nobody else answers: who has signed in there since is asked anew.
func TestConsent_IsForWhomItNamed(t *testing.T) {
	n := start(t)
	p := n.alice()
	page := p.follow(p.get(p.authorizeURL("third")))
	form := with(fields(page.body), "act", "continue")
	p.post("/login", url.Values{"csrf": {p.csrf()}, "act": {"signin"}, "username": {"bob"}, "password": {bobPW}})
	if form.Get("shown") == "" || p.user() != "bob" {
		t.Fatalf("%v, signed in as %q", form, p.user())
	}
	again := p.follow(p.post("/login", form))
	var given []idp.Consent
	if err := n.server.Store.View(t.Context(), func(v idp.View) (err error) { given, err = v.Consents(n.id("bob")); return err }); err != nil {
		t.Fatal(err)
	}
	if again.status != 200 || !strings.Contains(again.body, "bob") || len(given) != 0 {
		t.Errorf("%d to %q; allowed: %v", again.status, again.location, given)
	}
}

// An app that may not sign people out reads no list of their sessions, and ends none; nor does a machine, whatever it may.
func TestAccountAPI_NeedsItsScope(t *testing.T) {
	n := start(t)
	p := n.alice()
	for who, token := range map[string]string{"another's app": p.agree("third").Access, "a machine": n.machine("ops", idp.ScopeSignOut)} {
		for _, c := range [][2]string{{"GET", "/account/sessions"}, {"GET", "/account/apps"}, {"GET", "/account/activity"}, {"DELETE", "/account/sessions?which=all"}, {"DELETE", "/account/apps/third"}} {
			if a := n.bearer(c[0], c[1], token); a.status != 403 || !strings.Contains(a.body, "insufficient_scope") {
				t.Errorf("%s, %v: %d %s", who, c, a.status, a.body)
			}
		}
	}
	if a := p.do("POST", "/account/passkeys/challenge", "x=y", map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "same-origin"}); a.status != 403 || !strings.Contains(a.body, `"csrf"`) {
		t.Errorf("a challenge without the proof: %d %s", a.status, a.body)
	}
	if p.user() != "alice" {
		t.Error("signed out")
	}
}
