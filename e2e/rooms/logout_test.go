package rooms_test

import (
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

func logout(pairs ...string) string {
	return "/logout?" + with(nil, pairs...).Encode()
}

const booksPage = "https://books.test/shelf"

// The decision table of /logout, row by row: what each request does to the session, what it does to the app, and where it leads.
func TestLogoutTable(t *testing.T) {
	n := start(t)
	bob := n.person()
	bob.signIn("/login", "bob", bobPW)
	bobs := bob.enter("books")
	other := n.alice().enter("books")
	forged := bobs.ID[:len(bobs.ID)-8] + "AAAAAAAA"
	const asks, acts, app, wrong = "asks", "ends the session", "ends the app", "error"
	for _, c := range []struct {
		name string
		url  func(own tokens) string
		page string // of the Referer, with the rest of the origin proof; "" for none
		want string
		to   string
	}{
		{"both kinds", func(o tokens) string {
			return logout("client_id", "books", "logout_uri", booksLeft, "id_token_hint", o.ID)
		}, booksPage, wrong, ""},
		{"both URIs", func(tokens) string {
			return logout("client_id", "books", "logout_uri", booksLeft, "post_logout_redirect_uri", booksHome)
		}, booksPage, wrong, ""},
		{"parameter twice", func(o tokens) string { return logout("id_token_hint", o.ID) + "&state=a&state=b" }, "", wrong, ""},
		{"forged hint", func(tokens) string { return logout("id_token_hint", forged) }, "", wrong, ""},
		{"access token as hint", func(o tokens) string { return logout("id_token_hint", o.Access) }, "", wrong, ""},
		{"hint and another client_id", func(o tokens) string { return logout("id_token_hint", o.ID, "client_id", "news") }, "", wrong, ""},
		{"hint, URI of another client", func(o tokens) string {
			return logout("id_token_hint", o.ID, "post_logout_redirect_uri", "https://news.test/")
		}, "", wrong, ""},
		{"hint, URI but for a slash", func(o tokens) string { return logout("id_token_hint", o.ID, "post_logout_redirect_uri", booksHome+"/") }, "", wrong, ""},
		{"unregistered logout_uri", func(tokens) string { return logout("client_id", "books", "logout_uri", "https://evil.test/") }, booksPage, wrong, ""},
		{"logout_uri without client", func(tokens) string { return logout("logout_uri", booksLeft) }, booksPage, wrong, ""},
		{"unknown client", func(tokens) string { return logout("client_id", "nobody", "post_logout_redirect_uri", booksHome) }, "", wrong, ""},
		{"own hint and URI", func(o tokens) string {
			return logout("id_token_hint", o.ID, "post_logout_redirect_uri", booksHome, "state", "a b&c")
		}, "", acts, booksHome + "&state=a+b%26c"},
		{"own hint alone", func(o tokens) string { return logout("id_token_hint", o.ID) }, "", acts, "/signout/"},
		{"hint of another person", func(tokens) string { return logout("id_token_hint", bobs.ID, "post_logout_redirect_uri", booksHome) }, "", asks, ""},
		{"hint of another session", func(tokens) string { return logout("id_token_hint", other.ID, "post_logout_redirect_uri", booksHome) }, "", asks, ""},
		{"client and URI", func(tokens) string { return logout("client_id", "books", "post_logout_redirect_uri", booksHome) }, booksPage, asks, ""},
		{"URI alone", func(tokens) string { return logout("post_logout_redirect_uri", booksHome) }, booksPage, asks, ""},
		{"app, with proof", func(tokens) string { return logout("client_id", "books", "logout_uri", booksLeft) }, booksPage, app, booksLeft},
		{"app, without proof", func(tokens) string { return logout("client_id", "books", "logout_uri", booksLeft) }, "", asks, ""},
		{"app, from elsewhere", func(tokens) string { return logout("client_id", "books", "logout_uri", booksLeft) }, "https://evil.test/", asks, ""},
		{"nothing", func(tokens) string { return "/logout" }, "", asks, ""},
		{"client alone", func(tokens) string { return logout("client_id", "books", "state", "x") }, booksPage, asks, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := n.session(t)
			own := p.enter("books")
			var a answer
			if c.page != "" {
				a = p.from(c.page, c.url(own))
			} else {
				a = p.get(c.url(own))
			}
			switch c.want {
			case wrong:
				if a.status != 400 || a.location != "" {
					t.Errorf("%d to %q", a.status, a.location)
				}
			case asks:
				if a.status != 200 || !strings.Contains(a.body, "<strong>alice</strong>") || a.location != "" {
					t.Errorf("does not ask: %d to %q", a.status, a.location)
				}
			default:
				if a.status != 303 || a.location != c.to && !(c.to == "/signout/" && strings.HasPrefix(a.location, c.to)) {
					t.Errorf("%d to %q, not %q", a.status, a.location, c.to)
				}
			}
			if in := p.user() == "alice"; in != (c.want != acts) {
				t.Errorf("the session lives: %t", in)
			}
			if lives := n.alive(own.Access); lives != (c.want != acts && c.want != app) {
				t.Errorf("the app's token lives: %t", lives)
			}
		})
	}
	if bob.user() != "bob" || !n.alive(bobs.Access) || !n.alive(other.Access) {
		t.Error("somebody else was touched")
	}
}

