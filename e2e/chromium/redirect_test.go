package chromium_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"github.com/chromedp/chromedp"
)

// Our forms lead where the redirect URI says, whatever kind of address that is, and on from there: a browser holds the page's
// policy (CSP form-action) against every redirect that follows a form.
func TestRedirectsAfterForms(t *testing.T) {
	x := newTable(t)
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here")
	}
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<h1 id=site>native</h1>") })}
	go h.Serve(l)
	t.Cleanup(func() { h.Close() })
	native := idp.Client{ID: "native", Name: "Native", Kind: idp.KindNative, AuthMethod: idp.AuthNone, GrantTypes: []string{"authorization_code"},
		Scopes: []string{"openid", "profile"}, RedirectURIs: []string{"http://[::1]/cb", "http://127.0.0.1/cb"}}
	if _, err := x.base.AddClient(t.Context(), &native); err != nil {
		t.Fatal(err)
	}
	x.app.hop = x.evil.at + "/landed"
	for name, c := range map[string]struct {
		client, redirect, lands string
	}{
		"an app that leads on":     {"app", x.app.at + "/hop", x.evil.at + "/landed"},
		"IPv6 loopback, a consent": {"native", "http://" + l.Addr().String() + "/cb", "http://" + l.Addr().String() + "/cb"},
	} {
		t.Run(name, func(t *testing.T) {
			x.startedHere++
			user := fmt.Sprintf("person%d", x.startedHere)
			if err := x.base.AddAccount(t.Context(), &idp.Account{Username: user}, password); err != nil {
				t.Fatal(err)
			}
			ctx, stop := chromedp.NewContext(x.browser, chromedp.WithNewBrowserContext())
			t.Cleanup(stop)
			ctx, stop = context.WithTimeout(ctx, patience)
			t.Cleanup(stop)
			q := x.request()
			q.Set("client_id", c.client)
			q.Set("redirect_uri", c.redirect)
			do(t, ctx, "sign in", chromedp.Navigate(x.at+"/oauth2/authorize?"+q.Encode()), chromedp.WaitVisible(css("#password")),
				chromedp.SendKeys(css("#username"), user), chromedp.SendKeys(css("#password"), password+"\r"))
			if c.client == "native" {
				do(t, ctx, "allow", chromedp.WaitVisible(css("button[value=continue]")), chromedp.Click(css("button[value=continue]")))
			}
			do(t, ctx, "arrive", chromedp.WaitVisible(css("#site")))
			if at, _ := where(t, ctx); !strings.HasPrefix(at, c.lands) {
				t.Errorf("the browser is at %s", at)
			}
		})
	}
}
