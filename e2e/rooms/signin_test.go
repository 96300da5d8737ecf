package rooms_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

// R1.1 to R1.3: the accounts API, with the names of another system's cookies.
func TestR1_AccountsAPI(t *testing.T) {
	n := start(t, func(c *config.Config) {
		c.Cookies = config.Cookies{Session: "scratchsessionsid", CSRF: "scratchcsrftoken", Header: "X-Csrftoken"}
	})
	p := n.person()
	json := map[string]string{"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
	if a := p.do("POST", "/accounts/login/", `{"username":"alice","password":"`+alicePW+`"}`, json); a.status != 403 || p.user() != "" {
		t.Fatalf("sign-in without a CSRF token: %d", a.status)
	}
	p.get("/csrf_token/")
	token := p.cookie("scratchcsrftoken")
	json["X-CSRFToken"], json["X-Requested-With"] = token, "XMLHttpRequest"
	if a := p.do("POST", "/accounts/login/", `{"username":"alice","password":"wrong password"}`, json); a.status != 403 || !strings.Contains(a.body, `"success":0`) {
		t.Errorf("wrong password: %d %s", a.status, a.body)
	}
	if a := p.do("POST", "/accounts/login/", `{"username":"alice","password":"`+alicePW+`"}`, json); a.status != 200 || !strings.Contains(a.body, `"success":1`) || p.user() != "alice" {
		t.Fatalf("sign-in: %d %s", a.status, a.body)
	}
	books := p.enter("books")
	thief := p.thief()
	stranger := n.person()
	stranger.get("/csrf_token/")
	form := func(token string) string { return url.Values{"csrfmiddlewaretoken": {token}}.Encode() }
	same := map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "same-origin"}
	for name, c := range map[string]struct {
		method, body string
		header       map[string]string
		status       int
	}{
		"made up":         {"POST", form("a"), same, 403},
		"empty":           {"POST", form(""), same, 403},
		"no body":         {"POST", "", nil, 403},
		"another browser": {"POST", form(stranger.cookie("scratchcsrftoken")), same, 403},
		"cross-site":      {"POST", form(token), map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "cross-site"}, 403},
		"same-site":       {"POST", form(token), map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "same-site"}, 403},
		"foreign origin":  {"POST", form(token), map[string]string{"Content-Type": formType, "Origin": "https://evil.test"}, 403},
		"GET":             {"GET", "", nil, 405},
	} {
		if a := p.do(c.method, "/accounts/logout/", c.body, c.header); a.status != c.status || p.user() != "alice" {
			t.Errorf("%s: %d, and %q is signed in", name, a.status, p.user())
		}
	}
	if a := p.do("POST", "/accounts/logout/", form(token), same); a.status != 303 || a.location != "/" {
		t.Errorf("sign-out: %d to %q", a.status, a.location)
	}
	if p.user() != "" || thief.user() != "" || thief.get("/account").location != "/login" || thief.get("/account/sessions").status != 401 {
		t.Error("the session lives on")
	}
	if a := thief.get(n.authorizeURL("books", "prompt", "none")); !strings.Contains(a.location, "error=login_required") {
		t.Errorf("a kept cookie at authorize: %q", a.location)
	}
	if n.alive(books.Access) || n.refreshes("books", books) {
		t.Error("the app's tokens live on")
	}
}

