package oauth_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

func TestToken_CodeFlow(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	a := n.as("books", "/oauth2/token", redeeming("books", p.code("books", "scope", "openid profile nonsense offline_access")))
	got := a.tokens(t)
	if a.header.Get("Cache-Control") != "no-store" || got.Scope != "openid profile account.signout" || got.Refresh == "" || got.Expires > 300 || got.Expires < 298 {
		t.Errorf("%v %+v", a.header, got)
	}
	id, access := claims(t, got.ID), claims(t, got.Access)
	if id["aud"] != "books" || id["iss"] != n.at || id["nonce"] != "n-1" || id["sub"] != string(n.people["alice"]) || id["auth_time"] == nil || id["sid"] == nil {
		t.Errorf("ID token: %v", id)
	}
	if access["aud"] != apiAud || access["client_id"] != "books" || access["sub"] != id["sub"] || access["sid"] != id["sid"] || len(access["ends_with"].([]any)) != 7 {
		t.Errorf("access token: %v", access)
	}
	for _, secret := range []string{"email", "name", "preferred_username"} { // R4.8
		if access[secret] != nil || id[secret] != nil {
			t.Errorf("a token tells %s", secret)
		}
	}
	// The same app in the same session keeps its sid; another session has another.
	if claims(t, p.enter("books").ID)["sid"] != id["sid"] || claims(t, n.signedIn("alice").enter("books").ID)["sid"] == id["sid"] {
		t.Error("sid is not that of the app in the session")
	}
	if got := p.enter("books", "scope", "profile"); got.ID != "" {
		t.Error("an ID token without openid")
	}
	if aud := claims(t, p.enter("books", "resource", otherAud).Access)["aud"]; aud != otherAud {
		t.Errorf("aud %v", aud)
	}
	if aud := claims(t, p.enter("spa").Access)["aud"]; aud != n.at {
		t.Errorf("default aud %v", aud)
	}
}

// R: what fails before "already used" touches nothing.
func TestToken_OrderAtTheTokenEndpoint(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	code := p.code("books")
	post := func(app idp.ClientID, pairs ...string) answer {
		return n.as(app, "/oauth2/token", redeeming("books", code, pairs...))
	}
	wrong := map[string]func() answer{
		"another client":   func() answer { return post("third") },
		"a public client":  func() answer { return post("spa") },
		"redirect URI":     func() answer { return post("books", "redirect_uri", "https://books.test/other") },
		"no redirect URI":  func() answer { return post("books", "redirect_uri", "-") },
		"wrong verifier":   func() answer { return post("books", "code_verifier", strings.Repeat("x", 43)) },
		"no verifier":      func() answer { return post("books", "code_verifier", "-") },
		"the challenge":    func() answer { return post("books", "code_verifier", s256) },
		"short verifier":   func() answer { return post("books", "code_verifier", "x") },
		"no code":          func() answer { return post("books", "code", "-") },
		"another's secret": func() answer { n.secrets["news"] = "x"; return post("news") },
	}
	fail := func(when string) {
		for name, f := range wrong {
			if a := f(); a.status == 200 || (a.code() != "invalid_grant" && a.code() != "invalid_client") {
				t.Errorf("%s, %s: %d %s", name, when, a.status, a.body)
			}
		}
	}
	fail("before")
	expect(t, "resource", post("books", "resource", otherAud), 400, "invalid_target")
	got := post("books").tokens(t)
	fail("after")
	if a := n.userInfo(got.Access); a.status != 200 {
		t.Fatalf("ended by a request that proved nothing: %d %s", a.status, a.body)
	}
	expect(t, "used twice", post("books"), 400, "invalid_grant")
	expect(t, "its token", n.userInfo(got.Access), 401, "invalid_token")
	expect(t, "its refresh token", n.refresh("books", got.Refresh), 400, "invalid_grant")
	if p.authorize("books", "prompt", "none").query().Get("code") == "" {
		t.Error("the reuse of a code has ended more than its family")
	}
	// PKCE: none was promised, so none may come (downgrade, RFC 9700 section 4.8.2).
	bare := p.code("books", "code_challenge", "-", "code_challenge_method", "-")
	expect(t, "verifier out of nowhere", n.as("books", "/oauth2/token", redeeming("books", bare)), 400, "invalid_grant")
	n.as("books", "/oauth2/token", redeeming("books", bare, "code_verifier", "-")).tokens(t)
	late := p.code("books")
	n.pass(61 * time.Second)
	expect(t, "expired", n.as("books", "/oauth2/token", redeeming("books", late)), 400, "invalid_grant")
}

