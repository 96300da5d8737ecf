package rooms_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/mail/mailtest"
)

func (p *person) wants(address string) answer {
	p.t.Helper()
	return p.post("/account/mail", with(fields(p.get("/account/mail").body), "email", address))
}

// A new mail address is the account's once its owner has opened the link where she is signed in; all others end, and the old one hears of it.
func TestMailAddress(t *testing.T) {
	m := startMailed(t)
	p := m.alice()
	other := m.alice()
	m.letter(aliceMail, "A new device has signed in to your account")
	books := other.enter("books")
	if a := p.wants("new@mail.example"); a.location != "/account/mail?done=asked" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	link := m.path(m.letter("new@mail.example", "Confirm your mail address"))
	if m.row("alice").Email != aliceMail || p.user() != "alice" || other.user() != "alice" {
		t.Error("something has changed")
	}
	if a := m.person().get(link); a.location != "/login?again="+url.QueryEscape(link) {
		t.Errorf("opened by nobody: %d %q", a.status, a.location)
	}
	bob := m.person()
	bob.signIn("/login", "bob", bobPW)
	token := strings.TrimPrefix(link, "/account/mail/confirm?token=")
	if a := bob.get(link); a.status != http.StatusGone {
		t.Errorf("opened by somebody else: %d", a.status)
	}
	if a := bob.post("/account/mail/confirm", with(fields(bob.get("/account/mail").body), "token", token)); a.status != http.StatusGone || m.row("bob").Email != "" {
		t.Errorf("confirmed by somebody else: %d", a.status)
	}
	before := p.cookie("exeunt")
	if a := p.presses(link); a.location != "/account/mail?done=changed" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if row := m.row("alice"); row.Email != "new@mail.example" || !row.EmailVerified {
		t.Errorf("%+v", row)
	}
	if p.user() != "alice" || p.cookie("exeunt") == before || other.user() != "" || m.refreshes("books", books) {
		t.Error("others live, or the one that acted does not")
	}
	if a := p.presses(link); a.status != http.StatusGone {
		t.Errorf("once more: %d", a.status)
	}
	lock := m.path(m.letter(aliceMail, "Your mail address was changed"))
	m.person().forgot("alice")
	m.letter("new@mail.example", "Set a new password")
	// If it was a thief, a letter must not let him in again: an operator opens.
	if page := m.person().get(lock); !strings.Contains(page.body, "another mail address") {
		t.Error(page.body)
	}
	m.person().presses(lock)
	if p.user() != "" || m.lockOf("alice").Kind != idp.LockOperator {
		t.Errorf("%+v", m.lockOf("alice"))
	}
}

