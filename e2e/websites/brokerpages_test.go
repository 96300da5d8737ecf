package websites_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/provider"
	"github.com/chromedp/chromedp"
)

// The broker's pages in a real browser, a second Exeunt on another site being the provider: link it, leave it by the receipt, come in by its
// button, prove it again there, and be signed out by it.
func TestBrokerInChromium(t *testing.T) {
	ctx, do := chromium(t)
	hub := newExeunt(t)
	x := newExeuntAt(t, "127.0.0.2", slog.DiscardHandler, func(c *config.Config) {
		at := c.Issuer + "/login/hub/"
		secret, err := hub.base.AddClient(t.Context(), &idp.Client{
			ID: "broker", Name: "Broker", Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code", "refresh_token"},
			Scopes: []string{"openid", "profile", "email"}, RedirectURIs: []string{at + "callback"}, PostLogoutURIs: []string{at + "left"},
			BackchannelLogoutURI: at + "logout", BackchannelLogoutSessionRequired: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		p := provider.OIDC(hub.at, "broker", secret)
		p.Title = "Hub"
		c.Providers = []config.Provider{{ID: "hub", Kind: "oidc", Provider: p}}
		c.Policy.RecentSignIn = 15 * time.Second
	})
	shot := func(name string) {
		folder := os.Getenv("EXEUNT_SCREENSHOTS")
		if folder == "" {
			return
		}
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644)
		}
		if err != nil {
			t.Error(err)
		}
	}
	at := func(site, path string) {
		t.Helper()
		var where string
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			where, _ = chromedp.Run(ctx, chromedp.Location())
			if strings.HasPrefix(where, site+path) {
				return
			}
			if time.Now().After(end) {
				text, _ := chromedp.Run(ctx, chromedp.Text(css("body")))
				t.Fatalf("at %s, not at %s%s: %s", where, site, path, text)
			}
		}
	}
	prove := func(site, path string) {
		t.Helper()
		at(site, path)
		do(ctx, "prove at "+site, chromedp.WaitVisible(css("#password")), chromedp.SetValue(css("#username"), "alice"), chromedp.SendKeys(css("#password"), password+"\r"),
			chromedp.WaitNotPresent(css("#password")))
	}
	text := func() string {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			s, err := chromedp.Run(ctx, chromedp.Text(css("body")))
			if err == nil { // not while one page gives way to the next
				return s
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}

	do(ctx, "sign in", chromedp.Navigate(x.at+"/login"), chromedp.WaitVisible(css(`button[formaction="/login/hub"]`)))
	shot("login")
	prove(x.at, "/login")
	do(ctx, "link", chromedp.Navigate(x.at+"/account/providers"), chromedp.WaitVisible(css(`form[action="/account/providers/hub/link"] button`)),
		chromedp.Click(css(`form[action="/account/providers/hub/link"] button`)))
	prove(hub.at, "/login")
	at(x.at, "/account/providers?done=linked")
	if s := text(); !strings.Contains(s, "Linked. All your other sessions were ended.") || !strings.Contains(s, "Unlink Hub") {
		t.Error(s)
	}
	shot("linked")

	// In by the button: who has not left there is not asked.
	do(ctx, "sign out", chromedp.Click(css("header summary")), chromedp.WaitVisible(css(`form[action="/account/signout"] button`)), chromedp.Click(css(`form[action="/account/signout"] button`)), chromedp.WaitVisible(css(`a[href="/login"]`)))
	do(ctx, "the button", chromedp.Navigate(x.at+"/login"), chromedp.WaitVisible(css(`button[formaction="/login/hub"]`)), chromedp.Click(css(`button[formaction="/login/hub"]`)))
	prove(hub.at, "/login") // who has left here is asked there
	at(x.at, "/account")

	// A step-up at the provider.
	proves := css(`a[href="/login?again=%2Faccount%2Fproviders"]`)
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		do(ctx, "the linking page", chromedp.Navigate(x.at+"/account/providers"), chromedp.WaitReady(css("main")))
		if strings.Contains(text(), "Confirm that it is you") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the sign-in stays recent")
		}
	}
	do(ctx, "prove it again", chromedp.Click(proves), chromedp.WaitVisible(css(`button[formaction="/login/hub"]`)), chromedp.Click(css(`button[formaction="/login/hub"]`)))
	prove(hub.at, "/login")
	at(x.at, "/account/providers")
	if s := text(); !strings.Contains(s, "Unlink Hub") {
		t.Error("the provider's proof does not count:", s)
	}

	// Out here, then out there, by the receipt.
	do(ctx, "sign out", chromedp.Click(css("header summary")), chromedp.WaitVisible(css(`form[action="/account/signout"] button`)), chromedp.Click(css(`form[action="/account/signout"] button`)), chromedp.WaitVisible(css(`form[action$="/providers/hub/leave"] button`)))
	shot("receipt")
	do(ctx, "leave the provider", chromedp.Click(css(`form[action$="/providers/hub/leave"] button`)))
	at(x.at, "/signout/")
	for end := time.Now().Add(30 * time.Second); !strings.Contains(text(), "Hub sent you back from its sign-out."); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(text())
		}
	}
	shot("left")
	signedIn := func(site string) bool {
		t.Helper()
		do(ctx, "session", chromedp.Navigate(site+"/session/"), chromedp.WaitReady(css("body")))
		return strings.Contains(text(), "alice")
	}
	if signedIn(hub.at) || signedIn(x.at) {
		t.Error("still signed in somewhere")
	}

	// Signed out there, in the same browser: it ends here.
	do(ctx, "the button", chromedp.Navigate(x.at+"/login"), chromedp.WaitVisible(css(`button[formaction="/login/hub"]`)), chromedp.Click(css(`button[formaction="/login/hub"]`)))
	prove(hub.at, "/login")
	at(x.at, "/account")
	if !signedIn(x.at) {
		t.Fatal("not signed in")
	}
	do(ctx, "sign out there", chromedp.Navigate(hub.at+"/account"), chromedp.WaitVisible(css("header summary")),
		chromedp.Click(css("header summary")), chromedp.WaitVisible(css(`form[action="/account/signout"] button`)), chromedp.Click(css(`form[action="/account/signout"] button`)), chromedp.WaitVisible(css(`a[href="/login"]`)))
	for end := time.Now().Add(30 * time.Second); signedIn(x.at); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the provider's sign-out ended nothing here")
		}
	}
}
