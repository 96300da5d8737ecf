package rooms_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

func object(t *testing.T, a answer) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("%d %s", a.status, a.body)
	}
	return out
}

// A pushed request is good once, for the client that pushed it; what it says is what counts (RFC 9126).
func TestPushedRequest(t *testing.T) {
	n := start(t)
	p := n.alice()
	u, _ := url.Parse(n.authorizeURL("books"))
	push := func(app string, v url.Values) (int, string) {
		status, out := n.form(app, "/oauth2/par", v)
		uri, _ := out["request_uri"].(string)
		return status, uri
	}
	status, uri := push("books", u.Query())
	if status != 201 || !strings.HasPrefix(uri, "urn:ietf:params:oauth:request_uri:") {
		t.Fatal(status, uri)
	}
	if a := p.get("/oauth2/authorize?" + url.Values{"client_id": {"news"}, "request_uri": {uri}}.Encode()); a.status != 400 || a.location != "" {
		t.Errorf("another client uses it: %d %s", a.status, a.location)
	}
	use := "/oauth2/authorize?" + url.Values{"client_id": {"books"}, "request_uri": {uri}, "redirect_uri": {"https://evil.test/"}, "state": {"other"}}.Encode()
	a := p.get(use)
	if !strings.HasPrefix(a.location, "https://books.test/cb?") || !strings.Contains(a.location, "state=st") {
		t.Fatalf("the pushed request: %d %s", a.status, a.location)
	}
	p.redeem("books", a)
	if a := p.get(use); a.status != 400 || a.location != "" {
		t.Errorf("it is good twice: %d %s", a.status, a.location)
	}
	if status, _ := push("books", with(u.Query(), "redirect_uri", "https://evil.test/")); status != 400 {
		t.Error("an unregistered URI is pushed:", status)
	}
	if status, _ := push("books", with(u.Query(), "request_uri", uri)); status != 400 {
		t.Error("a request_uri is pushed:", status)
	}
}

// Username and password for a code, for first-party clients only, and never for a token.
func TestChallenge(t *testing.T) {
	n := start(t)
	ask := func(app string, pairs ...string) (int, map[string]any) {
		t.Helper()
		return n.form(app, "/oauth2/challenge", with(url.Values{"username": {"alice"}, "password": {alicePW}, "scope": {"openid"}, "redirect_uri": {"https://" + app + ".test/cb"},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}}, pairs...))
	}
	if status, out := ask("third"); status != 400 || out["error"] != "unauthorized_client" {
		t.Error("a third party asks for a password:", status, out)
	}
	wrong, unknown := "", ""
	if status, out := ask("books", "password", "wrong password"); status != 400 || out["authorization_code"] != nil {
		t.Error("a wrong password:", status, out)
	} else {
		wrong, _ = out["error_description"].(string)
	}
	if _, out := ask("books", "username", "nobody"); out["authorization_code"] == nil {
		unknown, _ = out["error_description"].(string)
	}
	if wrong == "" || wrong != unknown {
		t.Errorf("unknown and wrong differ: %q %q", wrong, unknown)
	}
	status, out := ask("books")
	code, _ := out["authorization_code"].(string)
	if status != 200 || code == "" || out["access_token"] != nil {
		t.Fatal(status, out)
	}
	got, status := n.token("books", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://books.test/cb"}, "code_verifier": {verifier}})
	if status != 200 || !n.alive(got.Access) {
		t.Fatal("the code is not redeemed:", status)
	}
	if a := n.bearer("POST", "/customers/me/logout", got.Access); a.status != 200 || n.alive(got.Access) || n.refreshes("books", got) {
		t.Error("signing out everywhere does not reach a device:", a.status)
	}
}

