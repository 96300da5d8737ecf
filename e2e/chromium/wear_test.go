package chromium_test

import (
	"context"
	"testing"

	"exeunt.dev/internal/config"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// An installation's own name, logo and colours are what a browser shows, by day and by night, under the policy that pages have.
func TestLookOfAnInstallation(t *testing.T) {
	const logo = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="30"><rect width="120" height="30" fill="#8a1c5a"/></svg>`
	x := newTable(t, func(c *config.Config) {
		c.Name, c.Look = "Teehaus & Söhne", config.Look{Logo: []byte(logo), LogoKind: "image/svg+xml", Color: "#8a1c5a", Dark: "#ff9ecf"}
	})
	ctx, stop := context.WithTimeout(x.browser, patience)
	defer stop()
	for scheme, want := range map[string]string{"light": "rgb(138, 28, 90)", "dark": "rgb(255, 158, 207)"} {
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
			t.Fatal(err)
		}
		do(t, ctx, "sign-in", chromedp.Navigate(x.at+"/login"), chromedp.WaitVisible(css("#password")))
		got := js(t, ctx, `const img = document.querySelector(".brand img"); await img.decode();
			return [document.title, document.querySelector(".brand").innerText.trim(), img.naturalWidth, getComputedStyle(document.querySelector(".primary")).backgroundColor].join("; ")`)
		if got != "Sign in · Teehaus & Söhne; Teehaus & Söhne; 120; "+want {
			t.Errorf("%s: %s", scheme, got)
		}
	}
	look(t, ctx, "look of an installation")
}
