package oauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/oauth"
)

func TestDiscovery(t *testing.T) {
	n := start(t)
	p := n.person()
	a, b := p.get("/.well-known/openid-configuration"), p.get("/.well-known/oauth-authorization-server")
	doc := a.json(t)
	if a.body != b.body || doc["issuer"] != n.at || doc["authorization_response_iss_parameter_supported"] != true ||
		doc["code_challenge_methods_supported"].([]any)[0] != "S256" || len(doc["code_challenge_methods_supported"].([]any)) != 1 {
		t.Errorf("%s", a.body)
	}
	for member, value := range doc { // what is advertised is there
		path, ours := strings.CutPrefix(stringOf(value), n.at)
		if !ours || path == "" || path == "/logout" {
			continue
		}
		if a := p.get(path); a.status == 404 {
			t.Errorf("%s: nothing at %s", member, path)
		}
	}
	keys := p.get("/.well-known/jwks.json")
	if !strings.Contains(keys.header.Get("Cache-Control"), "max-age=300") || keys.header.Get("Content-Type") != "application/jwk-set+json" {
		t.Errorf("%v", keys.header)
	}
	for _, k := range keys.json(t)["keys"].([]any) {
		if k := k.(map[string]any); k["d"] != nil || k["kid"] == nil || k["alg"] == nil || k["use"] != "sig" {
			t.Errorf("%v", k)
		}
	}
	if a := p.do("GET", "/.well-known/jwks.json", "", "Origin", "https://spa.test"); a.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error("credentials across origins")
	}
}

func stringOf(v any) string { s, _ := v.(string); return s }

func TestUserInfo(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	all := n.userInfo(p.enter("books", "scope", "openid profile email").Access)
	if c := all.json(t); c["sub"] != string(n.people["alice"]) || c["preferred_username"] != "alice" || c["email"] != "alice@example.test" || c["email_verified"] != true {
		t.Errorf("%s", all.body)
	}
	few := p.enter("books")
	if c := n.userInfo(few.Access).json(t); len(c) != 1 {
		t.Errorf("more than was asked for: %v", c)
	}
	if a := p.do("POST", "/oauth2/userInfo", "", "Authorization", "Bearer "+few.Access); a.status != 200 {
		t.Errorf("POST: %d %s", a.status, a.body)
	}
	if a := p.get("/oauth2/userInfo"); a.status != 401 || a.header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("no token: %d %q", a.status, a.header.Get("WWW-Authenticate"))
	}
	for name, raw := range map[string]string{"ID token": few.ID, "refresh token": few.Refresh, "forged": few.Access[:len(few.Access)-8] + "AAAAAAAA",
		"no signature": few.Access[:strings.LastIndexByte(few.Access, '.')+1]} {
		expect(t, name, n.userInfo(raw), 401, "invalid_token")
	}
	expect(t, "no openid", n.userInfo(p.enter("books", "scope", "profile").Access), 403, "insufficient_scope")
	n.pass(5*time.Minute + time.Second)
	expect(t, "expired", n.userInfo(few.Access), 401, "invalid_token")
}

