package demo

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"

	"exeunt.dev/internal/idp"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// site is a website that people sign in to through Exeunt: a client library, and sessions of its own.
type site struct {
	http.Handler
	name, url, api, cookie string
	end                    string // the issuer's end_session_endpoint
	oauth                  oauth2.Config
	verifier               *oidc.IDTokenVerifier

	mu       sync.Mutex
	sessions map[[32]byte]*visit
	waiting  map[[32]byte]attempt
	over     map[string]bool // each sid that Exeunt has told of: a sign-in that it overtook makes no session
}

// visit is the site's own session. It lives until the site's cookie goes, or Exeunt tells that its sid is over.
type visit struct {
	Subject, Username string
	Sid               string // what Exeunt calls this sign-in
	ID                string // the ID token, for the sign-out
	Token             *oauth2.Token
}

// attempt is a sign-in under way.
type attempt struct{ state, nonce, verifier string }

func (d *Demo) newSite(ctx context.Context, name string, l net.Listener) (*site, error) {
	s := &site{name: name, url: address(l), api: d.Info.API, cookie: strings.ToLower(name) + "_session", sessions: map[[32]byte]*visit{}, waiting: map[[32]byte]attempt{}, over: map[string]bool{}}
	if runtime.GOOS != "linux" {
		s.cookie += portOf(l)
	}
	id := strings.ToLower(name)
	secret, err := d.client(ctx, idp.Client{
		ID: idp.ClientID(id), Kind: idp.KindWeb, Name: name, AuthMethod: idp.AuthBasic, FirstParty: true,
		RedirectURIs: []string{s.url + "/callback"}, PostLogoutURIs: []string{s.url + "/bye"}, LogoutURIs: []string{s.url + "/bye"},
		BackchannelLogoutURI: s.url + "/backchannel", BackchannelLogoutSessionRequired: true,
		GrantTypes: []string{"authorization_code", "refresh_token"}, Scopes: []string{"openid", "profile"}, Audiences: []string{d.Info.API},
	})
	if err != nil {
		return nil, err
	}
	provider, err := oidc.NewProvider(ctx, d.Info.Issuer)
	if err != nil {
		return nil, err
	}
	var more struct {
		End string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, err
	}
	s.end = more.End
	s.verifier = provider.VerifierContext(context.WithoutCancel(ctx), &oidc.Config{ClientID: id})
	s.oauth = oauth2.Config{ClientID: id, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: s.url + "/callback", Scopes: []string{"openid", "profile"}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /login", s.login)
	mux.HandleFunc("GET /callback", s.callback)
	mux.HandleFunc("POST /logout", s.logout)
	mux.HandleFunc("GET /bye", s.bye)
	mux.HandleFunc("POST /backchannel", s.backchannel)
	s.Handler = mux
	return s, nil
}

func (s *site) set(w http.ResponseWriter, name, value string) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (s *site) key(r *http.Request, name string) [32]byte {
	c, err := r.Cookie(name)
	if err != nil {
		return [32]byte{}
	}
	return sha256.Sum256([]byte(c.Value))
}

func (s *site) visit(r *http.Request) *visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[s.key(r, s.cookie)]
}

// knows says whether the site still has a visit.
func (s *site) knows(v *visit) bool { return slices.Contains(s.visits(), v) }

func (s *site) visits() (out []*visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.sessions {
		out = append(out, v)
	}
	return out
}

func (s *site) login(w http.ResponseWriter, r *http.Request) {
	a := attempt{idp.NewSecret(16), idp.NewSecret(16), oauth2.GenerateVerifier()}
	cookie := idp.NewSecret(16)
	s.mu.Lock()
	s.waiting[sha256.Sum256([]byte(cookie))] = a
	s.mu.Unlock()
	s.set(w, s.cookie+"_login", cookie)
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.verifier), oauth2.SetAuthURLParam("resource", s.api)}
	if prompt := r.URL.Query().Get("prompt"); prompt == "none" {
		options = append(options, oauth2.SetAuthURLParam("prompt", prompt))
	}
	http.Redirect(w, r, s.oauth.AuthCodeURL(a.state, options...), http.StatusSeeOther)
}

