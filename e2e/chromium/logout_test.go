package chromium_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
	"github.com/chromedp/chromedp"
)

const password = "correct horse battery"

// site is an app of another site (127.0.0.5), whose pages the test writes.
type site struct {
	at   string
	page string // the body of /page
	hop  string // where /hop leads
}

func newSite(t *testing.T, host string, secure ...*tls.Config) *site {
	t.Helper()
	l, at := listen(t, host, secure)
	s := &site{at: at}
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hop" {
			http.Redirect(w, r, s.hop, http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>site</title><body><h1 id=site>the app's own page</h1><p id=path>%s</p>", html.EscapeString(r.URL.Path))
		if r.URL.Path == "/page" {
			io.WriteString(w, s.page)
		}
	})}
	go h.Serve(l)
	t.Cleanup(func() { h.Close() })
	return s
}

// listen listens on loopback, by https if there is a certificate.
func listen(t *testing.T, host string, secure []*tls.Config) (l net.Listener, at string) {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	if len(secure) > 0 {
		return tls.NewListener(l, secure[0]), "https://" + l.Addr().String()
	}
	return l, "http://" + l.Addr().String()
}

// table is a node with one person, and an app and a stranger on sites of their own.
type table struct {
	t           *testing.T
	client      *http.Client
	secure      []*tls.Config
	ordinary    bool              // visitors use the ordinary window, not a private one of their own
	secrets     map[string]string // of further apps
	at          string
	app, evil   *site
	secret      string
	browser     context.Context
	base        *server.Base
	left, home  string
	orders      string // the address of an API behind a guard
	startedHere int
}

func newTable(t *testing.T, change ...func(*config.Config)) *table {
	t.Helper()
	x := newNode(t, nil, change...)
	x.newOrders(t)
	x.addApp(t)
	x.browser = newBrowser(t)
	return x
}

func newNode(t *testing.T, secure []*tls.Config, change ...func(*config.Config)) *table {
	t.Helper()
	l, at := listen(t, "127.0.0.1", secure)
	x := &table{t: t, secrets: map[string]string{}, at: at, app: newSite(t, "127.0.0.5", secure...), evil: newSite(t, "127.0.0.6", secure...), client: http.DefaultClient, secure: secure}
	x.left, x.home = x.app.at+"/left", x.app.at+"/home"
	c := config.Default()
	c.Passwords = config.Passwords{Memory: 7 * 1024, Passes: 1} // the least that is allowed
	dir := t.TempDir()
	c.Issuer, c.Data, c.KeyFile = x.at, filepath.Join(dir, "db"), filepath.Join(dir, "key")
	for _, f := range change {
		f(&c)
	}
	s, err := server.NewOn(t.Context(), c, slog.New(slog.DiscardHandler), l)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	x.base = s.Base()
	return x
}

func (x *table) addApp(t *testing.T) {
	t.Helper()
	app := idp.Client{ID: "app", Name: "The app", Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scopes: []string{"openid", "profile"}, RedirectURIs: []string{x.app.at + "/cb", x.app.at + "/hop"}, PostLogoutURIs: []string{x.home, x.app.at + "/hop"}, LogoutURIs: []string{x.left},
		Audiences: []string{cmp.Or(x.orders, x.at)}}
	var err error
	if x.secret, err = x.base.AddClient(t.Context(), &app); err != nil {
		t.Fatal(err)
	}
}

// person is a browser of its own in which somebody new is signed in to the app.
type visitor struct {
	*table
	ctx        context.Context
	name       string
	id, access string
}

func (x *table) visitor(t *testing.T) *visitor {
	t.Helper()
	x.startedHere++
	v := &visitor{table: x, name: fmt.Sprintf("person%d", x.startedHere)}
	if err := x.base.AddAccount(t.Context(), &idp.Account{Username: v.name}, password); err != nil {
		t.Fatal(err)
	}
	private := []chromedp.ContextOption{chromedp.WithNewBrowserContext()}
	if x.ordinary {
		private = nil
	}
	ctx, stop := chromedp.NewContext(x.browser, private...)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, patience)
	t.Cleanup(stop)
	v.ctx = ctx
	do(t, ctx, "sign in", chromedp.Navigate(v.at+"/oauth2/authorize?"+v.request().Encode()), chromedp.WaitVisible(css("#password")),
		chromedp.SendKeys(css("#username"), v.name), chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(css("#site")))
	at, _ := where(t, ctx)
	u, err := url.Parse(at)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("no code at %s", at)
	}
	v.id, v.access = v.redeem(t, u.Query().Get("code"))
	return v
}

const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

