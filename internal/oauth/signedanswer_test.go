package oauth_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"exeunt.dev/internal/idp"
)

const signedType = "application/token-introspection+jwt"

// inspect asks for the signed answer, or for what accept says.
func (n *node) inspect(app idp.ClientID, token, accept string) answer {
	n.t.Helper()
	return n.as(app, "/oauth2/introspect", url.Values{"token": {token}}, "Accept", accept)
}

// opened verifies a signed answer by the published keys, with a library that is not ours.
func (n *node) opened(a answer) (header jose.Header, members map[string]any) {
	n.t.Helper()
	if a.status != 200 || a.header.Get("Content-Type") != signedType || a.header.Get("Cache-Control") != "no-store" {
		n.t.Fatalf("%d %v %s", a.status, a.header, a.body)
	}
	signed, err := jose.ParseSignedCompact(a.body, []jose.SignatureAlgorithm{jose.ES256})
	must(n.t, err)
	var keys jose.JSONWebKeySet
	must(n.t, json.Unmarshal([]byte(n.person().get("/.well-known/jwks.json").body), &keys))
	header = signed.Signatures[0].Protected
	found := keys.Key(header.KeyID)
	if len(found) != 1 {
		n.t.Fatal("its key is not published")
	}
	payload, err := signed.Verify(found[0])
	must(n.t, err)
	return header, answer{body: string(payload)}.json(n.t)
}

// RFC 9701 section 5: the signed answer says what the plain one says, for this caller, and nothing beside it.
func TestIntrospectSigned(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	mine, theirs := p.enter("books"), p.enter("spa")
	over := p.enter("books")
	n.as("books", "/oauth2/revoke", url.Values{"token": {over.Access}})
	for name, c := range map[string]struct {
		app    idp.ClientID
		token  string
		active bool
	}{
		"api, for it":       {"api", mine.Access, true},
		"own":               {"books", mine.Access, true},
		"own refresh":       {"books", mine.Refresh, true},
		"api, for another":  {"api", theirs.Access, false},
		"another's":         {"books", theirs.Access, false},
		"another's refresh": {"books", theirs.Refresh, false},
		"refresh by api":    {"api", mine.Refresh, false},
		"revoked":           {"api", over.Access, false},
		"ID token":          {"books", mine.ID, false},
		"nonsense":          {"api", "nonsense", false},
	} {
		header, got := n.opened(n.inspect(c.app, c.token, signedType))
		if header.ExtraHeaders["typ"] != "token-introspection+jwt" {
			t.Errorf("%s: typ %v", name, header.ExtraHeaders["typ"])
		}
		now, err := n.store.Now()
		must(t, err)
		iat, _ := got["iat"].(float64)
		if got["iss"] != n.at || got["aud"] != string(c.app) || iat < float64(now/1000-30) || iat > float64(now/1000) || len(got) != 4 {
			t.Errorf("%s: %v", name, got)
		}
		about, _ := got["token_introspection"].(map[string]any)
		if plain := n.introspect(c.app, c.token).json(t); !reflect.DeepEqual(about, plain) || about["active"] != c.active {
			t.Errorf("%s: %v, and in plain JSON %v", name, about, plain)
		}
		if !c.active && len(about) != 1 {
			t.Errorf("%s: it says why: %v", name, about)
		}
	}
	doc := n.person().get("/.well-known/openid-configuration").json(t)
	if !reflect.DeepEqual(doc["introspection_signing_alg_values_supported"], doc["id_token_signing_alg_values_supported"]) {
		t.Error("discovery:", doc["introspection_signing_alg_values_supported"])
	}
}

// Who asks for neither form, or for the plain one, gets the plain one.
func TestIntrospectSigned_Accept(t *testing.T) {
	n := start(t)
	got := n.signedIn("alice").enter("books")
	for accept, signed := range map[string]bool{
		signedType:                                    true,
		"Application/Token-Introspection+JWT":         true,
		signedType + ";q=0.5":                         true,
		"text/html, " + signedType + ", */*;q=0":      true,
		signedType + ", application/json":             true,
		signedType + ";q=0.5, application/json;q=0.5": true,
		signedType + ";q=0.5, application/json":       false,
		signedType + ";q=0":                           false,
		signedType + ";q=x":                           false,
		signedType + ";q=NaN":                         false,
		signedType + ";q=2":                           false,
		"application/jwt":                             false,
		"application/*":                               false,
		"*/*":                                         false,
		"":                                            false,
		", ;;, /":                                     false,
	} {
		a := n.inspect("books", got.Access, accept)
		want := "application/json"
		if signed {
			want = signedType
		}
		if a.status != 200 || a.header.Get("Content-Type") != want {
			t.Errorf("%q: %d %s", accept, a.status, a.header.Get("Content-Type"))
		}
	}
}

