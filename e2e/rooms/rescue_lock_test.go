package rooms_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

// locks presses a button of the page for emergencies.
func (p *person) locks(kind idp.LockKind, length string) answer {
	p.t.Helper()
	return p.post("/account/lock", with(fields(p.get("/account/lock").body), "kind", string(kind), "for", length))
}

// shut says that nothing of alice's works, and nobody gets in.
func (n *node) shut(what string, p *person, books tokens, says string) {
	n.t.Helper()
	if p.user() != "" || n.alive(books.Access) || n.refreshes("books", books) {
		n.t.Errorf("%s: something lives", what)
	}
	q := n.person()
	if a := q.signIn("/login", "alice", alicePW); a.status != http.StatusForbidden || !strings.Contains(a.body, says) || q.user() != "" {
		n.t.Errorf("%s: the right password gets %d, without %q", what, a.status, says)
	}
	if a := q.signIn("/login", "alice", "a wrong password"); !strings.Contains(a.body, "That username or password is not right.") {
		n.t.Errorf("%s: a wrong password is told more", what)
	}
}

// Who has lost a device locks; it opens by itself at its time, without anybody's doing, and revives nothing.
func TestLock_LostDevice(t *testing.T) {
	m := startMailed(t)
	p := m.alice()
	copied := p.thief()
	books := p.enter("books")
	a := p.locks(idp.LockDevice, "1h")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, "/login/locked?receipt=") {
		t.Fatalf("%d to %q %s", a.status, a.location, a.body)
	}
	if page := p.get(a.location); !strings.Contains(page.body, "It opens by itself on") || !strings.Contains(page.body, "/signout/") {
		t.Error("the page:", page.body)
	}
	if page := m.person().get(a.location); strings.Contains(page.body, "opens by itself on") {
		t.Error("another browser is told what opens it")
	}
	m.shut("locked", p, books, "Then it opens by itself.")
	m.letter(aliceMail, "Your account is locked")
	lock := m.lockOf("alice")
	if d := time.Duration(lock.OpensAt-lock.At) * time.Millisecond; d != time.Hour {
		t.Error("locked for", d)
	}
	// Whoever has the device may have the mail: no letter opens it before.
	m.person().forgot("alice")
	if l := m.letter(aliceMail, "Your account is locked"); l.Link() != "" || !strings.Contains(l.Text, "Nothing opens it before.") {
		t.Error("the letter:", l.Text)
	}
	m.passes("alice")
	if q := m.person(); q.signIn("/login", "alice", alicePW).status != http.StatusSeeOther || q.user() != "alice" {
		t.Error("it does not open")
	}
	if copied.user() != "" || m.alive(books.Access) || m.refreshes("books", books) || m.row("alice").State != idp.AccountActive {
		t.Error("something came back")
	}
}

// The shortest lock outlives the longest-lived token, whatever is asked for.
func TestLock_LongEnough(t *testing.T) {
	n := start(t)
	n.alice().locks(idp.LockDevice, "1s")
	lock := n.lockOf("alice")
	if d := time.Duration(lock.OpensAt-lock.At) * time.Millisecond; d < n.config.Policy.AccessLife+idp.LockMargin || d > n.config.Policy.AccessLife+2*idp.LockMargin {
		t.Error("locked for", d)
	}
	for _, bad := range []string{"-1h", "forever", "1"} {
		p := n.person()
		if p.signIn("/login", "bob", bobPW); p.locks(idp.LockDevice, bad).status != http.StatusBadRequest || p.user() != "bob" {
			t.Errorf("%q is a time", bad)
		}
		if p.locks("operator", "").status != http.StatusBadRequest || p.user() != "bob" {
			t.Error("a person makes an operator's lock")
		}
	}
}

// A lock that opens by itself is open at its time also where nobody signs in.
func TestLock_Sweep(t *testing.T) {
	n := start(t)
	n.alice().locks(idp.LockDevice, "1h")
	n.passes("alice")
	n.restart() // it sweeps when it starts
	until(t, "the lock is taken off", func() bool { return n.row("alice").State == idp.AccountActive })
}

