package oauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

// Until client and redirect URI are right there is a page and no redirect.
func TestAuthorize_NeverRedirectsToAStranger(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	for name, query := range map[string]string{
		"no client":            ask("books", "client_id", "-").Encode(),
		"unknown client":       ask("books", "client_id", "nobody").Encode(),
		"no redirect URI":      ask("books", "redirect_uri", "-").Encode(),
		"no redirect, no oidc": ask("books", "redirect_uri", "-", "scope", "profile").Encode(),
		"another's":            ask("books", "redirect_uri", "https://third.test/cb").Encode(),
		"longer":               ask("books", "redirect_uri", "https://books.test/cb/x").Encode(),
		"with query":           ask("books", "redirect_uri", "https://books.test/cb?x=1").Encode(),
		"case":                 ask("books", "redirect_uri", "https://BOOKS.test/cb").Encode(),
		"user":                 ask("books", "redirect_uri", "https://books.test@evil.test/cb").Encode(),
		"a web's loopback":     ask("books", "redirect_uri", "http://127.0.0.1:7/cb").Encode(),
		"machine":              ask("robot").Encode(),
		"twice":                ask("books").Encode() + "&redirect_uri=" + url.QueryEscape("https://evil.test/"),
		"state twice":          ask("books").Encode() + "&state=x",
		"not UTF-8":            ask("books").Encode() + "&login_hint=%ff",
		"no such wait":         "pending=AAAAAAAAAAAAAAAAAAAAAA",
		"no such push":         "client_id=books&request_uri=" + url.QueryEscape("urn:ietf:params:oauth:request_uri:x"),
	} {
		if a := p.get("/oauth2/authorize?" + query); a.status != 400 || a.header.Get("Location") != "" {
			t.Errorf("%s: %d to %q", name, a.status, a.header.Get("Location"))
		}
	}
	n.end(idp.EndClient("books", true), idp.CauseClientEnded)
	if a := p.authorize("books"); a.status != 400 || a.header.Get("Location") != "" {
		t.Errorf("disabled client: %d to %q", a.status, a.header.Get("Location"))
	}
}

func TestAuthorize_Errors(t *testing.T) {
	n := start(t)
	p, stranger := n.signedIn("alice"), n.person()
	bob := n.signedIn("bob").enter("books")
	for name, c := range map[string]struct {
		who   *person
		app   string
		want  string
		pairs []string
	}{
		"implicit":              {p, "books", "unsupported_response_type", []string{"response_type", "token"}},
		"hybrid":                {p, "books", "unsupported_response_type", []string{"response_type", "code id_token"}},
		"no response type":      {p, "books", "unsupported_response_type", []string{"response_type", "-"}},
		"public without PKCE":   {p, "spa", "invalid_request", []string{"code_challenge", "-", "code_challenge_method", "-"}},
		"plain":                 {p, "spa", "invalid_request", []string{"code_challenge_method", "plain"}},
		"no method is plain":    {p, "books", "invalid_request", []string{"code_challenge_method", "-"}},
		"method without":        {p, "books", "invalid_request", []string{"code_challenge", "-"}},
		"short challenge":       {p, "books", "invalid_request", []string{"code_challenge", "abc"}},
		"request object":        {p, "books", "request_not_supported", []string{"request", "e30."}},
		"request by reference":  {p, "books", "request_uri_not_supported", []string{"request_uri", "https://books.test/r"}},
		"fragment":              {p, "books", "invalid_request", []string{"response_mode", "fragment"}},
		"unknown prompt":        {p, "books", "invalid_request", []string{"prompt", "create"}},
		"none and more":         {p, "books", "invalid_request", []string{"prompt", "none login"}},
		"age below zero":        {p, "books", "invalid_request", []string{"max_age", "-1"}},
		"age of words":          {p, "books", "invalid_request", []string{"max_age", "old"}},
		"hint of nobody":        {p, "books", "invalid_request", []string{"id_token_hint", "a.b.c"}},
		"hint is access token":  {p, "books", "invalid_request", []string{"id_token_hint", bob.Access}},
		"resource":              {p, "books", "invalid_target", []string{"resource", "https://elsewhere.test"}},
		"long state":            {p, "books", "invalid_request", []string{"nonce", strings.Repeat("x", 2049)}},
		"none, nobody":          {stranger, "books", "login_required", []string{"prompt", "none"}},
		"none, somebody else":   {p, "books", "login_required", []string{"prompt", "none", "id_token_hint", bob.ID}},
		"none, too old":         {p, "books", "login_required", []string{"prompt", "none", "max_age", "0"}},
		"none, nothing allowed": {p, "third", "consent_required", []string{"prompt", "none"}},
	} {
		a := c.who.authorize(c.app, c.pairs...)
		q := a.query()
		if a.status != 303 || !strings.HasPrefix(a.header.Get("Location"), "https://"+c.app+".test/cb?") || q.Get("error") != c.want || q.Has("code") {
			t.Errorf("%s: %d to %q, want %s", name, a.status, a.header.Get("Location"), c.want)
		}
		if q.Get("state") != "st&=?" || q.Get("iss") != n.at {
			t.Errorf("%s: state %q, iss %q", name, q.Get("state"), q.Get("iss"))
		}
	}
}

