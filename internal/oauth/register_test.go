package oauth_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/oauth"
)

type object map[string]any

func (n *node) call(method, to, bearer string, body object) answer {
	n.t.Helper()
	text, err := json.Marshal(body)
	must(n.t, err)
	return n.person().do(method, strings.TrimPrefix(to, n.at), string(text), "Content-Type", "application/json", "Authorization", "Bearer "+bearer)
}

func TestRegister_Closed(t *testing.T) {
	n := start(t, func(o *oauth.OAuth) { o.InitialTokens = nil })
	expect(t, "closed", n.call("POST", "/oauth2/register", initial, object{}), 403, "access_denied")
	if n.person().get("/.well-known/openid-configuration").json(t)["registration_endpoint"] != nil {
		t.Error("advertised")
	}
}

func TestRegister_Refuses(t *testing.T) {
	n := start(t)
	good := object{"redirect_uris": []string{"https://new.test/cb"}}
	expect(t, "no token", n.call("POST", "/oauth2/register", "", good), 401, "invalid_token")
	expect(t, "wrong token", n.call("POST", "/oauth2/register", initial+"x", good), 401, "invalid_token")
	for name, c := range map[string]struct {
		change object
		code   string
	}{
		"no redirect URI":        {object{"redirect_uris": nil}, "invalid_redirect_uri"},
		"http":                   {object{"redirect_uris": []string{"http://new.test/cb"}}, "invalid_redirect_uri"},
		"fragment":               {object{"redirect_uris": []string{"https://new.test/cb#x"}}, "invalid_redirect_uri"},
		"javascript":             {object{"redirect_uris": []string{"javascript:alert(1)"}}, "invalid_redirect_uri"},
		"text turned around":     {object{"redirect_uris": []string{"https://new.test/\u202e"}}, "invalid_redirect_uri"},
		"a terminal's command":   {object{"redirect_uris": []string{"https://new.test/\u009b31m"}}, "invalid_redirect_uri"},
		"a long name":            {object{"client_name": strings.Repeat("ü", 101)}, "invalid_client_metadata"},
		"data":                   {object{"redirect_uris": []string{"data:text/html,x"}, "application_type": "native"}, "invalid_redirect_uri"},
		"user":                   {object{"redirect_uris": []string{"https://a@new.test/cb"}}, "invalid_redirect_uri"},
		"wildcard":               {object{"redirect_uris": []string{"https://*.new.test/cb"}}, "invalid_redirect_uri"},
		"scheme without dot":     {object{"redirect_uris": []string{"myapp:/cb"}, "application_type": "native"}, "invalid_redirect_uri"},
		"custom scheme on web":   {object{"redirect_uris": []string{"com.example.app:/cb"}}, "invalid_redirect_uri"},
		"relative":               {object{"redirect_uris": []string{"/cb"}}, "invalid_redirect_uri"},
		"post logout":            {object{"post_logout_redirect_uris": []string{"http://new.test/"}}, "invalid_client_metadata"},
		"logout":                 {object{"logout_uris": []string{"javascript:1"}}, "invalid_client_metadata"},
		"password grant":         {object{"grant_types": []string{"password"}}, "invalid_client_metadata"},
		"implicit":               {object{"response_types": []string{"token"}}, "invalid_client_metadata"},
		"private_key_jwt":        {object{"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"},
		"public machine":         {object{"token_endpoint_auth_method": "none", "grant_types": []string{"client_credentials"}}, "invalid_client_metadata"},
		"application type":       {object{"application_type": "toaster"}, "invalid_client_metadata"},
		"algorithm none":         {object{"id_token_signed_response_alg": "none"}, "invalid_client_metadata"},
		"foreign back channel":   {object{"backchannel_logout_uri": "https://evil.test/bc"}, "invalid_client_metadata"},
		"foreign front channel":  {object{"frontchannel_logout_uri": "https://evil.test/fc"}, "invalid_client_metadata"},
		"script as logo":         {object{"logo_uri": "javascript:1"}, "invalid_client_metadata"},
		"an API that is closed":  {object{"resource": []string{otherAud}}, "invalid_client_metadata"},
		"not the kind of member": {object{"redirect_uris": "https://new.test/cb"}, "invalid_request"},
	} {
		body := object{"redirect_uris": []string{"https://new.test/cb"}}
		for k, v := range c.change {
			body[k] = v
		}
		expect(t, name, n.call("POST", "/oauth2/register", initial, body), 400, c.code)
	}
}

func TestRegister_Life(t *testing.T) {
	n := start(t)
	a := n.call("POST", "/oauth2/register", initial, object{"client_name": "New", "redirect_uris": []string{"https://new.test/cb"}, "resource": []string{apiAud},
		"grant_types": []string{"authorization_code", "refresh_token"}, "scope": "openid profile", "backchannel_logout_uri": "https://new.test/bc",
		"logout_uris": []string{"https://new.test/left"}, "jwks_uri": "https://new.test/keys", "software_id": "ignored", "first_party": true, "offline": true})
	made := a.json(t)
	id, _ := made["client_id"].(string)
	secret, _ := made["client_secret"].(string)
	bearer, _ := made["registration_access_token"].(string)
	uri, _ := made["registration_client_uri"].(string)
	if a.status != 201 || !strings.HasPrefix(id, "app_") || len(secret) != 43 || len(bearer) != 43 || made["client_secret_expires_at"] != 0.0 || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	must(t, n.store.View(t.Context(), func(v idp.View) error {
		c, err := v.Client(idp.ClientID(id))
		if c.FirstParty || c.Offline || c.Secret != idp.HashOf(secret) || c.Registration != idp.HashOf(bearer) || c.BackchannelLogoutURI == "" {
			t.Errorf("%+v", c)
		}
		return err
	}))

	// It works as a client, with a person's consent, for the API it named.
	n.secrets[idp.ClientID(id)] = secret
	p := n.signedIn("alice")
	wait := p.authorize(id, "redirect_uri", "https://new.test/cb").header.Get("Location")
	p.press(wait, "act", "continue")
	code := p.get(strings.Replace(wait, "/login", "/oauth2/authorize", 1)).query().Get("code")
	got := n.as(idp.ClientID(id), "/oauth2/token", redeeming("new", code)).tokens(t)
	if claims(t, got.Access)["aud"] != apiAud || strings.Contains(got.Scope, "account.signout") {
		t.Errorf("%+v", got)
	}

	// RFC 7592: read, replace, delete.
	read := n.call("GET", uri, bearer, nil)
	if read.status != 200 || read.json(t)["client_name"] != "New" || strings.Contains(read.body, secret) {
		t.Errorf("%d %s", read.status, read.body)
	}
	for name, b := range map[string]string{"none": "", "initial": initial, "wrong": bearer + "x", "the secret": secret} {
		expect(t, "read with "+name, n.call("GET", uri, b, nil), 401, "invalid_token")
	}
	expect(t, "another client", n.call("GET", "/oauth2/register/books", bearer, nil), 401, "invalid_token")
	expect(t, "no client", n.call("GET", "/oauth2/register/nobody", bearer, nil), 401, "invalid_token")
	next := object{"client_id": id, "client_name": "Newer", "redirect_uris": []string{"https://new.test/cb2"}}
	if a := n.call("PUT", uri, bearer, next); a.status != 200 || a.json(t)["client_name"] != "Newer" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := p.authorize(id, "redirect_uri", "https://new.test/cb"); a.status != 400 {
		t.Errorf("the old address: %d", a.status)
	}
	expect(t, "another id", n.call("PUT", uri, bearer, object{"client_id": "books", "redirect_uris": []string{"https://new.test/cb"}}), 400, "invalid_request")
	expect(t, "public now", n.call("PUT", uri, bearer, object{"client_id": id, "redirect_uris": []string{"https://new.test/cb"}, "token_endpoint_auth_method": "none"}), 400, "invalid_client_metadata")
	expect(t, "bad address", n.call("PUT", uri, bearer, object{"client_id": id, "redirect_uris": []string{"http://new.test/cb"}}), 400, "invalid_redirect_uri")
	if a := n.call("GET", uri, bearer, nil); a.json(t)["redirect_uris"].([]any)[0] != "https://new.test/cb2" {
		t.Errorf("a refused change was made: %s", a.body)
	}
	if a := n.call("DELETE", uri, bearer, nil); a.status != 204 {
		t.Errorf("%d %s", a.status, a.body)
	}
	expect(t, "after its end", n.call("GET", uri, bearer, nil), 401, "invalid_token")
	expect(t, "its client", n.as(idp.ClientID(id), "/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}}), 401, "invalid_client")
	expect(t, "its token", n.userInfo(got.Access), 401, "invalid_token")
}

// R: a registration token dies with the epoch that it began under: who has stolen it cannot move the redirect URI afterwards.
func TestRegister_TokenDiesWithTheClient(t *testing.T) {
	n := start(t)
	made := n.call("POST", "/oauth2/register", initial, object{"redirect_uris": []string{"https://new.test/cb"}}).json(t)
	id, uri, bearer := made["client_id"].(string), made["registration_client_uri"].(string), made["registration_access_token"].(string)
	n.end(idp.EndClient(idp.ClientID(id), false), idp.CauseClientEnded)
	body := object{"client_id": id, "redirect_uris": []string{"https://evil.test/cb"}}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		expect(t, method, n.call(method, uri, bearer, body), 401, "invalid_token")
	}
	must(t, n.store.View(t.Context(), func(v idp.View) error {
		c, err := v.Client(idp.ClientID(id))
		if c.Disabled || c.RedirectURIs[0] != "https://new.test/cb" {
			t.Errorf("%+v", c)
		}
		return err
	}))
}

func TestChallenge(t *testing.T) {
	n := start(t)
	ask := func(app idp.ClientID, pairs ...string) answer {
		return n.as(app, "/oauth2/challenge", with(url.Values{"username": {"alice"}, "password": {password}, "scope": {"openid"},
			"code_challenge": {s256}, "code_challenge_method": {"S256"}}, pairs...))
	}
	code, _ := ask("phone").json(t)["authorization_code"].(string)
	got := n.as("phone", "/oauth2/token", redeeming("phone", code, "redirect_uri", "-")).tokens(t)
	if c := claims(t, got.ID); c["sub"] != string(n.people["alice"]) || c["sid"] == nil {
		t.Errorf("%v", c)
	}
	expect(t, "wrong password", ask("phone", "password", "wrong wrong"), 400, "access_denied")
	expect(t, "nobody", ask("phone", "username", "nobody"), 400, "access_denied")
	expect(t, "third party", ask("third"), 400, "unauthorized_client")
	expect(t, "machine", ask("robot"), 400, "unauthorized_client")
	expect(t, "no PKCE", ask("phone", "code_challenge", "-", "code_challenge_method", "-"), 400, "invalid_request")
	expect(t, "address", ask("phone", "redirect_uri", "https://evil.test/"), 400, "invalid_request")
	n.end(idp.EndAccount(n.people["alice"], idp.AccountLocked), idp.CauseLock)
	expect(t, "locked", ask("phone"), 400, "access_denied")
	expect(t, "refresh after lock", n.refresh("phone", got.Refresh), 400, "invalid_grant")
}