// The same answer for a stranger's name and a wrong password; a locked account is told only after the right one.
func TestSignInAnswers(t *testing.T) {
	n := start(t)
	p := n.person()
	wrong, unknown := p.signIn("/login", "alice", "not her password"), p.signIn("/login", "nobody", "not her password")
	strip := func(s string) string { return strings.NewReplacer("alice", "", "nobody", "").Replace(s) }
	if wrong.status != 403 || wrong.status != unknown.status || strip(wrong.body) != strip(unknown.body) {
		t.Errorf("a stranger's name is told apart: %d, %d", wrong.status, unknown.status)
	}
	var bob idp.Account
	err := n.server.Store.View(t.Context(), func(v idp.View) (err error) {
		bob, err = v.AccountByUsername("bob")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.server.Door().End(t.Context(), idp.EndAccount(bob.ID, idp.AccountLocked), idp.Cause{Kind: idp.CauseLock, Actor: idp.ActorOperator("test")}); err != nil {
		t.Fatal(err)
	}
	if a := p.signIn("/login", "bob", "not his password"); strings.Contains(a.body, "locked") {
		t.Error("whoever has no password learns that the account is locked")
	}
	if a := p.signIn("/login", "bob", bobPW); !strings.Contains(a.body, "locked") || p.user() != "" {
		t.Error("the owner of a locked account is not told so")
	}
}

// Guessing is slowed, and says for how long. The account of somebody else is not touched by that.
func TestSignInLimit(t *testing.T) {
	n := start(t)
	p := n.person()
	form := fields(p.get("/login").body)
	for range 28 { // on a slow machine some attempts come back meanwhile
		a := p.post("/login", with(form, "username", "alice", "password", "a guess or two", "act", "signin"))
		if a.status == 429 {
			if a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if b := p.signIn("/login", "bob", bobPW); b.status != 303 {
				t.Errorf("bob must wait for alice's attacker: %d", b.status)
			}
			return
		}
	}
	t.Error("guessing is not limited")
}

// Forms of another browser, or posted from another site, are refused with a way to try again.
func TestSignInForged(t *testing.T) {
	n := start(t)
	p, other := n.person(), n.person()
	form := with(fields(other.get("/login").body), "username", "alice", "password", alicePW, "act", "signin")
	p.get("/login")
	a := p.post("/login", form)
	if a.status != 403 || !strings.Contains(a.body, "Start again") || p.user() != "" {
		t.Errorf("another browser's form: %d", a.status)
	}
	form = with(fields(p.get("/login").body), "username", "alice", "password", alicePW, "act", "signin")
	if a := p.do("POST", "/login", form.Encode(), map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "cross-site"}); a.status != 403 || p.user() != "" {
		t.Errorf("cross-site form: %d", a.status)
	}
}

// A request that waits belongs to its browser, and is over when it has expired or what it hangs on has ended.
func TestPendingIsBound(t *testing.T) {
	n := start(t)
	p, other := n.person(), n.person()
	at := p.get(n.authorizeURL("books")).location
	if a := other.get(at); a.status != 400 || !strings.Contains(a.body, "expired") {
		t.Errorf("another browser opens it: %d", a.status)
	}
	if a := p.signIn(at, "alice", alicePW); a.status != 303 {
		t.Fatal(a.status)
	}
	if a := p.follow(p.get(at)); !strings.HasPrefix(a.location, "https://books.test/cb?") {
		t.Errorf("after the sign-in: %d %q", a.status, a.location)
	}
	at = p.get(n.authorizeURL("books", "prompt", "login")).location
	if _, err := n.server.Door().End(t.Context(), idp.EndClient("books", false), idp.Cause{Kind: idp.CauseClientEnded, Actor: idp.ActorOperator("test")}); err != nil {
		t.Fatal(err)
	}
	if a := p.get(at); a.status != 400 {
		t.Errorf("its client has ended: %d", a.status)
	}
}

// Consent, "use another account" and cancel.
func TestConsentOtherCancel(t *testing.T) {
	n := start(t)
	p := n.person()
	at := p.get(n.authorizeURL("third")).location
	page := p.follow(p.signIn(at, "alice", alicePW))
	if !strings.Contains(page.body, "Allow Third?") {
		t.Fatalf("no consent page: %d", page.status)
	}
	page = p.follow(p.post("/login", with(fields(page.body), "act", "other")))
	if !strings.Contains(page.body, `name="password"`) {
		t.Fatal("“use another account” does not ask for one")
	}
	page = p.follow(p.post("/login", with(fields(page.body), "username", "bob", "password", bobPW, "act", "signin")))
	if !strings.Contains(page.body, "Allow Third?") || !strings.Contains(page.body, "<strong>bob</strong>") || p.user() != "bob" {
		t.Fatalf("bob is not asked: %d", page.status)
	}
	denied := p.follow(p.post("/login", with(fields(page.body), "act", "cancel")))
	if !strings.Contains(denied.location, "error=access_denied") {
		t.Errorf("cancel: %q", denied.location)
	}
	page = p.follow(p.get(n.authorizeURL("third")))
	own := p.redeem("third", p.follow(p.post("/login", with(fields(page.body), "act", "continue"))))
	if a := n.bearer("POST", "/v1/customers/me/logout", own.Access); a.status != 403 {
		t.Errorf("a token without the scope signs out: %d", a.status)
	}
	if p.user() != "bob" {
		t.Error("bob is signed out")
	}
}

// prompt=login is satisfied only by a sign-in after the request began, and somebody else signing in ends the first session.
func TestSomeoneElse(t *testing.T) {
	n := start(t)
	p := n.alice()
	books := p.enter("books")
	at := p.get(n.authorizeURL("news", "prompt", "login")).location
	page := p.get(at)
	if !strings.Contains(page.body, `name="password"`) {
		t.Fatalf("a sign-in a moment ago satisfies prompt=login: %d to %q", page.status, page.location)
	}
	p.signIn(at, "bob", bobPW)
	if p.user() != "bob" || n.alive(books.Access) {
		t.Errorf("%q is signed in; alice's token lives: %t", p.user(), n.alive(books.Access))
	}
}

// A person who takes longer than max_age over a question must prove again who they are, and is not sent round in circles.
func TestMaxAgeWhileAsked(t *testing.T) {
	n := start(t)
	p := n.alice()
	at := p.get(n.authorizeURL("news", "prompt", "select_account", "max_age", "3600")).location
	form := fields(p.get(at).body)
	n.age(p, at, 50*time.Minute, 2*time.Hour)
	a := p.follow(p.post("/login", with(form, "act", "continue")))
	if a.status != 200 || !strings.Contains(a.body, `name="password"`) {
		t.Fatalf("no password is asked for: %d to %q", a.status, a.location)
	}
	a = p.follow(p.post("/login", with(fields(a.body), "username", "alice", "password", alicePW, "act", "signin")))
	if !strings.HasPrefix(a.location, "https://news.test/cb?") || !strings.Contains(a.location, "code=") {
		t.Errorf("after the password: %d to %q", a.status, a.location)
	}
}

// age makes the sign-in of a browser's session, and the request that waits at an address, older.
func (n *node) age(p *person, at string, signIn, request time.Duration) {
	n.t.Helper()
	_, id, _ := strings.Cut(at, "pending=")
	err := n.server.Store.Update(n.t.Context(), func(tx idp.Tx) error {
		s, err := tx.SessionByCookie(idp.HashOf(p.cookie("exeunt")))
		if err != nil {
			return err
		}
		s.AuthTime -= idp.Time((signIn + request).Milliseconds())
		if err := tx.RenewSession(s); err != nil {
			return err
		}
		row, err := tx.TakePending(idp.HashOf(id))
		if err != nil {
			return err
		}
		row.CreatedAt -= idp.Time(request.Milliseconds())
		return tx.InsertPending(row)
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

// R3.4: the cookie outlives the browser's closing only where the person asked for that.
func TestStaySignedIn(t *testing.T) {
	n := start(t)
	for stay, want := range map[string]bool{"": false, "yes": true} {
		p := n.person()
		form := with(fields(p.get("/login").body), "username", "alice", "password", alicePW, "act", "signin")
		if stay != "" {
			form.Set("stay", stay)
		}
		persistent := false
		for _, c := range p.post("/login", form).header.Values("Set-Cookie") {
			if strings.HasPrefix(c, "exeunt=") {
				persistent = strings.Contains(c, "Max-Age=")
				if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") {
					t.Errorf("session cookie: %s", c[strings.Index(c, ";"):])
				}
			}
		}
		if persistent != want || p.user() != "alice" {
			t.Errorf("stay=%q: persistent %t", stay, persistent)
		}
	}
}

// An app says who it thinks is there: the name is in the field, to be changed, and nothing but a name.
func TestLoginHint(t *testing.T) {
	n := start(t)
	p := n.person()
	a := p.follow(p.get(n.authorizeURL("books", "login_hint", "bob")))
	if !strings.Contains(a.body, `name="username"`) || !strings.Contains(a.body, `value="bob"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := p.follow(p.get(n.authorizeURL("books", "login_hint", `"><script>alert(1)</script>`))); strings.Contains(a.body, "<script>alert") || !strings.Contains(a.body, `name="username"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	a = p.signIn(p.get(n.authorizeURL("books", "login_hint", "bob")).location, "alice", alicePW)
	if tok := p.redeem("books", p.follow(a)); p.user() != "alice" || !n.alive(tok.Access) {
		t.Errorf("who signs in is %q", p.user())
	}
}
