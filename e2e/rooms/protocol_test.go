package rooms_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Until client and redirect URI are right nothing leaves; after that errors go to the redirect URI with state and iss.
func TestAuthorizeErrors(t *testing.T) {
	n := start(t)
	p := n.alice()
	for name, extra := range map[string][]string{
		"unknown client":        {"client_id", "nobody"},
		"unregistered URI":      {"redirect_uri", "https://books.test/cb/"},
		"URI with a query":      {"redirect_uri", "https://books.test/cb?x=1"},
		"URI of another app":    {"redirect_uri", "https://news.test/cb"},
		"URI on a port":         {"redirect_uri", "https://books.test:444/cb"},
		"no URI, openid":        {"redirect_uri", ""},
		"a client without code": {"client_id", "robot"},
	} {
		if a := p.get(n.authorizeURL("books", extra...)); a.status != 400 || a.location != "" {
			t.Errorf("%s: %d %s", name, a.status, a.location)
		}
	}
	if a := p.get(n.authorizeURL("books") + "&state=two"); a.status != 400 || a.location != "" {
		t.Errorf("a parameter twice: %d %s", a.status, a.location)
	}
	for name, row := range map[string]struct {
		extra []string
		want  string
	}{
		"token":             {[]string{"response_type", "token"}, "unsupported_response_type"},
		"plain PKCE":        {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"short challenge":   {[]string{"code_challenge", "abc"}, "invalid_request"},
		"fragment mode":     {[]string{"response_mode", "fragment"}, "invalid_request"},
		"request object":    {[]string{"request", "x.y.z"}, "request_not_supported"},
		"request_uri":       {[]string{"request_uri", "https://books.test/r"}, "request_uri_not_supported"},
		"none with login":   {[]string{"prompt", "none login"}, "invalid_request"},
		"unknown prompt":    {[]string{"prompt", "create"}, "invalid_request"},
		"max_age no number": {[]string{"max_age", "-1"}, "invalid_request"},
		"forged hint":       {[]string{"id_token_hint", "a.b.c"}, "invalid_request"},
		"no such scope":     {[]string{"scope", "opnid"}, "invalid_scope"},
		"unknown resource":  {[]string{"resource", "https://other.test"}, "invalid_target"},
		"none, stale":       {[]string{"prompt", "none", "max_age", "0"}, "login_required"},
	} {
		a := p.get(n.authorizeURL("books", row.extra...))
		u, err := url.Parse(a.location)
		if err != nil || a.status != 303 || u.Host != "books.test" || u.Query().Get("error") != row.want || u.Query().Get("state") != "st" || u.Query().Get("iss") != n.at {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.location, row.want)
		}
	}
	if a := n.person().get(n.authorizeURL("books", "prompt", "none")); !strings.Contains(a.location, "error=login_required") {
		t.Error("prompt=none with nobody signed in:", a.location)
	}
	if a := p.get(n.authorizeURL("third", "prompt", "none")); !strings.Contains(a.location, "error=consent_required") {
		t.Error("prompt=none without consent:", a.location)
	}
	if a := p.get(n.authorizeURL("books", "response_mode", "form_post")); a.status != 200 || fields(a.body).Get("code") == "" || fields(a.body).Get("iss") != n.at ||
		!strings.Contains(a.header.Get("Content-Security-Policy"), "form-action https: http:") {
		t.Errorf("form_post: %d %s", a.status, a.body)
	}
}

