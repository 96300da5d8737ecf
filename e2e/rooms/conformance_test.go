package rooms_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
)

var state128 = strings.Repeat("0123456789abcdef", 8)

// The modules of the OpenID certification plan oidcc-rp-initiated-logout-certification-test-plan under their own names, each
// doing what the suite does. The suite looks at where the browser ends and whether prompt=none still works; we also look at
// whether what must not be touched has been.
func TestConformance_RPInitiatedLogout(t *testing.T) {
	n := startSuite(t)
	for name, module := range map[string]func(*testing.T, *node){
		"oidcc-rp-initiated-logout-discovery-endpoint-verification": func(t *testing.T, n *node) { discoveryIsHTTPS(t, n, "end_session_endpoint") },
		"oidcc-rp-initiated-logout": func(t *testing.T, n *node) {
			m := n.module(t, nil)
			a := m.get(logout("id_token_hint", m.tokens.ID, "post_logout_redirect_uri", suiteHome, "state", state128))
			if a.status != http.StatusSeeOther || a.location != suiteHome+"?state="+state128 {
				t.Errorf("%d to %q", a.status, a.location)
			}
			m.signedOut(t)
		},
		"oidcc-rp-initiated-logout-no-state": func(t *testing.T, n *node) {
			m := n.module(t, nil)
			a := m.get(logout("id_token_hint", m.tokens.ID, "post_logout_redirect_uri", suiteHome))
			if a.status != http.StatusSeeOther || a.location != suiteHome {
				t.Errorf("%d to %q", a.status, a.location)
			}
			m.signedOut(t)
		},
		"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": func(t *testing.T, n *node) {
			n.refusesLogout(t, func(m *suite) (string, string) { return m.tokens.ID, suiteHome + "/not/registered" })
		},
		"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": func(t *testing.T, n *node) {
			n.refusesLogout(t, func(m *suite) (string, string) { return m.tokens.ID, suiteHome + "?foo=bar" })
		},
		"oidcc-rp-initiated-logout-modified-id-token-hint": func(t *testing.T, n *node) {
			n.refusesLogout(t, func(m *suite) (string, string) {
				payload := strings.Split(m.tokens.ID, ".")[1]
				return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload + ".", suiteHome
			})
		},
		"oidcc-rp-initiated-logout-bad-id-token-hint": func(t *testing.T, n *node) {
			n.refusesLogout(t, func(m *suite) (string, string) { return resigned(t, m.tokens.ID, "the suite's key"), suiteHome })
			n.refusesLogout(t, func(m *suite) (string, string) {
				return resigned(t, m.tokens.ID, part(t, m.tokens.ID, 0)["kid"].(string)), suiteHome
			})
		},
		"oidcc-rp-initiated-logout-no-id-token-hint": func(t *testing.T, n *node) {
			m := n.module(t, nil)
			isPage(t, m.confirm(t, m.get(logout("post_logout_redirect_uri", suiteHome, "state", state128))), http.StatusOK, "Signed out")
			m.signedOut(t)
		},
		"oidcc-rp-initiated-logout-no-post-logout-redirect-uri": func(t *testing.T, n *node) {
			m := n.module(t, nil)
			isPage(t, m.follow(m.get(logout("id_token_hint", m.tokens.ID, "state", state128))), http.StatusOK, "Signed out")
			m.signedOut(t)
		},
		"oidcc-rp-initiated-logout-no-params": func(t *testing.T, n *node) {
			m := n.module(t, nil)
			isPage(t, m.confirm(t, m.get("/logout")), http.StatusOK, "Signed out")
			m.signedOut(t)
		},
		"oidcc-rp-initiated-logout-only-state": func(t *testing.T, n *node) {
			m := n.module(t, nil)
			isPage(t, m.confirm(t, m.get(logout("state", state128))), http.StatusOK, "Signed out")
			m.signedOut(t)
		},
	} {
		t.Run(name, func(t *testing.T) { module(t, n) })
	}
}

// refusesLogout sends a hint and an address of which one is not right: an error page, no redirect, and nothing has ended.
// Then the same by POST, as section 2 has it.
func (n *node) refusesLogout(t *testing.T, wrong func(*suite) (hint, uri string)) {
	t.Helper()
	m := n.module(t, nil)
	hint, uri := wrong(m)
	v := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {uri}, "state": {state128}}
	isPage(t, m.get("/logout?"+v.Encode()), http.StatusBadRequest, "Nothing was changed")
	isPage(t, m.follow(m.post("/logout", v)), http.StatusBadRequest, "Nothing was changed")
	m.stays(t)
}

// resigned is a token with another signature: that of a key of ours under a kid.
func resigned(t *testing.T, token, kid string) string {
	t.Helper()
	key, err := jws.Generate(kid, "ES256")
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	out, err := key.Sign("JWT", payload)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// discoveryIsHTTPS checks the document as the suite does: these members are there, and every address is https.
func discoveryIsHTTPS(t *testing.T, n *node, members ...string) {
	t.Helper()
	a := n.person().get("/.well-known/openid-configuration")
	if a.status != 200 || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", a.status, a.header.Get("Content-Type"))
	}
	doc := object(t, a)
	for _, name := range members {
		if doc[name] == nil || doc[name] == false {
			t.Errorf("%s: %v", name, doc[name])
		}
	}
	for name, value := range doc {
		text, _ := value.(string)
		address := strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_uri") || strings.HasSuffix(name, "_iframe")
		if (address || name == "issuer") && !strings.HasPrefix(text, "https://") {
			t.Errorf("%s: %q", name, text)
		}
	}
	if doc["issuer"] != n.at || !idp.MatchURI([]string{n.at + "/logout"}, doc["end_session_endpoint"].(string), false) {
		t.Errorf("issuer %v, end_session_endpoint %v", doc["issuer"], doc["end_session_endpoint"])
	}
}