// Promise 6: whatever ends between code and token leaves a code that gives nothing.
func TestToken_EndsBetweenCodeAndToken(t *testing.T) {
	for name, end := range map[string]func(*person) idp.Selector{
		"session": func(p *person) idp.Selector { return idp.EndSession(p.session) },
		"app":     func(p *person) idp.Selector { return idp.EndApp(p.session, "spa") },
		"account": func(p *person) idp.Selector { return idp.EndAccount(p.people["alice"], idp.AccountActive) },
		"lock":    func(p *person) idp.Selector { return idp.EndAccount(p.people["alice"], idp.AccountLocked) },
		"consent": func(p *person) idp.Selector { return idp.EndConsent(p.people["alice"], "spa") },
		"client":  func(p *person) idp.Selector { return idp.EndClient("spa", false) },
		"realm":   func(*person) idp.Selector { return idp.EndRealm() },
	} {
		t.Run(name, func(t *testing.T) {
			n := start(t)
			p, bob := n.signedIn("alice"), n.signedIn("bob")
			theirs := bob.enter("books")
			had, code := p.enter("spa"), p.code("spa")
			n.end(end(p), idp.CauseSignOut)
			expect(t, "code", n.as("spa", "/oauth2/token", redeeming("spa", code)), 400, "invalid_grant")
			expect(t, "refresh", n.refresh("spa", had.Refresh), 400, "invalid_grant")
			a := n.userInfo(had.Access)
			if a.status != 401 || a.json(t)["error_description"] != "Access Token has been revoked" ||
				a.header.Get("WWW-Authenticate") != `Bearer error="invalid_token", error_description="Access Token has been revoked"` {
				t.Errorf("userinfo: %d %s %v", a.status, a.body, a.header)
			}
			if a := n.userInfo(theirs.Access); name != "realm" && a.status != 200 { // promise 4
				t.Errorf("bob at another app: %d %s", a.status, a.body)
			}
		})
	}
}

func TestToken_ClientAuthentication(t *testing.T) {
	n := start(t)
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
	}
	robot := url.Values{"grant_type": {"client_credentials"}}
	for name, c := range map[string]struct {
		header string
		form   url.Values
		status int
		code   string
	}{
		"basic":          {basic("robot", n.secrets["robot"]), robot, 200, ""},
		"post":           {"", with(robot, "client_id", "robot", "client_secret", n.secrets["robot"]), 200, ""},
		"basic, same id": {basic("robot", n.secrets["robot"]), with(robot, "client_id", "robot"), 200, ""},
		"two ways":       {basic("robot", n.secrets["robot"]), with(robot, "client_id", "robot", "client_secret", n.secrets["robot"]), 400, "invalid_request"},
		"two clients":    {basic("robot", n.secrets["robot"]), with(robot, "client_id", "books"), 400, "invalid_request"},
		"wrong":          {basic("robot", "wrong"), robot, 401, "invalid_client"},
		"empty":          {basic("robot", ""), robot, 401, "invalid_client"},
		"unknown":        {basic("nobody", "x"), robot, 401, "invalid_client"},
		"not encoded":    {"Basic " + base64.StdEncoding.EncodeToString([]byte("robot:%zz")), robot, 401, "invalid_client"},
		"no secret":      {"", with(robot, "client_id", "robot"), 401, "invalid_client"},
		"nothing":        {"", robot, 401, "invalid_client"},
		"bearer":         {"Bearer x", with(robot, "client_id", "robot"), 401, "invalid_client"},
		"public, secret": {"", with(robot, "client_id", "spa", "client_secret", "x"), 401, "invalid_client"},
		"public":         {"", with(robot, "client_id", "spa"), 400, "unauthorized_client"},
		"api":            {basic("api", n.secrets["api"]), robot, 400, "unauthorized_client"},
		"no grant":       {basic("robot", n.secrets["robot"]), url.Values{}, 400, "invalid_request"},
		"password grant": {basic("robot", n.secrets["robot"]), url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {password}}, 400, "unsupported_grant_type"},
		"not registered": {basic("robot", n.secrets["robot"]), url.Values{"grant_type": {"refresh_token"}}, 400, "unauthorized_client"},
	} {
		header := []string{"Content-Type", formType}
		if c.header != "" {
			header = append(header, "Authorization", c.header)
		}
		a := n.person().do("POST", "/oauth2/token", c.form.Encode(), header...)
		expect(t, name, a, c.status, c.code)
		if c.status == 401 && a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: 401 without WWW-Authenticate", name)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", n.at+"/oauth2/token", strings.NewReader(robot.Encode()))
	must(t, err)
	r.Header = http.Header{"Content-Type": {formType}, "Authorization": {basic("robot", n.secrets["robot"]), basic("robot", n.secrets["robot"])}}
	res, err := http.DefaultClient.Do(r)
	must(t, err)
	if res.Body.Close(); res.StatusCode != 401 {
		t.Errorf("two headers: %d", res.StatusCode)
	}
	twice := "grant_type=client_credentials&grant_type=client_credentials"
	expect(t, "twice", n.person().do("POST", "/oauth2/token", twice, "Content-Type", formType, "Authorization", basic("robot", n.secrets["robot"])), 400, "invalid_request")
	n.end(idp.EndClient("robot", true), idp.CauseClientEnded)
	expect(t, "disabled", n.as("robot", "/oauth2/token", robot), 401, "invalid_client")
}

