package upstream_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/upstream"
	"exeunt.dev/provider"
	"golang.org/x/oauth2"
)

// documented is what a provider's own pages say of the call that takes a consent back: the one request that its double takes, and the
// answers that it gives.
type documented struct {
	provider.Provider
	at           string // the revocation endpoint, where it is discovered
	method, path string
	auth         string   // the whole header; "" there must be none
	form         []string // that the form must have, and no more
	json         string
	done         string // body of a success
	status       int    // of it; 0: 200
	gone         string // body of "nothing is left to revoke", which counts as done; "": it never says so
	goneStatus   int
}

func basic(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }

func all(t *testing.T) []documented {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	apple, err := provider.Apple("team", "kid", "id", key)
	if err != nil {
		t.Fatal(err)
	}
	refresh := []string{"token=ref", "token_type_hint=refresh_token"}
	post := func(p provider.Provider, at, auth string, form ...string) documented {
		u, _ := url.Parse(at)
		return documented{Provider: p, at: at, method: "POST", path: u.Path, auth: auth, form: form}
	}
	rfc7009 := func(p provider.Provider, at string) documented { return post(p, at, basic("id:se"), refresh...) }
	inBody := []string{"client_id=id", "client_secret=se", "token=ref"}
	own := provider.Endpoints{Authorize: "https://o.example/a", Token: "https://o.example/t", Profile: "https://o.example/me", Revoke: "https://o.example/revoke"}
	return []documented{
		{Provider: provider.Google("id", "se"), method: "POST", path: "/revoke", form: []string{"token=ref"}, gone: `{"error":"invalid_token","error_description":"Token expired or revoked"}`, goneStatus: 400},
		{Provider: provider.Facebook("id", "se"), method: "DELETE", path: "/v21.0/7/permissions", auth: "Bearer id|se", done: `{"success":true}`,
			gone: `{"error":{"message":"x","type":"OAuthException","code":190,"error_subcode":458}}`, goneStatus: 400},
		{Provider: provider.GitHub("id", "se"), method: "DELETE", path: "/applications/id/grant", auth: basic("id:se"), json: `{"access_token":"acc"}`, status: 204, gone: `{"message":"Not Found"}`, goneStatus: 404},
		post(provider.GitLab("https://gitlab.example", "id", "se"), "https://gitlab.example/oauth/revoke", "", inBody...),
		{Provider: apple, method: "POST", path: "/auth/revoke", form: append([]string{"client_id=id", "client_secret="}, refresh...)},
		rfc7009(provider.Discord("id", "se"), "https://discord.com/api/oauth2/token/revoke"),
		{Provider: provider.Twitch("id", "se"), method: "POST", path: "/oauth2/revoke", form: []string{"client_id=id", "token=acc"}, gone: `{"status":400,"message":"Invalid token"}`, goneStatus: 400},
		{Provider: provider.Slack("id", "se"), method: "GET", path: "/api/auth.revoke", auth: "Bearer acc", done: `{"ok":true,"revoked":true}`, gone: `{"ok":false,"error":"token_revoked"}`, goneStatus: 200},
		post(provider.Auth0("a.example", "id", "se"), "https://a.example/oauth/revoke", "", inBody...),
		rfc7009(provider.Okta("https://a.example/oauth2/default", "id", "se"), "https://a.example/oauth2/default/v1/revoke"),
		rfc7009(provider.Keycloak("https://a.example", "r", "id", "se"), "https://a.example/realms/r/protocol/openid-connect/revoke"),
		post(provider.Cognito("r", "p", "a.example", "id", "se"), "https://a.example/oauth2/revoke", basic("id:se"), "token=ref"),
		rfc7009(provider.OIDC("https://a.example", "id", "se"), "https://a.example/revoke"),
		rfc7009(provider.OAuth("O", "id", "se", own, "id"), own.Revoke),
	}
}

// exact says what is wrong with a request; "" if it is the documented one.
func (d *documented) exact(r *http.Request, body string) string {
	form, _ := url.ParseQuery(body)
	switch {
	case r.Method != d.method || r.URL.EscapedPath() != d.path || r.URL.RawQuery != "":
		return r.Method + " " + r.URL.String()
	case r.Header.Get("Authorization") != d.auth:
		return "Authorization: " + r.Header.Get("Authorization")
	case d.json != "" && (body != d.json || r.Header.Get("Content-Type") != "application/json"):
		return body
	case d.json == "" && len(form) != len(d.form):
		return body
	}
	for _, f := range d.form {
		k, v, _ := strings.Cut(f, "=")
		if got := form.Get(k); got == "" || v != "" && got != v {
			return body
		}
	}
	return ""
}

