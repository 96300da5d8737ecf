package rooms_test

import (
	"net/http"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

// Each change of what somebody signs in with is told by one letter, whose link locks; it stands once in what happened.
func TestLetters_Changes(t *testing.T) {
	b, m := brokeredMail(t, func(c *config.Config) { c.Issuer = strings.Replace(c.Issuer, "127.0.0.1", "localhost", 1) })
	b.at = b.config.Issuer
	m.node = b.node
	p := b.linked()
	first := m.letter(aliceMail, "An account at another provider was linked")
	if !strings.Contains(first.Text, "at the account alice") || !strings.Contains(first.Text, ", from 127.0.0.1, at 20") {
		t.Error(first.Text)
	}
	done := func(a answer, to, subject string) {
		t.Helper()
		if a.status != http.StatusSeeOther || !strings.Contains(a.location, to) {
			t.Fatalf("%s: %d %s %s", subject, a.status, a.location, a.body)
		}
		m.letter(aliceMail, subject)
	}
	press := func(page, act string) answer { t.Helper(); return p.post(act, fields(p.get(page).body)) }
	done(p.add(b.authenticator(), "<b>hers</b>"), "done=added", "A passkey was added")
	p.setUp()
	m.letter(aliceMail, "An authenticator app was added") // and no second one on its codes
	if a := press("/account/recovery", "/account/recovery"); a.status != http.StatusOK {
		t.Fatal(a.status, a.body)
	}
	m.letter(aliceMail, "New recovery codes were made")
	done(press("/account/authenticator", "/account/authenticator/remove"), "done=removed", "The authenticator app was removed")
	done(press("/account/passkeys", "/account/passkeys/"+p.keys().Passkeys[0].ID+"/remove"), "done=removed", "A passkey was removed")
	done(press("/account/providers", "/account/providers/unlink"), "done=unlinked", "An account at another provider was unlinked")
	done(p.post("/account/password", with(fields(p.get("/account/password").body), "old", alicePW, "new", newPW)), "done=password", "Your password was changed")
	if page := p.browse("/account/activity").body; strings.Contains(page, "A mail was sent to you") || strings.Count(page, "The password was changed") != 1 {
		t.Error("what happened is told more than once:", page)
	}
	if a := b.person().presses(m.path(first)); a.status != http.StatusSeeOther || m.row("alice").State != idp.AccountLocked || p.user() != "" {
		t.Errorf("the link of the first letter: %d %s", a.status, a.body)
	}
}

// Who has only a provider proves it there, and can then do all that others do with their password; a first password included, once.
func TestOnlyAProvider(t *testing.T) {
	b := startBroker(t)
	p := b.person()
	b.newcomer(p, "carol")
	p.stale()
	form := fields(p.get("/account/password").body)
	a := p.post("/account/password", with(form, "new", newPW))
	if a.location != "/login?again=%2Faccount%2Fpassword" {
		t.Fatalf("a first password without a recent sign-in: %d %s", a.status, a.location)
	}
	page := p.get(a.location)
	if strings.Contains(page.body, `id="password"`) || !strings.Contains(page.body, "Continue with Hub") {
		t.Fatal("asked for a password that there is not:", page.body)
	}
	if a := p.post("/login", with(fields(page.body), "act", "signin", "username", "carol", "password", "")); a.status != http.StatusForbidden {
		t.Errorf("no password is a password: %d %s", a.status, a.location)
	}
	back := p.through(a.location, "hub")
	if at := p.get(back.location); at.location != "/account/password" {
		t.Fatalf("back to %d %s", at.status, at.location)
	}
	if page := p.get("/account/password"); strings.Contains(page.body, `id="old"`) {
		t.Error("asked for an old one:", page.body)
	}
	other := b.person() // another browser ends
	other.through("/login", "hub")
	if a := p.post("/account/password", with(form, "new", newPW)); !strings.Contains(a.location, "done=password") || p.user() != "carol" || other.user() != "" {
		t.Fatalf("%d %s %s", a.status, a.location, a.body)
	}
	if a := p.post("/account/password", with(form, "new", "yet another one")); a.status != http.StatusForbidden {
		t.Errorf("from a page of before, without the password that there is now: %d %s", a.status, a.location)
	}
	q := b.person()
	if q.signIn("/login", "carol", newPW); q.user() != "carol" {
		t.Error("the new password signs nobody in")
	}
}
