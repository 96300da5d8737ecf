package websites_test

import (
	"context"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

type css = chromedp.CSS

// chromium starts a browser; steps are done with do, which says where they stopped.
func chromium(t *testing.T) (ctx context.Context, do func(ctx context.Context, what string, steps ...chromedp.Action[chromedp.Void])) {
	t.Helper()
	if testing.Short() {
		t.Skip("not for the inner loop")
	}
	if runtime.GOOS != "linux" {
		t.Skip("one loopback address is one site")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("this test needs Debian's chromium; ./test installs it")
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		chromedp.Cancel(ctx) // waits for the browser to be gone
		stop()
	})
	// The first run with a context makes the tab, which lives as long as that context: not one of do's.
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx, func(ctx context.Context, what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		within, stop := context.WithTimeout(ctx, 40*time.Second)
		defer stop()
		if err := chromedp.Do(within, steps...); err != nil {
			at, _ := chromedp.Run(ctx, chromedp.Location())
			text, _ := chromedp.Run(ctx, chromedp.Text(css("body")))
			t.Fatalf("%s: %v, at %s: %s", what, err, at, text)
		}
	}
}

// In a real browser, with the website and Exeunt on different sites: cookies go along where the package says that they do,
// also when the provider POSTs its answer from its own page; the buttons work; another tab hears of it.
func TestChromium(t *testing.T) {
	for _, mode := range []string{"query", "form_post"} {
		t.Run(mode, func(t *testing.T) {
			x := newExeunt(t)
			s := newSiteAt(t, "books", "127.0.0.2")
			x.register(s)
			t.Setenv("RESPONSE_MODE", mode)
			s.start(x.at, s.secret, 2)

			ctx, do := chromium(t)
			tab, stop := chromedp.NewContext(ctx)
			t.Cleanup(stop)
			if err := chromedp.Do(tab, chromedp.Navigate("about:blank")); err != nil {
				t.Fatal(err)
			}
			prove := func() {
				t.Helper()
				do(ctx, "prove", chromedp.WaitVisible(css("#password")), chromedp.SetValue(css("#username"), "alice"), chromedp.SendKeys(css("#password"), password+"\r"),
					chromedp.WaitNotPresent(css("#password")))
				if mode == "form_post" { // Exeunt's pages have no scripts: it is a button that posts
					do(ctx, "post", chromedp.WaitVisible(css("main button")), chromedp.Click(css("main button")))
				}
				do(ctx, "arrive", chromedp.WaitVisible(css("#who")))
			}
			do(ctx, "open", chromedp.Navigate(s.at+"/home"))
			prove()
			if at, err := chromedp.Run(ctx, chromedp.Location()); err != nil || at != s.at+"/home" {
				t.Fatal(at, err)
			}
			do(tab, "another tab", chromedp.Navigate(s.at+"/home"), chromedp.WaitVisible(css("#who")))
			do(ctx, "sign out", chromedp.Click(css("#here")), chromedp.WaitVisible(css(`li[data-layer=website][data-state=done]`)))
			heard := func() bool {
				title, err := chromedp.Run(tab, chromedp.Title())
				return err == nil && title == "signed out"
			}
			for end := time.Now().Add(10 * time.Second); !heard(); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("the other tab heard nothing")
				}
			}
			do(ctx, "back", chromedp.NavigateBack(), chromedp.WaitReady(css("h1")))
			if text, err := chromedp.Run(ctx, chromedp.Text(css("body"))); err != nil || strings.Contains(text, "Alice") {
				t.Error("the back button shows the page:", text, err)
			}
			do(ctx, "again", chromedp.Navigate(s.at+"/home"), chromedp.WaitVisible(css("a[href*='/auth/login/']")), chromedp.Click(css("a[href*='/auth/login/']")))
			prove()
			do(ctx, "sign out there, too", chromedp.Click(css("#there")), chromedp.WaitVisible(css(`li[data-layer=provider][data-state=returned]`)))
			do(ctx, "Exeunt", chromedp.Navigate(x.at+"/session/"), chromedp.WaitReady(css("body")))
			if text, err := chromedp.Run(ctx, chromedp.Text(css("body"))); err != nil || strings.Contains(text, "alice") {
				t.Error("still signed in at Exeunt:", text, err)
			}
		})
	}
}
