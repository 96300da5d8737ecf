package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/oauth"
)

// A scope is a right at somebody's API: nobody takes one by registering, neither at first nor by a change.
func TestRegister_ScopesAreGivenNotTaken(t *testing.T) {
	n := start(t, func(o *oauth.OAuth) { o.Scopes = []string{"orders:read"} })
	body := object{"redirect_uris": []string{"https://new.test/cb"}, "scope": "openid account.signout orders:read orders:read orders:write offline_access"}
	made := n.call("POST", "/oauth2/register", initial, body).json(t)
	if made["scope"] != "openid orders:read offline_access" {
		t.Errorf("registered %q", made["scope"])
	}
	id, bearer := idp.ClientID(made["client_id"].(string)), made["registration_access_token"].(string)
	path := "/oauth2/register/" + string(id)
	body["client_id"] = id
	if got := n.call("PUT", path, bearer, body).json(t)["scope"]; got != "openid orders:read offline_access" {
		t.Errorf("changed to %q", got)
	}
	n.update(func(tx idp.Tx) error { // what an operator gave stays
		c, err := tx.Client(id)
		must(t, err)
		c.Scopes = append(c.Scopes, "orders:write")
		return tx.UpdateClient(c)
	})
	if got := n.call("PUT", path, bearer, body).json(t)["scope"]; got != "openid orders:read orders:write offline_access" {
		t.Errorf("after the operator's change %q", got)
	}
	machine := object{"grant_types": []string{"client_credentials"}, "scope": "orders:write"}
	if got := n.call("POST", "/oauth2/register", initial, machine).json(t)["scope"]; got != nil {
		t.Errorf("a machine registered %q", got)
	}
}

// Addresses that one reader takes for another's, and names that hide something from who is asked.
func TestRegister_OddAddressesAndNames(t *testing.T) {
	n := start(t)
	for _, uri := range []string{
		"https://new.test;sandbox/cb", "https://new.test,x/cb", "https://new.test'/cb", "https://new.test./cb", "https://.test/cb", "https://a..test/cb",
		"https://:443/cb", "https://new.test\\@evil.test/cb", "https://new.test/\\evil.test", "https://bücher.test/cb", "https://new%2etest/cb",
		"https://[fe80::1%25eth0]/cb", "https:new.test/cb", "https:///cb", "//new.test/cb", "JaVaScRiPt://new.test/%0aalert(1)", "https://new.test\u00a0/cb",
		"http://127.0.0.1.evil.test/cb", "http://localhost.evil.test/cb", "http://127.0.0.1@evil.test/cb",
	} {
		expect(t, uri, n.call("POST", "/oauth2/register", initial, object{"redirect_uris": []string{uri}}), 400, "invalid_redirect_uri")
	}
	for _, uri := range []string{"https://xn--bcher-kva.test:8443/cb?x=y%2f", "https://[2001:db8::1]/cb", "http://[::1]:7/cb"} {
		if a := n.call("POST", "/oauth2/register", initial, object{"redirect_uris": []string{uri}}); a.status != 201 {
			t.Errorf("%s: %d %s", uri, a.status, a.body)
		}
	}
	for _, name := range []string{"Books\u202e", "Bo\u200boks", "Books\n", "\u2066Books"} {
		body := object{"redirect_uris": []string{"https://new.test/cb"}, "client_name": name}
		expect(t, name, n.call("POST", "/oauth2/register", initial, body), 400, "invalid_client_metadata")
	}
}

// RFC 8252 section 8.1: a native app proves with PKCE that the code is its own, whether or not it has a secret.
func TestAuthorize_NativeNeedsPKCE(t *testing.T) {
	n := start(t)
	made := n.call("POST", "/oauth2/register", initial, object{"redirect_uris": []string{"com.example.app:/cb"}, "application_type": "native"}).json(t)
	a := n.signedIn("alice").authorize(made["client_id"].(string), "redirect_uri", "com.example.app:/cb", "code_challenge", "-", "code_challenge_method", "-")
	if a.query().Get("error") != "invalid_request" {
		t.Errorf("%d %s", a.status, a.header.Get("Location"))
	}
}