// Every provider that has a call, by a double that takes the documented request only, and by everything that can go wrong there.
func TestForget(t *testing.T) {
	say := func(status int, body string, header ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	kinds := map[string]bool{}
	for _, d := range all(t) {
		kinds[d.Title] = true
		t.Run(d.Title, func(t *testing.T) {
			t.Parallel() // each waits for a call that hangs
			type outcome struct{ done, again bool }
			for name, c := range map[string]struct {
				answer func(http.ResponseWriter, *http.Request)
				want   outcome
				after  time.Duration
			}{
				"done":          {nil, outcome{true, false}, 0},
				"invalid_token": {say(400, `{"error":"invalid_token","error_description":"mail@alice.example"}`), outcome{d.goneStatus == 400 && strings.Contains(d.gone, "invalid_token"), false}, 0},
				"401":           {say(401, `{"error":"invalid_client"}`), outcome{false, true}, 0},
				"429":           {say(429, "", "Retry-After", "120"), outcome{false, true}, 2 * time.Minute},
				"500":           {say(500, `{"error":"server_error"}`), outcome{false, true}, 0},
				"HTML":          {say(503, "<html><h1>Down</h1>", "Content-Type", "text/html"), outcome{false, true}, 0},
				"HTML, 200":     {say(200, "<!doctype html><h1>Please wait</h1>", "Content-Type", "text/html"), outcome{false, true}, 0},
				"HTML, 404":     {say(404, "<html><h1>Not here</h1>", "Content-Type", "text/html"), outcome{false, true}, 0},
				"gone for good": {say(410, "{}"), outcome{false, false}, 0},
				"date":          {say(503, "", "Retry-After", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)), outcome{false, true}, 0},
				"moved":         {say(302, "", "Location", "https://evil.example/"), outcome{false, true}, 0},
				"reset":         {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, outcome{false, true}, 0},
				"hang":          {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, outcome{false, true}, 0},
				"gone":          {say(d.goneStatus, d.gone), outcome{true, false}, 0},
			} {
				if name == "gone" && d.gone == "" {
					continue
				}
				wrong := "nobody called"
				s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					if wrong = d.exact(r, string(body)); wrong != "" {
						w.WriteHeader(http.StatusTeapot)
						return
					}
					if c.answer == nil {
						say(max(d.status, 200), d.done)(w, r)
						return
					}
					c.answer(w, r)
				}))
				s.Config.ErrorLog = log.New(io.Discard, "", 0)
				s.Start()
				p := d.Provider
				if d.at != "" {
					p.Endpoints.Revoke = d.at
				}
				p.Endpoints = p.Endpoints.At(s.URL)
				u := upstream.New("p", p, upstream.Options{Timeout: time.Second, Now: time.Now})
				v, _ := u.Forget(t.Context(), upstream.Tokens{Access: "acc", Refresh: "ref", Revoke: p.Endpoints.Revoke}, "7")
				s.CloseClientConnections()
				s.Close()
				if wrong != "" {
					t.Errorf("%s: not the documented call: %s", name, wrong)
				}
				if (outcome{v.Done, v.Again}) != c.want || v.After != c.after || strings.Contains(v.Why, "mail@") {
					t.Errorf("%s: %+v", name, v)
				}
			}
		})
	}
	for _, e := range provider.Known() {
		title := e.Provider.Title
		if e.Kind == "oidc" {
			title = "a.example"
		} else if e.Kind == "oauth" {
			title = "O"
		}
		if e.Provider.Revocation.Offered() && !kinds[title] {
			t.Errorf("%s has a call and no double", e.Kind)
		}
	}
}

// Tokens that were issued to another registration are shown to nobody: this one's secret would go to that one's provider, and "gone" would be
// said of what is not.
func TestForget_AnotherRegistration(t *testing.T) {
	called := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { called++ }))
	defer s.Close()
	own := provider.Endpoints{Authorize: s.URL + "/a", Token: s.URL + "/t", Profile: s.URL + "/me", Revoke: s.URL + "/revoke"}
	was := upstream.New("p", provider.OAuth("P", "old-id", "se", own, "id"), upstream.Options{Timeout: time.Second, Now: time.Now})
	d, err := was.Document(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tokens := was.Tokens(upstream.Arrival{Token: &oauth2.Token{AccessToken: "acc", RefreshToken: "ref"}, At: d})
	if v, err := was.Forget(t.Context(), tokens, "7"); !v.Done || called != 1 {
		t.Fatal("the one that they were issued to:", v, err)
	}
	is := upstream.New("p", provider.OAuth("P", "new-id", "se", own, "id"), upstream.Options{Timeout: time.Second, Now: time.Now})
	if v, _ := is.Forget(t.Context(), tokens, "7"); v.Done || v.Why == "" || called != 1 {
		t.Errorf("%+v, %d calls", v, called)
	}
	if _, err := is.Renew(t.Context(), tokens); !errors.Is(err, upstream.ErrRefused) || called != 1 {
		t.Error(err, called)
	}
}
