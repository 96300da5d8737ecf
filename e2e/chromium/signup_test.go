package chromium_test

import (
	"context"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/upstream/optest"
	"github.com/chromedp/chromedp"
)

// Somebody new comes through a provider, is refused a username that looks like another one, takes a plain one, and the list says through whom.
func TestSignUpInChromium(t *testing.T) {
	for lang, says3 := range map[string][3]string{"en": {"letters of one script", "by Hub", "Chrome on Linux"}, "de": {"Buchstaben einer Schrift", "Hub", "Chrome unter Linux"}} {
		t.Run(lang, func(t *testing.T) {
			hub := optest.New(t)
			x := newTable(t, func(c *config.Config) {
				p := hub.Provider()
				p.Title = "Hub"
				c.Providers = []config.Provider{{ID: "hub", Kind: "oidc", Provider: p, SignUp: true}}
			})
			ctx, stop := context.WithTimeout(x.browser, patience)
			defer stop()
			speak(t, ctx, x.at, lang)
			do(t, ctx, "sign-in", chromedp.Navigate(x.at+"/login"), chromedp.WaitVisible(css("#password")))
			look(t, ctx, lang+" sign in, with a provider")
			do(t, ctx, "through the provider", chromedp.Click(css("button[formaction*='/login/hub'], form[action*='/login/hub'] button, a[href*='/login/hub']")), chromedp.WaitVisible(css("form[action$='/signup'] #username")))
			look(t, ctx, lang+" sign up")
			do(t, ctx, "a name of two scripts", chromedp.SetValue(css("#username"), "\u0430lice"), chromedp.SendKeys(css("#username"), "\r"), chromedp.WaitVisible(css(".error")))
			says(t, ctx, ".error", says3[0])
			look(t, ctx, lang+" sign up again")
			do(t, ctx, "a plain one", chromedp.SetValue(css("#username"), "alice"), chromedp.SendKeys(css("#username"), "\r"), chromedp.WaitVisible(css(".sessions")))
			says(t, ctx, ".sessions", says3[1])
			says(t, ctx, ".sessions", says3[2])
		})
	}
}
