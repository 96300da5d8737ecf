package rp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"exeunt.dev/provider"
	"exeunt.dev/rp"
)

// github follows what GitHub documents: a token endpoint that answers 200 also with an error, a profile with a numeric id,
// DELETE /applications/{client_id}/grant with Basic and JSON.
type github struct {
	provider provider.Provider

	mu     sync.Mutex
	seen   []string
	status int
	after  string // Retry-After
	id     string
}

func (g *github) calls() []string { g.mu.Lock(); defer g.mu.Unlock(); return g.seen }

func (g *github) set(status int, after string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.status, g.after = status, after
}

func newGitHub(t *testing.T) *github {
	g := &github{status: 204, id: "9007199254740993"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login/oauth/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {"gh"}, "state": {q.Get("state")}}.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /login/oauth/access_token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.PostFormValue("client_id") != "ghid" || r.PostFormValue("client_secret") != "ghsecret" || r.PostFormValue("code_verifier") == "" {
			io.WriteString(w, `{"error":"incorrect_client_credentials"}`)
			return
		}
		io.WriteString(w, `{"access_token":"gho_secret","scope":"read:user","token_type":"bearer"}`)
	})
	mux.HandleFunc("GET /user", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer gho_secret" {
			w.WriteHeader(401)
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		io.WriteString(w, `{"login":"octo","id":`+g.id+`,"email":"mail@octo.example"}`)
	})
	mux.HandleFunc("DELETE /applications/ghid/grant", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		id, secret, _ := r.BasicAuth()
		g.mu.Lock()
		defer g.mu.Unlock()
		g.seen = append(g.seen, id+" "+secret+" "+string(b))
		if g.after != "" {
			w.Header().Set("Retry-After", g.after)
		}
		w.WriteHeader(g.status)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	g.provider = provider.GitHub("ghid", "ghsecret")
	g.provider.Endpoints = g.provider.Endpoints.At(s.URL)
	return g
}

func TestPlainOAuth(t *testing.T) {
	g := newGitHub(t)
	h := newWebsite(t, rp.Provider("github", g.provider))
	b := h.browser()
	csrf := b.signIn("github")
	if h.users["github:9007199254740993"] != "user-1" {
		t.Error("an id above 2^53 is another person's:", h.users)
	}
	if a := b.get("/token/github"); a.body != "gho_secret" {
		t.Error(a)
	}
	r := b.signOut(csrf, "revoke", "provider").report(t)
	if state(r, rp.LayerConsent) != rp.Done || state(r, rp.LayerProvider) != rp.NotOffered || r.Layers[2].Link != "https://github.com/logout" {
		t.Errorf("%+v", r)
	}
	if c := g.calls(); len(c) != 1 || c[0] != `ghid ghsecret {"access_token":"gho_secret"}` {
		t.Error(c)
	}
	// No logout token and no frame is taken from a provider without an issuer.
	if a := b.send("POST", "/auth/logout/github/backchannel", "logout_token=x", nil); a.status != 404 {
		t.Error(a.status)
	}
	if a := b.get("/auth/logout/github/frontchannel?iss=&sid=x"); a.status != 400 {
		t.Error(a.status)
	}
	for _, id := range []string{`1.5`, `""`, `null`, `{}`, `"` + strings.Repeat("9", 300) + `"`} {
		g.mu.Lock()
		g.id = id
		g.mu.Unlock()
		b := h.browser()
		if a := b.get("/auth/login/github"); a.status != 502 || b.signedIn() {
			t.Error(id, a.status)
		}
	}
}