func TestToken_Machine(t *testing.T) {
	n := start(t)
	ask := func(pairs ...string) answer {
		return n.as("robot", "/oauth2/token", with(url.Values{"grant_type": {"client_credentials"}}, pairs...))
	}
	got := ask("scope", "orders:read openid account.signout offline_access other").tokens(t)
	c := claims(t, got.Access)
	if got.Scope != "orders:read" || got.ID != "" || got.Refresh != "" || c["sub"] != "robot" || c["sid"] != nil || c["aud"] != apiAud || len(c["ends_with"].([]any)) != 2 {
		t.Errorf("%+v %v", got, c)
	}
	expect(t, "resource", ask("resource", otherAud), 400, "invalid_target")
	expect(t, "userinfo", n.userInfo(got.Access), 403, "insufficient_scope")
	if n.introspect("api", got.Access).json(t)["active"] != true {
		t.Error("not active")
	}
	n.end(idp.EndClient("robot", false), idp.CauseClientEnded)
	if n.introspect("api", got.Access).json(t)["active"] != false {
		t.Error("active after its client's end")
	}
	ask().tokens(t) // the next epoch
}

// Of many who redeem one code at once at most one gets tokens, and they end with the others.
func TestToken_RaceForACode(t *testing.T) {
	n := start(t)
	code := n.signedIn("alice").code("books")
	answers := together(8, func() answer { return n.as("books", "/oauth2/token", redeeming("books", code)) })
	won := 0
	for _, a := range answers {
		if a.status == 200 {
			won++
			expect(t, "the winner's refresh", n.refresh("books", a.tokens(t).Refresh), 400, "invalid_grant")
			expect(t, "the winner's access", n.userInfo(a.tokens(t).Access), 401, "invalid_token")
		} else {
			expect(t, "a loser", a, 400, "invalid_grant")
		}
	}
	if won != 1 {
		t.Errorf("%d got tokens", won)
	}
}

func together(n int, f func() answer) []answer {
	out := make([]answer, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range out {
		all.Go(func() { <-begin; out[i] = f() })
	}
	close(begin)
	all.Wait()
	return out
}

// Tabs that open an app for the first time at once all get in.
func TestAuthorize_RaceForTheFirstConsent(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	sids := map[string]bool{}
	for i, a := range together(8, func() answer { return p.authorize("books", "prompt", "none") }) {
		if a.query().Get("code") == "" {
			t.Errorf("tab %d: %d to %q", i, a.status, a.header.Get("Location"))
			continue
		}
		got := n.as("books", "/oauth2/token", redeeming("books", a.query().Get("code"))).tokens(t)
		sids[fmt.Sprint(claims(t, got.ID)["sid"])] = true
	}
	if len(sids) != 1 {
		t.Errorf("%d sign-ins of one app in one session", len(sids))
	}
}
