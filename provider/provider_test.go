package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/jws"
	"exeunt.dev/provider"
)

// Each provider's call as documented: method, path, authentication, body.
func TestRevocationCalls(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	apple, err := provider.Apple("team", "kid", "svc", key)
	if err != nil {
		t.Fatal(err)
	}
	tok := provider.Token{Access: "acc", Refresh: "ref", User: "4/2"}
	for _, c := range []struct {
		p                        provider.Provider
		at, method, path, secret string
		body                     string
	}{
		{provider.Google("id", "se"), "", "POST", "/revoke", "", "token=ref"},
		{provider.Facebook("id", "se"), "", "DELETE", "/v21.0/4%2F2/permissions", "Bearer id|se", ""},
		{provider.GitHub("i d", "se"), "", "DELETE", "/applications/i%20d/grant", "Basic aSBkOnNl", `{"access_token":"acc"}`},
		{provider.GitLab("https://gitlab.com", "id", "se"), "https://gitlab.com/oauth/revoke", "POST", "/oauth/revoke", "", "client_id=id&client_secret=se&token=ref"},
		{provider.Discord("id", "se"), "", "POST", "/api/oauth2/token/revoke", "Basic aWQ6c2U=", "token=ref&token_type_hint=refresh_token"},
		{provider.Twitch("id", "se"), "", "POST", "/oauth2/revoke", "", "client_id=id&token=acc"},
		{provider.Slack("id", "se"), "", "GET", "/api/auth.revoke", "Bearer acc", ""},
		{provider.Auth0("a.example", "id", "se"), "", "POST", "/oauth/revoke", "", "client_id=id&client_secret=se&token=ref"},
		{provider.Okta("https://a.example/oauth2/default", "id", "se"), "https://a.example/oauth2/default/v1/revoke", "POST", "/oauth2/default/v1/revoke", "Basic aWQ6c2U=", "token=ref&token_type_hint=refresh_token"},
		{provider.Keycloak("https://a.example", "r", "id", "se"), "https://a.example/realms/r/protocol/openid-connect/revoke", "POST", "/realms/r/protocol/openid-connect/revoke", "Basic aWQ6c2U=", "token=ref&token_type_hint=refresh_token"},
		{provider.Cognito("r", "p", "a.example", "id", "se"), "", "POST", "/oauth2/revoke", "Basic aWQ6c2U=", "token=ref"},
		{apple, "", "POST", "/auth/revoke", "", ""},
	} {
		at := c.at
		if at == "" {
			at = c.p.Endpoints.Revoke
		}
		q, err := c.p.Request(t.Context(), at, tok, time.Now())
		if err != nil {
			t.Fatal(c.p.Title, err)
		}
		body := []byte{}
		if q.Body != nil {
			body, _ = io.ReadAll(q.Body)
		}
		if q.Method != c.method || q.URL.EscapedPath() != c.path || q.Header.Get("Authorization") != c.secret {
			t.Errorf("%s: %s %s %q", c.p.Title, q.Method, q.URL.EscapedPath(), q.Header.Get("Authorization"))
		}
		if c.p.Title != "Apple" {
			if string(body) != c.body {
				t.Errorf("%s: body %q", c.p.Title, body)
			}
			continue
		}
		form, _ := url.ParseQuery(string(body))
		u, err := jws.Parse(form.Get("client_secret"))
		if err != nil || u.Verify(jws.Key{ID: "kid", Alg: jws.ES256, Public: key.Public()}) != nil || form.Get("client_id") != "svc" {
			t.Errorf("Apple's secret: %v %v", err, form)
		}
	}
	if _, err := provider.GitHub("id", "se").Request(t.Context(), "https://api.github.com/x", provider.Token{Refresh: "r"}, time.Now()); err != provider.ErrNothing {
		t.Error("GitHub wants an access token", err)
	}
}

