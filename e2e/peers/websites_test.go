package peers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"exeunt.dev/internal/idp"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// The libraries.
const (
	goOIDC       = "go-oidc"
	openidClient = "openid-client"
	express2     = "express-openid-connect-2"
	express3     = "express-openid-connect"
)

// libraries are all that run here.
func libraries(t *testing.T) []string {
	if nodeAtLeast(t, 20, 19) {
		return []string{goOIDC, openidClient, express3, express2}
	}
	t.Log("without express-openid-connect 3, which needs Node 20.19")
	return []string{goOIDC, openidClient, express2}
}

// nodeSite is a website in a process of its own.
type nodeSite struct {
	app *app
	cmd *exec.Cmd
	log bytes.Buffer
}

func (n *nodeSite) up(t *testing.T) {
	t.Helper()
	file := strings.TrimSuffix(n.app.Kind, "-2") + ".mjs"
	settings, err := json.Marshal(n.app)
	if err != nil {
		t.Fatal(err)
	}
	n.log.Reset()
	n.cmd = exec.Command("node", filepath.Join(sites, file))
	n.cmd.Env = append(os.Environ(), "PEER="+string(settings))
	n.cmd.Stderr = &n.log
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := n.cmd.StdoutPipe()
	if err == nil {
		err = n.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "listening\n" {
		n.cmd.Wait()
		t.Fatalf("%s does not start: %v %s%s", n.app.Name, err, line, &n.log)
	}
	t.Cleanup(func() {
		if t.Failed() && n.log.Len() > 0 {
			t.Logf("%s says: %s", n.app.Name, &n.log)
		}
	})
}

func (n *nodeSite) down() {
	n.cmd.Process.Kill()
	n.cmd.Wait()
}

// goSite is a website made with go-oidc. While it is down nobody listens at its address.
type goSite struct {
	*app
	server *http.Server
	served chan struct{}

	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    oauth2.Config
	end      string

	mu       sync.Mutex
	sessions map[string]*session // by cookie
	waiting  map[string]attempt
}

type session struct{ Who, Sub, Sid, ID string }

type attempt struct{ state, nonce, verifier string }

func newGoSite(a *app) *goSite {
	return &goSite{app: a, sessions: map[string]*session{}, waiting: map[string]attempt{}}
}

func (g *goSite) up(t *testing.T) {
	t.Helper()
	if g.provider == nil {
		g.discover(t)
	}
	l, err := net.Listen("tcp", strings.TrimPrefix(g.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", g.home)
	mux.HandleFunc("GET /bye", func(w http.ResponseWriter, r *http.Request) { g.page(w, r, nil, "You have left.") })
	mux.HandleFunc("GET /login", g.login)
	mux.HandleFunc("GET /callback", g.callback)
	mux.HandleFunc("POST /logout", g.logout)
	mux.HandleFunc("POST /backchannel", g.backchannel)
	g.server, g.served = &http.Server{Handler: mux}, make(chan struct{})
	go func(h *http.Server, served chan struct{}) { h.Serve(l); close(served) }(g.server, g.served)
}

func (g *goSite) down() {
	g.server.Close()
	<-g.served
}

func (g *goSite) discover(t *testing.T) {
	t.Helper()
	var err error
	if g.provider, err = oidc.NewProvider(context.Background(), g.Issuer); err != nil {
		t.Fatal(err)
	}
	var more struct {
		End string `json:"end_session_endpoint"`
	}
	if err := g.provider.Claims(&more); err != nil {
		t.Fatal(err)
	}
	g.end = more.End
	g.verifier = g.provider.VerifierContext(context.Background(), &oidc.Config{ClientID: g.ClientID, SupportedSigningAlgs: []string{g.Alg}})
	g.oauth = oauth2.Config{ClientID: g.ClientID, ClientSecret: g.ClientSecret, Endpoint: g.provider.Endpoint(), RedirectURL: g.URL + "/callback", Scopes: []string{"openid", "profile"}}
}

func value(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func give(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func (g *goSite) login(w http.ResponseWriter, r *http.Request) {
	a := attempt{idp.NewSecret(16), idp.NewSecret(16), oauth2.GenerateVerifier()}
	cookie := idp.NewSecret(16)
	g.mu.Lock()
	g.waiting[cookie] = a
	g.mu.Unlock()
	give(w, "login", cookie)
	http.Redirect(w, r, g.oauth.AuthCodeURL(a.state, oidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.verifier)), http.StatusSeeOther)
}

func (g *goSite) callback(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	a, ok := g.waiting[value(r, "login")]
	delete(g.waiting, value(r, "login"))
	g.mu.Unlock()
	if !ok || r.URL.Query().Get("state") != a.state {
		http.Error(w, "not begun here", http.StatusBadRequest)
		return
	}
	v, err := g.exchange(r.Context(), r.URL.Query().Get("code"), a)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	cookie := idp.NewSecret(32)
	g.mu.Lock()
	delete(g.sessions, value(r, "session"))
	g.sessions[cookie] = v
	g.mu.Unlock()
	give(w, "session", cookie)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (g *goSite) exchange(ctx context.Context, code string, a attempt) (*session, error) {
	t, err := g.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return nil, err
	}
	raw, _ := t.Extra("id_token").(string)
	id, err := g.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if id.Nonce != a.nonce {
		return nil, errors.New("the nonce is another one")
	}
	var more struct{ Sid string }
	if err := id.Claims(&more); err != nil {
		return nil, err
	}
	info, err := g.provider.UserInfo(ctx, oauth2.StaticTokenSource(t))
	if err != nil {
		return nil, err
	}
	var person struct {
		Username string `json:"preferred_username"`
	}
	if err := info.Claims(&person); err != nil || info.Subject != id.Subject {
		return nil, errors.Join(err, errors.New("userinfo does not fit the ID token"))
	}
	return &session{Who: person.Username, Sub: id.Subject, Sid: more.Sid, ID: raw}, nil
}

func (g *goSite) logout(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	v := g.sessions[value(r, "session")]
	delete(g.sessions, value(r, "session"))
	g.mu.Unlock()
	give(w, "session", "")
	to := "/"
	switch {
	case v == nil:
	case r.FormValue("which") == "app":
		to = g.end + "?" + url.Values{"client_id": {g.ClientID}, "logout_uri": {g.URL + "/bye"}}.Encode()
	default:
		to = g.end + "?" + url.Values{"id_token_hint": {v.ID}, "post_logout_redirect_uri": {g.URL + "/bye"}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// backchannel leaves it to the library whether this is a logout token. One that names a session ends that one only
// (Back-Channel Logout 1.0 section 2.4).
func (g *goSite) backchannel(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	told, err := g.verifier.VerifyLogout(r.Context(), r.PostFormValue("logout_token"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for cookie, v := range g.sessions {
		if told.SessionID != "" && v.Sid == told.SessionID || told.SessionID == "" && v.Sub == told.Subject {
			delete(g.sessions, cookie)
		}
	}
}

func (g *goSite) home(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	v := g.sessions[value(r, "session")]
	g.mu.Unlock()
	g.page(w, r, v, "")
}

func (g *goSite) page(w http.ResponseWriter, r *http.Request, v *session, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	pageTemplate.Execute(w, map[string]any{"Name": g.Name, "Session": v, "Text": text, "Cookie": r.Header.Get("Cookie")})
}

// pageTemplate is the page of sites/common.mjs.
var pageTemplate = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><title>{{.Name}}</title><h1 id="app">{{.Name}}</h1>
{{with .Text}}<p id="text">{{.}}</p>{{end}}
{{with .Session}}<p>Signed in as <strong id="who">{{.Who}}</strong>, <code id="sid">{{.Sid}}</code>, <code id="cookie">{{$.Cookie}}</code></p>
<form method="post" action="/logout"><button id="out" name="which" value="all">Sign out</button> <button id="leave" name="which" value="app">Leave only this site</button></form>
{{else}}<p id="nobody">Nobody is signed in. <a id="in" href="/login">Sign in</a></p>{{end}}</html>`))