// RFC 7591 and 7592: closed by default, open to holders of a token; a client manages itself and nobody else, and its end ends its tokens.
func TestRegistration(t *testing.T) {
	const token = "an initial access token of the tests"
	n := start(t, func(c *config.Config) { c.InitialTokens = []idp.Hash{idp.HashOf(token)} })
	p := n.person()
	register := func(token string, m map[string]any) answer {
		t.Helper()
		body, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return p.do("POST", "/oauth2/register", string(body), map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + token})
	}
	if a := register("wrong", nil); a.status != 401 {
		t.Error("anybody registers:", a.status)
	}
	for name, m := range map[string]map[string]any{
		"http":          {"redirect_uris": []string{"http://app.test/cb"}},
		"fragment":      {"redirect_uris": []string{"https://app.test/cb#x"}},
		"javascript":    {"redirect_uris": []string{"javascript:alert(1)"}},
		"none":          {},
		"password":      {"redirect_uris": []string{"https://app.test/cb"}, "grant_types": []string{"password"}},
		"implicit":      {"redirect_uris": []string{"https://app.test/cb"}, "response_types": []string{"token"}},
		"back channel":  {"redirect_uris": []string{"https://app.test/cb"}, "backchannel_logout_uri": "https://10.0.0.1/x"},
		"front channel": {"redirect_uris": []string{"https://app.test/cb"}, "frontchannel_logout_uri": "https://other.test/x"},
		"open redirect": {"redirect_uris": []string{"https://app.test/cb"}, "post_logout_redirect_uris": []string{"http://evil.test/"}},
		"public robot":  {"token_endpoint_auth_method": "none", "grant_types": []string{"client_credentials"}},
	} {
		if a := register(token, m); a.status != 400 || object(t, a)["error"] == nil {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	made := register(token, map[string]any{"client_name": "<b>Self</b>", "redirect_uris": []string{"https://app.test/cb"}, "grant_types": []string{"authorization_code", "refresh_token"},
		"post_logout_redirect_uris": []string{"https://app.test/"}, "logout_uris": []string{"https://app.test/left"}})
	m := object(t, made)
	if made.status != 201 || m["client_secret"] == nil || m["registration_access_token"] == nil {
		t.Fatal(made.status, made.body)
	}
	id, _ := m["client_id"].(string)
	own, _ := m["registration_access_token"].(string)
	n.secrets[id], _ = m["client_secret"].(string)
	at, _ := m["registration_client_uri"].(string)
	manage := func(method, token, body string) answer {
		return n.selfManage(method, at, token, body)
	}
	if a := manage("GET", own, ""); a.status != 200 || object(t, a)["client_name"] != "<b>Self</b>" || object(t, a)["client_secret"] != nil {
		t.Error("read:", a.status, a.body)
	}
	if a := manage("GET", token, ""); a.status != 401 {
		t.Error("the initial token reads a client:", a.status)
	}
	if a := manage("PUT", own, `{"client_id":"books","redirect_uris":["https://app.test/cb"]}`); a.status != 400 {
		t.Error("a client becomes another:", a.status)
	}
	alice := n.alice()
	page := alice.follow(alice.get(n.authorizeURL(id, "redirect_uri", "https://app.test/cb")))
	if !strings.Contains(page.body, "&lt;b&gt;Self&lt;/b&gt;") || strings.Contains(page.body, "<b>Self") {
		t.Error("the consent page does not escape the name, or is not there:", page.status)
	}
	back := alice.follow(alice.post("/login", with(fields(page.body), "act", "continue")))
	u, _ := url.Parse(back.location)
	got, status := n.token(id, url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {"https://app.test/cb"}, "code_verifier": {verifier}})
	if status != 200 || !n.alive(got.Access) {
		t.Fatal("a self-registered app cannot be used:", status, back.location)
	}
	if a := manage("DELETE", own, ""); a.status != 204 {
		t.Error("delete:", a.status)
	}
	if a := manage("GET", own, ""); a.status != 401 {
		t.Error("a deleted client reads itself:", a.status)
	}
	if n.alive(got.Access) || n.refreshes(id, got) || alice.user() != "alice" {
		t.Error("a client's end must end its tokens and nothing else")
	}
}

func (n *node) selfManage(method, at, token, body string) answer {
	n.t.Helper()
	return n.person().do(method, at, body, map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"})
}

// No token at all opens nothing, even where the hash of nothing was let in by hand.
func TestRegister_NoTokenIsNone(t *testing.T) {
	n := start(t, func(c *config.Config) { c.InitialTokens = []idp.Hash{idp.HashOf("")} })
	for _, header := range []string{"", "Bearer", "Bearer ", "bearer \t"} {
		a := n.person().do("POST", "/oauth2/register", `{"redirect_uris":["https://new.test/cb"]}`, map[string]string{"Content-Type": "application/json", "Authorization": header})
		if a.status != 401 {
			t.Errorf("%q: %d %s", header, a.status, a.body)
		}
	}
}
