package chromium_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/examples/native"
	page "exeunt.dev/examples/spa"
	"exeunt.dev/internal/idp"
	"github.com/chromedp/chromedp"
)

// shelf is a node, an API behind a guard, and the two examples: a single-page app and an app on the computer.
type shelf struct {
	*table
	at     string       // of the single-page app
	status atomic.Int32 // what the API answers; 0: what the guard says
}

// cors is what an API needs that pages of another origin call, as docs/clients.md says it.
func cors(origin *string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", *origin)
		h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
		h.Set("Vary", "Origin")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Headers", "Authorization")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{table: newNode(t, nil)}
	s.newOrders(t, func(guarded http.Handler) http.Handler {
		return cors(&s.at, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if status := s.status.Load(); status != 0 {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(int(status))
				return
			}
			guarded.ServeHTTP(w, r)
		}))
	})
	s.at = handle(t, "127.0.0.11", func(w http.ResponseWriter, r *http.Request) {
		page.Handler(s.table.at, "shop", s.orders).ServeHTTP(w, r)
	})
	both := idp.Client{AuthMethod: idp.AuthNone, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}, Scopes: []string{"openid", "profile"}, Audiences: []string{s.orders}}
	shop, desk := both, both
	shop.ID, shop.Name, shop.Kind, shop.RedirectURIs, shop.PostLogoutURIs = "shop", "Shop", idp.KindBrowser, []string{s.at + "/"}, []string{s.at + "/"}
	desk.ID, desk.Name, desk.Kind, desk.RedirectURIs, desk.DPoP = "desk", "Desk", idp.KindNative, []string{"http://127.0.0.1/callback"}, idp.DPoPRequired
	for _, c := range []*idp.Client{&shop, &desk} {
		if _, err := s.base.AddClient(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.base.AddAccount(t.Context(), &idp.Account{Username: "alice"}, password); err != nil {
		t.Fatal(err)
	}
	s.browser = newBrowser(t)
	return s
}

// shown opens one more tab of the single-page app and waits until it knows where it is.
func (s *shelf) shown(t *testing.T) context.Context {
	t.Helper()
	ctx, stop := chromedp.NewContext(s.browser)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, patience)
	t.Cleanup(stop)
	do(t, ctx, "open the app", chromedp.Navigate(s.at+"/"), chromedp.WaitVisible(css("body[data-ready]")))
	return ctx
}

// says waits until a part of the page says something.
func says(t *testing.T, ctx context.Context, part, want string) {
	t.Helper()
	for ; ; time.Sleep(glance) {
		got := js(t, ctx, `return document.querySelector("`+part+`")?.innerText ?? ""`)
		if strings.Contains(got, want) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s says %q, and not %q", part, got, want)
		}
	}
}

// The single-page example under its own content security policy: two tabs, an API that is down, one that refuses, both sign-outs.
func TestSinglePageExampleInChromium(t *testing.T) {
	s := newShelf(t)
	signIn := func(ctx context.Context) {
		do(t, ctx, "sign in", chromedp.Click(css("#sign")), chromedp.WaitVisible(css("#password")), chromedp.SendKeys(css("#username"), "alice"),
			chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(css("#inside")))
	}
	// Before anybody has signed in, it says what to do, and offers nothing that needs a sign-in.
	empty := s.shown(t)
	says(t, empty, "#state", "You are not signed in")
	says(t, empty, "#nothing", "Nothing yet. Sign in")
	says(t, empty, "#sign", "Sign in")
	if got := seen(t, empty, "#sign", "#nothing", "#inside", "#log li"); got != "#sign, #nothing" {
		t.Errorf("at first there are to be seen: %s", got)
	}
	look(t, empty, "single-page app, nobody")
	for _, button := range []string{"#here", "#everywhere"} {
		one := s.shown(t)
		signIn(one)
		if got := seen(t, one, "#nothing", "#inside", "#log li"); got != "#inside, #log li" {
			t.Errorf("signed in, there are to be seen: %s", got)
		}
		two := s.shown(t)
		says(t, two, "#state", "You are signed in")
		do(t, one, "ask the API", chromedp.Click(css("#call")))
		says(t, one, "#orders", "a teapot")
		s.status.Store(http.StatusServiceUnavailable)
		do(t, one, "ask the API", chromedp.Click(css("#call")))
		says(t, one, "#answer", "You stay signed in")
		s.status.Store(0)
		says(t, one, "#log", "API: 200")
		if button == "#here" {
			look(t, one, "single-page app")
		}
		js(t, one, `document.body.dataset.old = "yes"; return ""`)
		do(t, one, "leave", chromedp.Click(css(button)))
		says(t, two, "#state", "You are not signed in")
		says(t, two, "#log", "signed out")
		do(t, one, "come back", chromedp.WaitVisible(css("body[data-ready]:not([data-old])")))
		says(t, one, "#state", "You are not signed in")
		if at, text := where(t, one); !strings.HasPrefix(at, s.at) || strings.Contains(text, "teapot") || strings.Contains(text, "Only this browser") {
			t.Errorf("after %s: %s %s", button, at, text)
		}
	}
}