// R: order at the token endpoint. What fails before "already used" touches nothing; a code used twice ends its family.
func TestCodeOnce(t *testing.T) {
	n := start(t)
	p := n.alice()
	a := p.get(n.authorizeURL("books"))
	u, _ := url.Parse(a.location)
	good := url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {"https://books.test/cb"}, "code_verifier": {verifier}}
	for name, v := range map[string]url.Values{
		"another redirect URI": with(good, "redirect_uri", "https://books.test/other"),
		"no verifier":          with(good, "code_verifier", ""),
		"another verifier":     with(good, "code_verifier", strings.Repeat("x", 43)),
		"another code":         with(good, "code", strings.Repeat("x", 43)),
	} {
		if _, status := n.token("books", v); status != 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if _, status := n.token("news", good); status != 400 {
		t.Error("another client redeems it")
	}
	got, status := n.token("books", good)
	if status != 200 || !n.alive(got.Access) {
		t.Fatal("the right request is refused after wrong ones:", status)
	}
	if _, status := n.token("news", good); status != 400 || !n.alive(got.Access) {
		t.Error("another client's try ends the family")
	}
	if _, status := n.token("books", good); status != 400 || n.alive(got.Access) || n.refreshes("books", got) {
		t.Error("a code used twice leaves its family alive")
	}
	if p.user() != "alice" {
		t.Error("the session ended with the family")
	}
}

// The predecessor decrypts its successor within the grace; what is older ends the family; another client's try ends nothing.
func TestRefresh(t *testing.T) {
	n := start(t)
	p := n.alice()
	turn := func(app, refresh string) (tokens, int) {
		return n.token(app, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	}
	first := p.enter("books")
	if _, status := turn("news", first.Refresh); status != 400 {
		t.Error("another client refreshes")
	}
	if _, status := turn("books", first.Refresh[:len(first.Refresh)-1]+"x"); status != 400 {
		t.Error("a wrong checksum is taken")
	}
	second, status := turn("books", first.Refresh)
	if status != 200 || second.Refresh == first.Refresh {
		t.Fatal("rotation:", status)
	}
	var wg sync.WaitGroup // tabs that race, and lost answers
	for range 8 {
		wg.Go(func() {
			again, status := turn("books", first.Refresh)
			if status != 200 || again.Refresh != second.Refresh {
				t.Errorf("replay within the grace: %d", status)
			}
		})
	}
	wg.Wait()
	third, _ := turn("books", second.Refresh)
	if _, status := turn("books", first.Refresh); status != 400 || !n.alive(third.Access) {
		t.Error("two behind within the grace: refused, and nothing ends")
	}
	fourth, _ := turn("books", third.Refresh)
	if _, status := turn("books", first.Refresh); status != 400 || n.alive(fourth.Access) || n.refreshes("books", fourth) {
		t.Error("a thief's token leaves the family alive")
	}
	narrow := p.enter("books")
	if _, status := n.token("books", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {narrow.Refresh}, "scope": {"openid email"}}); status != 400 {
		t.Error("a refresh widens scopes")
	}
}

