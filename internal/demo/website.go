package demo

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"sync"

	"exeunt.dev/internal/idp"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// website is a small site that signs people in with Exeunt, with an OpenID client library that is not ours, and keeps a cookie
// session of its own.
type website struct {
	name, id, at string
	facts        *Facts
	oauth        oauth2.Config
	verifier     *oidc.IDTokenVerifier

	mu       sync.Mutex
	sessions map[string]*local
	begun    map[string]begun // by state, bound to the browser by its cookie
}

// local is somebody signed in at this site.
type local struct {
	Name    string `json:"name"`
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
}

type begun struct{ cookie, verifier, nonce string }

func newWebsite(ctx context.Context, name, id, at, secret string, f *Facts) (*website, error) {
	p, err := oidc.NewProvider(ctx, f.Issuer)
	if err != nil {
		return nil, err
	}
	return &website{
		name: name, id: id, at: at, facts: f, sessions: map[string]*local{}, begun: map[string]begun{},
		oauth:    oauth2.Config{ClientID: id, ClientSecret: secret, Endpoint: p.Endpoint(), RedirectURL: at + "/callback", Scopes: []string{"openid", "profile"}},
		verifier: p.Verifier(&oidc.Config{ClientID: id, SupportedSigningAlgs: []string{"ES256"}}),
	}, nil
}

func (s *website) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /left", s.home)
	mux.HandleFunc("GET /login", s.login)
	mux.HandleFunc("GET /callback", s.callback)
	mux.HandleFunc("GET /tokens", s.tokens) // for the curious and for demo --check: a real site shows its tokens to nobody
	mux.HandleFunc("GET /orders", s.callOrders)
	return mux
}

func (s *website) cookie(w http.ResponseWriter, r *http.Request) string {
	name := "demo-" + s.id
	if c, err := r.Cookie(name); err == nil && len(c.Value) > 20 {
		return c.Value
	}
	v := idp.NewSecret(16)
	http.SetCookie(w, &http.Cookie{Name: name, Value: v, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return v
}

func (s *website) who(cookie string) *local {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[cookie]
}

func (s *website) login(w http.ResponseWriter, r *http.Request) {
	state, b := idp.NewSecret(16), begun{s.cookie(w, r), oauth2.GenerateVerifier(), idp.NewSecret(16)}
	s.mu.Lock()
	s.begun[state] = b
	s.mu.Unlock()
	http.Redirect(w, r, s.oauth.AuthCodeURL(state, oauth2.S256ChallengeOption(b.verifier), oidc.Nonce(b.nonce)), http.StatusSeeOther)
}

func (s *website) callback(w http.ResponseWriter, r *http.Request) {
	cookie, q := s.cookie(w, r), r.URL.Query()
	s.mu.Lock()
	b, ok := s.begun[q.Get("state")]
	delete(s.begun, q.Get("state"))
	s.mu.Unlock()
	if !ok || b.cookie != cookie || q.Get("iss") != s.facts.Issuer {
		http.Error(w, "This sign-in did not begin here.", http.StatusBadRequest)
		return
	}
	if q.Get("error") != "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	tok, err := s.oauth.Exchange(r.Context(), q.Get("code"), oauth2.VerifierOption(b.verifier))
	if err != nil {
		http.Error(w, "Exeunt refused the code.", http.StatusBadGateway)
		return
	}
	raw, _ := tok.Extra("id_token").(string)
	id, err := s.verifier.Verify(r.Context(), raw)
	if err != nil || id.Nonce != b.nonce {
		http.Error(w, "The ID token is not right.", http.StatusBadGateway)
		return
	}
	s.mu.Lock()
	s.sessions[cookie] = &local{Name: id.Subject, Access: tok.AccessToken, Refresh: tok.RefreshToken, ID: raw}
	s.mu.Unlock()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *website) tokens(w http.ResponseWriter, r *http.Request) {
	l := s.who(s.cookie(w, r))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if l == nil {
		w.Write([]byte("{}"))
		return
	}
	json.NewEncoder(w).Encode(l)
}

func (s *website) callOrders(w http.ResponseWriter, r *http.Request) {
	l := s.who(s.cookie(w, r))
	answer := "Sign in first."
	if l != nil {
		answer = callAPI(r.Context(), s.facts.API, l.Access)
	}
	s.show(w, l, answer)
}

func (s *website) home(w http.ResponseWriter, r *http.Request) { s.show(w, s.who(s.cookie(w, r)), "") }

func (s *website) show(w http.ResponseWriter, l *local, answer string) {
	page := sitePage{Name: s.name, Local: l, Answer: answer, Start: s.facts.Start}
	if l != nil {
		page.Leave = s.facts.Issuer + "/logout?" + url.Values{"client_id": {s.id}, "logout_uri": {s.at + "/left"}}.Encode()
		page.SignOut = s.facts.Issuer + "/logout?" + url.Values{"id_token_hint": {l.ID}, "post_logout_redirect_uri": {s.at + "/"}}.Encode()
		page.Alive = alive(context.Background(), s.facts.API, l.Access)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	siteTemplate().Execute(w, page)
}

type sitePage struct {
	Name, Answer, Leave, SignOut, Start string
	Local                               *local
	Alive                               bool
}

func siteTemplate() *template.Template {
	return template.Must(template.New("site").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Name}}</title>` + demoStyle + `<main><h1>{{.Name}}</h1>
{{if .Local}}<p>This site's own cookie says: signed in. {{if not .Alive}}<strong>Exeunt has ended this sign-in; the site has not been told yet.</strong>{{end}}</p>
<p><a class="b" href="/orders">Call the Orders API</a></p>
<p><a class="b" href="{{.Leave}}">Leave {{.Name}} only</a> <a class="b" href="{{.SignOut}}">Sign out of this browser</a></p>
{{if not .Alive}}<p><a class="b" href="/login">Sign in again</a></p>{{end}}
{{else}}<p>Nobody is signed in here.</p><p><a class="b" href="/login">Sign in with Exeunt</a></p>{{end}}
{{if .Answer}}<pre>{{.Answer}}</pre>{{end}}<p><a href="{{.Start}}">All layers side by side</a></p></main>`))
}

const demoStyle = `<style>:root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;margin:0}main{max-width:56rem;margin:3rem auto;padding:0 1.2rem}
.b{display:inline-block;border:1px solid #8886;border-radius:.5rem;padding:.4rem .8rem;margin:.15rem 0;text-decoration:none}table{border-collapse:collapse;width:100%}
td,th{text-align:left;border-bottom:1px solid #8884;padding:.5rem .6rem .5rem 0;vertical-align:top}pre{background:#8882;padding:.8rem;border-radius:.5rem;white-space:pre-wrap}</style>`
