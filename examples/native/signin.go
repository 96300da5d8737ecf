package native

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// SignIn sends the person's browser to the server and waits on a port of this computer until it comes back, or ctx ends.
func (a *App) SignIn(ctx context.Context) error {
	if _, err := a.discover(ctx); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	thumb, err := thumbprint(key)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // the address, since a name may lead elsewhere (RFC 8252 section 8.3)
	if err != nil {
		return err
	}
	config := a.oauth("http://" + l.Addr().String() + "/callback")
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	door := newDoor(l, state)
	defer door.close()
	address := config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oidc.Nonce(nonce),
		oauth2.SetAuthURLParam("resource", a.API), oauth2.SetAuthURLParam("dpop_jkt", thumb)) // a code that is stolen on its way needs the key, too
	a.Tell("Sign in with your browser:\n" + address)
	if err := a.Browse(ctx, address); err != nil {
		a.Tell("No browser could be opened. Please open this address yourself.")
	}
	answer, err := door.wait(ctx)
	if err != nil {
		return err
	}
	err = a.finish(ctx, config, answer, key, nonce, verifier)
	door.say(err)
	return err
}

// finish turns the browser's answer into tokens, and keeps what is to be kept.
func (a *App) finish(ctx context.Context, config *oauth2.Config, answer url.Values, key *ecdsa.PrivateKey, nonce, verifier string) error {
	if answer.Get("iss") != a.Issuer { // RFC 9207
		return errors.New("the answer comes from another server")
	}
	if e := answer.Get("error"); e != "" {
		return fmt.Errorf("the server says %s: %s", e, answer.Get("error_description"))
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	client, err := proving(raw)
	if err != nil {
		return err
	}
	t, err := config.Exchange(context.WithValue(ctx, oauth2.HTTPClient, client), answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return err
	}
	said, _ := t.Extra("id_token").(string)
	id, err := a.server.VerifierContext(oidc.ClientContext(ctx, plain), &oidc.Config{ClientID: a.ClientID}).Verify(ctx, said)
	if err != nil {
		return err
	}
	if id.Nonce != nonce {
		return errors.New("the ID token is not for this sign-in")
	}
	unlock, err := a.Keep.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	old, err := a.load(ctx)
	if err == nil {
		err = a.revoke(ctx, old) // nobody would sign that one out any more
	}
	if err != nil && !errors.Is(err, ErrSignedOut) {
		return err
	}
	if err := a.save(&kept{Refresh: t.RefreshToken, Key: raw}); err != nil {
		return fmt.Errorf("%s cannot be written: %w", a.Keep, err)
	}
	a.token, a.proving = t, client
	return nil
}

var page = template.Must(template.New("page").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Back to the app</title><link rel="icon" href="data:,"><style>:root{color-scheme:light dark}body{font:18px/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}</style>
<main><p>{{.}}</p></main></html>`))

// door is the port that the browser comes back to. Anything on this computer can knock there: only what knows state is heard, once.
type door struct {
	server  *http.Server
	answers chan url.Values
	words   chan string
}

func newDoor(l net.Listener, state string) *door {
	d := &door{answers: make(chan url.Values, 1), words: make(chan string, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("state") != state {
			http.NotFound(w, r)
			return
		}
		select {
		case d.answers <- q:
		default:
			http.NotFound(w, r) // a second time
			return
		}
		select {
		case text := <-d.words:
			h := w.Header()
			h.Set("Content-Type", "text/html; charset=utf-8")
			h.Set("Cache-Control", "no-store")
			h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
			h.Set("Referrer-Policy", "no-referrer")
			page.Execute(w, text)
		case <-r.Context().Done():
		}
	})
	d.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go d.server.Serve(l)
	return d
}

func (d *door) wait(ctx context.Context) (url.Values, error) {
	select {
	case q := <-d.answers:
		return q, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("nobody came back from the browser: %w", ctx.Err())
	}
}

func (d *door) say(err error) {
	if err != nil {
		d.words <- "The sign-in did not work. The app says why. You can close this page."
		return
	}
	d.words <- "You are signed in. You can close this page and go back to the app."
}

// close lets the page that is being answered through.
func (d *door) close() {
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	if d.server.Shutdown(ctx) != nil {
		d.server.Close()
	}
}
