package rooms_test

import (
	"strings"
	"testing"
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