func TestAuthorize_CodeAndFormPost(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	a := p.authorize("books")
	q := a.query()
	if a.status != 303 || len(q.Get("code")) != 43 || q.Get("iss") != n.at || q.Get("state") != "st&=?" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s", a.status, a.header)
	}
	a = p.authorize("books", "response_mode", "form_post")
	if a.status != 200 || !strings.Contains(a.body, `action="https://books.test/cb"`) || !strings.Contains(a.body, `name="code"`) || !strings.Contains(a.body, `name="iss"`) {
		t.Errorf("form_post: %d %s", a.status, a.body)
	}
	a = p.do("POST", "/oauth2/authorize", ask("books").Encode(), "Content-Type", formType)
	if a.query().Get("code") == "" {
		t.Errorf("POST: %d %s", a.status, a.body)
	}
	// A native app's loopback redirect may have any port (RFC 8252 section 7.3), but no other path.
	if a := p.authorize("phone", "redirect_uri", "http://127.0.0.1:5123/cb"); a.query().Get("code") == "" {
		t.Errorf("loopback: %d %s", a.status, a.body)
	}
	if a := p.authorize("phone", "redirect_uri", "http://127.0.0.1:5123/other"); a.status != 400 {
		t.Errorf("loopback with another path: %d", a.status)
	}
}

// Whoever is not signed in is asked, and comes back with a code; a pending request belongs to its browser and is used once.
func TestAuthorize_SignInAndBack(t *testing.T) {
	n := start(t)
	p := n.person()
	wait := p.authorize("books").header.Get("Location")
	if !strings.HasPrefix(wait, "/login?pending=") {
		t.Fatalf("sent to %q", wait)
	}
	back := strings.Replace(wait, "/login", "/oauth2/authorize", 1)
	if a := n.signedIn("bob").get(back); a.status != 400 || a.header.Get("Location") != "" {
		t.Errorf("another browser's: %d to %q", a.status, a.header.Get("Location"))
	}
	p.press(wait, "username", "alice", "password", password)
	a := p.get(back)
	if a.query().Get("code") == "" {
		t.Fatalf("no code: %d %s", a.status, a.header.Get("Location"))
	}
	if a := p.get(back); a.status != 400 {
		t.Errorf("used twice: %d", a.status)
	}
	// prompt=login wants the password although somebody is signed in; max_age=0 the same.
	for _, pairs := range [][]string{{"prompt", "login"}, {"max_age", "0"}} {
		n.pass(2 * time.Second)
		wait = p.authorize("books", pairs...).header.Get("Location")
		back = strings.Replace(wait, "/login", "/oauth2/authorize", 1)
		if a := p.get(back); !strings.HasPrefix(a.header.Get("Location"), "/login?") {
			t.Fatalf("%v: went on without a password: %d to %q", pairs, a.status, a.header.Get("Location"))
		}
		p.press(wait, "username", "alice", "password", password)
		if a := p.get(back); a.query().Get("code") == "" {
			t.Errorf("%v: %d to %q", pairs, a.status, a.header.Get("Location"))
		}
	}
	// It expires, and dies with the epochs it began under.
	late := n.person()
	wait = late.authorize("books").header.Get("Location")
	n.pass(16 * time.Minute)
	if a := late.get(strings.Replace(wait, "/login", "/oauth2/authorize", 1)); a.status != 400 {
		t.Errorf("expired: %d", a.status)
	}
	ended := n.signedIn("alice")
	wait = ended.authorize("books", "prompt", "select_account").header.Get("Location")
	n.end(idp.EndClient("books", false), idp.CauseClientEnded)
	if a := ended.get(strings.Replace(wait, "/login", "/oauth2/authorize", 1)); a.status != 400 || a.header.Get("Location") != "" {
		t.Errorf("client ended meanwhile: %d to %q", a.status, a.header.Get("Location"))
	}
}