// The port of a loopback address is free for native apps only, and nothing else of the address is (RFC 8252 section 7.3).
func TestAuthorize_LoopbackPort(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	for uri, right := range map[string]bool{
		"http://127.0.0.1/cb": true, "http://127.0.0.1:49152/cb": true, "http://127.0.0.1:49152/cb/": false, "http://127.0.0.1:49152/cb?x": false,
		"http://127.0.0.1:49152/CB": false, "http://127.0.0.1:5@127.0.0.1:5/cb": false, "http://127.0.0.1:5@evil.test/cb": false, "https://127.0.0.1:5/cb": false,
		"http://127.0.0.2:5/cb": false, "http://[::1]:5/cb": false, "http://localhost:5/cb": false, "http://127.0.0.1:5/%63b": false, "http://127.0.0.1:5/x/../cb": false,
		"https://phone.test:444/cb": false,
	} {
		a := p.authorize("phone", "redirect_uri", uri)
		if right != (a.status == 303 && strings.HasPrefix(a.header.Get("Location"), uri+"?")) || !right && a.header.Get("Location") != "" {
			t.Errorf("%s: %d %s", uri, a.status, a.header.Get("Location"))
		}
	}
}

// another signs this browser in as somebody else, as another tab would.
func (p *person) another(name string) {
	p.t.Helper()
	u, err := url.Parse(p.at)
	must(p.t, err)
	p.c.Jar.SetCookies(u, p.signedIn(name).c.Jar.Cookies(u))
}

// form is what a page would send back, filled in.
func (a answer) form(pairs ...string) string {
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(a.body, -1) {
		v.Set(m[1], m[2])
	}
	return with(v, pairs...).Encode()
}

// What a page asks of one person, nobody else answers by pressing its button.
func TestConsent_IsTheOneThatWasShown(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	own := []string{"Content-Type", formType, "Sec-Fetch-Site", "same-origin", "Origin", p.at}
	wait := p.authorize("third", "scope", "openid profile").header.Get("Location")
	shown := p.get(wait)
	if !strings.Contains(shown.body, "<strong>alice</strong>") {
		t.Fatalf("%d %s", shown.status, shown.body)
	}
	tab := p.get(p.authorize("books", "prompt", "login").header.Get("Location"))
	p.do("POST", "/login", tab.form("username", "bob", "password", password), own...)
	p.do("POST", "/login", shown.form("act", "continue"), own...)
	must(t, n.store.View(t.Context(), func(v idp.View) error {
		if _, err := v.Consent(n.people["bob"], "third"); err == nil {
			t.Error("bob allowed what alice was asked")
		}
		return nil
	}))
	page := p.get(wait)
	if !strings.Contains(page.body, "<strong>bob</strong>") {
		t.Fatalf("bob is not asked: %d %s", page.status, page.header.Get("Location"))
	}
	p.do("POST", "/login", page.form("act", "continue"), own...)
	if a := p.get(strings.Replace(wait, "/login", "/oauth2/authorize", 1)); a.query().Get("code") == "" {
		t.Errorf("bob's own answer: %d", a.status)
	}
}

// Rows that wait for a human are limited for each neighbourhood; what is pushed by a client that proved itself is not
// limited by where it comes from.
func TestAuthorize_WaitsAreLimited(t *testing.T) {
	n := start(t, func(o *oauth.OAuth) { o.Waits = edge.NewLimiter(time.Hour, 2, 10) })
	p := n.person()
	for range 2 {
		if a := p.authorize("books"); a.status != 303 {
			t.Fatalf("%d", a.status)
		}
	}
	if a := p.authorize("books"); a.status != 429 || a.header.Get("Retry-After") == "" || a.header.Get("Location") != "" {
		t.Errorf("one too many: %d", a.status)
	}
	push := func(app idp.ClientID) answer { return n.as(app, "/oauth2/par", ask(string(app), "client_id", "-")) }
	expect(t, "pushed by who names a public client", push("spa"), 429, "slow_down")
	expect(t, "pushed by who proved it", push("books"), 201, "")
	if a := n.signedIn("alice").authorize("books"); a.query().Get("code") == "" {
		t.Errorf("nothing waits for who is signed in: %d", a.status)
	}
}