// RFC 9701 section 5: who does not show who they are is refused, with 400, and learns nothing; who failed by header gets 401.
func TestIntrospectSigned_WhoAsks(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	got, theirs := p.enter("books"), p.enter("spa")
	ask := func(v url.Values, header ...string) answer {
		return n.person().do("POST", "/oauth2/introspect", with(v, "token", got.Access).Encode(), append(header, "Content-Type", formType, "Accept", signedType)...)
	}
	expect(t, "nobody", ask(nil), 400, "invalid_client")
	expect(t, "a name alone", ask(url.Values{"client_id": {"books"}}), 400, "invalid_client")
	expect(t, "a wrong secret", ask(url.Values{"client_id": {"books"}, "client_secret": {"x"}}), 400, "invalid_client")
	expect(t, "nobody known", ask(url.Values{"client_id": {"nobody"}, "client_secret": {"x"}}), 400, "invalid_client")
	expect(t, "a public client", n.inspect("spa", theirs.Access, signedType), 400, "invalid_client")
	expect(t, "a wrong secret by header", ask(nil, "Authorization", "Basic Ym9va3M6eA=="), 401, "invalid_client")
	expect(t, "a bearer token", ask(nil, "Authorization", "Bearer "+got.Access), 401, "invalid_client")
	expect(t, "two ways", ask(url.Values{"client_id": {"api"}}, "Authorization", "Basic Ym9va3M6eA=="), 400, "invalid_request")
	expect(t, "no token", n.as("books", "/oauth2/introspect", url.Values{"x": {"y"}}, "Accept", signedType), 400, "invalid_request")
	n.end(idp.EndClient("books", true), idp.CauseClientEnded)
	expect(t, "turned off", n.inspect("books", got.Access, signedType), 401, "invalid_client")
	must(t, n.store.Close())
	expect(t, "no store", n.inspect("api", got.Access, signedType), 503, "temporarily_unavailable")
}

// RFC 9701 section 8.1: the answer is no access token, no ID token, no refresh token and no hint, and asking about it or
// revoking it does nothing. Nor is an answer for one caller good for anything in another's hands.
func TestIntrospectSigned_IsNoOtherToken(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	got := p.enter("books")
	for _, about := range []string{got.Access, got.Refresh, "nonsense"} {
		raw := n.inspect("books", about, signedType).body
		if c := claims(t, raw); c["sub"] != nil || c["exp"] != nil || c["scope"] != nil || c["jti"] != nil {
			t.Errorf("it reads like a token: %v", c)
		}
		expect(t, "userinfo", n.userInfo(raw), 401, "invalid_token")
		expect(t, "refresh", n.refresh("books", raw), 400, "invalid_grant")
		expect(t, "code", n.as("books", "/oauth2/token", redeeming("books", raw)), 400, "invalid_grant")
		if a := n.introspect("books", raw); strings.TrimSpace(a.body) != `{"active":false}` {
			t.Errorf("introspected: %s", a.body)
		}
		if a := n.as("books", "/oauth2/revoke", url.Values{"token": {raw}}); a.status != 200 {
			t.Errorf("revoked: %d", a.status)
		}
		if q := p.authorize("books", "prompt", "none", "id_token_hint", raw).query(); q.Get("error") != "invalid_request" {
			t.Errorf("as id_token_hint: %v", q)
		}
		expect(t, "registration", n.person().do("POST", "/oauth2/register", "{}", "Content-Type", "application/json", "Authorization", "Bearer "+raw), 401, "invalid_token")
	}
	if n.userInfo(got.Access).status != 200 {
		t.Error("revoking the answer has ended the token")
	}
}

// The header of the answer names the type of RFC 9701 and a key of ID tokens: no API trusts that one for access tokens.
func TestIntrospectSigned_Key(t *testing.T) {
	n := start(t)
	got := n.signedIn("alice").enter("books")
	kid := func(raw string) string {
		signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256})
		must(t, err)
		return signed.Signatures[0].Protected.KeyID
	}
	answer := kid(n.inspect("books", got.Access, signedType).body)
	if answer != kid(got.ID) || answer == kid(got.Access) {
		t.Error("signed by", answer)
	}
}