func TestAuthorize_Consent(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	wait := p.authorize("third", "scope", "openid profile unknown").header.Get("Location")
	back := strings.Replace(wait, "/login", "/oauth2/authorize", 1)
	p.press(wait, "act", "cancel")
	if q := p.get(back).query(); q.Get("error") != "access_denied" || q.Get("iss") != n.at {
		t.Errorf("cancelled: %v", q)
	}
	wait = p.authorize("third", "scope", "openid profile unknown").header.Get("Location")
	back = strings.Replace(wait, "/login", "/oauth2/authorize", 1)
	p.press(wait, "act", "continue")
	if p.get(back).query().Get("code") == "" {
		t.Fatal("no code after consent")
	}
	if got := p.enter("third", "scope", "openid profile unknown").Scope; got != "openid profile" {
		t.Errorf("granted %q", got)
	}
	if q := p.authorize("third", "scope", "openid account.signout", "prompt", "none").query(); q.Get("error") != "consent_required" {
		t.Errorf("more than was allowed: %v", q)
	}
	old := p.enter("third")
	n.end(idp.EndConsent(n.people["alice"], "third"), idp.CauseConsentWithdrawn)
	expect(t, "consent withdrawn", n.refresh("third", old.Refresh), 400, "invalid_grant")
	if q := p.authorize("third", "prompt", "none").query(); q.Get("error") != "consent_required" {
		t.Errorf("withdrawn consent came back: %v", q)
	}
}

// Promise 7: after its sign-out an app does not slip back in; a human act lets it.
func TestAuthorize_MustAsk(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	was := p.enter("books")
	n.end(idp.EndApp(p.session, "books"), idp.CauseAppSignOut)
	if q := p.authorize("books", "prompt", "none").query(); q.Get("error") != "login_required" {
		t.Errorf("slipped back in: %v", q)
	}
	wait := p.authorize("books").header.Get("Location")
	back := strings.Replace(wait, "/login", "/oauth2/authorize", 1)
	if a := p.get(back); a.query().Has("code") {
		t.Error("slipped back in without the human")
	}
	p.press(wait, "act", "continue")
	code := p.get(back).query().Get("code")
	now := n.as("books", "/oauth2/token", redeeming("books", code)).tokens(t)
	if claims(t, now.ID)["sid"] == claims(t, was.ID)["sid"] {
		t.Error("the old sign-in has come back")
	}
	if q := p.authorize("books", "prompt", "none").query(); q.Get("code") == "" {
		t.Errorf("after the human act: %v", q)
	}
}

