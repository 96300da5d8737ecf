package chromium_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/mail/mailtest"
	"exeunt.dev/internal/upstream/optest"
	"github.com/chromedp/chromedp"
)

// Somebody else signs in; she learns of it by letter, locks by its link, and gets in again by a letter with a new password. Later she has
// lost a device, and locks for a while.
func TestRescueInChromium(t *testing.T) {
	office := mailtest.Start(t, mailtest.Options{})
	hub := optest.New(t)
	x := newTable(t, func(c *config.Config) {
		p := hub.Provider()
		p.Title = "Hub"
		c.Providers = []config.Provider{{ID: "hub", Kind: "oidc", Provider: p}}
		c.Mail = config.Mail{Host: office.Host, Port: office.Port, TLS: "none", From: "exeunt@id.example"}
	})
	const user, next, last = "alice", "vier Worte ohne Sinn", "noch einmal vier davon"
	if err := x.base.AddAccount(t.Context(), &idp.Account{Username: user, Email: "alice@mail.example", EmailVerified: true}, password); err != nil {
		t.Fatal(err)
	}
	her, stop := context.WithTimeout(x.browser, patience)
	defer stop()
	thief, stopThief := chromedp.NewContext(x.browser, chromedp.WithNewBrowserContext())
	defer stopThief()
	thief, stop = context.WithTimeout(thief, patience)
	defer stop()
	enter := func(ctx context.Context, password, wait string) {
		t.Helper()
		do(t, ctx, "sign in", chromedp.Navigate(x.at+"/login"), chromedp.WaitVisible(css("#password")), chromedp.SetValue(css("#username"), user),
			chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(css(wait)))
	}
	says := func(ctx context.Context, what, words string) {
		t.Helper()
		if _, text := where(t, ctx); !strings.Contains(text, words) {
			t.Errorf("%s: the page does not say %q: %s", what, words, text)
		}
	}
	read := 0
	letter := func(subject string) string {
		t.Helper()
		for {
			l := office.Wait(t, read)
			if read++; l.Subject == subject {
				return l.Link()
			}
		}
	}
	heading := chromedp.WaitVisible(css("h1"))
	enter(her, password, ".sessions")
	do(t, her, "providers", chromedp.Click(css(".nav a[href='/account/providers']")), chromedp.WaitVisible(css("form[action$='/hub/link'] button")))
	look(t, her, "providers none")
	do(t, her, "link one", chromedp.Click(css("form[action$='/hub/link'] button")), chromedp.WaitVisible(css(".notice")))
	says(her, "linked", "Linked. All your other sessions were ended.")
	look(t, her, "providers")
	enter(thief, password, ".sessions")

	do(t, her, "the letter's link", chromedp.Navigate(letter("A new device has signed in to your account")), heading)
	says(her, "before", "Lock this account?")
	look(t, her, "lock by letter")
	do(t, her, "lock", chromedp.Click(css(".danger")), chromedp.WaitVisible(css("a[href^='/signout/']")))
	says(her, "locked", "It opens when you set a new password.")
	look(t, her, "locked")
	do(t, thief, "the thief looks again", chromedp.Navigate(x.at+"/account"), chromedp.WaitVisible(css("#password")))
	enter(thief, password, ".error")
	says(thief, "the thief", "somebody may know its password")
	look(t, thief, "locked at sign-in")

	do(t, her, "ask for a link", chromedp.Click(css("a[href='/login/forgot']")), chromedp.WaitVisible(css("#who")))
	look(t, her, "forgot")
	do(t, her, "ask", chromedp.SendKeys(css("#who"), user+"\r"), chromedp.WaitVisible(css("[role=status]")))
	look(t, her, "forgot asked")
	do(t, her, "the link", chromedp.Navigate(letter("Set a new password")), chromedp.WaitVisible(css("#again")))
	look(t, her, "reset")
	do(t, her, "too easy", chromedp.SendKeys(css("#new"), "alice2026!"), chromedp.SendKeys(css("#again"), "alice2026!\r"), chromedp.WaitVisible(css(".error")))
	says(her, "too easy", "easy to guess")
	do(t, her, "a new password", chromedp.SendKeys(css("#new"), next), chromedp.SendKeys(css("#again"), next+"\r"), chromedp.WaitVisible(css("a[href^='/login?again=']")))
	says(her, "done", "Your new password is set")
	look(t, her, "reset done")
	do(t, her, "sign in and look", chromedp.Click(css("a[href^='/login?again=']")), chromedp.WaitVisible(css("#password")), chromedp.SetValue(css("#username"), user),
		chromedp.SendKeys(css("#password"), next+"\r"), chromedp.WaitVisible(css(".nav")))
	says(her, "review", "What is yours?")
	look(t, her, "review")
	do(t, her, "the account says so, too", chromedp.Navigate(x.at+"/account"), chromedp.WaitVisible(css(".warning a[href='/account/review']")))
	look(t, her, "account to be reviewed")
	do(t, her, "it is hers", chromedp.Click(css(".warning a")), chromedp.WaitVisible(css("input[value=keep]")), chromedp.Click(css("input[value=keep]")), chromedp.Click(css("form[action='/account/review'] button")),
		chromedp.WaitVisible(css(".sessions")), chromedp.WaitNotPresent(css(".warning")))

	do(t, her, "another address", chromedp.Click(css(".nav a[href='/account/mail']")), chromedp.WaitVisible(css("#email")))
	look(t, her, "mail address")
	do(t, her, "ask for it", chromedp.SendKeys(css("#email"), "new@mail.example\r"), chromedp.WaitVisible(css(".notice")))
	do(t, her, "its link", chromedp.Navigate(letter("Confirm your mail address")), heading)
	look(t, her, "confirm address")
	do(t, her, "confirm", chromedp.Click(css("form[action='/account/mail/confirm'] button")), chromedp.WaitVisible(css(".notice")))
	says(her, "changed", "new@mail.example")

	do(t, her, "the emergency page", chromedp.Click(css(".nav a[href='/account/lock']")), chromedp.WaitVisible(css("#for")))
	look(t, her, "emergency lock")
	do(t, her, "lost a device", chromedp.Click(css(".danger")), chromedp.WaitVisible(css("a[href^='/signout/']")))
	says(her, "locked for a while", "It opens by itself on")
	do(t, her, "the back button", chromedp.Navigate(x.at+"/account"), chromedp.WaitVisible(css("#password")))
	enter(her, next, ".error")
	says(her, "until then", "Then it opens by itself.")
	if err := x.base.Store.Update(t.Context(), func(tx idp.Tx) error { // the twelve hours go by
		who, err := tx.AccountByUsername(user)
		if err != nil {
			return err
		}
		l, err := tx.Lock(who.ID)
		l.At, l.OpensAt = l.At-l.OpensAt+1, 1
		return errors.Join(err, tx.PutLock(l))
	}); err != nil {
		t.Fatal(err)
	}
	enter(her, next, ".sessions")

	do(t, her, "somebody has the password", chromedp.Click(css(".nav a[href='/account/lock']")), chromedp.WaitVisible(css("#for")), chromedp.Click(css("section:nth-of-type(2) .danger")),
		chromedp.WaitVisible(css("a[href^='/signout/']")))
	says(her, "locked until a new password", "It opens when you set a new password.")
	do(t, her, "the link", chromedp.Click(css("a[href='/login/forgot']")), chromedp.WaitVisible(css("#who")), chromedp.SendKeys(css("#who"), user+"\r"), chromedp.WaitVisible(css("[role=status]")))
	do(t, her, "a new password again", chromedp.Navigate(letter("Set a new password")), chromedp.WaitVisible(css("#again")), chromedp.SendKeys(css("#new"), last), chromedp.SendKeys(css("#again"), last+"\r"),
		chromedp.WaitVisible(css("a[href^='/login?again=']")))
	enter(her, last, ".sessions")
	do(t, her, "the review", chromedp.Click(css(".warning a")), chromedp.WaitVisible(css("input[value=remove]")))
	says(her, "the review", "Sign-in through Hub")
	do(t, her, "it was somebody else's", chromedp.Click(css("input[value=remove]")), chromedp.Click(css("form[action='/account/review'] button")), chromedp.WaitVisible(css(".sessions")), chromedp.WaitNotPresent(css(".warning")))
	do(t, her, "it is gone", chromedp.Click(css(".nav a[href='/account/providers']")), chromedp.WaitVisible(css("form[action$='/hub/link'] button")))
	says(her, "it is gone", "Nothing is linked to your account.")
}
