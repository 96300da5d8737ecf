package rp_test

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
)

// op is an OpenID Provider that says yes to everybody, and whose every answer a test can change.
type op struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	signer  *jws.Signer
	codes   map[string]url.Values
	sub     string
	sid     string
	form    bool                                                 // answers by POST
	claims  func(map[string]any)                                 // changes the next ID tokens
	answers func(http.ResponseWriter, *http.Request) (done bool) // goes before every answer
	asked   []url.Values                                         // authorization requests
	revoked []string                                             // tokens
	n       int
	sign    func(claims []byte) string // nil: with the signer
}

func newOP(t *testing.T) *op {
	o := &op{t: t, codes: map[string]url.Values{}, sub: "alice-at-op", sid: "sid-1"}
	o.turn("k1")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", o.discovery)
	mux.HandleFunc("GET /jwks", o.jwks)
	mux.HandleFunc("GET /authorize", o.authorize)
	mux.HandleFunc("POST /token", o.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) {
		o.json(w, map[string]any{"sub": o.subject(), "name": "Alice"})
	})
	mux.HandleFunc("POST /revoke", func(_ http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.revoked = append(o.revoked, r.PostFormValue("token"))
	})
	mux.HandleFunc("GET /end", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		http.Redirect(w, r, q.Get("post_logout_redirect_uri")+"?"+url.Values{"state": {q.Get("state")}}.Encode(), http.StatusSeeOther)
	})
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		f := o.answers
		o.mu.Unlock()
		if f == nil || !f(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *op) set(f func()) { o.mu.Lock(); defer o.mu.Unlock(); f() }

func (o *op) subject() string { o.mu.Lock(); defer o.mu.Unlock(); return o.sub }

// turn begins to sign with a new key, and to publish it alone.
func (o *op) turn(kid string) {
	o.t.Helper()
	s, err := jws.Generate(kid, jws.ES256)
	if err != nil {
		o.t.Fatal(err)
	}
	o.set(func() { o.signer = s })
}

func (o *op) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func (o *op) discovery(w http.ResponseWriter, _ *http.Request) {
	o.json(w, map[string]any{
		"issuer": o.URL, "authorization_endpoint": o.URL + "/authorize", "token_endpoint": o.URL + "/token", "userinfo_endpoint": o.URL + "/userinfo",
		"jwks_uri": o.URL + "/jwks", "revocation_endpoint": o.URL + "/revoke", "end_session_endpoint": o.URL + "/end?keep=1",
		"authorization_response_iss_parameter_supported": true, "id_token_signing_alg_values_supported": []string{"ES256"},
	})
}

func (o *op) jwks(w http.ResponseWriter, _ *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	set, err := jws.NewSet(o.signer.Public())
	if err != nil {
		o.t.Error(err)
	}
	o.json(w, set)
}

func (o *op) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, q)
	o.n++
	code := "code-secret-" + time.Now().Format("150405.000000000")
	o.codes[code] = q
	answer := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {o.URL}}
	if o.form {
		w.Header().Set("X-Form", answer.Encode()) // a browser would post it; ours does when it sees this
		return
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+answer.Encode(), http.StatusSeeOther)
}

func (o *op) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	o.mu.Lock()
	defer o.mu.Unlock()
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
	if refresh {
		answer["access_token"] = "access-renewed"
		answer["expires_in"] = 3600
	} else {
		answer["id_token"] = o.idToken(q.Get("nonce"))
	}
	o.json(w, answer)
}

// idToken needs mu.
func (o *op) idToken(nonce string) string {
	now := time.Now()
	c := map[string]any{"iss": o.URL, "sub": o.sub, "aud": "site", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": nonce, "sid": o.sid, "email": "mail@alice.example"}
	if o.sid == "" {
		delete(c, "sid")
	}
	if o.claims != nil {
		o.claims(c)
	}
	return o.signed("JWT", c)
}

// signed needs mu.
func (o *op) signed(typ string, claims map[string]any) string {
	b, err := json.Marshal(claims)
	if err != nil {
		o.t.Error(err)
	}
	if o.sign != nil {
		return o.sign(b)
	}
	s, err := o.signer.Sign(typ, b)
	if err != nil {
		o.t.Error(err)
	}
	return s
}

// logoutClaims are those of a good logout token.
func (o *op) logoutClaims(change map[string]any) map[string]any {
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

func (o *op) logoutToken(change map[string]any) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.signed("logout+jwt", o.logoutClaims(change))
}