func TestJudge(t *testing.T) {
	type want struct {
		done, again bool
		after       time.Duration
	}
	for _, c := range []struct {
		name, body, retry string
		p                 provider.Provider
		status            int
		want
	}{
		{"ok", "", "", provider.Google("i", "s"), 200, want{true, false, 0}},
		{"gone", `{"error":"invalid_token"}`, "", provider.Google("i", "s"), 400, want{true, false, 0}},
		{"another 400", `{"error":"invalid_request"}`, "", provider.Google("i", "s"), 400, want{false, false, 0}},
		{"a page", "\n <!doctype html>", "", provider.Google("i", "s"), 200, want{false, true, 0}},
		{"a page, refused", "<h1>no</h1>", "5", provider.Google("i", "s"), 400, want{false, true, 5 * time.Second}},
		{"a page, not found", "<html>", "", provider.GitHub("i", "s"), 404, want{false, true, 0}},
		{"rfc 7009 never says gone", `{"error":"invalid_token"}`, "", provider.OIDC("https://a", "i", "s"), 400, want{false, false, 0}},
		{"busy", "", "7", provider.Google("i", "s"), 429, want{false, true, 7 * time.Second}},
		{"down", "<html>", "999999999", provider.Google("i", "s"), 503, want{false, true, 24 * time.Hour}},
		{"our client", "", "-3", provider.GitHub("i", "s"), 401, want{false, true, 0}},
		{"204", "", "", provider.GitHub("i", "s"), 204, want{true, false, 0}},
		{"accepted", "{}", "", provider.Google("i", "s"), 202, want{false, true, 0}},
		{"404", "", "", provider.GitHub("i", "s"), 404, want{true, false, 0}},
		{"422", "", "", provider.GitHub("i", "s"), 422, want{false, false, 0}},
		{"moved", "", "", provider.GitHub("i", "s"), 302, want{false, true, 0}},
		{"facebook", `{"success":true}`, "", provider.Facebook("i", "s"), 200, want{true, false, 0}},
		{"facebook bare", `true`, "", provider.Facebook("i", "s"), 200, want{true, false, 0}},
		{"facebook says no", `{"success":false}`, "", provider.Facebook("i", "s"), 200, want{false, true, 0}},
		{"facebook html", `<html>`, "", provider.Facebook("i", "s"), 200, want{false, true, 0}},
		{"facebook removed", `{"error":{"code":190,"error_subcode":458}}`, "", provider.Facebook("i", "s"), 400, want{true, false, 0}},
		{"facebook expired", `{"error":{"code":190,"error_subcode":463}}`, "", provider.Facebook("i", "s"), 400, want{false, false, 0}},
		{"twitch", "", "", provider.Twitch("i", "s"), 200, want{true, false, 0}},
		{"twitch gone", `{"status":400,"message":"Invalid token"}`, "", provider.Twitch("i", "s"), 400, want{true, false, 0}},
		{"twitch another 400", `{"status":400,"message":"missing client id"}`, "", provider.Twitch("i", "s"), 400, want{false, false, 0}},
		{"twitch no such client", `{"status":404,"message":"client does not exist"}`, "", provider.Twitch("i", "s"), 404, want{false, false, 0}},
		{"slack", `{"ok":true,"revoked":true}`, "", provider.Slack("i", "s"), 200, want{true, false, 0}},
		{"slack, not done", `{"ok":true,"revoked":false}`, "", provider.Slack("i", "s"), 200, want{false, true, 0}},
		{"slack gone", `{"ok":false,"error":"token_revoked"}`, "", provider.Slack("i", "s"), 200, want{true, false, 0}},
		{"slack another no", `{"ok":false,"error":"invalid_auth"}`, "", provider.Slack("i", "s"), 200, want{false, true, 0}},
		{"slack html", `<html>`, "", provider.Slack("i", "s"), 200, want{false, true, 0}},
		{"slack busy", `{"ok":false,"error":"ratelimited"}`, "30", provider.Slack("i", "s"), 429, want{false, true, 30 * time.Second}},
		{"discord", "", "", provider.Discord("i", "s"), 200, want{true, false, 0}},
		{"discord our client", `{"error":"invalid_client"}`, "", provider.Discord("i", "s"), 401, want{false, true, 0}},
		{"okta", "", "", provider.Okta("https://a", "i", "s"), 200, want{true, false, 0}},
		{"cognito wrong kind", `{"error":"unsupported_token_type"}`, "", provider.Cognito("r", "p", "d.example", "i", "s"), 400, want{false, false, 0}},
	} {
		w := httptest.NewRecorder()
		w.Header().Set("Retry-After", c.retry)
		w.WriteHeader(c.status)
		io.WriteString(w, c.body)
		v := c.p.Judge(w.Result(), time.Now())
		if (want{v.Done, v.Again, v.After}) != c.want {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

func TestSafeAndAt(t *testing.T) {
	for u, ok := range map[string]bool{
		"https://a.example/x": true, "http://127.0.0.1:9/": true, "http://[::1]/": true, "http://localhost/": true,
		"http://a.example/": false, "http://127.0.0.1.evil.example/": false, "ftp://127.0.0.1/": false, "/x": false, "https://u@a/": false, "https://a/#f": false, "": false,
	} {
		if (provider.Safe(u) == nil) != ok {
			t.Error(u)
		}
	}
	p := provider.GitHub("id", "se")
	p.Endpoints = p.Endpoints.At("http://127.0.0.1:1")
	if p.Endpoints.Revoke != "http://127.0.0.1:1/applications/{client_id}/grant" || p.Check() != nil {
		t.Error(p.Endpoints, p.Check())
	}
	if (provider.Provider{ClientID: "x"}).Check() == nil || (provider.Provider{}).Check() == nil {
		t.Error("an empty provider passes")
	}
}

// Each kind is there once, can be used, and says where its calls are documented, or where a person does it by hand.
func TestKnown(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range provider.Known() {
		p := e.Provider
		if seen[e.Kind] || e.Kind == "" || p.Title == "" || len(p.Scopes) == 0 && e.Kind != "oauth" {
			t.Errorf("%s: %+v", e.Kind, p)
		}
		seen[e.Kind] = true
		if err := p.Check(); err != nil {
			t.Error(e.Kind, err)
		}
		if p.Revocation.Offered() && p.Revocation.Source == "" || !p.Revocation.Offered() && p.Revocation.ByHand == "" && e.Kind != "oauth" {
			t.Errorf("%s: nothing says how a consent is taken back: %+v", e.Kind, p.Revocation)
		}
		if p.SignOut.Offered && p.SignOut.Source == "" || !p.SignOut.Offered && p.SignOut.ByHand == "" && e.Kind != "oauth" {
			t.Errorf("%s: nothing says how a session there is left: %+v", e.Kind, p.SignOut)
		}
		for _, at := range []string{p.Source, p.Revocation.Source, p.Revocation.ByHand, p.SignOut.ByHand, p.SignOut.Source} {
			if p.Source == "" {
				t.Errorf("%s: no source", e.Kind)
			}
			if at, _, _ = strings.Cut(at, "#"); at != "" && provider.Safe(at) != nil {
				t.Error(e.Kind, at)
			}
		}
	}
	for _, kind := range []string{"google", "facebook", "github", "gitlab", "microsoft", "apple", "discord", "twitch", "slack", "auth0", "okta", "keycloak", "cognito", "oidc", "oauth"} {
		if !seen[kind] {
			t.Error("no", kind)
		}
		delete(seen, kind)
	}
	if len(seen) > 0 {
		t.Error("besides:", seen)
	}
}

// People read a provider's title, and an address is none.
func TestTitleOfAnyProvider(t *testing.T) {
	for issuer, title := range map[string]string{"https://id.example/realms/a": "id.example", "http://localhost:8080": "localhost:8080"} {
		if p := provider.OIDC(issuer, "i", "s"); p.Title != title {
			t.Error(issuer, p.Title)
		}
	}
}
