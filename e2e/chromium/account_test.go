package chromium_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
	"github.com/chromedp/chromedp"
)

// A person looks through the account: sees another browser sign in while the list is open, ends it from here and is told there, takes an
// app's access away, reads what happened, and closes the account; the back button shows nothing of it.
func TestAccountInChromium(t *testing.T) {
	x := newTable(t)
	const user = "alice"
	if err := x.base.AddAccount(t.Context(), &idp.Account{Username: user}, password); err != nil {
		t.Fatal(err)
	}
	guest := idp.Client{ID: "guest", Name: "The Library", Kind: idp.KindWeb, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code"},
		Scopes: []string{"openid", "profile", "email"}, RedirectURIs: []string{x.app.at + "/cb"}}
	if _, err := x.base.AddClient(t.Context(), &guest); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(x.browser, patience)
	defer stop()
	other, stopOther := chromedp.NewContext(x.browser, chromedp.WithNewBrowserContext())
	defer stopOther()
	other, stop = context.WithTimeout(other, patience)
	defer stop()
	secret := password
	enter := func(ctx context.Context, wait string) {
		t.Helper()
		do(t, ctx, "sign in", chromedp.Navigate(x.at+"/login"), chromedp.WaitVisible(css("#password")),
			chromedp.SendKeys(css("#username"), user), chromedp.SendKeys(css("#password"), secret+"\r"), chromedp.WaitVisible(css(wait)))
	}
	says := func(ctx context.Context, what, words string) {
		t.Helper()
		if _, text := where(t, ctx); !strings.Contains(text, words) {
			t.Errorf("%s: the page does not say %q: %s", what, words, text)
		}
	}
	goTo := func(ctx context.Context, name, link, words string) {
		t.Helper()
		do(t, ctx, name, chromedp.Click(css(".nav a[href='"+link+"']")), chromedp.WaitVisible(css(".nav a[href='"+link+"'][aria-current]")))
		says(ctx, name, words)
		look(t, ctx, "account "+name)
	}
	enter(ctx, ".sessions")
	says(ctx, "alone", "You are signed in nowhere else")
	look(t, ctx, "account alone")
	enter(other, ".sessions")
	do(t, ctx, "the other one appears without a reload", chromedp.WaitVisible(css("#live li:nth-child(2)")))
	look(t, ctx, "account two")
	do(t, ctx, "end it", chromedp.Click(css("#live li:nth-child(2) button")), chromedp.WaitVisible(css(".notice")))
	says(ctx, "ended", "That session is over.")
	look(t, ctx, "account one ended")
	do(t, other, "the other one is led away", chromedp.WaitVisible(css("#password")))

	enter(other, ".sessions")
	do(t, ctx, "end all others", chromedp.Navigate(x.at+"/account"), chromedp.WaitVisible(css("#live li:nth-child(2)")), chromedp.Click(css("form[action$='/others/end'] button")), chromedp.WaitVisible(css(".notice")))
	says(ctx, "others ended", "1 other session was ended: Chrome on Linux.")
	do(t, other, "the other one is led away again", chromedp.WaitVisible(css("#password")))
	enter(other, ".sessions")
	do(t, ctx, "a new password", chromedp.Click(css(".nav a[href='/account/password']")), chromedp.WaitVisible(css("#old")), chromedp.SendKeys(css("#old"), password),
		chromedp.SendKeys(css("#new"), "vier Worte ohne Sinn\r"), chromedp.WaitVisible(css(".notice")))
	says(ctx, "a new password", "Your password is changed. 1 other session was ended: Chrome on Linux.")
	look(t, ctx, "account password changed")
	do(t, other, "the other one is led away by it", chromedp.WaitVisible(css("#password")))
	secret = "vier Worte ohne Sinn"
	enter(other, ".sessions")
	do(t, other, "everywhere", chromedp.Click(css("summary")), chromedp.WaitVisible(css(".menu form[action$='/all/end'] button")), chromedp.Click(css(".menu form[action$='/all/end'] button")),
		chromedp.WaitNotPresent(css(".nav")), chromedp.WaitVisible(css("h1")))
	says(other, "everywhere", "You are signed out")
	do(t, ctx, "this one is led away", chromedp.WaitVisible(css("#password")))
	enter(ctx, ".sessions")

	q := x.request()
	q.Set("client_id", "guest")
	do(t, ctx, "enter an app", chromedp.Navigate(x.at+"/oauth2/authorize?"+q.Encode()), chromedp.WaitVisible(css("button[value=continue]")), chromedp.Click(css("button[value=continue]")),
		chromedp.WaitVisible(css("#site")), chromedp.Navigate(x.at+"/account"), chromedp.WaitVisible(css(".sessions")))
	goTo(ctx, "apps", "/account/apps", "The Library")
	do(t, ctx, "take its access away", chromedp.Click(css(".sessions button")), chromedp.WaitVisible(css(".notice")))
	says(ctx, "withdrawn", "You have signed in to no app yet")
	look(t, ctx, "account no apps")
	goTo(ctx, "activity", "/account/activity", "Access was taken away from an app")
	do(t, ctx, "its receipt", chromedp.Click(css(".told a[href^='/signout/']")), chromedp.WaitNotPresent(css(".nav")), chromedp.WaitVisible(css("h1")))
	says(ctx, "its receipt", "Receipt of a sign-out")
	look(t, ctx, "account receipt")
	do(t, ctx, "back", chromedp.Navigate(x.at+"/account"), chromedp.WaitVisible(css(".sessions")))
	goTo(ctx, "password", "/account/password", "Changing it signs you out everywhere but here")
	goTo(ctx, "close", "/account/close", "This cannot be undone")
	do(t, ctx, "another name", chromedp.SendKeys(css("#username"), "bob\r"), chromedp.WaitVisible(css(".error")))
	look(t, ctx, "account close error")
	do(t, ctx, "close", chromedp.SendKeys(css("#username"), user+"\r"), chromedp.WaitNotPresent(css("#username")), chromedp.WaitVisible(css("h1")))
	if at, text := where(t, ctx); !strings.Contains(at, "/signout/") || !strings.Contains(text, "You are signed out") {
		t.Errorf("after closing: %s %s", at, text)
	}
	look(t, ctx, "account closed")
	_ = chromedp.Do(ctx, chromedp.NavigateBack(), chromedp.WaitReady(css("h1"))) // to the answer to a form, which a browser does not keep
	if _, text := where(t, ctx); strings.Contains(text, "Close my account for good") {
		t.Error("the back button shows the account")
	}
}

