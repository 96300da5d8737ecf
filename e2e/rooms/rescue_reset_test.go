package rooms_test

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

const newPW = "sieben Zwerge am Zaun"

// A forgotten password is set anew by a link that works once, and only by its button; everything that there was is over.
func TestReset(t *testing.T) {
	m := startMailed(t)
	here := m.alice()
	books := here.enter("books")
	first, second := m.resetLink(), m.resetLink()
	for range 2 { // mail scanners open links, too
		if page := m.person().get(first); page.status != 200 || !strings.Contains(page.body, "alice") || page.header.Get("Referrer-Policy") != "no-referrer" || page.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("the link's page: %d %v", page.status, page.header)
		}
	}
	if a := m.person().do("HEAD", first, "", nil); a.status != 200 || !m.good(first) {
		t.Error("HEAD uses the link up")
	}
	p := m.person()
	for says, pairs := range map[string][]string{
		"differ": {"new", newPW, "again", newPW + "!"}, "at least 8": {"new", "short", "again", "short"}, "easy to guess": {"new", "alice2024!", "again", "alice2024!"},
	} {
		if a := p.presses(first, pairs...); a.status != 400 || !strings.Contains(a.body, says) {
			t.Errorf("%s: %d %s", says, a.status, a.body)
		}
	}
	if here.user() != "alice" {
		t.Error("signed out before the new password was set")
	}
	done := p.sets(first, newPW)
	if done.status != http.StatusSeeOther || !strings.HasPrefix(done.location, "/login/reset/done?receipt=") {
		t.Fatalf("%d to %q %s", done.status, done.location, done.body)
	}
	if here.user() != "" || m.alive(books.Access) || m.refreshes("books", books) || p.user() != "" {
		t.Error("something lives")
	}
	if page := p.get(done.location); !strings.Contains(page.body, "a Go program") || !strings.Contains(page.body, "/signout/") {
		t.Error("what was ended:", page.body)
	}
	if page := m.person().get(done.location); strings.Contains(page.body, "a Go program") {
		t.Error("another browser reads what was ended")
	}
	if q := m.person(); q.signIn("/login", "alice", alicePW).status != http.StatusForbidden || q.signIn("/login", "alice", newPW).status != http.StatusSeeOther || q.user() != "alice" {
		t.Error("the old password, or not the new one")
	}
	for name, link := range map[string]string{"used": first, "sent before": second} {
		if a := m.tries(link); a.status != http.StatusGone || m.good(link) {
			t.Errorf("a link that was %s: %d", name, a.status)
		}
	}
	m.letter(aliceMail, "Your password was changed")
	if m.row("alice").State != idp.AccountActive {
		t.Error("not active")
	}
}

// What anybody can ask tells nobody whether there is such an account, an address, or a lock: the answers are the same to the byte.
func TestForgot_TellsNothing(t *testing.T) {
	m := startMailed(t)
	m.change("bob", func(a *idp.Account) { a.Email = "bob@mail.example" }) // not confirmed
	if _, err := m.server.Door().End(t.Context(), idp.EndAccount(m.row("bob").ID, idp.AccountLocked), idp.Cause{Kind: idp.CauseLock, Actor: idp.ActorOperator("test")}); err != nil {
		t.Fatal(err)
	}
	p := m.person()
	p.get("/login/forgot")
	var first answer
	for i, who := range []string{"nobody", "alice", "ALICE", aliceMail, "bob", "bob@mail.example", "nobody@mail.example", "alice@mail.example\r\nBcc: x@example.com", strings.Repeat("x", 3000), ""} {
		a := p.forgot(who)
		page := p.follow(a)
		for _, k := range []string{"Date", "X-Request-Id"} {
			a.header.Del(k)
			page.header.Del(k)
		}
		if i == 0 {
			first = page
			first.location = a.location
		}
		if a.status != http.StatusSeeOther || a.location != first.location || page.body != first.body || !maps.EqualFunc(page.header, first.header, slices.Equal[[]string]) {
			t.Errorf("%q: %d to %s\n%v\n%v", who, a.status, a.location, page.header, first.header)
		}
	}
	for range 3 {
		m.letter(aliceMail, "Set a new password")
	}
	m.stop()
	m.stop = func() {}
	if n := len(m.office.Letters()); n != 3 {
		t.Errorf("%d letters", n)
	}
}