// Whoever was in the browser when prompt=consent was answered, the one who is there now is asked.
func TestAuthorize_PromptConsentAsksWhoIsHere(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	wait := p.authorize("books", "prompt", "consent").header.Get("Location")
	p.press(wait, "act", "continue")
	p.another("bob")
	back := p.get(strings.Replace(wait, "/login", "/oauth2/authorize", 1))
	if back.query().Get("code") != "" || !regexp.MustCompile(`^/login\?`).MatchString(back.header.Get("Location")) {
		t.Errorf("bob was not asked: %d %s", back.status, back.header.Get("Location"))
	}
}

// RFC 9068 section 2: the type in the header, and every claim that is required.
func TestToken_RFC9068(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	raw := p.enter("books").Access
	head, body := claims(t, "."+raw[:strings.IndexByte(raw, '.')]+"."), claims(t, raw)
	if head["typ"] != "at+jwt" || head["alg"] != "ES256" || head["kid"] == nil || body["iss"] != n.at {
		t.Errorf("%v %v", head, body)
	}
	for _, name := range []string{"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "ends_with", "sid"} {
		if body[name] == nil {
			t.Errorf("no %s", name)
		}
	}
	other := p.enter("books", "resource", otherAud).Access
	if claims(t, other)["aud"] != otherAud || claims(t, other)["jti"] == body["jti"] {
		t.Errorf("%v", claims(t, other))
	}
}

// Section 4.1.3.2 of RFC 6265bis: on https every cookie is __Host-, Secure, on / and of no domain, and goes as it came.
func TestCookies_OnHTTPS(t *testing.T) {
	n := start(t)
	tie := browser.New(n.store, n.door, policy(), "https://id.test", browser.Names{}, []byte(strings.Repeat("k", 32)))
	proof := browser.Proof{Account: n.people["alice"], Methods: []string{"pwd"}}
	must(t, n.store.View(t.Context(), func(v idp.View) (err error) {
		proof.Born, err = v.Epochs(proof.Account, "")
		return err
	}))
	in, out := httptest.NewRecorder(), httptest.NewRecorder()
	r := httptest.NewRequest("POST", "https://id.test/login", nil)
	_, err := tie.SignIn(in, r, proof)
	must(t, err)
	for _, c := range in.Result().Cookies() {
		r.AddCookie(c)
	}
	tie.Leave(out, r, "")
	gone := map[string]bool{}
	for _, c := range append(in.Result().Cookies(), out.Result().Cookies()...) {
		if c.Name == "csrftoken" {
			continue // requirements R1 fix its name; its value is an HMAC over a __Host- cookie
		}
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode && c.MaxAge >= 0 {
			t.Errorf("%s", c)
		}
		gone[c.Name] = gone[c.Name] || c.MaxAge < 0
	}
	if !gone[in.Result().Cookies()[0].Name] {
		t.Errorf("the session's cookie stays: %v", out.Result().Cookies())
	}
	if h := out.Header(); h.Get("Clear-Site-Data") != `"storage"` || h.Get("Set-Login") != "logged-out" || in.Header().Get("Set-Login") != "logged-in" {
		t.Errorf("%v", h)
	}
}

// RFC 9700 section 4.16 and ASVS 14.3.2: what is shown to a person is not framed and not kept.
func TestPages_NotFramedNotKept(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	for _, to := range []string{n.person().authorize("books").header.Get("Location"), p.authorize("third").header.Get("Location"), "/login", "/oauth2/authorize"} {
		h := n.person().get(to).header
		if to != "/login" && strings.HasPrefix(to, "/login") {
			h = p.get(to).header
		}
		if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") != "no-store" ||
			h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", to, h)
		}
	}
}