// The list is walked by pages, and read without script, too.
func TestManySessionsInChromium(t *testing.T) {
	x := newTable(t, func(c *config.Config) { c.Policy.RecentSignIn = time.Second })
	const user = "alice"
	a := idp.Account{Username: user}
	if err := x.base.AddAccount(t.Context(), &a, password); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(x.browser, patience)
	defer stop()
	if err := x.base.Store.Update(t.Context(), func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		e, err := tx.Epochs(a.ID, "")
		if err != nil {
			return err
		}
		for i := range 120 {
			s := idp.Session{Name: ledger.NewName(), Ref: ledger.NewName().String(), Account: a.ID, Realm: e.Realm, Epoch: e.Account, Cookie: idp.HashOf(idp.NewSecret(32)), CreatedAt: now - idp.Time(1000*i),
				AuthTime: now, ExpiresAt: now + 1<<40, Methods: []string{"pwd"}, IP: fmt.Sprintf("2001:db8:ffff:ffff:ffff:ffff:ffff:%x", i), UserAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1"}
			if err := tx.InsertSession(s); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "sign in", chromedp.Navigate(x.at+"/login"), chromedp.WaitVisible(css("#password")), chromedp.SendKeys(css("#username"), user), chromedp.SendKeys(css("#password"), password+"\r"),
		chromedp.WaitVisible(css(".sessions")))
	look(t, ctx, "account many")
	pages := 1
	for {
		more, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!document.querySelector("#live a[href*='after=']")`))
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
		pages++
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](`document.querySelector("main").id = "left"`)); err != nil {
			t.Fatal(err)
		}
		do(t, ctx, "the next page", chromedp.Click(css("#live a[href*='after=']")), chromedp.WaitNotPresent(css("#left")), chromedp.WaitVisible(css(".sessions")))
	}
	if pages != 5 {
		t.Errorf("121 sessions on %d pages", pages)
	}
	do(t, ctx, "an act asks who it is", chromedp.Click(css("#live li:first-child button")), chromedp.WaitVisible(css("#password")))
	if at, _ := where(t, ctx); !strings.Contains(at, "/login?again=") {
		t.Errorf("at %s", at)
	}
	look(t, ctx, "account again")
	do(t, ctx, "and comes back", chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(css(".sessions")))
}