// memory keeps what a native app keeps, as a keyring would.
type memory struct{ secret []byte }

func (m *memory) Load() ([]byte, error)    { return m.secret, nil }
func (m *memory) Save(secret []byte) error { m.secret = secret; return nil }
func (m *memory) Drop() error              { m.secret = nil; return nil }
func (m *memory) Lock() (func(), error)    { return func() {}, nil }
func (m *memory) String() string           { return "memory" }

// The native example with a real browser: DPoP all the way, a new process, 503, and each sign-out.
func TestNativeExampleInChromium(t *testing.T) {
	s := newShelf(t)
	ctx, stop := context.WithTimeout(s.browser, patience)
	t.Cleanup(stop)
	keep := &memory{}
	var told []string
	process := func() *native.App {
		return &native.App{Issuer: s.table.at, ClientID: "desk", API: s.orders, Keep: keep, Tell: func(text string) { told = append(told, text); s.status.Store(0) },
			Browse: func(_ context.Context, address string) error { return chromedp.Do(ctx, chromedp.Navigate(address)) }}
	}
	signIn := func(typed bool) {
		t.Helper()
		a := process()
		if typed {
			a.Browse = func(_ context.Context, address string) error {
				return chromedp.Do(ctx, chromedp.Navigate(address), chromedp.WaitVisible(css("#password")), chromedp.SendKeys(css("#username"), "alice"), chromedp.SendKeys(css("#password"), password+"\r"))
			}
		} else {
			a.Browse = func(_ context.Context, address string) error {
				go chromedp.Do(ctx, chromedp.Navigate(address))
				return nil
			}
		}
		if err := a.SignIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		says(t, ctx, "body", "You are signed in")
	}
	get := func(a *native.App) string {
		t.Helper()
		res, err := a.Get(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	signIn(true)
	a := process()
	if got := get(a); !strings.Contains(got, "teapot") {
		t.Errorf("the API says %s", got)
	}
	first := keep.secret
	signIn(false)
	second := keep.secret
	keep.secret = first
	if _, err := process().Get(t.Context(), "/"); !errors.Is(err, native.ErrSignedOut) {
		t.Errorf("the sign-in before this one: %v", err)
	}
	keep.secret = second
	a = process()
	s.status.Store(http.StatusServiceUnavailable) // until the app tells the person of it
	if got := get(a); !strings.Contains(got, "teapot") || !strings.Contains(told[len(told)-1], "You stay signed in") {
		t.Errorf("after 503: %s, %q", got, told)
	}
	if err := a.SignOut(t.Context(), native.Here); err != nil || keep.secret != nil {
		t.Errorf("here: %v, %q is kept", err, keep.secret)
	}
	if _, err := process().Get(t.Context(), "/"); !errors.Is(err, native.ErrSignedOut) {
		t.Errorf("after the sign-out: %v", err)
	}
	do(t, ctx, "the account", chromedp.Navigate(s.table.at+"/account"), chromedp.WaitVisible(css(".sessions")))
	says(t, ctx, ".sessions", "No apps")
	signIn(false) // the browser's session lived on
	do(t, ctx, "the account", chromedp.Navigate(s.table.at+"/account"), chromedp.WaitVisible(css(".sessions")))
	says(t, ctx, ".sessions", "Apps: Desk")
	if err := process().SignOut(t.Context(), native.Browser); err != nil {
		t.Fatal(err)
	}
	says(t, ctx, "h1", "You are signed out")
	signIn(true)
	down, before := process(), keep.secret
	down.Issuer = "http://127.0.0.1:1" // nobody is there
	if err := down.SignOut(t.Context(), native.Here); err == nil || keep.secret == nil {
		t.Errorf("the server could not be told: %v, %q is kept", err, keep.secret)
	}
	if _, err := process().Get(t.Context(), "/"); !errors.Is(err, native.ErrSignedOut) || keep.secret != nil {
		t.Errorf("the next run: %v, %q is kept", err, keep.secret)
	}
	keep.secret = before // somebody has made a copy
	if _, err := process().Get(t.Context(), "/"); !errors.Is(err, native.ErrSignedOut) {
		t.Errorf("a copy of what was signed out: %v", err)
	}
	signIn(false)
	other := process()
	get(other)
	if err := process().SignOut(t.Context(), native.Everywhere); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "the account", chromedp.Navigate(s.table.at+"/account"), chromedp.WaitVisible(css("#password")))
	if _, err := other.Get(t.Context(), "/"); !errors.Is(err, native.ErrSignedOut) {
		t.Errorf("another process of the app, after everywhere: %v", err)
	}
}
