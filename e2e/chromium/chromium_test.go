// Package chromium_test drives the demo's pages with a real browser.
package chromium_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/demo"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestMain closes the browser that tests have in common.
func TestMain(m *testing.M) {
	code := m.Run()
	if common.stop != nil {
		common.stop()
	}
	os.Exit(code)
}

// common is the browser of the tests that ask nothing special of it: to start one takes longer than most of what is done in it.
var common struct {
	window context.Context
	stop   func()
}

// newBrowser opens a private window of its own, with nothing kept in it. A test that asks for more than that gets a browser of its own,
// with an empty profile. EXEUNT_SCREENSHOTS names a folder for pictures of the pages.
func newBrowser(t *testing.T, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("not for the inner loop")
	}
	if len(more) > 0 {
		ctx, stop, err := startBrowser(append([]chromedp.ExecAllocatorOption{chromedp.UserDataDir(t.TempDir())}, more...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		return ctx
	}
	if common.window == nil || chromedp.Do(common.window, chromedp.Navigate("about:blank")) != nil { // it may have crashed in the test before
		if common.stop != nil {
			common.stop()
		}
		var err error
		if common.window, common.stop, err = startBrowser(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := chromedp.NewContext(common.window, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	do(t, ctx, "open a window", chromedp.Navigate("about:blank"))
	return ctx
}

func startBrowser(more ...chromedp.ExecAllocatorOption) (ctx context.Context, stop func(), err error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, fmt.Errorf("these tests need Debian's chromium; ./test installs it: %w", err)
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(900, 900),
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,PreloadTopChromeWebUI,SpareRendererForSitePerProcess")) // nobody sees its frame
	all, stopAll := chromedp.NewExecAllocator(context.Background(), append(flags, more...)...)
	ctx, stopOne := chromedp.NewContext(all)
	stop = func() {
		chromedp.Cancel(ctx) // waits for the browser to be gone
		stopOne()
		stopAll()
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		stop()
		return nil, nil, fmt.Errorf("start the browser: %w", err)
	}
	return ctx, stop, nil
}

// enter is where a website of the demo signs people in.
const enter = "/auth/login/exeunt"

// open starts the demo and a browser.
func open(t *testing.T) (*demo.Demo, context.Context) {
	t.Helper()
	d, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	ctx, stop := context.WithTimeout(newBrowser(t), patience)
	t.Cleanup(stop)
	return d, ctx
}

type css = chromedp.CSS

// glance is how long to wait before a page is looked at again. To look without a pause would keep it from its work.
const glance = 20 * time.Millisecond

// patience is how long a browser has for all that a test does with it: many times what it takes, for machines with much else to do.
const patience = 20 * time.Minute

func do(t *testing.T, ctx context.Context, what string, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func shot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("EXEUNT_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

func where(t *testing.T, ctx context.Context) (address, text string) {
	t.Helper()
	address, err1 := chromedp.Run(ctx, chromedp.Location())
	text, err2 := chromedp.Run(ctx, chromedp.Text(css("body")))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return address, text
}

// The page without a server needs a script, and says so where none runs.
func TestSinglePageAppWithoutJavaScript(t *testing.T) {
	d, ctx := open(t)
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "the page", chromedp.Navigate(d.Info.SinglePage), chromedp.WaitVisible(css("noscript p")))
	if _, text := where(t, ctx); !strings.Contains(text, "Switch JavaScript on") || strings.Contains(text, "One moment") || strings.Contains(text, "Sign in") {
		t.Error(text)
	}
}

// TestPromise_MainJobInChromium: a person signs in to two websites, looks at the account, leaves by the page's own control; the back button
// shows nothing of it, and both websites must ask again.
func TestPromise_MainJobInChromium(t *testing.T) {
	d, ctx := open(t)
	do(t, ctx, "open Books", chromedp.Navigate(d.Info.Apps["books"]+enter), chromedp.WaitVisible(css("#password")))
	shot(t, ctx, "login")
	do(t, ctx, "sign in", chromedp.SendKeys(css("#username"), d.Info.Username), chromedp.SendKeys(css("#password"), d.Info.Password+"\r"),
		chromedp.WaitVisible(css("#who")))
	if at, _ := where(t, ctx); !strings.HasPrefix(at, d.Info.Apps["books"]) {
		t.Fatalf("the sign-in ended at %s", at)
	}
	shot(t, ctx, "books")
	do(t, ctx, "open News", chromedp.Navigate(d.Info.Apps["news"]+enter), chromedp.WaitReady(css("body")))
	if at, _ := where(t, ctx); !strings.HasPrefix(at, d.Info.Apps["news"]) {
		t.Fatalf("News asks again: %s", at)
	}
	do(t, ctx, "open the account", chromedp.Navigate(d.Info.Issuer+"/account"), chromedp.WaitVisible(css(".sessions")))
	if _, text := where(t, ctx); !strings.Contains(text, "Books") || !strings.Contains(text, "this one") {
		t.Fatalf("the account page says: %s", text)
	}
	shot(t, ctx, "account")
	do(t, ctx, "sign out", chromedp.Click(css("summary")), chromedp.WaitVisible(css(".menu button")))
	shot(t, ctx, "menu")
	do(t, ctx, "only here", chromedp.Click(css(".menu button")), chromedp.WaitNotPresent(css(".sessions")), chromedp.WaitReady(css("h1")))
	if at, text := where(t, ctx); !strings.Contains(at, "/signout/") || !strings.Contains(text, "You are signed out") {
		t.Fatalf("after the sign-out: %s %s", at, text)
	}
	shot(t, ctx, "receipt")
	do(t, ctx, "back", chromedp.NavigateBack(), chromedp.WaitReady(css("h1")))
	if at, text := where(t, ctx); strings.Contains(text, "Where you are signed in") {
		t.Errorf("the back button shows the account page: %s", at)
	}
	do(t, ctx, "News again", chromedp.Navigate(d.Info.Apps["news"]+enter), chromedp.WaitVisible(css("#password")))
}

// Leaving one app by its link: the browser comes back to the app, the other app lives, and the next sign-in asks a human.
func TestPromise_OneAppInChromium(t *testing.T) {
	d, ctx := open(t)
	do(t, ctx, "sign in", chromedp.Navigate(d.Info.Apps["books"]+enter), chromedp.WaitVisible(css("#password")),
		chromedp.SendKeys(css("#username"), d.Info.Username), chromedp.SendKeys(css("#password"), d.Info.Password+"\r"),
		chromedp.WaitNotPresent(css("#password")))
	leave := css("button[value=app]")
	do(t, ctx, "leave Books", chromedp.Navigate(d.Info.Apps["books"]+"/"), chromedp.WaitVisible(leave), chromedp.Click(leave), chromedp.WaitNotPresent(leave), chromedp.WaitReady(css("body")))
	if at, _ := where(t, ctx); !strings.HasPrefix(at, d.Info.Apps["books"]) {
		t.Fatalf("leaving Books ended at %s", at)
	}
	do(t, ctx, "Books again", chromedp.Navigate(d.Info.Apps["books"]+enter), chromedp.WaitVisible(css("button[value=continue]")))
	if _, text := where(t, ctx); !strings.Contains(text, "Continue as "+d.Info.Username) {
		t.Errorf("Books slips back in: %s", text)
	}
	shot(t, ctx, "choose")
	do(t, ctx, "the session lives", chromedp.Navigate(d.Info.Issuer+"/account"), chromedp.WaitVisible(css(".sessions")))
	do(t, ctx, "a sign-out that nothing proves asks", chromedp.Navigate(d.Info.Issuer+"/logout"), chromedp.WaitVisible(css("button[value=all]")))
	shot(t, ctx, "ask")
	do(t, ctx, "stay", chromedp.Click(css("button[value=stay]")), chromedp.WaitVisible(css(".sessions")))
}

// What a newcomer does with the demo: sign in to two websites and the page without a server, look at the layers, sign out in one of them,
// and see what that reached. The start page follows without being loaded again.
func TestStartPageInChromium(t *testing.T) {
	d, ctx := open(t)
	do(t, ctx, "the start page", chromedp.Navigate(d.Info.Start), chromedp.WaitVisible(css(".nobody")))
	fits(t, ctx, "start, nobody", accessible)
	do(t, ctx, "sign in to Books", chromedp.Navigate(d.Info.Apps["books"]), chromedp.Click(css(".button")), chromedp.WaitVisible(css("#password")),
		chromedp.SendKeys(css("#username"), d.Info.Username), chromedp.SendKeys(css("#password"), d.Info.Password+"\r"), chromedp.WaitVisible(css("#who")))
	fits(t, ctx, "books, signed in", accessible)
	do(t, ctx, "to News", chromedp.Navigate(d.Info.Apps["news"]), chromedp.Click(css(".button")), chromedp.WaitVisible(css("#who")))
	do(t, ctx, "to the page without a server", chromedp.Navigate(d.Info.SinglePage), chromedp.WaitVisible(css("#sign")), chromedp.Click(css("#sign")),
		chromedp.WaitVisible(css("#call")), chromedp.Click(css("#call")), chromedp.WaitVisible(css("#orders li")))
	do(t, ctx, "the start page", chromedp.Navigate(d.Info.Start), chromedp.WaitVisible(css("article .good")))
	_, text := where(t, ctx)
	for _, want := range []string{"Chrome on Linux", "↳ Books, News, Orders in the browser", "by Books", "by News", "by Orders in the browser", "Nobody has signed out yet"} {
		if !strings.Contains(text, want) {
			t.Errorf("the start page does not say %q: %s", want, text)
		}
	}
	fits(t, ctx, "start, signed in", accessible)
	tab, stop := chromedp.NewContext(ctx)
	t.Cleanup(stop)
	do(t, tab, "sign out in Books", chromedp.Navigate(d.Info.Apps["books"]), chromedp.WaitVisible(css("button[name=provider]")), chromedp.Click(css("button[name=provider]")),
		chromedp.WaitVisible(css("li[data-layer=provider][data-state=returned]")))
	stop()
	do(t, ctx, "the start page follows", chromedp.WaitVisible(css(".outs .good")), chromedp.WaitNotPresent(css("article .good")))
	for text = ""; ctx.Err() == nil && !strings.Contains(text, "News told, confirmed"); time.Sleep(glance) {
		_, text = where(t, ctx)
	}
	for _, want := range []string{"signed out of this browser", "Orders knew after", "News told, confirmed after", "refused: revoked"} {
		if !strings.Contains(text, want) {
			t.Errorf("the start page does not say %q: %s", want, text)
		}
	}
	fits(t, ctx, "start, signed out", accessible)
	do(t, ctx, "take Books down", chromedp.Click(css(`form[action="/apps/books"] button`)), chromedp.WaitVisible(css(".down")))
	fits(t, ctx, "start, Books down", accessible)
	do(t, ctx, "Books is down", chromedp.Navigate(d.Info.Apps["books"]), chromedp.WaitVisible(css("h1")))
	if _, text := where(t, ctx); !strings.Contains(text, "Books is down") {
		t.Error(text)
	}
	fits(t, ctx, "books, down", accessible)
	do(t, ctx, "start Books again", chromedp.Click(css("a")), chromedp.WaitVisible(css(".down")), chromedp.Click(css(`form[action="/apps/books"] button`)),
		chromedp.WaitNotPresent(css(".down")), chromedp.Navigate(d.Info.Apps["books"]), chromedp.WaitVisible(css(".button")))
}
