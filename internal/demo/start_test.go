package demo

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	desk "exeunt.dev/examples/native"
)

func started(t *testing.T, o Options) *Demo {
	t.Helper()
	d, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func signedIn(t *testing.T, v *visitor, sites ...*website) {
	t.Helper()
	for _, s := range sites {
		if _, err := v.signIn(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if a, err := v.get(t.Context(), s.url+"/"); err != nil || !strings.Contains(a.body, "200 OK") { // it shows Orders its token
			t.Fatal(a.body, err)
		}
	}
}

// The start page tells the layers apart: a website that cannot be told of a sign-out keeps its own session, and the page says so.
func TestStartPageSaysWhoIsNotToldYet(t *testing.T) {
	t.Parallel()
	d := started(t, Options{})
	alice, bob := d.visitor(d.Info.Username, d.Info.Password), d.visitor(d.Info.SecondUsername, d.Info.SecondPassword)
	signedIn(t, alice, d.sites...)
	signedIn(t, bob, d.sites[0])
	at := func(text string, lines []line) (who []string) {
		for _, l := range lines {
			if strings.HasPrefix(l.Tag, text) {
				who = append(who, l.Who)
			}
		}
		return who
	}
	look := func() startData {
		t.Helper()
		data, err := d.look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	before := look()
	if books, news := at("signed in", before.Apps[0].Here), at("signed in", before.Apps[1].Here); len(books) != 2 || len(news) != 1 || len(before.Exeunt) != 2 || len(at("admitted", before.Tokens)) != 3 {
		t.Fatalf("before: %+v", before)
	}
	d.ls[atNews].Close() // nobody is reached there any more
	c := &check{d: d, one: alice}
	if err := c.leaveByAPI(t.Context()); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; {
		now := look()
		told := now.SignOuts[0].Reached
		done := len(at("signed in", now.Apps[0].Here)) == 1 && len(at("not told yet", now.Apps[1].Here)) == 1 && len(at("refused: revoked", now.Tokens)) == 2 &&
			len(at("admitted", now.Tokens)) == 1 && len(told) == 3 && len(at("not told yet", told)) == 1 && len(now.Exeunt) == 1
		if done {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("after: %+v", now)
		}
	}
	a, err := alice.get(t.Context(), d.Info.Start)
	if err != nil || a.status != http.StatusOK || !strings.Contains(a.body, `<span class="tag bad">not told yet</span>`) {
		t.Errorf("the page: %v %s", err, a.body)
	}
}

// In a folder that is kept, people stay signed in at the websites, too.
func TestDataIsKept(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	if port > 65535-places {
		t.Skip("no room above this port")
	}
	o := Options{Data: filepath.Join(t.TempDir(), "a folder? 100% mine"), Port: port}
	if err := os.Mkdir(o.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	d := started(t, o)
	alice := d.visitor(d.Info.Username, d.Info.Password)
	signedIn(t, alice, d.sites[0])
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again := started(t, o)
	if a, err := alice.get(t.Context(), again.sites[0].url+"/"); err != nil || !strings.Contains(a.body, "200 OK") {
		t.Error(err, a.body)
	}
	alice.demo = again
	if in, err := alice.here(t.Context()); err != nil || !in {
		t.Error("not signed in at Exeunt any more", err)
	}
}

// Orders may be read by the single-page app, a refusal too, and by no other origin.
func TestOrdersAllowsTheSinglePageApp(t *testing.T) {
	t.Parallel()
	d := started(t, Options{})
	for origin, want := range map[string]string{d.Info.SinglePage: d.Info.SinglePage, d.Info.Apps["books"]: ""} {
		for _, method := range []string{"OPTIONS", "GET"} {
			r, err := http.NewRequestWithContext(t.Context(), method, d.Info.API+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Origin", origin)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if got := res.Header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s from %s: %q", method, origin, got)
			}
		}
	}
}

// The native app, as the demo's command starts it: its tokens are bound to a key, and the start page shows it.
func TestNativeApp(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	d := started(t, Options{})
	bob := d.visitor(d.Info.SecondUsername, d.Info.SecondPassword)
	keep, err := desk.Best(d.Info.Issuer, native)
	if err != nil {
		t.Fatal(err)
	}
	a := &desk.App{Issuer: d.Info.Issuer, ClientID: native, API: d.Info.API, Keep: keep, Tell: func(string) {}, Browse: func(ctx context.Context, address string) error {
		go bob.prove(ctx, address) // the page that it comes back to waits for the app
		return nil
	}}
	if err := a.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	res, err := a.Get(t.Context(), "/")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
	data, err := d.look(t.Context())
	if here := data.Apps[3].Here; err != nil || len(here) != 1 || here[0].Who != "bob" || len(data.Tokens) != 1 || data.Tokens[0].Tag != "admitted" {
		t.Errorf("%v %+v", err, data)
	}
	if err := a.SignOut(t.Context(), desk.Here); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(within); data.Tokens[0].Tag != "refused: revoked"; {
		if data, err = d.look(t.Context()); err != nil || time.Now().After(end) {
			t.Fatalf("%v %+v", err, data)
		}
	}
	if data.SignOuts[0].Title != "bob: an app gave a token back (Orders on the desk)" {
		t.Errorf("%+v", data.SignOuts)
	}
	// It cannot be told, and nobody says that it has a cookie.
	if err := errors.Join(a.SignIn(t.Context()), (&check{d: d, one: bob}).leaveByAPI(t.Context())); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(within); ; {
		if data, err = d.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		page, err := bob.get(t.Context(), data.SignOuts[0].Receipt)
		if err == nil && strings.Contains(page.body, "it may keep the tokens that ended, which are refused") && !strings.Contains(page.body, "cookie of its own") {
			break
		}
		if time.Now().After(end) {
			t.Fatal(page.body, err)
		}
	}
}

// Where there is but one loopback address, cookies have names of their own and nothing meets.
func TestOneHost(t *testing.T) {
	t.Parallel()
	d := started(t, Options{oneHost: true})
	for _, l := range d.ls {
		if !strings.HasPrefix(address(l), "http://127.0.0.1:") {
			t.Error(address(l))
		}
	}
	c := d.newCheck()
	for _, s := range c.steps()[:2] {
		if err := errors.Join(c.arrive(t.Context()), c.step(t.Context(), s, &Result{})); err != nil {
			t.Errorf("%s: %v", s.what, err)
		}
	}
}

// The demo shows passkeys, too: browsers give none at an address that is a number.
func TestPasskeysAreOffered(t *testing.T) {
	t.Parallel()
	d := started(t, Options{})
	if !d.apart {
		t.Skip("one loopback address: the issuer's is a number")
	}
	v := d.visitor(d.Info.Username, d.Info.Password)
	if a, err := v.get(t.Context(), d.Info.Issuer+"/login"); err != nil || !strings.Contains(a.body, "Sign in with a passkey") {
		t.Error(a.body, err)
	}
}
