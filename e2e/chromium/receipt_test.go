package chromium_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"github.com/chromedp/chromedp"
)

// backApp is a website that is told by back channel, and answers as it likes.
type backApp struct {
	at   string
	mu   sync.Mutex
	told []string // logout tokens
}

func (x *table) backApp(t *testing.T, id string, status int, change func(*idp.Client)) *backApp {
	t.Helper()
	l, at := listen(t, "127.0.0.8", x.secure)
	a := &backApp{at: at}
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/back" {
			a.mu.Lock()
			a.told = append(a.told, r.PostFormValue("logout_token"))
			a.mu.Unlock()
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html><title>site</title><h1 id=site>the app's own page</h1>")
	})}
	go h.Serve(l)
	t.Cleanup(func() { h.Close() })
	c := idp.Client{ID: idp.ClientID(id), Name: "App " + id, Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scopes: []string{"openid", "offline_access"}, RedirectURIs: []string{at + "/cb"}, BackchannelLogoutURI: at + "/back"}
	if change != nil {
		change(&c)
	}
	secret, err := x.base.AddClient(t.Context(), &c)
	if err != nil {
		t.Fatal(err)
	}
	x.secrets[id] = secret
	return a
}

// What a receipt says while apps answer and refuse: the one that browsers wait for has confirmed before the page is there, the one
// that wants no sub gets none, and access that stays is ended from the page.
func TestReceiptInChromium(t *testing.T) {
	x := newTable(t, func(c *config.Config) { c.Outbound = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	apps := map[string]*backApp{
		"waits":   x.backApp(t, "waits", 200, func(c *idp.Client) { c.AwaitLogout = true }),
		"sids":    x.backApp(t, "sids", 200, func(c *idp.Client) { c.BackchannelSidOnly = true }),
		"refuses": x.backApp(t, "refuses", 400, nil),
		"away":    x.backApp(t, "away", 200, func(c *idp.Client) { c.Offline = true }),
	}
	v := x.visitor(t)
	ctx, stop := context.WithTimeout(x.browser, patience)
	defer stop()
	do(t, ctx, "sign in", chromedp.Navigate(x.at+"/login"), chromedp.WaitVisible(css("#password")), chromedp.SendKeys(css("#username"), v.name),
		chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(css(".sessions")))
	for id, a := range apps {
		q := x.request()
		q.Set("client_id", id)
		q.Set("redirect_uri", a.at+"/cb")
		q.Set("scope", "openid")
		if id == "away" {
			q.Set("scope", "openid offline_access")
			q.Set("prompt", "consent")
			do(t, ctx, "allow "+id, chromedp.Navigate(x.at+"/oauth2/authorize?"+q.Encode()), chromedp.WaitVisible(css("button[value=continue]")), chromedp.Click(css("button[value=continue]")))
		} else {
			do(t, ctx, "enter "+id, chromedp.Navigate(x.at+"/oauth2/authorize?"+q.Encode()))
		}
		do(t, ctx, "the site of "+id, chromedp.WaitVisible(css("#site")))
		at, _ := where(t, ctx)
		u, err := url.Parse(at)
		if err != nil || u.Query().Get("code") == "" {
			t.Fatalf("no code at %s", at)
		}
		x.redeemAt(t, id, x.secrets[id], a.at+"/cb", u.Query().Get("code"))
	}
	do(t, ctx, "the account with all of them", chromedp.Navigate(x.at+"/account"), chromedp.WaitVisible(css(".sessions")))
	look(t, ctx, "account with apps")
	do(t, ctx, "leave", chromedp.Click(css("summary")), chromedp.WaitVisible(css(".menu button")), chromedp.Click(css(".menu button")), chromedp.WaitVisible(css(".told")))
	if _, text := where(t, ctx); !confirmed(t, ctx, "App waits") {
		t.Errorf("the app that is waited for has not confirmed when the page comes: %s", text)
	}
	do(t, ctx, "one refuses", chromedp.WaitVisible(css(".told .refused")), chromedp.WaitNotPresent(css(".told .owed")), chromedp.WaitVisible(css(".told .confirmed")))
	look(t, ctx, "receipt refused")
	if _, text := where(t, ctx); !strings.Contains(text, "Access that stays") {
		t.Error(text)
	}
	do(t, ctx, "end it too", chromedp.Click(css("form[action$='/offline'] button")), chromedp.WaitNotPresent(css("form[action$='/offline']")), chromedp.WaitVisible(css(".told")))
	if _, text := where(t, ctx); strings.Contains(text, "Access that stays") {
		t.Error("it stays:", text)
	}
	look(t, ctx, "receipt all ended")
	sids := apps["sids"]
	sids.mu.Lock()
	defer sids.mu.Unlock()
	if len(sids.told) == 0 || claim(t, sids.told[0], "sub") != "" || claim(t, sids.told[0], "sid") == "" {
		t.Errorf("the app that goes by sid only was told %d times, or by sub", len(sids.told))
	}
}

func confirmed(t *testing.T, ctx context.Context, name string) bool {
	t.Helper()
	yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf(`[...document.querySelectorAll(".told li.confirmed b")].some(e => e.textContent === %q)`, name)))
	if err != nil {
		t.Fatal(err)
	}
	return yes
}