// session is alice in a new browser, made without a password check so that a table need not wait for the rate limit.
func (n *node) session(t *testing.T) *person {
	t.Helper()
	p := n.person()
	secret, name := idp.NewSecret(32), ledger.NewName()
	err := n.server.Store.Update(t.Context(), func(tx idp.Tx) error {
		a, err := tx.AccountByUsername("alice")
		if err != nil {
			return err
		}
		e, err := tx.Epochs(a.ID, "")
		if err != nil {
			return err
		}
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		return tx.InsertSession(idp.Session{Name: name, Ref: ledger.NewName().String(), Account: a.ID, Realm: e.Realm, Epoch: e.Account, Cookie: idp.HashOf(secret),
			CreatedAt: now, AuthTime: now, LastSeen: now, ExpiresAt: now + 3_600_000})
	})
	if err != nil {
		t.Fatal(err)
	}
	p.put("exeunt", secret)
	return p
}

// Nobody is signed in: nothing happens, and only a registered address is led to.
func TestLogoutNobody(t *testing.T) {
	n := start(t)
	p := n.alice()
	own := p.enter("books")
	for url, to := range map[string]string{
		logout("id_token_hint", own.ID, "post_logout_redirect_uri", booksHome):  booksHome,
		logout("client_id", "books", "post_logout_redirect_uri", booksHome):     booksHome,
		logout("client_id", "books", "logout_uri", booksLeft):                   booksLeft,
		logout("client_id", "books", "logout_uri", "https://evil.test/"):        "",
		logout("post_logout_redirect_uri", booksHome):                           "",
		logout("client_id", "news", "post_logout_redirect_uri", booksHome):      "",
		logout("id_token_hint", "x.y.z", "post_logout_redirect_uri", booksHome): "",
		"/logout": "",
	} {
		if a := n.person().get(url); a.location != to {
			t.Errorf("%s leads to %q", url, a.location)
		}
	}
	if p.user() != "alice" {
		t.Error("a browser without the cookie ended the session")
	}
}

// A POST from another site comes without the Lax cookie: it is decided at a GET. It never ends more than the GET would.
func TestLogoutCrossSitePost(t *testing.T) {
	n := start(t)
	p := n.alice()
	own := p.enter("books")
	cross := map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "cross-site", "Origin": "https://books.test"}
	send := func(v url.Values) answer {
		a := n.person().do("POST", "/logout", v.Encode(), cross)
		if a.status != 303 || !strings.HasPrefix(a.location, "/logout?pending=") {
			t.Fatalf("%d to %q", a.status, a.location)
		}
		return p.from(booksPage, a.location)
	}
	if a := send(url.Values{"client_id": {"books"}, "logout_uri": {booksLeft}}); a.status != 200 || !n.alive(own.Access) {
		t.Errorf("a stored request has no origin proof: %d", a.status)
	}
	if a := send(url.Values{"id_token_hint": {own.ID}, "post_logout_redirect_uri": {booksHome}}); a.location != booksHome || p.user() != "" {
		t.Errorf("own hint by POST: %d to %q", a.status, a.location)
	}
}