func (n *node) form(app, path string, v url.Values) (status int, out map[string]any) {
	n.t.Helper()
	r, _ := http.NewRequest("POST", n.at+path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", formType)
	r.SetBasicAuth(app, n.secrets[app])
	res, err := (&http.Client{Transport: n.transport}).Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer res.Body.Close()
	_ = json.NewDecoder(res.Body).Decode(&out) // revocation has no body
	return res.StatusCode, out
}

// Introspection says active or nothing at all; revocation is 200 for whatever is not there, and ends only what is one's own.
func TestInspectAndRevoke(t *testing.T) {
	n := start(t)
	p := n.alice()
	got := p.enter("books")
	active := func(app, token string) bool {
		t.Helper()
		status, out := n.form(app, "/oauth2/introspect", url.Values{"token": {token}, "token_type_hint": {"wrong"}})
		if status != 200 || (out["active"] != true && len(out) != 1) {
			t.Errorf("introspection: %d %v", status, out)
		}
		return out["active"] == true
	}
	if !active("books", got.Access) || !active("books", got.Refresh) || active("news", got.Access) || active("news", got.Refresh) || active("books", "junk") {
		t.Error("introspection sees too little or too much")
	}
	revoke := func(app, token string) {
		t.Helper()
		if status, out := n.form(app, "/oauth2/revoke", url.Values{"token": {token}}); status != 200 {
			t.Errorf("revocation: %d %v", status, out)
		}
	}
	revoke("news", got.Access)
	revoke("news", got.Refresh)
	revoke("books", "junk")
	if !active("books", got.Access) || !n.refreshes("books", got) {
		t.Error("another client revokes")
	}
	second := p.enter("books")
	revoke("books", second.Access)
	if active("books", second.Access) || !active("books", second.Refresh) {
		t.Error("revoking an access token ends it and nothing else")
	}
	if a := n.bearer("GET", "/oauth2/userInfo", second.Access); a.status != 401 ||
		a.header.Get("WWW-Authenticate") != `Bearer error="invalid_token", error_description="Access Token has been revoked"` {
		t.Errorf("userinfo: %d %q", a.status, a.header.Get("WWW-Authenticate"))
	}
	third := p.enter("books")
	revoke("books", third.Refresh)
	if active("books", third.Access) || active("books", third.Refresh) {
		t.Error("revoking a refresh token leaves its family alive")
	}
	for _, path := range []string{"/oauth2/introspect", "/oauth2/revoke", "/oauth2/token"} {
		a := n.person().do("POST", path, "token=x&client_id=books&client_secret=wrong", map[string]string{"Content-Type": formType})
		if a.status != 401 || !strings.Contains(a.body, `"invalid_client"`) {
			t.Errorf("%s with a wrong secret: %d %s", path, a.status, a.body)
		}
		for what, h := range map[string]map[string]string{"JSON": {"Content-Type": "application/json"}, "no type": {}} {
			if a := n.person().do("POST", path, "{}", h); a.status != 415 {
				t.Errorf("%s with %s: %d", path, what, a.status)
			}
		}
		if a := n.person().do("POST", path, "token="+strings.Repeat("x", 70<<10), map[string]string{"Content-Type": formType}); a.status != 413 {
			t.Errorf("%s, oversize: %d", path, a.status)
		}
		if a := n.person().do("POST", path, "token=%ff", map[string]string{"Content-Type": formType}); a.status != 400 {
			t.Errorf("%s, not UTF-8: %d", path, a.status)
		}
		if a := n.person().get(path); a.status != 405 {
			t.Errorf("GET %s: %d", path, a.status)
		}
	}
}

// What discovery names is there, and tokens carry nothing that their scopes do not ask for.
func TestDiscoveryAndClaims(t *testing.T) {
	n := start(t)
	var doc map[string]any
	if err := json.Unmarshal([]byte(n.person().get("/.well-known/openid-configuration").body), &doc); err != nil {
		t.Fatal(err)
	}
	for name, at := range doc {
		text, ok := at.(string)
		if !ok || name == "issuer" || !strings.HasPrefix(text, n.at) {
			continue
		}
		if a := n.person().get(text); a.status == 404 {
			t.Errorf("%s is not there", name)
		}
	}
	if _, open := doc["registration_endpoint"]; open {
		t.Error("closed registration is advertised")
	}
	got := n.alice().enter("books")
	allowed := "iss sub aud client_id iat exp jti scope sid auth_time ends_with"
	for name := range part(t, got.Access, 1) {
		if !strings.Contains(" "+allowed+" ", " "+name+" ") {
			t.Errorf("an access token carries %s", name)
		}
	}
	allowed = "iss sub aud exp iat auth_time nonce sid amr"
	for name := range part(t, got.ID, 1) {
		if !strings.Contains(" "+allowed+" ", " "+name+" ") {
			t.Errorf("an ID token carries %s", name)
		}
	}
	if part(t, got.Access, 0)["typ"] != "at+jwt" || part(t, got.Access, 1)["sid"] != part(t, got.ID, 1)["sid"] {
		t.Error("typ or sid is not right")
	}
	machine, status := n.token("robot", url.Values{"grant_type": {"client_credentials"}, "scope": {"openid account.signout"}})
	if status != 200 || part(t, machine.Access, 1)["sub"] != "robot" || machine.ID != "" || part(t, machine.Access, 1)["scope"] != nil {
		t.Errorf("a machine's token: %d %v", status, part(t, machine.Access, 1))
	}
}