// Promise 7: a human who acted before the app's sign-out has not acted after it. He is asked again, and then it is good.
func TestAuthorize_OldActIsNone(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	p.enter("books")
	for range 2 { // the second time the old act was made under a mark, too
		wait := p.authorize("books", "prompt", "select_account").header.Get("Location")
		back := strings.Replace(wait, "/login", "/oauth2/authorize", 1)
		p.press(wait, "act", "continue")
		if q := p.authorize("books", "prompt", "none").query(); q.Get("code") == "" { // in another tab: in again, and out
			other := p.authorize("books").header.Get("Location")
			p.press(other, "act", "continue")
			p.get(strings.Replace(other, "/login", "/oauth2/authorize", 1))
		}
		n.end(idp.EndApp(p.session, "books"), idp.CauseAppSignOut)
		if a := p.get(back); a.query().Has("code") || !strings.HasPrefix(a.header.Get("Location"), "/login") {
			t.Fatalf("slipped back in: %d %q", a.status, a.header.Get("Location"))
		}
		if a := p.get(wait); a.status != 200 {
			t.Fatalf("no question: %d %q", a.status, a.header.Get("Location"))
		}
		p.press(wait, "act", "continue")
		if a := p.get(back); !a.query().Has("code") {
			t.Fatalf("after the human act: %d %q", a.status, a.header.Get("Location"))
		}
		n.end(idp.EndApp(p.session, "books"), idp.CauseAppSignOut)
	}
}

// Promise 5: an address that the app has taken back gets nothing, not even an error, from a request that was waiting.
func TestAuthorize_AddressTakenBackWhileWaiting(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	wait := p.authorize("books", "prompt", "select_account").header.Get("Location")
	pushed := n.as("books", "/oauth2/par", ask("books", "client_id", "-")).json(t)["request_uri"].(string)
	n.update(func(tx idp.Tx) error {
		c, err := tx.Client("books")
		if err != nil {
			return err
		}
		c.RedirectURIs = []string{"https://books.test/new"}
		return tx.UpdateClient(c)
	})
	p.press(wait, "act", "cancel")
	for _, to := range []string{strings.Replace(wait, "/login", "/oauth2/authorize", 1), "/oauth2/authorize?client_id=books&request_uri=" + url.QueryEscape(pushed)} {
		if a := p.get(to); a.status != 400 || a.header.Get("Location") != "" {
			t.Errorf("%s: %d to %q", to, a.status, a.header.Get("Location"))
		}
	}
}

func TestPAR(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	push := func(pairs ...string) answer {
		return n.as("books", "/oauth2/par", ask("books", append(pairs, "client_id", "-")...))
	}
	a := push()
	uri, _ := a.json(t)["request_uri"].(string)
	if a.status != 201 || !strings.HasPrefix(uri, "urn:ietf:params:oauth:request_uri:") || a.json(t)["expires_in"] != 60.0 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	open := func(app, uri string) answer {
		return p.get("/oauth2/authorize?" + url.Values{"client_id": {app}, "request_uri": {uri}, "redirect_uri": {"https://evil.test/"}}.Encode())
	}
	if a := open("third", uri); a.status != 400 {
		t.Errorf("another client's: %d", a.status)
	}
	if a := open("books", uri); !strings.HasPrefix(a.header.Get("Location"), "https://books.test/cb?") || a.query().Get("code") == "" {
		t.Errorf("%d to %q", a.status, a.header.Get("Location"))
	}
	if a := open("books", uri); a.status != 400 {
		t.Errorf("used twice: %d", a.status)
	}
	expect(t, "redirect URI", push("redirect_uri", "https://evil.test/"), 400, "invalid_request")
	expect(t, "request_uri", push("request_uri", uri), 400, "invalid_request")
	expect(t, "request", push("request", "x"), 400, "request_not_supported")
	expect(t, "resource", push("resource", "https://elsewhere.test"), 400, "invalid_target")
	expect(t, "nobody", n.person().do("POST", "/oauth2/par", ask("books").Encode(), "Content-Type", formType), 401, "invalid_client")
	late := push().json(t)["request_uri"].(string)
	n.pass(61 * time.Second)
	if a := open("books", late); a.status != 400 {
		t.Errorf("expired: %d", a.status)
	}
	dead := push().json(t)["request_uri"].(string)
	n.end(idp.EndClient("books", false), idp.CauseClientEnded)
	if a := open("books", dead); a.status != 400 {
		t.Errorf("its client has ended: %d", a.status)
	}
}
