// Package optest is an OpenID Provider for tests: it says yes to everybody, publishes what real ones publish, and lets a test change every
// answer. It refuses to be part of a program.
package optest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/jws"
	"exeunt.dev/provider"
)

// OP is an OpenID Provider that says yes to everybody, and whose every answer a test can change.
type OP struct {
	*httptest.Server
	t *testing.T

	Mu      sync.Mutex
	Signer  *jws.Signer
	codes   map[string]url.Values
	Sub     string
	SID     string
	Silent  bool                                                 // about when it asked
	Form    bool                                                 // answers by POST
	Spent   bool                                                 // gives no refresh token any more
	Claims  func(map[string]any)                                 // changes the next ID tokens
	Answers func(http.ResponseWriter, *http.Request) (done bool) // goes before every answer
	Asked   []url.Values                                         // authorization requests
	Revoked []string                                             // tokens
	n       int
	Sign    func(claims []byte) string // nil: with the signer
}

// New starts one.
func New(t *testing.T) *OP {
	o := &OP{t: t, codes: map[string]url.Values{}, Sub: "alice-at-op", SID: "sid-1"}
	o.Turn("k1")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", o.discovery)
	mux.HandleFunc("GET /jwks", o.jwks)
	mux.HandleFunc("GET /authorize", o.authorize)
	mux.HandleFunc("POST /token", o.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) {
		o.json(w, map[string]any{"sub": o.subject(), "name": "Alice"})
	})
	mux.HandleFunc("POST /revoke", func(_ http.ResponseWriter, r *http.Request) {
		o.Mu.Lock()
		defer o.Mu.Unlock()
		o.Revoked = append(o.Revoked, r.PostFormValue("token"))
	})
	mux.HandleFunc("GET /end", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		http.Redirect(w, r, q.Get("post_logout_redirect_uri")+"?"+url.Values{"state": {q.Get("state")}}.Encode(), http.StatusSeeOther)
	})
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.Mu.Lock()
		f := o.Answers
		o.Mu.Unlock()
		if f == nil || !f(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(o.Close)
	return o
}

// Set changes what is set here, under its lock.
func (o *OP) Set(f func()) { o.Mu.Lock(); defer o.Mu.Unlock(); f() }

func (o *OP) subject() string { o.Mu.Lock(); defer o.Mu.Unlock(); return o.Sub }

// Turn begins to sign with a new key, and to publish it alone.
func (o *OP) Turn(kid string) {
	o.t.Helper()
	s, err := jws.Generate(kid, jws.ES256)
	if err != nil {
		o.t.Fatal(err)
	}
	o.Set(func() { o.Signer = s })
}

func (o *OP) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func (o *OP) discovery(w http.ResponseWriter, _ *http.Request) {
	o.json(w, map[string]any{
		"issuer": o.URL, "authorization_endpoint": o.URL + "/authorize", "token_endpoint": o.URL + "/token", "userinfo_endpoint": o.URL + "/userinfo",
		"jwks_uri": o.URL + "/jwks", "revocation_endpoint": o.URL + "/revoke", "end_session_endpoint": o.URL + "/end?keep=1",
		"authorization_response_iss_parameter_supported": true, "id_token_signing_alg_values_supported": []string{"ES256"},
	})
}

func (o *OP) jwks(w http.ResponseWriter, _ *http.Request) {
	o.Mu.Lock()
	defer o.Mu.Unlock()
	set, err := jws.NewSet(o.Signer.Public())
	if err != nil {
		o.t.Error(err)
	}
	o.json(w, set)
}

func (o *OP) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	o.Mu.Lock()
	defer o.Mu.Unlock()
	o.Asked = append(o.Asked, q)
	o.n++
	code := "code-secret-" + time.Now().Format("150405.000000000")
	o.codes[code] = q
	answer := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {o.URL}}
	if o.Form {
		w.Header().Set("X-Form", answer.Encode()) // a browser would post it; ours does when it sees this
		return
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+answer.Encode(), http.StatusSeeOther)
}

func (o *OP) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	o.Mu.Lock()
	defer o.Mu.Unlock()
	q, ok := o.codes[r.PostFormValue("code")]
	delete(o.codes, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	refresh := r.PostFormValue("refresh_token") == "refresh-secret"
	if !basic || id != "site" || secret != "site-secret" || !refresh && (!ok || q.Get("redirect_uri") != r.PostFormValue("redirect_uri") ||
		q.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || q.Get("code_challenge_method") != "S256") {
		w.WriteHeader(http.StatusBadRequest)
		o.json(w, map[string]string{"error": "invalid_grant", "error_description": "mail@alice.example"})
		return
	}
	o.n++
	answer := map[string]any{"access_token": "access-secret", "token_type": "Bearer", "expires_in": 300, "refresh_token": "refresh-secret"}
	if o.Spent {
		delete(answer, "refresh_token")
	}
	if refresh {
		answer["access_token"] = "access-renewed"
		answer["expires_in"] = 3600
	} else {
		answer["id_token"] = o.idToken(q.Get("nonce"))
	}
	o.json(w, answer)
}

// idToken needs Mu.
func (o *OP) idToken(nonce string) string {
	now := time.Now()
	c := map[string]any{"iss": o.URL, "sub": o.Sub, "aud": "site", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": nonce, "auth_time": now.Unix(), "sid": o.SID, "email": "mail@alice.example"}
	if o.SID == "" {
		delete(c, "sid")
	}
	if o.Silent {
		delete(c, "auth_time")
	}
	if o.Claims != nil {
		o.Claims(c)
	}
	return o.Signed("JWT", c)
}

// Signed needs Mu.
func (o *OP) Signed(typ string, claims map[string]any) string {
	b, err := json.Marshal(claims)
	if err != nil {
		o.t.Error(err)
	}
	if o.Sign != nil {
		return o.Sign(b)
	}
	s, err := o.Signer.Sign(typ, b)
	if err != nil {
		o.t.Error(err)
	}
	return s
}

// LogoutClaims are those of a good logout token.
func (o *OP) LogoutClaims(change map[string]any) map[string]any {
	now := time.Now()
	c := map[string]any{
		"iss": o.URL, "aud": "site", "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": "jti-" + now.Format(time.RFC3339Nano),
		"sub": "alice-at-op", "sid": "sid-1", "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	maps.Copy(c, change)
	for k, v := range c {
		if v == nil {
			delete(c, k)
		}
	}
	return c
}

// LogoutToken makes a good logout token, with changes.
func (o *OP) LogoutToken(change map[string]any) string {
	o.Mu.Lock()
	defer o.Mu.Unlock()
	return o.Signed("logout+jwt", o.LogoutClaims(change))
}

// Provider is this provider as a site uses it that is registered here.
func (o *OP) Provider() provider.Provider { return provider.OIDC(o.URL, "site", "site-secret") }
