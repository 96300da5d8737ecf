package rooms_test

import (
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"exeunt.dev/internal/config"
)

// told is what came at a back-channel address: all that the suite looks at.
type told struct {
	method, kind string
	query        string
	cookies      int
	form         url.Values
}

// receiver is the app's back-channel address: it answers each call with a status and keeps what came.
func receiver(t *testing.T, status int) (at string, calls <-chan told) {
	t.Helper()
	came := make(chan told, 16)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Error(err)
		}
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil {
			t.Error(err)
		}
		came <- told{r.Method, kind, r.URL.RawQuery, len(r.Cookies()), form}
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/backchannel_logout?kept=1", came
}

func one(t *testing.T, calls <-chan told) told {
	t.Helper()
	select {
	case c := <-calls:
		return c
	case <-time.After(2 * time.Minute):
		t.Fatal("the app was not told")
	}
	return told{}
}

// The modules of oidcc-backchannel-rp-initiated-logout-certification-test-plan, under their own names.
func TestConformance_BackChannelLogout(t *testing.T) {
	n := startSuite(t, func(c *config.Config) { c.Outbound = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	t.Run("oidcc-backchannel-logout-discovery-endpoint-verification", func(t *testing.T) {
		discoveryIsHTTPS(t, n, "backchannel_logout_supported", "backchannel_logout_session_supported", "end_session_endpoint")
	})
	t.Run("oidcc-backchannel-rp-initiated-logout", func(t *testing.T) {
		for _, status := range []int{http.StatusOK, http.StatusNoContent} {
			n.backchannelModule(t, status)
		}
	})
}

func (n *node) backchannelModule(t *testing.T, status int) {
	t.Helper()
	at, calls := receiver(t, status)
	// A website that registers itself has its back channel on the host of a redirect URI.
	m := n.module(t, map[string]any{"redirect_uris": []string{suiteBack, at[:len(at)-len("/backchannel_logout?kept=1")] + "/callback"},
		"backchannel_logout_uri": at, "backchannel_logout_session_required": true})
	var id struct {
		Sid string `json:"sid"`
	}
	if err := m.id.Claims(&id); err != nil || id.Sid == "" {
		t.Fatal("the ID token has no sid:", err)
	}
	a := m.get(logout("id_token_hint", m.tokens.ID, "post_logout_redirect_uri", suiteHome, "state", state128))
	if a.status != http.StatusSeeOther || a.location != suiteHome+"?state="+state128 {
		t.Errorf("%d to %q", a.status, a.location)
	}
	c := one(t, calls)
	if c.method != http.MethodPost || c.kind != formType || c.query != "kept=1" || c.cookies != 0 || len(c.form) != 1 || len(c.form["logout_token"]) != 1 {
		t.Fatalf("%+v", c)
	}
	m.logoutToken(t, c.form.Get("logout_token"), id.Sid)
	m.signedOut(t)
}

// logoutToken checks a logout token: by a library that is not ours, and every clause of section 2.4 by hand.
func (m *suite) logoutToken(t *testing.T, raw, sid string) {
	t.Helper()
	ctx := oidc.ClientContext(t.Context(), &http.Client{Transport: m.transport})
	provider, err := oidc.NewProvider(ctx, m.at)
	if err != nil {
		t.Fatal(err)
	}
	verifier := provider.VerifierContext(ctx, &oidc.Config{ClientID: m.app})
	if _, err := verifier.VerifyLogout(ctx, raw); err != nil {
		t.Fatal("logout token:", err)
	}
	header, claims := part(t, raw, 0), part(t, raw, 1)
	if header["typ"] != "logout+jwt" || header["alg"] != part(t, m.tokens.ID, 0)["alg"] || header["kid"] != part(t, m.tokens.ID, 0)["kid"] {
		t.Errorf("header: %v", header)
	}
	if claims["iss"] != m.at || claims["aud"] != m.app || claims["sub"] != m.id.Subject || claims["sid"] != sid {
		t.Errorf("iss, aud, sub or sid: %v", claims)
	}
	iat, _ := claims["iat"].(float64)
	exp, _ := claims["exp"].(float64)
	now := float64(time.Now().Unix())
	if iat < now-60 || iat > now+5 || exp <= iat || exp > iat+120 {
		t.Errorf("iat %v, exp %v", claims["iat"], claims["exp"])
	}
	if jti, _ := claims["jti"].(string); len(jti) < 16 {
		t.Errorf("jti: %v", claims["jti"])
	}
	events, _ := claims["events"].(map[string]any)
	event, ok := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
	if len(events) != 1 || !ok || len(event) != 0 {
		t.Errorf("events: %v", claims["events"])
	}
	for name := range claims {
		switch name {
		case "iss", "sub", "aud", "iat", "exp", "jti", "events", "sid":
		default:
			t.Errorf("a claim that does not belong there (nonce is forbidden): %s", name)
		}
	}
	// Section 4.1: a logout token is no access token and no hint; an ID token would have the nonce.
	if m.alive(raw) {
		t.Error("it is taken for an access token")
	}
	if a := m.get(logout("id_token_hint", raw)); a.status != http.StatusBadRequest {
		t.Errorf("it is taken for a hint: %d", a.status)
	}
}