func TestIntrospect(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	mine, theirs := p.enter("books"), p.enter("spa") // spa's is for the issuer, not for the api
	const no = `{"active":false}`
	for name, c := range map[string]struct {
		app    idp.ClientID
		token  string
		active bool
	}{
		"api, for it":          {"api", mine.Access, true},
		"api, for another":     {"api", theirs.Access, false},
		"own":                  {"books", mine.Access, true},
		"another's":            {"books", theirs.Access, false},
		"another's, too":       {"third", mine.Access, false},
		"own refresh":          {"books", mine.Refresh, true},
		"refresh by api":       {"api", mine.Refresh, false},
		"another's refresh":    {"books", theirs.Refresh, false},
		"ID token":             {"books", mine.ID, false},
		"nonsense":             {"api", "nonsense", false},
		"nonsense exrt":        {"books", "exrt_AAAA", false},
		"forged access token":  {"api", mine.Access + "A", false},
		"forged refresh token": {"books", mine.Refresh + "A", false},
	} {
		a := n.introspect(c.app, c.token)
		if c.active && (a.status != 200 || a.json(t)["active"] != true || a.json(t)["client_id"] != "books" || a.json(t)["sub"] != string(n.people["alice"])) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if !c.active && (a.status != 200 || strings.TrimSpace(a.body) != no) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	expect(t, "public", n.introspect("spa", theirs.Access), 401, "invalid_client")
	expect(t, "nobody", n.person().do("POST", "/oauth2/introspect", "token="+mine.Access, "Content-Type", formType), 401, "invalid_client")
	expect(t, "no token", n.as("api", "/oauth2/introspect", url.Values{"x": {"y"}}), 400, "invalid_request")
	rotated := n.refresh("books", mine.Refresh).tokens(t)
	if strings.TrimSpace(n.introspect("books", mine.Refresh).body) != no {
		t.Error("a rotated refresh token is active")
	}
	n.end(idp.EndSession(p.session), idp.CauseSignOut)
	for _, raw := range []string{mine.Access, rotated.Access, rotated.Refresh} {
		if a := n.introspect("books", raw); strings.TrimSpace(a.body) != no {
			t.Errorf("ended: %s", a.body)
		}
	}
}

func TestIntrospect_ExpiredRefresh(t *testing.T) {
	n := start(t)
	n.update(func(tx idp.Tx) error {
		c, err := tx.Client("books")
		if err != nil {
			return err
		}
		c.Offline, c.Scopes = true, append(c.Scopes, "offline_access")
		return tx.UpdateClient(c)
	})
	got := n.signedIn("alice").enter("books", "scope", "openid offline_access")
	n.pass(13 * 24 * time.Hour)
	if n.introspect("books", got.Refresh).json(t)["active"] != true {
		t.Error("not active")
	}
	n.pass(24*time.Hour + time.Second)
	if n.introspect("books", got.Refresh).json(t)["active"] != false {
		t.Error("active, though a refresh is refused: unused too long")
	}
}

func TestRevoke(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	revoke := func(app idp.ClientID, token string, pairs ...string) answer {
		return n.as(app, "/oauth2/revoke", with(url.Values{"token": {token}}, pairs...))
	}
	first, second := p.enter("books"), p.enter("books")
	for name, a := range map[string]answer{
		"another client's refresh": revoke("spa", first.Refresh), "another client's access": revoke("third", first.Access),
		"nonsense": revoke("books", "nonsense"), "no such": revoke("books", "exrt_AAAA"), "ID token": revoke("books", first.ID),
	} {
		if a.status != 200 || a.body != "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if n.userInfo(first.Access).status != 200 || n.introspect("books", first.Refresh).json(t)["active"] != true {
		t.Fatal("a stranger has ended it")
	}
	expect(t, "no token", n.as("books", "/oauth2/revoke", url.Values{"x": {"y"}}), 400, "invalid_request")
	expect(t, "no client", n.person().do("POST", "/oauth2/revoke", "token="+first.Refresh, "Content-Type", formType), 401, "invalid_client")

	// An access token ends alone; a wrong hint does not matter (RFC 7009 section 2.1).
	if a := revoke("books", first.Access, "token_type_hint", "refresh_token"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	expect(t, "that token", n.userInfo(first.Access), 401, "invalid_token")
	next := n.refresh("books", first.Refresh).tokens(t)
	// A refresh token takes its family along, also one that was rotated, and nothing else.
	if a := revoke("books", first.Refresh, "token_type_hint", "nonsense"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	expect(t, "the family's access", n.userInfo(next.Access), 401, "invalid_token")
	expect(t, "the family's refresh", n.refresh("books", next.Refresh), 400, "invalid_grant")
	if revoke("books", first.Refresh).status != 200 {
		t.Error("a second time")
	}
	n.refresh("books", second.Refresh).tokens(t)
	if p.authorize("books", "prompt", "none").query().Get("code") == "" {
		t.Error("the session has ended, too")
	}
}

// Apps give back what they had when they hear of a sign-out: that is no second ending. What has expired is over, too.
func TestRevoke_WhatHasEnded(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	old := n.signedIn("bob").enter("books")
	n.pass(10 * time.Minute) // beyond the life of an access token
	got := p.enter("books")
	n.end(idp.EndSession(p.session), idp.CauseSignOut)
	head := func() (h idp.Head) {
		must(t, n.store.View(t.Context(), func(v idp.View) (err error) { h, err = v.Head(); return err }))
		return h
	}
	before := head().Number
	for _, token := range []string{got.Refresh, got.Access, old.Access} {
		if a := n.as("books", "/oauth2/revoke", url.Values{"token": {token}}); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if after := head().Number; after != before {
		t.Errorf("%d endings more", after-before)
	}
}

// A client that revokes access tokens in a loop is slowed down, and the way out by refresh token is not.
func TestRevoke_Limited(t *testing.T) {
	n := start(t, func(o *oauth.OAuth) { o.Limit = edge.NewLimiter(time.Hour, 1, 10) })
	p := n.signedIn("alice")
	one, two := p.enter("books"), p.enter("books")
	revoke := func(token string) answer { return n.as("books", "/oauth2/revoke", url.Values{"token": {token}}) }
	if a := revoke(one.Access); a.status != 200 {
		t.Fatal(a.body)
	}
	if a := revoke(two.Access); a.status != 429 || a.header.Get("Retry-After") == "" || n.userInfo(two.Access).status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	for range 3 {
		if a := revoke(two.Refresh); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}

// Nobody can know: 503, never a false 200, never a redirect that looks like a refusal, never "nobody is signed in".
func TestStoreDown(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	got, code := p.enter("books"), p.code("books")
	must(t, n.store.Close())
	for name, a := range map[string]answer{
		"revoke":     n.as("books", "/oauth2/revoke", url.Values{"token": {got.Refresh}}),
		"code":       n.as("books", "/oauth2/token", redeeming("books", code)),
		"refresh":    n.refresh("books", got.Refresh),
		"userinfo":   n.userInfo(got.Access),
		"introspect": n.introspect("books", got.Access),
		"par":        n.as("books", "/oauth2/par", ask("books", "client_id", "-")),
	} {
		expect(t, name, a, 503, "temporarily_unavailable")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", name)
		}
	}
	if a := p.authorize("books", "prompt", "none"); a.status != 503 || a.header.Get("Location") != "" {
		t.Errorf("authorize: %d to %q", a.status, a.header.Get("Location"))
	}
}