// The question's form: CSRF, "this app only", one receipt for a button pressed twice, and another button is another act.
func TestLogoutConfirm(t *testing.T) {
	n := start(t)
	p := n.alice()
	own := p.enter("books")
	ask := p.get(logout("client_id", "books", "logout_uri", booksLeft))
	form := fields(ask.body)
	if a := p.post("/logout/confirm", with(form, "act", "all", "csrf", "a")); a.status != 403 || p.user() != "alice" {
		t.Errorf("made-up CSRF token: %d", a.status)
	}
	foreign := map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "cross-site"}
	if a := p.do("POST", "/logout/confirm", with(form, "act", "all").Encode(), foreign); a.status != 403 || p.user() != "alice" {
		t.Errorf("post from another site: %d", a.status)
	}
	if a := p.post("/logout/confirm", with(form, "act", "app")); a.location != booksLeft || n.alive(own.Access) || p.user() != "alice" {
		t.Errorf("this app only: %d to %q", a.status, a.location)
	}
	thief := p.thief()
	if a := p.post("/logout/confirm", with(form, "act", "all")); a.location != booksLeft || p.user() != "" {
		t.Errorf("everything here: %d to %q", a.status, a.location)
	}
	if thief.user() != "" {
		t.Error("the same page's nonce for another button ended nothing: a copy of the cookie works")
	}

	p = n.alice()
	twice := p.thief()
	form = fields(p.get("/logout").body)
	copyOf := p.thief()
	first := p.post("/logout/confirm", with(form, "act", "all"))
	second := copyOf.post("/logout/confirm", with(form, "act", "all"))
	if !strings.HasPrefix(first.location, "/signout/") || first.location != second.location {
		t.Errorf("pressed twice: %q and %q", first.location, second.location)
	}
	if twice.user() != "" || twice.get("/account").location != "/login" {
		t.Error("a kept copy of the cookie works")
	}
}