func (s *site) callback(w http.ResponseWriter, r *http.Request) {
	key := s.key(r, s.cookie+"_login")
	s.mu.Lock()
	a, ok := s.waiting[key]
	delete(s.waiting, key)
	s.mu.Unlock()
	q := r.URL.Query()
	if !ok || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(a.state)) != 1 {
		s.render(w, http.StatusBadRequest, page{Text: "This sign-in was not begun here."})
		return
	}
	if q.Get("error") != "" {
		s.render(w, http.StatusForbidden, page{Text: "Exeunt says: " + q.Get("error")})
		return
	}
	v, err := s.exchange(r.Context(), q.Get("code"), a)
	if err != nil {
		s.render(w, http.StatusBadGateway, page{Text: "The sign-in did not work. " + err.Error()})
		return
	}
	cookie := idp.NewSecret(32)
	s.mu.Lock()
	delete(s.sessions, s.key(r, s.cookie))
	over := s.over[v.Sid]
	if !over {
		s.sessions[sha256.Sum256([]byte(cookie))] = v
	}
	s.mu.Unlock()
	s.set(w, s.cookie+"_login", "")
	if over {
		s.render(w, http.StatusForbidden, page{Text: "You were signed out while you signed in."})
		return
	}
	s.set(w, s.cookie, cookie)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *site) exchange(ctx context.Context, code string, a attempt) (*visit, error) {
	t, err := s.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return nil, err
	}
	raw, _ := t.Extra("id_token").(string)
	id, err := s.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if id.Nonce != a.nonce {
		return nil, errors.New("the nonce is another one")
	}
	var more struct {
		Username string `json:"preferred_username"`
		Sid      string `json:"sid"`
	}
	err = id.Claims(&more)
	if more.Username == "" {
		more.Username = s.username(ctx, t)
	}
	return &visit{Subject: id.Subject, Username: more.Username, Sid: more.Sid, ID: raw, Token: t}, err
}

// username asks Orders' neighbour, the userinfo endpoint; a token for Orders alone may not be good there.
func (s *site) username(ctx context.Context, t *oauth2.Token) string {
	r, err := http.NewRequestWithContext(ctx, "GET", strings.Replace(s.oauth.Endpoint.TokenURL, "/token", "/userInfo", 1), nil)
	if err != nil {
		return ""
	}
	t.SetAuthHeader(r)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	var u struct {
		Username string `json:"preferred_username"`
	}
	decode(res.Body, &u)
	return u.Username
}

// logout leaves the site, and sends the browser to Exeunt to leave there, too: this app only, or the whole browser.
func (s *site) logout(w http.ResponseWriter, r *http.Request) {
	v := s.visit(r)
	s.mu.Lock()
	delete(s.sessions, s.key(r, s.cookie))
	s.mu.Unlock()
	s.set(w, s.cookie, "")
	to := "/"
	switch {
	case v == nil:
	case r.FormValue("which") == "app":
		to = s.end + "?" + url.Values{"client_id": {s.oauth.ClientID}, "logout_uri": {s.url + "/bye"}}.Encode()
	default:
		to = s.end + "?" + url.Values{"id_token_hint": {v.ID}, "post_logout_redirect_uri": {s.url + "/bye"}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// backchannel is how Exeunt tells that a sign-in is over (OpenID Connect Back-Channel Logout 1.0): the site's own session ends.
func (s *site) backchannel(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	token, err := s.verifier.VerifyLogout(r.Context(), r.PostFormValue("logout_token"))
	if err != nil || token.SessionID == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over[token.SessionID] = true
	for key, v := range s.sessions {
		if v.Sid == token.SessionID {
			delete(s.sessions, key)
		}
	}
	w.WriteHeader(http.StatusOK)
}

func (s *site) bye(w http.ResponseWriter, _ *http.Request) {
	s.render(w, http.StatusOK, page{Text: "You have left."})
}

func (s *site) home(w http.ResponseWriter, r *http.Request) {
	p := page{Visit: s.visit(r)}
	if p.Visit != nil {
		status, body := s.call(r.Context(), p.Visit)
		p.Text = fmt.Sprintf("Orders answers %d: %s", status, body)
	}
	s.render(w, http.StatusOK, p)
}

// call asks the API with the visitor's token.
func (s *site) call(ctx context.Context, v *visit) (int, string) {
	r, err := http.NewRequestWithContext(ctx, "GET", s.api+"/", nil)
	if err != nil {
		return 0, err.Error()
	}
	v.Token.SetAuthHeader(r)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(res.Body, 1<<12))
	if res.StatusCode == http.StatusUnauthorized {
		return res.StatusCode, res.Header.Get("WWW-Authenticate")
	}
	return res.StatusCode, string(b)
}

type page struct {
	Name, Text string
	Visit      *visit
}

var siteTemplate = template.Must(template.New("site").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Name}}</title><style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui;max-width:36rem;margin:3rem auto;padding:0 1rem}button{font:inherit;padding:.4rem .8rem}form{display:inline}</style>
<h1>{{.Name}}</h1>{{if .Visit}}<p>Signed in as <strong id="who">{{or .Visit.Username .Visit.Subject}}</strong>.</p>{{end}}
{{with .Text}}<p id="text">{{.}}</p>{{end}}
{{if .Visit}}<form method="post" action="/logout"><button name="which" value="app">Leave {{.Name}} only</button> <button name="which" value="all">Sign out</button></form>
{{else}}<p><a href="/login">Sign in</a></p>{{end}}</html>`))

func (s *site) render(w http.ResponseWriter, status int, p page) {
	p.Name = s.name
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	// The default of browsers, said aloud: the site's origin is what proves to Exeunt that leaving was asked for here.
	w.Header().Set("Referrer-Policy", "strict-origin-when-cross-origin")
	w.WriteHeader(status)
	siteTemplate.Execute(w, p)
}