func TestMailAddress_Refused(t *testing.T) {
	m := startMailed(t)
	p := m.alice()
	for _, bad := range []string{"", "alice", "a@example.com\r\nBcc: b@example.com", "A <a@example.com>", "a@example.com,b@example.com"} {
		if a := p.wants(bad); a.status != http.StatusBadRequest || !strings.Contains(a.body, "That is no mail address.") {
			t.Errorf("%q: %d", bad, a.status)
		}
	}
	if a := p.wants(aliceMail); !strings.Contains(a.body, "your address already") {
		t.Errorf("%d %s", a.status, a.body)
	}
	for i := range 7 {
		if a := p.wants("new" + string(rune('a'+i)) + "@mail.example"); a.location != "/account/mail?done=asked" {
			t.Errorf("%d: %d", i, a.status)
		}
	}
	m.restart()
	m.office.Wait(t, 4)
	m.restart()
	if n := len(m.office.Letters()); n != 5 {
		t.Errorf("%d letters in an hour", n)
	}
	// A sign-in of long ago is not enough.
	err := m.server.Store.Update(t.Context(), func(tx idp.Tx) error {
		s, err := tx.SessionByCookie(idp.HashOf(p.cookie("exeunt")))
		if err != nil {
			return err
		}
		s.AuthTime = s.AuthTime.Add(-time.Hour)
		return tx.RenewSession(s)
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := p.wants("late@mail.example"); a.location != "/login?again=%2Faccount%2Fmail" {
		t.Errorf("%d to %q", a.status, a.location)
	}
}

// After a recovery its person says which older credentials are to be kept; a letter alone takes none away.
func TestReview(t *testing.T) {
	m := startMailed(t)
	p := m.alice()
	p.setUp()
	id := m.row("alice").ID
	passkey := idp.Credential{ID: "0123456789abcdef", Account: id, Kind: idp.CredentialPasskey, Name: "<b>the thief's</b>", Handle: idp.HashOf("x"), AddedAt: 1, IP: "192.0.2.9"}
	if err := m.server.Store.Update(t.Context(), func(tx idp.Tx) error { return tx.InsertCredential(passkey) }); err != nil {
		t.Fatal(err)
	}
	var all []idp.Credential
	var care idp.Care
	look := func() {
		t.Helper()
		if err := m.server.Store.View(t.Context(), func(v idp.View) (err error) {
			if all, err = v.Credentials(id); err == nil {
				care, err = v.Care(id)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	look()
	if care.Doubtful(passkey.AddedAt) {
		t.Error("doubtful before anything has happened")
	}
	had := len(all)
	m.person().forgot("alice")
	if m.person().sets(m.path(m.next("Set a new password")), newPW).status != http.StatusSeeOther {
		t.Fatal("no new password")
	}
	look()
	if len(all) != had || !care.Doubtful(passkey.AddedAt) {
		t.Errorf("%d of %d are left; doubtful: %t", len(all), had, care.Doubtful(passkey.AddedAt))
	}
	q := m.person()
	if a := q.follow(q.signIn("/login", "alice", newPW)); q.user() != "" {
		t.Fatalf("the second factor is not asked for: %s", a.body)
	}
	// The same session, as if she had shown it.
	s := m.sessionOf(id)
	q.put("exeunt", s)
	page := q.get("/account/review")
	if !strings.Contains(page.body, "&lt;b&gt;the thief") || !strings.Contains(page.body, "192.0.2.9") || !strings.Contains(page.body, "Authenticator app") {
		t.Fatal(page.body)
	}
	form := fields(page.body)
	if a := q.post("/account/review", form); a.status != http.StatusBadRequest {
		t.Errorf("nothing said: %d", a.status)
	}
	for _, c := range all {
		name := string(c.ID)
		if c.Kind == idp.CredentialRecovery {
			name = string(c.Kind)
		}
		form.Set("credential-"+name, "keep")
	}
	form.Set("credential-"+string(passkey.ID), "remove")
	if a := q.post("/account/review", form); a.location != "/account" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	look()
	if len(all) != had-1 || care.Doubtful(1) || q.user() != "alice" || q.cookie("exeunt") == s {
		t.Errorf("%d are left, doubtful: %t, signed in as %q", len(all), care.Doubtful(1), q.user())
	}
	if page := q.get("/account/review"); !strings.Contains(page.body, "nothing that was added before") {
		t.Error(page.body)
	}
}

// A passkey from before a recovery signs nobody in until its person has said that it is theirs; and a lock that has opened by itself is open
// for passkeys, too.
func TestReview_Passkey(t *testing.T) {
	m := &mailed{office: mailtest.Start(t, mailtest.Options{})}
	m.node = startNamed(t, func(c *config.Config) { c.Mail = mailServer(m.office) })
	m.hasMail("alice", aliceMail)
	p := m.alice()
	key := m.authenticator()
	p.asks("/account/passkeys", "/account/passkeys/challenge")
	if a := p.add(key, "hers, or the thief's"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	m.person().forgot("alice")
	if m.person().sets(m.path(m.next("Set a new password")), newPW).status != http.StatusSeeOther {
		t.Fatal("no new password")
	}
	q := m.person()
	if a := q.passkey("/login", key); a.status != http.StatusForbidden || !strings.Contains(a.body, "from before a new password") || q.user() != "" {
		t.Errorf("the old passkey: %d, %q", a.status, q.user())
	}
	q.signIn("/login", "alice", newPW)
	page := q.get("/account/review")
	form := fields(page.body)
	form.Set("credential-"+q.keys().Passkeys[0].ID, "keep")
	if a := q.post("/account/review", form); a.location != "/account" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	s := m.person()
	if a := s.passkey("/login", key); a.status != http.StatusSeeOther || s.user() != "alice" {
		t.Errorf("the kept passkey: %d", a.status)
	}
	s.locks(idp.LockDevice, "1h")
	if a := s.passkey("/login", key); a.status != http.StatusForbidden || !strings.Contains(a.body, "Then it opens by itself.") {
		t.Errorf("while it is locked: %d", a.status)
	}
	m.passes("alice")
	if a := s.passkey("/login", key); a.status != http.StatusSeeOther || s.user() != "alice" {
		t.Errorf("when its time is over: %d", a.status)
	}
}

// Who gives out somebody else's address as his own can have nothing of his own choice written there, and keeps no link away that its owner
// asks for.
func TestMailAddress_OfSomebodyElse(t *testing.T) {
	m := startMailed(t)
	m.change("bob", func(a *idp.Account) { a.Name = "You have won: https://evil.example" })
	bob := m.person()
	bob.signIn("/login", "bob", bobPW)
	for range 6 {
		bob.wants(aliceMail)
	}
	for range 5 {
		l := m.letter(aliceMail, "Confirm your mail address")
		if !strings.Contains(l.Text, "Hello bob,") || strings.Contains(l.Text+l.HTML, "evil") {
			t.Fatal("the letter:", l.Text)
		}
	}
	m.person().forgot("alice")
	if a := m.person().sets(m.path(m.letter(aliceMail, "Set a new password")), newPW); a.status != http.StatusSeeOther {
		t.Errorf("%d %s", a.status, a.body)
	}
}