// RP-Initiated Logout 1.0 section 2: an expired ID token is a hint as good as a fresh one; another person's asks who is here.
func TestHint_ExpiredIsFine(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	own, bobs := p.enter("books").ID, n.signedIn("bob").enter("books").ID
	n.pass(10 * time.Minute)
	if h, err := n.room.Tokens.ReadHint(own); err != nil || h.Subject != n.people["alice"] || h.Client != "books" || h.Sid.IsZero() {
		t.Errorf("%+v %v", h, err)
	}
	if a := p.authorize("books", "id_token_hint", own, "prompt", "none"); a.query().Get("code") == "" {
		t.Errorf("own hint: %d %s", a.status, a.header.Get("Location"))
	}
	if a := p.authorize("books", "id_token_hint", bobs, "prompt", "none"); a.query().Get("error") != "login_required" {
		t.Errorf("bob's hint: %d %s", a.status, a.header.Get("Location"))
	}
}

// What a stranger may write into a row that waits is bounded.
func TestAuthorize_TooLong(t *testing.T) {
	n := start(t)
	for _, name := range []string{"state", "nonce", "login_hint", "ui_locales", "prompt"} {
		if a := n.person().authorize("books", name, strings.Repeat("login ", 500)); a.query().Get("error") != "invalid_request" {
			t.Errorf("%s: %d %.80s", name, a.status, a.header.Get("Location"))
		}
	}
}

// Whoever is signed in cannot open without end what stays for weeks, by however many browsers; others are not held up.
func TestAuthorize_CodesAreLimited(t *testing.T) {
	n := start(t, func(o *oauth.OAuth) { o.Codes = edge.NewLimiter(time.Hour, 2, 10) })
	p := n.signedIn("alice")
	p.code("books")
	p.code("books")
	for _, p := range []*person{p, n.signedIn("alice")} {
		if a := p.authorize("phone"); a.status != 429 || a.header.Get("Retry-After") == "" || a.header.Get("Location") != "" {
			t.Errorf("one too many: %d %s", a.status, a.header.Get("Location"))
		}
	}
	challenge := ask("phone", "username", "alice", "password", password)
	expect(t, "without a browser", n.as("phone", "/oauth2/challenge", challenge), 429, "slow_down")
	n.signedIn("bob").code("books")
}

// However many codes an app asks for, it has one offline grant from a session: the end of the app there must not be as long as a list
// that anybody can make longer. After the end there is another.
func TestOffline_OneFromASession(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	from := func() (all []idp.Grant) {
		t.Helper()
		must(t, n.store.View(t.Context(), func(v idp.View) (err error) { all, err = v.OfflineFrom(p.session, "phone"); return err }))
		return all
	}
	var got []tokens
	for range 3 {
		p.code("phone", "scope", "openid offline_access") // never redeemed
		got = append(got, p.enter("phone", "scope", "openid offline_access"))
	}
	if all := from(); len(all) != 1 {
		t.Errorf("%d offline grants", len(all))
	}
	n.end(idp.EndApp(p.session, "phone"), idp.CauseAppSignOut)
	for _, g := range got {
		expect(t, "refreshed after the end", n.refresh("phone", g.Refresh), 400, "invalid_grant")
	}
	again := n.signedIn("alice")
	p.session = again.session
	if fresh := again.enter("phone", "scope", "openid offline_access"); len(from()) != 1 || n.refresh("phone", fresh.Refresh).status != 200 {
		t.Error("nothing new after the end")
	}
}

// A network of IPv6 is one neighbour: else every address in it would take turns, and push those of others out of memory.
func TestRegister_LimitedByNeighbourhood(t *testing.T) {
	n := start(t, func(o *oauth.OAuth) { o.Limit = edge.NewLimiter(time.Hour, 1, 10) })
	mux := http.NewServeMux()
	n.room.Mount(mux)
	for i, want := range []int{401, 429} {
		r := httptest.NewRequest("POST", "/oauth2/register", nil)
		r.RemoteAddr = "[2001:db8::" + string('1'+rune(i)) + "]:443"
		w := httptest.NewRecorder()
		if mux.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: %d, want %d", r.RemoteAddr, w.Code, want)
		}
	}
}