// Whose password somebody has locks until recovery: the right password opens nothing, a new one by letter does, and revives nothing.
func TestLock_PasswordKnown(t *testing.T) {
	m := startMailed(t)
	p := m.alice()
	copied := p.thief()
	books := p.enter("books")
	early := m.resetLink()
	if a := p.locks(idp.LockPassword, ""); !strings.Contains(p.get(a.location).body, "It opens when you set a new password.") {
		t.Error("the page says something else")
	}
	m.letter(aliceMail, "Your account is locked")
	m.shut("locked", p, books, "Forgot your password?")
	if a := m.tries(early); a.status != http.StatusGone {
		t.Errorf("a link from before the lock: %d", a.status)
	}
	link, second := m.resetLink(), m.resetLink()
	if a := m.person().sets(link, newPW); a.status != http.StatusSeeOther {
		t.Fatalf("a new password: %d %s", a.status, a.body)
	}
	if a := m.tries(second); a.status != http.StatusGone {
		t.Errorf("the other link: %d", a.status)
	}
	if q := m.person(); q.signIn("/login", "alice", newPW).status != http.StatusSeeOther || q.user() != "alice" {
		t.Error("it does not open")
	}
	if copied.user() != "" || m.alive(books.Access) || m.refreshes("books", books) {
		t.Error("something came back")
	}
	// A link that was sent under one lock opens no later one.
	later := m.person()
	later.signIn("/login", "alice", newPW)
	later.locks(idp.LockPassword, "")
	m.forgetLimits()
	third := m.person()
	third.forgot("alice")
	stale := m.path(m.next("Set a new password"))
	if err := m.server.Door().Unlock(t.Context(), m.row("alice").ID); err != nil {
		t.Fatal(err)
	}
	later.signIn("/login", "alice", newPW)
	later.locks(idp.LockPassword, "")
	if a := m.tries(stale); a.status != http.StatusGone || m.row("alice").State != idp.AccountLocked {
		t.Errorf("a link of the lock before: %d", a.status)
	}
}

// Locking a locked account makes it no easier to open.
func TestLock_OnlyStronger(t *testing.T) {
	m := startMailed(t)
	p := m.person()
	p.signIn("/login", "alice", alicePW)
	p.post("/account/password", with(fields(p.get("/account").body), "old", alicePW, "new", newPW))
	link := m.path(m.letter(aliceMail, "Your password was changed"))
	p.locks(idp.LockDevice, "72h")
	opens := m.lockOf("alice").OpensAt
	m.letter(aliceMail, "Your account is locked")
	if a := m.person().presses(link); a.location != "/login/locked" {
		t.Fatalf("the letter's link: %d %s", a.status, a.body)
	}
	if l := m.lockOf("alice"); l.Kind != idp.LockPassword || l.OpensAt != opens {
		t.Errorf("%+v", l)
	}
	m.person().forgot("alice") // the thief of the device, who reads the mail on it
	if l := m.letter(aliceMail, "Your account is locked"); l.Link() != "" {
		t.Error("a letter opens it before its time:", l.Text)
	}
	m.passes("alice")
	if m.person().signIn("/login", "alice", newPW).status != http.StatusForbidden {
		t.Error("it opened by itself")
	}
	m.forgetLimits()
	reset := m.resetLink()
	m.lock("operator")
	m.lock("lost-device", "--for", "1h")
	m.lock("password-known")
	if l := m.lockOf("alice"); l.Kind != idp.LockOperator {
		t.Errorf("%+v", l)
	}
	if a := m.tries(reset); a.status != http.StatusGone {
		t.Errorf("a letter opens an operator's lock: %d", a.status)
	}
	m.person().forgot("alice")
	if l := m.next("Your account is locked"); l.Link() != "" || !strings.Contains(l.Text, "only the people who run this site") {
		t.Error(l.Text)
	}
}

// lock locks as an operator does.
func (m *mailed) lock(kind string, args ...string) {
	m.t.Helper()
	s := &scene{node: m.node, t: m.t, program: build(m.t)}
	s.command(append([]string{"account", "lock", "alice", "--kind", kind}, args...)...)
}

// A sign-in from a browser that the account was never used in is written to its person; the letter's link locks, by its button and once.
func TestNewDevice(t *testing.T) {
	m := startMailed(t)
	first := m.alice() // the first ever
	first.post("/account/signout", fields(first.get("/account").body))
	first.signIn("/login", "alice", alicePW) // the same browser
	thief := m.person()
	thief.get("/csrf_token/")
	body := url.Values{"username": {"alice"}, "password": {alicePW}, "csrfmiddlewaretoken": {thief.cookie("csrftoken")}}
	thief.do("POST", "/accounts/login/", body.Encode(), map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "same-origin", "User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/1 <script>alert(1)</script>"})
	if thief.user() != "alice" {
		t.Fatal("not signed in")
	}
	l := m.letter(aliceMail, "A new device has signed in to your account")
	if !strings.Contains(l.Text, "Firefox on Linux, from 127.0.0.1, at 20") || strings.Contains(l.Text+l.HTML, "alert") {
		t.Error(l.Text)
	}
	link := m.path(l)
	thief.post("/account/sessions/others/end", fields(thief.get("/account").body))                                           // he throws her out
	thief.post("/account/password", with(fields(thief.get("/account").body), "old", alicePW, "new", "the thief's very own")) // and changes the password
	if !m.good(link) || thief.user() != "alice" {
		t.Fatal("the link does not outlive what the thief does")
	}
	her := m.person()
	if a := her.presses(link); a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, "/login/locked?receipt=") {
		t.Fatalf("the button: %d %s", a.status, a.body)
	}
	if thief.user() != "" || m.row("alice").State != idp.AccountLocked || m.lockOf("alice").Kind != idp.LockPassword {
		t.Error("not locked")
	}
	if a := m.tries(link); a.status != http.StatusGone {
		t.Errorf("the link, once more: %d", a.status)
	}
	changed := m.path(m.next("Your password was changed"))
	m.person().forgot("alice")
	reset := m.path(m.next("Set a new password"))
	if m.person().sets(reset, newPW).status != http.StatusSeeOther {
		t.Fatal("no new password")
	}
	if a := m.tries(changed); a.status != http.StatusGone || m.row("alice").State != idp.AccountActive {
		t.Errorf("a letter from before the recovery locks: %d", a.status)
	}
}

