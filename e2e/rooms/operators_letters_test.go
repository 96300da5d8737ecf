package rooms_test

import (
	"net/http"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

// Whom operators shut out learns of it by a letter without a link: from the console, and from machines.
func TestLetters_Operators(t *testing.T) {
	m := startMailed(t)
	p := m.alice()
	boss := m.operator("boss", idp.RoleAdmin)
	at := "/admin/people/" + string(m.id("alice"))
	act := func(what string, pairs ...string) {
		t.Helper()
		if a := boss.acts(at+what, pairs...); a.status != http.StatusSeeOther || !strings.Contains(a.location, "done=") {
			t.Fatalf("%s: %d %s %s", what, a.status, a.location, a.body)
		}
	}
	says := func(subject string, words ...string) {
		t.Helper()
		l := m.letter(aliceMail, subject)
		for _, w := range words {
			if !strings.Contains(l.Text, w) {
				t.Errorf("%q does not say %q: %s", subject, w, l.Text)
			}
		}
		if l.Link() != "" {
			t.Errorf("%q has a link: %s", subject, l.Text)
		}
	}
	act("/lock", "kind", string(idp.LockDevice), "for", "12h")
	says("Your account is locked", "The account alice was locked at 20", "It opens by itself at 20", "The people who run this site have locked it.")
	if p.user() != "" {
		t.Error("locked, and signed in")
	}
	act("/lock")
	says("Your account is locked", "Only the people who run this site can open it.")
	act("/unlock")
	act("/disable")
	says("Your account is disabled", "disabled the account alice", "Please ask them.")
	act("/enable")
	machine := m.machine("ops", idp.ScopeAdmin)
	if a := m.calls("POST", at+"/lock", machine, map[string]any{"reason": "a test"}); a.status != http.StatusOK {
		t.Fatal(a.status, a.body)
	}
	says("Your account is locked", "The people who run this site have locked it.")
	boss.acts("/admin/people/" + string(m.id("bob")) + "/disable") // who has no address gets no letter, and is disabled
	if m.row("bob").State != idp.AccountDisabled {
		t.Error("bob is not disabled")
	}
}

// A link that locks, and was used, says what is true of such links, and offers no way round a lock.
func TestLock_UsedLink(t *testing.T) {
	m := startMailed(t)
	m.alice()
	m.alice()
	link := m.path(m.letter(aliceMail, "A new device has signed in to your account"))
	thief := m.person()
	if a := thief.presses(link); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.body)
	}
	for what, a := range map[string]answer{"opened again": thief.get(link), "made up": thief.get("/login/lock?token=AAAA")} {
		if a.status != http.StatusGone || !strings.Contains(a.body, "It locks the account once") || strings.Contains(a.body, "/login/forgot") || !strings.Contains(a.body, `href="/login"`) {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	if a := m.person().get("/login/reset?token=AAAA"); a.status != http.StatusGone || !strings.Contains(a.body, "/login/forgot") {
		t.Errorf("a link for a new password: %d %s", a.status, a.body)
	}
}