// A link that a browser fetches ahead, before anybody follows it, ends nothing.
func TestLogoutPrefetch(t *testing.T) {
	n := start(t)
	p := n.alice()
	own := p.enter("books")
	for _, to := range []string{logout("id_token_hint", own.ID), logout("client_id", "books", "logout_uri", booksLeft)} {
		a := p.do("GET", to, "", map[string]string{"Sec-Purpose": "prefetch", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Referer": booksPage})
		if a.status != 200 || p.user() != "alice" || !n.alive(own.Access) {
			t.Errorf("prefetch of %s: %d", to, a.status)
		}
	}
}

// After an app's sign-out that app must ask a human, the others need not; prompt=none does not slip in.
func TestAppSignOutMustAsk(t *testing.T) {
	n := start(t)
	p := n.alice()
	books, news := p.enter("books"), p.enter("news")
	if a := p.from(booksPage, logout("client_id", "books", "logout_uri", booksLeft)); a.location != booksLeft {
		t.Fatal(a.status, a.location)
	}
	if n.alive(books.Access) || n.refreshes("books", books) || !n.alive(news.Access) || !n.refreshes("news", news) {
		t.Error("not just Books is over")
	}
	if a := p.get(n.authorizeURL("books", "prompt", "none")); !strings.Contains(a.location, "error=login_required") {
		t.Errorf("prompt=none: %q", a.location)
	}
	a := p.get(n.authorizeURL("books"))
	page := p.get(a.location)
	if !strings.Contains(page.body, "Continue as alice") {
		t.Fatalf("no question: %d %q", page.status, page.location)
	}
	a = p.post("/login", with(fields(page.body), "act", "continue"))
	if again := p.redeem("books", p.follow(a)); part(t, again.ID, 1)["sid"] == part(t, books.ID, 1)["sid"] {
		t.Error("the new sign-in has the old sid")
	}
	if a := p.get(n.authorizeURL("books", "prompt", "none")); !strings.Contains(a.location, "code=") {
		t.Errorf("after the human act: %q", a.location)
	}
}

// Hints signed by a killed key and apps that were turned off are no reason for anything.
func TestLogoutKilledKeyAndDisabledApp(t *testing.T) {
	n := start(t)
	p := n.alice()
	own := p.enter("books")
	cause := idp.Cause{Kind: idp.CauseClientEnded, Actor: idp.ActorOperator("test")}
	if _, err := n.server.Door().End(t.Context(), idp.EndClient("books", true), cause); err != nil {
		t.Fatal(err)
	}
	err := n.server.Store.Update(t.Context(), func(tx idp.Tx) error {
		c, err := tx.Client("books")
		if err != nil {
			return err
		}
		c.Disabled = true
		return tx.UpdateClient(c)
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := p.get(logout("id_token_hint", own.ID, "post_logout_redirect_uri", booksHome)); a.status != 400 || p.user() != "alice" {
		t.Errorf("disabled app: %d to %q", a.status, a.location)
	}
	news := p.enter("news")
	kid, err := ledger.ParseName(part(t, news.ID, 0)["kid"].(string))
	if err != nil {
		t.Fatal(err)
	}
	n.kill(kid)
	if a := p.get(logout("id_token_hint", news.ID)); a.status != 400 || p.user() != "alice" {
		t.Errorf("killed key: %d", a.status)
	}
}

// Anybody can post to /logout, and nobody may fill the disk by it: what waits is short, and from one neighbourhood there is not much of it.
// The way out stays open: whoever is limited is asked, and does not get back to the app.
func TestLogout_WaitsAreLimited(t *testing.T) {
	n := start(t)
	p := n.alice()
	post := func(v url.Values) answer {
		return n.person().do("POST", "/logout", v.Encode(), map[string]string{"Content-Type": formType})
	}
	for _, name := range []string{"state", "id_token_hint", "client_id", "post_logout_redirect_uri", "logout_uri"} {
		long := url.Values{name: {strings.Repeat("x", 9000)}}
		if a := post(long); a.status != 400 || a.location != "" {
			t.Errorf("%s is long, posted: %d to %q", name, a.status, a.location)
		}
		if a := p.get("/logout?" + long.Encode()); a.status != 400 {
			t.Errorf("%s is long: %d", name, a.status)
		}
	}
	if a := post(nil); a.location != "/logout" {
		t.Errorf("a request that says nothing has nothing to wait for: %q", a.location)
	}
	app := url.Values{"client_id": {"books"}, "logout_uri": {booksLeft}}
	limited := func() (form url.Values, page string) {
		for kept := 0; post(app).location != "/logout"; kept++ {
			if kept > 10_000 {
				t.Fatal("rows without end")
			}
		}
		ask := p.get(logout("client_id", "books", "logout_uri", booksLeft))
		if ask.status != 200 {
			t.Fatalf("asked while limited: %d %s", ask.status, ask.body)
		}
		return fields(ask.body), ask.body
	}
	form, page := limited()
	for tries := 0; form.Get("pending") != "" && tries < 20; tries++ { // a turn has come back in between, on a slow machine
		form, page = limited()
	}
	if form.Get("pending") != "" || strings.Contains(page, `value="app"`) {
		t.Fatal("asked while limited:", page)
	}
	if a := p.post("/logout/confirm", with(form, "act", "all")); !strings.HasPrefix(a.location, "/signout/") || p.user() != "" {
		t.Errorf("the way out, while limited: %d to %q", a.status, a.location)
	}
}
