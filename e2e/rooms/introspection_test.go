package rooms_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"exeunt.dev/guard"
	"exeunt.dev/internal/config"
)

const signedAnswer = "application/token-introspection+jwt"

// inspected is the signed introspection answer to a client (RFC 9701).
func (n *node) inspected(app, token string) string {
	n.t.Helper()
	basic, _ := http.NewRequest("POST", n.at, nil)
	basic.SetBasicAuth(app, n.secrets[app])
	a := n.person().do("POST", "/oauth2/introspect", url.Values{"token": {token}}.Encode(),
		map[string]string{"Content-Type": formType, "Accept": signedAnswer, "Authorization": basic.Header.Get("Authorization")})
	if a.status != 200 || a.header.Get("Content-Type") != signedAnswer {
		n.t.Fatalf("introspection: %d %s", a.status, a.body)
	}
	return a.body
}

// The signed answer about a token is taken by nobody for that token: not by a guard, not by a website's library, not by us.
func TestSignedIntrospection_IsNoOtherToken(t *testing.T) {
	n := start(t)
	g := n.guarded()
	p := n.alice()
	own := p.enter("shop")
	if _, err := g.Check(own.Access); err != nil {
		t.Fatal("the token itself:", err)
	}
	provider, err := oidc.NewProvider(t.Context(), n.at)
	if err != nil {
		t.Fatal(err)
	}
	for _, app := range []string{"orders", "shop"} {
		raw := n.inspected(app, own.Access)
		if _, err := g.Check(raw); !errors.Is(err, guard.ErrInvalid) {
			t.Errorf("a guard, %s's answer: %v", app, err)
		}
		if _, err := provider.Verifier(&oidc.Config{ClientID: app}).Verify(t.Context(), raw); err == nil {
			t.Errorf("a website takes %s's answer for an ID token", app)
		}
		if a := p.get(logout("id_token_hint", raw)); a.status != 400 || a.location != "" {
			t.Errorf("as id_token_hint at /logout: %d to %q", a.status, a.location)
		}
		for _, path := range []string{"/customers/me/logout", "/v1/customers/me/logout"} {
			if a := n.bearer("POST", path, raw); a.status != 401 {
				t.Errorf("%s: %d", path, a.status)
			}
		}
	}
	if p.user() != "alice" || !n.alive(own.Access) {
		t.Error("something has ended")
	}
}

// A client has its answers in the algorithm that it registered, if there is such a key.
func TestSignedIntrospection_Algorithm(t *testing.T) {
	n := startSuite(t, func(c *config.Config) { c.Algs = []string{"ES256", "RS256"} })
	for alg, want := range map[string]string{"RS256": "RS256", "": "ES256"} {
		m := n.module(t, map[string]any{"introspection_signed_response_alg": alg})
		if header := part(t, n.inspected(m.app, m.tokens.Access), 0); header["alg"] != want || header["typ"] != "token-introspection+jwt" {
			t.Errorf("%q: %v", alg, header)
		}
	}
	for _, alg := range []string{"none", "HS256", "EdDSA"} {
		body := `{"redirect_uris":["` + suiteBack + `"],"introspection_signed_response_alg":"` + alg + `"}`
		a := n.person().do("POST", "/oauth2/register", body, map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + suiteToken})
		if a.status != 400 {
			t.Errorf("%s is registered: %d", alg, a.status)
		}
	}
}
