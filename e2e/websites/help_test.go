package websites_test

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

const password = "correct horse battery"

// exeunt is a real node behind a proxy that can spoil what websites ask of it.
type exeunt struct {
	t    *testing.T
	at   string
	base *server.Base

	mu    sync.Mutex
	spoil func(w http.ResponseWriter, r *http.Request, body string) (done bool)
}

func (x *exeunt) set(f func(w http.ResponseWriter, r *http.Request, body string) bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.spoil = f
}

func newExeunt(t *testing.T, change ...func(*config.Config)) *exeunt {
	return newExeuntAt(t, "127.0.0.1", slog.DiscardHandler, change...)
}

func newExeuntAt(t *testing.T, host string, log slog.Handler, change ...func(*config.Config)) *exeunt {
	x := &exeunt{t: t}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	inner, _ := url.Parse("http://" + l.Addr().String())
	proxy := &httputil.ReverseProxy{Rewrite: func(q *httputil.ProxyRequest) { q.SetURL(inner); q.Out.Host = q.In.Host }}
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		x.mu.Lock()
		f := x.spoil
		x.mu.Unlock()
		if f == nil || !f(w, r, string(body)) {
			proxy.ServeHTTP(w, r)
		}
	}))
	front.Listener.Close()
	if front.Listener, err = net.Listen("tcp", host+":0"); err != nil {
		t.Fatal(err)
	}
	front.Start()
	t.Cleanup(front.Close)
	x.at = front.URL
	c := config.Default()
	c.Passwords = config.Passwords{Memory: 7 * 1024, Passes: 1} // the least that is allowed
	c.Issuer, c.Data, c.KeyFile = x.at, filepath.Join(t.TempDir(), "exeunt.db"), filepath.Join(t.TempDir(), "exeunt.key")
	c.Outbound = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, f := range change {
		f(&c)
	}
	s, err := server.NewOn(t.Context(), c, slog.New(log), l)
	if err != nil {
		t.Fatal(err)
	}
	x.base = s.Base()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if err := x.base.AddAccount(t.Context(), &idp.Account{Username: "alice", Name: "Alice"}, password); err != nil {
		t.Fatal(err)
	}
	return x
}

// site makes a website of n replicas that is registered at Exeunt.
func (x *exeunt) site(name string, n int) *site {
	x.t.Helper()
	s := newSite(x.t, name)
	x.register(s)
	s.start(x.at, s.secret, n)
	return s
}

func (x *exeunt) register(s *site) {
	x.t.Helper()
	name := s.name
	secret, err := x.base.AddClient(x.t.Context(), &idp.Client{
		ID: idp.ClientID(name), Name: name, Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scopes: []string{"openid", "profile", "email"}, RedirectURIs: []string{s.at + "/auth/callback/exeunt"}, PostLogoutURIs: []string{s.at + "/auth/logout/exeunt/return"},
		BackchannelLogoutURI: s.at + "/auth/logout/exeunt/backchannel", BackchannelLogoutSessionRequired: true,
	})
	if err != nil {
		x.t.Fatal(err)
	}
	s.secret = secret
}

// person is a browser, as far as a program can be one.
type person struct {
	t *testing.T
	c *http.Client
}

func newPerson(t *testing.T) *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t, &http.Client{Jar: jar, Timeout: 2 * time.Minute}}
}

type answer struct {
	status int
	at     *url.URL
	body   string
}

func (p *person) send(method, to string, form url.Values, header ...string) answer {
	p.t.Helper()
	r, err := http.NewRequest(method, to, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://"+r.URL.Host)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := p.c.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Request.URL, string(b)}
}

func (p *person) get(to string) answer { p.t.Helper(); return p.send("GET", to, nil) }

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

func fields(page string) url.Values {
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		v.Set(m[1], html.UnescapeString(m[2]))
	}
	return v
}

// prove answers what Exeunt asks until the browser is elsewhere.
func (p *person) prove(x *exeunt, a answer) answer {
	p.t.Helper()
	for range 3 {
		if !strings.HasPrefix(a.at.String(), x.at) {
			break
		}
		f := fields(a.body)
		if strings.Contains(a.body, `name="password"`) {
			f.Set("username", "alice")
			f.Set("password", password)
			f.Set("act", "signin")
		} else {
			f.Set("act", "continue")
		}
		a = p.send("POST", x.at+"/login", f)
	}
	return a
}

var csrfText = regexp.MustCompile(`name=Alice csrf=([A-Za-z0-9_-]+)`)

// signIn signs in to a website and gives the CSRF token of its pages.
func (p *person) signIn(x *exeunt, s *site) string {
	p.t.Helper()
	a := p.prove(x, p.get(s.at+"/auth/login/exeunt?return=/private/"))
	m := csrfText.FindStringSubmatch(a.body)
	if a.status != http.StatusOK || m == nil {
		p.t.Fatal(a)
	}
	return m[1]
}

func (p *person) signedIn(s *site) bool {
	p.t.Helper()
	a := p.get(s.at + "/auth/state")
	if a.status != http.StatusOK {
		p.t.Fatal(a)
	}
	return strings.Contains(a.body, "true")
}

// gone waits until a website has been told.
func (p *person) gone(s *site) {
	p.t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		// A request that a replica took with it when it was killed says nothing.
		if a := p.get(s.at + "/auth/state"); a.status != http.StatusBadGateway && !strings.Contains(a.body, "true") {
			break
		}
		if time.Now().After(end) {
			p.t.Fatal(s.name, " was not told")
		}
	}
	if p.signedIn(s) {
		p.t.Error("signed in again")
	}
}

// refresh tries a refresh token of a website at Exeunt.
func (s *site) refresh(x *exeunt, token string) (status int, body string) {
	s.t.Helper()
	r, err := http.NewRequest("POST", x.at+"/oauth2/token", strings.NewReader(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(s.name, url.QueryEscape(s.secret))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}
