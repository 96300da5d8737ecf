package chromium_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// Passkeys in a real browser, by the page's own script: added, signed in with and without a username, by the button and out of the list
// of usernames, asked for again, removed.
func TestPasskeysInChromium(t *testing.T) {
	x := newNode(t, nil, func(c *config.Config) { c.Issuer = strings.Replace(c.Issuer, "127.0.0.1", "localhost", 1) })
	at := strings.Replace(x.at, "127.0.0.1", "localhost", 1)
	if err := x.base.AddAccount(t.Context(), &idp.Account{Username: "alice"}, password); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(newBrowser(t), patience)
	defer stop()
	if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	key, err := chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Ctap2version: "ctap2_1", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		t.Fatal(err)
	}
	touched := func(yes bool) {
		t.Helper()
		if _, err := chromedp.Call(ctx, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: key.AuthenticatorID, Enabled: yes}); err != nil {
			t.Fatal(err)
		}
	}
	button, add := css("form[data-passkey] button"), css("form[data-passkey=create] button")
	account := at + "/account/passkeys"
	touched(false)
	do(t, ctx, "sign in", chromedp.Navigate(at+"/login"), chromedp.WaitVisible(button), chromedp.SendKeys(css("#username"), "alice"),
		chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(css(".sessions")))
	touched(true)
	do(t, ctx, "the page", chromedp.Navigate(account), chromedp.WaitVisible(add))
	look(t, ctx, "passkeys empty")
	do(t, ctx, "add", chromedp.Click(add), chromedp.WaitVisible(css(".sessions")))
	if _, text := where(t, ctx); !strings.Contains(text, "Your passkey is added") || !strings.Contains(text, "on one device only") {
		t.Fatalf("after adding: %s", text)
	}
	look(t, ctx, "passkeys")
	do(t, ctx, "add it again", chromedp.Click(add), chromedp.WaitVisible(css("form[data-passkey] .error")))

	leave := func() {
		t.Helper()
		do(t, ctx, "leave", chromedp.Navigate(at+"/logout"), chromedp.WaitVisible(css("button[value=all]")), chromedp.Click(css("button[value=all]")), chromedp.WaitNotPresent(css("button[value=all]")))
	}
	leave()
	touched(false)
	do(t, ctx, "the sign-in page", chromedp.Navigate(at+"/login"), chromedp.WaitVisible(button))
	look(t, ctx, "sign in with passkey")
	touched(true)
	do(t, ctx, "sign in by the button", chromedp.Click(button), chromedp.WaitVisible(css(".sessions")))
	leave()
	// The browser's list of usernames: a virtual authenticator picks the one that is there by itself.
	do(t, ctx, "sign in out of the list", chromedp.Navigate(at+"/login"), chromedp.WaitVisible(css(".sessions")))

	x.age(t, "alice")
	remove := css("form[action$='/remove'] button")
	do(t, ctx, "removing asks again", chromedp.Navigate(account), chromedp.WaitVisible(remove), chromedp.Click(remove), chromedp.WaitVisible(css("#password")))
	if _, text := where(t, ctx); !strings.Contains(text, "Confirm that it is you") {
		t.Fatalf("no step-up: %s", text)
	}
	look(t, ctx, "step-up")
	do(t, ctx, "prove it", chromedp.Click(button), chromedp.WaitVisible(remove))
	do(t, ctx, "remove", chromedp.Click(remove), chromedp.WaitVisible(css(".notice")))
	if _, text := where(t, ctx); !strings.Contains(text, "The passkey is removed") {
		t.Errorf("after removing: %s", text)
	}
	leave()
	touched(false)
	do(t, ctx, "the sign-in page", chromedp.Navigate(at+"/login"), chromedp.WaitVisible(button))
	touched(true)
	do(t, ctx, "a removed one", chromedp.Click(button), chromedp.WaitVisible(css("section > .error")))
	if _, text := where(t, ctx); !strings.Contains(text, "not known here") {
		t.Errorf("a removed passkey: %s", text)
	}
}

// An authenticator app in a real browser: set up by its picture or key, asked for, its recovery codes shown once.
func TestAuthenticatorInChromium(t *testing.T) {
	x := newNode(t, nil)
	if err := x.base.AddAccount(t.Context(), &idp.Account{Username: "alice"}, password); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(newBrowser(t), patience)
	defer stop()
	enter := chromedp.Steps(chromedp.WaitVisible(css("#password")), chromedp.SendKeys(css("#username"), "alice"), chromedp.SendKeys(css("#password"), password+"\r"))
	do(t, ctx, "sign in", chromedp.Navigate(x.at+"/login?again=%2Faccount%2Fauthenticator"), enter, chromedp.WaitVisible(css("form[action$='/offer']")))
	look(t, ctx, "authenticator off")
	do(t, ctx, "set up", chromedp.Click(css("form[action$='/offer'] button")), chromedp.WaitVisible(css("#code")))
	look(t, ctx, "authenticator new")
	seen, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.querySelector("main img").naturalWidth === 240`))
	if err != nil || !seen {
		t.Error("the browser does not show the picture:", err)
	}
	_, text := where(t, ctx)
	key := regexp.MustCompile(`[A-Z2-7]{32}`).FindString(text)
	code, err := totp.GenerateCode(key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "the first code", chromedp.SendKeys(css("#code"), code+"\r"), chromedp.WaitVisible(css(".codes")))
	look(t, ctx, "recovery codes")
	_, text = where(t, ctx)
	codes := regexp.MustCompile(`[a-z2-7]{4}(-[a-z2-7]{4}){3}`).FindAllString(text, -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	do(t, ctx, "it is on", chromedp.Navigate(x.at+"/account/authenticator"), chromedp.WaitVisible(css("form[action$='/remove']")))
	look(t, ctx, "authenticator on")
	do(t, ctx, "leave", chromedp.Navigate(x.at+"/logout"), chromedp.WaitVisible(css("button[value=all]")), chromedp.Click(css("button[value=all]")), chromedp.WaitNotPresent(css("button[value=all]")))
	do(t, ctx, "sign in", chromedp.Navigate(x.at+"/login"), enter, chromedp.WaitVisible(css("#code")))
	look(t, ctx, "second step")
	do(t, ctx, "a wrong code", chromedp.SendKeys(css("#code"), "000000\r"), chromedp.WaitVisible(css(".error")))
	do(t, ctx, "a recovery code", chromedp.SendKeys(css("#code"), codes[7]+"\r"), chromedp.WaitVisible(css(".sessions")))
	do(t, ctx, "codes left", chromedp.Navigate(x.at+"/account/recovery"), chromedp.WaitVisible(css("form[action='/account/recovery']")))
	if _, text := where(t, ctx); !strings.Contains(text, "9 left") {
		t.Error(text)
	}
	look(t, ctx, "recovery")
	remove := css("form[action$='/remove'] button")
	do(t, ctx, "remove it", chromedp.Click(css(".nav a[href='/account/authenticator']")), chromedp.WaitVisible(remove), chromedp.Click(remove), chromedp.WaitVisible(css("form[action$='/offer']")))
	if _, text := where(t, ctx); !strings.Contains(text, "It is off") {
		t.Error(text)
	}
	do(t, ctx, "the password alone does again", chromedp.Navigate(x.at+"/logout"), chromedp.WaitVisible(css("button[value=all]")), chromedp.Click(css("button[value=all]")),
		chromedp.WaitNotPresent(css("button[value=all]")), chromedp.Navigate(x.at+"/login"), enter, chromedp.WaitVisible(css(".sessions")))
}
