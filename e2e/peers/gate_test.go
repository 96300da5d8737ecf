package peers

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"exeunt.dev/internal/idp"
)

// gate stands before the back channels of websites. While it is shut it takes logout tokens and answers 503, as a load balancer
// with nothing behind it does; open, it hands them on.
type gate struct {
	at string

	mu   sync.Mutex
	shut bool
	seen []letter
	to   map[string]string // address of a website's back channel, by path
}

// letter is a logout token that came by.
type letter struct {
	path, token string
	status      int // that was answered
}

func newGate(t *testing.T) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.20:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{at: "http://" + l.Addr().String(), to: map[string]string{}}
	h := &http.Server{Handler: g}
	go h.Serve(l)
	t.Cleanup(func() { h.Close() })
	return g
}

// before puts the gate before a website that is about to be registered.
func (g *gate) before(_ *app, c *idp.Client) {
	g.to["/"+string(c.ID)] = c.BackchannelLogoutURI
	c.BackchannelLogoutURI = g.at + "/" + string(c.ID)
}

func (g *gate) turn(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
}

// letters are the tokens for a website, oldest first.
func (g *gate) letters(a *app) (out []letter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.seen {
		if l.path == "/"+a.ClientID {
			out = append(out, l)
		}
	}
	return out
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	form, err2 := url.ParseQuery(string(body))
	if err != nil || err2 != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		http.Error(w, "not a logout request", http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	shut, to := g.shut, g.to[r.URL.Path]
	g.mu.Unlock()
	status := http.StatusServiceUnavailable
	if !shut {
		status = hand(to, string(body))
	}
	g.mu.Lock()
	g.seen = append(g.seen, letter{r.URL.Path, form.Get("logout_token"), status})
	g.mu.Unlock()
	w.WriteHeader(status)
}

// hand posts a logout request.
func hand(to, body string) (status int) {
	res, err := http.Post(to, "application/x-www-form-urlencoded", strings.NewReader(body))
	if err != nil {
		return http.StatusBadGateway
	}
	res.Body.Close()
	return res.StatusCode
}

// hand takes a logout token to the website as if it had been on its way until now.
func (a *app) hand(token string) (status int) {
	return hand(a.URL+"/backchannel", url.Values{"logout_token": {token}}.Encode())
}

// read opens a token without verifying it: that is the libraries' work.
func (l letter) read(t *testing.T) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(l.token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a token: %q", l.token)
	}
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.NewDecoder(bytes.NewReader(text)).Decode(into)
		}
		if err != nil {
			t.Fatalf("part %d of %s: %v", i, l.token, err)
		}
	}
	return header, claims
}