// age makes somebody's sign-ins too old to change anything.
func (x *table) age(t *testing.T, name string) {
	t.Helper()
	err := x.base.Store.Update(t.Context(), func(tx idp.Tx) error {
		a, err := tx.AccountByUsername(name)
		if err != nil {
			return err
		}
		e, err := tx.Epochs(a.ID, "")
		if err != nil {
			return err
		}
		all, err := tx.Sessions(a.ID, e.Realm, e.Account, idp.Page{Limit: 10})
		for _, s := range all {
			s.AuthTime -= 3_600_000
			if err := tx.RenewSession(s); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (x *table) request() url.Values {
	return url.Values{"client_id": {"app"}, "redirect_uri": {x.app.at + "/cb"}, "response_type": {"code"}, "scope": {"openid profile"}, "state": {"st"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}}
}

func (x *table) redeem(t *testing.T, code string) (id, access string) {
	t.Helper()
	return x.redeemAt(t, "app", x.secret, x.app.at+"/cb", code)
}

func (x *table) redeemAt(t *testing.T, app, secret, redirect, code string) (id, access string) {
	t.Helper()
	r, _ := http.NewRequest("POST", x.at+"/oauth2/token", strings.NewReader(url.Values{"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {redirect}, "code_verifier": {verifier}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(app, secret)
	res, err := x.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		ID     string `json:"id_token"`
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || out.ID == "" {
		t.Fatalf("token endpoint: %d %v", res.StatusCode, err)
	}
	return out.ID, out.Access
}

// signedIn asks /session/ in the visitor's own browser.
func (v *visitor) signedIn(t *testing.T) bool {
	t.Helper()
	do(t, v.ctx, "ask /session/", chromedp.Navigate(v.at+"/session/"), chromedp.WaitReady(css("body")))
	_, text := where(t, v.ctx)
	return strings.Contains(text, v.name)
}

// from opens a page of a site with the given body and lets its script run.
func (v *visitor) from(t *testing.T, s *site, body string) {
	t.Helper()
	s.page = body
	do(t, v.ctx, "open a page of a site", chromedp.Navigate(s.at+"/page"), chromedp.WaitReady(css("body")))
}

// link follows a link on a page of a site.
func (v *visitor) link(t *testing.T, s *site, to string) {
	t.Helper()
	v.from(t, s, `<a id="out" href="`+html.EscapeString(to)+`">out</a>`)
	do(t, v.ctx, "follow the link", chromedp.Click(css("#out")), chromedp.WaitNotPresent(css("#out")), chromedp.WaitReady(css("h1")))
}

func (x *table) logout(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return x.at + "/logout?" + v.Encode()
}

// Every row of the decision table, in a real browser: links and forms of other sites, with the cookies and headers that it sends.
func TestLogoutTableInChromium(t *testing.T) {
	x := newTable(t)
	const asks, session, app, wrong, nothing = "asks", "ends the session", "ends the app", "error", "nothing"
	stranger := x.visitor(t)
	for _, c := range []struct {
		name string
		act  func(t *testing.T, v *visitor)
		want string
		lead string // where the browser is afterwards; "" for a page of ours
		yes  string // the button to press where it asks
		then string // what that does
		to   string // and where it leads
	}{
		{name: "both kinds at once", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("client_id", "app", "logout_uri", v.left, "id_token_hint", v.id))
		}, want: wrong},
		{name: "a parameter twice", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("id_token_hint", v.id, "state", "a", "state", "b"))
		}, want: wrong},
		{name: "a hint that is not ours", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("id_token_hint", v.id[:len(v.id)-6]+"AAAAAA", "post_logout_redirect_uri", v.home))
		}, want: wrong, yes: "all", then: session},
		{name: "an address that is not registered", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("id_token_hint", v.id, "post_logout_redirect_uri", v.evil.at+"/"))
		}, want: wrong, yes: "all", then: session},
		{name: "own hint and registered address", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("id_token_hint", v.id, "post_logout_redirect_uri", v.home, "state", "xyz"))
		}, want: session, lead: x.home + "?state=xyz"},
		{name: "own hint, posted by the app's page", act: func(t *testing.T, v *visitor) {
			v.from(t, v.app, fmt.Sprintf(`<form id="f" method="post" action="%s/logout"><input type="hidden" name="id_token_hint" value="%s">
				<input type="hidden" name="post_logout_redirect_uri" value="%s"><button id="out">out</button></form>`, v.at, v.id, v.home))
			do(t, v.ctx, "post the form", chromedp.Click(css("#out")), chromedp.WaitNotPresent(css("#out")), chromedp.WaitReady(css("h1")))
		}, want: session, lead: x.home},
		{name: "own hint without an address", act: func(t *testing.T, v *visitor) { v.link(t, v.app, v.logout("id_token_hint", v.id)) }, want: session},
		{name: "hint of somebody else", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("id_token_hint", stranger.id, "post_logout_redirect_uri", v.home))
		}, want: asks, yes: "all", then: session, to: x.home},
		{name: "nobody signed in, hint and address", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("id_token_hint", v.id))
			v.link(t, v.app, v.logout("id_token_hint", v.id, "post_logout_redirect_uri", v.home))
		}, want: session, lead: x.home},
		{name: "nobody signed in, app and address", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("id_token_hint", v.id))
			v.link(t, v.app, v.logout("client_id", "app", "post_logout_redirect_uri", v.home))
		}, want: session, lead: x.home},
		{name: "nobody signed in, hint alone", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("id_token_hint", v.id))
			v.link(t, v.app, v.logout("id_token_hint", v.id))
		}, want: session},
		{name: "app and registered address, no hint", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("client_id", "app", "post_logout_redirect_uri", v.home))
		}, want: asks, yes: "all", then: session, to: x.home},
		{name: "an address alone", act: func(t *testing.T, v *visitor) { v.link(t, v.app, v.logout("post_logout_redirect_uri", v.home)) }, want: asks, yes: "all", then: session},
		{name: "this app, from its own page", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("client_id", "app", "logout_uri", v.left))
		}, want: app, lead: x.left},
		{name: "this app, from a stranger's page", act: func(t *testing.T, v *visitor) {
			v.link(t, v.evil, v.logout("client_id", "app", "logout_uri", v.left))
		}, want: asks, yes: "app", then: app, to: x.left},
		{name: "this app, from a stranger's page, and everything", act: func(t *testing.T, v *visitor) {
			v.link(t, v.evil, v.logout("client_id", "app", "logout_uri", v.left))
		}, want: asks, yes: "all", then: session, to: x.left},
		{name: "this app, and an address that is not registered", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("client_id", "app", "logout_uri", v.evil.at+"/"))
		}, want: wrong, yes: "all", then: session},
		{name: "own hint and another app", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("id_token_hint", v.id, "client_id", "another", "post_logout_redirect_uri", v.home))
		}, want: wrong, yes: "all", then: session},
		{name: "logout_hint alone", act: func(t *testing.T, v *visitor) {
			v.link(t, v.app, v.logout("logout_hint", v.name))
		}, want: asks, yes: "all", then: session},
		{name: "nothing given", act: func(t *testing.T, v *visitor) { v.link(t, v.evil, v.at+"/logout") }, want: asks, yes: "stay", then: nothing},
		{name: "client_id alone", act: func(t *testing.T, v *visitor) { v.link(t, v.app, v.logout("client_id", "app", "state", "x")) }, want: asks, yes: "all", then: session},
		{name: "a picture, a frame and a fetch of a stranger", act: func(t *testing.T, v *visitor) {
			to := html.EscapeString(v.logout("client_id", "app", "logout_uri", v.left))
			hint := html.EscapeString(v.logout("id_token_hint", v.id))
			v.from(t, v.evil, fmt.Sprintf(`<img src="%s"><img src="%s"><iframe src="%s"></iframe><link rel="prefetch" href="%s"><script>
				Promise.allSettled([fetch(%q, {mode: "no-cors", credentials: "include"}), fetch(%q, {mode: "no-cors", credentials: "include"})])
				.then(() => document.body.insertAdjacentHTML("beforeend", "<p id=done>done</p>"))</script>`, to, hint, hint, to, v.logout("id_token_hint", v.id), v.logout()))
			do(t, v.ctx, "wait for them", chromedp.WaitVisible(css("#done")))
		}, want: nothing, lead: x.evil.at + "/page"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := x.visitor(t)
			c.act(t, v)
			at, text := where(t, v.ctx)
			if c.lead != "" && at != c.lead || c.lead == "" && !strings.HasPrefix(at, v.at) {
				t.Fatalf("the browser is at %s: %s", at, text)
			}
			want := c.want
			if want == asks || want == wrong {
				if want == asks && !strings.Contains(text, v.name) {
					t.Errorf("the question does not name the person: %s", text)
				}
				shot(t, v.ctx, "logout "+c.name)
				if !v.tokenLives(t) {
					t.Error("something ended before anybody answered")
				}
				if want == wrong {
					exit := css("main a[href='/logout']")
					do(t, v.ctx, "the error page's way out", chromedp.WaitVisible(exit))
					if c.yes != "" {
						do(t, v.ctx, "take it", chromedp.Click(exit), chromedp.WaitNotPresent(exit))
					}
				}
				want = nothing
			}
			if c.yes != "" {
				button := css(fmt.Sprintf("main button[value=%s]", c.yes))
				do(t, v.ctx, "press "+c.yes, chromedp.Click(button), chromedp.WaitNotPresent(button), chromedp.WaitReady(css("h1")))
				at, text := where(t, v.ctx)
				if c.to != "" && at != c.to || c.to == "" && !strings.HasPrefix(at, v.at) {
					t.Errorf("afterwards the browser is at %s: %s", at, text)
				}
				want = c.then
			}
			if in := v.signedIn(t); in != (want != session) {
				t.Errorf("signed in: %t", in)
			}
			if lives := v.tokenLives(t); lives != (want == nothing) {
				t.Errorf("the app's token lives: %t", lives)
			}
		})
	}
	if !stranger.tokenLives(t) {
		t.Error("somebody else was signed out")
	}
}