// One address of several accounts gets a link for each, and nobody gets more letters than the limit says.
func TestForgot_ByAddress(t *testing.T) {
	m := startMailed(t)
	m.hasMail("bob", "Alice@Mail.example")
	m.person().forgot("ALICE@mail.example")
	seen := map[string]bool{}
	for range 2 {
		l := m.office.Wait(t, m.read)
		m.read++
		seen[l.To] = true
	}
	if !seen[aliceMail] || !seen["Alice@Mail.example"] {
		t.Error("letters go to the addresses that accounts have:", seen)
	}
	for range 8 {
		m.person().forgot("alice")
	}
	m.restart() // whoever has asked is looked up before the server stops
	m.office.Wait(t, 4)
	m.restart()
	if n := len(m.office.Letters()); n != 5 {
		t.Errorf("%d letters in an hour", n)
	}
}

// A link leads to the issuer, whatever host the request for it named.
func TestForgot_Host(t *testing.T) {
	m := startMailed(t)
	p := m.person()
	form := with(fields(p.get("/login/forgot").body), "who", "alice")
	r, err := http.NewRequest("POST", m.at+"/login/forgot", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	for k, v := range map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "same-origin", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"} {
		r.Header.Set(k, v)
	}
	for _, c := range p.c.Jar.Cookies(&url.URL{Scheme: "http", Host: strings.TrimPrefix(m.at, "http://")}) {
		r.AddCookie(c)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	l := m.letter(aliceMail, "Set a new password")
	if m.path(l); strings.Contains(l.Text+l.HTML, "evil.example") {
		t.Error(l.Text)
	}
}

// Pages of other sites cause no letters, and use no links.
func TestRescue_NotFromElsewhere(t *testing.T) {
	m := startMailed(t)
	link := m.resetLink()
	at, _ := url.Parse(link)
	p := m.alice()
	for path, form := range map[string]url.Values{"/login/forgot": {"who": {"alice"}}, "/login/reset": {"token": {at.Query().Get("token")}, "new": {newPW}, "again": {newPW}},
		"/account/lock": {"kind": {"lost-device"}}, "/account/mail": {"email": {"thief@example.com"}}, "/login/lock": {"token": {"x"}}, "/account/review": {}} {
		good := with(form, "csrf", fields(p.get("/account").body).Get("csrf"))
		if a := p.do("POST", path, good.Encode(), map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}); a.status != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, a.status)
		}
		if a := p.post(path, form); a.status != http.StatusForbidden {
			t.Errorf("%s without its proof: %d", path, a.status)
		}
	}
	if p.user() != "alice" || !m.good(link) {
		t.Error("something has happened")
	}
}

// A link dies with whatever ends the account, and with any lock; one for a new password and one for a new address alike.
func TestLinks_DieWithEnds(t *testing.T) {
	m := startMailed(t)
	end := func(s idp.Selector, why idp.CauseKind) error {
		_, err := m.server.Door().End(t.Context(), s, idp.Cause{Kind: why, Actor: idp.ActorOperator("test")})
		return err
	}
	id := m.row("alice").ID
	for name, act := range map[string]func(p *person) error{
		"everywhere": func(*person) error { return end(idp.EndAccount(id, idp.AccountActive), idp.CauseEverywhere) },
		"realm":      func(*person) error { return end(idp.EndRealm(), idp.CauseRealmEnded) },
		"others": func(p *person) error {
			return posted(p.post("/account/sessions/others/end", fields(p.get("/account").body)))
		},
		"lock, opened": func(*person) error {
			return errors.Join(end(idp.EndAccount(id, idp.AccountLocked), idp.CauseLock), m.server.Door().Unlock(t.Context(), id))
		},
		"another address": func(*person) error { m.hasMail("alice", "other@mail.example"); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			m.hasMail("alice", aliceMail)
			m.forgetLimits()
			p := m.person()
			p.signIn("/login", "alice", alicePW)
			p.forgot("alice")
			reset := m.path(m.next("Set a new password"))
			p.post("/account/mail", with(fields(p.get("/account/mail").body), "email", "new@mail.example"))
			confirm := m.path(m.next("Confirm your mail address"))
			if !m.good(reset) || p.get(confirm).status != 200 {
				t.Fatal("the links are not good")
			}
			if err := act(p); err != nil {
				t.Fatal(err)
			}
			if a := m.tries(reset); a.status != http.StatusGone || m.good(reset) {
				t.Errorf("for a new password: %d", a.status)
			}
			if name != "another address" {
				if p.user() == "" {
					p.signIn("/login", "alice", alicePW)
				}
				if a := p.post("/account/mail/confirm", with(fields(p.get("/account/mail").body), "token", strings.TrimPrefix(confirm, "/account/mail/confirm?token="))); a.status != http.StatusGone {
					t.Errorf("for a new address: %d", a.status)
				}
			}
			if m.row("alice").Email == "new@mail.example" {
				t.Error("it has another address")
			}
		})
	}
}

func posted(a answer) error {
	if a.status != http.StatusSeeOther {
		return errors.New(a.body)
	}
	return nil
}