// Nobody is written to where there is nobody to write to, and sign-in works without a mail server.
func TestNewDevice_NoMail(t *testing.T) {
	n := start(t)
	n.hasMail("alice", aliceMail)
	n.alice()
	n.alice()
	if page := n.person().get("/login/forgot"); !strings.Contains(page.body, "This site sends no mail.") || strings.Contains(page.body, "<form") {
		t.Error(page.body)
	}
	p := n.alice()
	if a := p.post("/login/forgot", with(fields(p.get("/account/lock").body), "who", "alice")); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	if page := p.get("/account/lock"); !strings.Contains(page.body, "No letter can be sent to you here") {
		t.Error(page.body)
	}
	if a := p.post("/account/mail", with(fields(p.get("/account/lock").body), "email", "a@example.com")); a.status != http.StatusBadRequest || !strings.Contains(a.body, "sends no mail") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// A refresh token that is used twice locks the account where the operator wants it so, for a while; else it does not.
func TestLock_OnTheft(t *testing.T) {
	for _, on := range []bool{false, true} {
		m := startMailed(t, func(c *config.Config) { c.Lock = config.Lock{OnTheft: on, For: 2 * time.Hour} })
		p := m.alice()
		books := p.enter("books")
		news := p.enter("news")
		refresh := func(token string) tokens {
			next, _ := m.token("books", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
			return next
		}
		refresh(refresh(refresh(books.Refresh).Refresh).Refresh)
		refresh(books.Refresh) // older than what a lost answer explains
		if m.alive(books.Access) {
			t.Error("the family lives")
		}
		if !on {
			if p.user() != "alice" || !m.refreshes("news", news) {
				t.Error("more has ended than the family")
			}
			continue
		}
		m.shut("theft", p, news, "Then it opens by itself.")
		if l := m.lockOf("alice"); l.Kind != idp.LockDevice || l.OpensAt != l.At.Add(2*time.Hour) {
			t.Errorf("%+v", l)
		}
		m.letter(aliceMail, "Your account is locked")
	}
}

// Failed sign-ins lock nobody.
func TestLock_NotByFailures(t *testing.T) {
	n := start(t)
	p := n.alice()
	for range 40 {
		n.person().signIn("/login", "alice", "a wrong password")
	}
	if p.user() != "alice" || n.row("alice").State != idp.AccountActive {
		t.Error("locked")
	}
}

// Who has no more than a session locks at once, but not for long, and not so that only an operator opens: a thief of it would shut the person out.
func TestLock_LongNeedsProof(t *testing.T) {
	m := startMailed(t)
	asks := func(user, password string, kind idp.LockKind, length string, want bool) {
		t.Helper()
		p := m.person()
		p.signIn("/login", user, password)
		p.stale()
		a := p.locks(kind, length)
		if asked := a.location == "/login?again=%2Faccount%2Flock"; asked != want || asked != (p.user() == user) {
			t.Errorf("%s for %q: %d to %q, signed in as %q", kind, length, a.status, a.location, p.user())
		}
		if p.user() == user {
			p.signIn("/login?again=/account/lock", user, password)
			if a = p.locks(kind, length); !strings.HasPrefix(a.location, "/login/locked") {
				t.Errorf("%s for %q, with a proof: %d to %q", kind, length, a.status, a.location)
			}
		}
		if err := m.server.Door().Unlock(t.Context(), m.row(user).ID); err != nil {
			t.Fatal(err)
		}
	}
	asks("alice", alicePW, idp.LockDevice, "12h", false)
	asks("alice", alicePW, idp.LockDevice, "72h", true)
	asks("alice", alicePW, idp.LockPassword, "", false)
	asks("bob", bobPW, idp.LockPassword, "", true) // no letter reaches him
}
