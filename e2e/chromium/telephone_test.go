package chromium_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// seen says which of a page's parts are to be seen.
func seen(t *testing.T, ctx context.Context, parts ...string) string {
	t.Helper()
	var out []string
	for _, part := range parts {
		yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`[...document.querySelectorAll(`+"`"+part+"`"+`)].some(e => e.checkVisibility())`))
		if err != nil {
			t.Fatal(err)
		}
		if yes {
			out = append(out, part)
		}
	}
	return strings.Join(out, ", ")
}

// On a telephone the sections are a menu of which one line is seen, and the way out says whose it is. Either opens at a touch, is readable
// then, leads on, and closes by Escape or by a touch elsewhere. On a desk neither is there.
func TestMenusOfATelephone(t *testing.T) {
	v := newTable(t).visitor(t)
	ctx := v.ctx
	const bar, sections, name, out, whose = ".nav > ul", ".nav details ul", ".who > span", ".menu", ".menu .narrow-only"
	all := []string{bar, ".nav summary", sections, name, out, whose}
	expect := func(what, want string) {
		t.Helper()
		if got := seen(t, ctx, all...); got != want {
			t.Errorf("%s, there are to be seen: %s; want %s", what, got, want)
		}
	}
	do(t, ctx, "the account", chromedp.Navigate(v.at+"/account"), chromedp.WaitVisible(css(".sessions")))
	expect("on a desk", ".nav > ul, .who > span")
	do(t, ctx, "a telephone", chromedp.EmulateViewport(360, 740))
	expect("on a telephone", ".nav summary")
	do(t, ctx, "open the sections", chromedp.Click(css(".nav summary")), chromedp.WaitVisible(css(sections)))
	expect("with the sections open", ".nav summary, .nav details ul")
	open := func(name string) {
		t.Helper()
		if found, err := chromedp.Run(ctx, chromedp.Evaluate[string](flaws)); err != nil || found != "" {
			t.Errorf("%s: %s, %v", name, found, err)
		}
		accessible(t, ctx, name)
		shot(t, ctx, "telephone "+name)
	}
	open("sections open")
	do(t, ctx, "touch elsewhere", chromedp.Click(css("h1")), chromedp.WaitNotPresent(css("details[open]")))
	do(t, ctx, "on to another one", chromedp.Click(css(".nav summary")), chromedp.WaitVisible(css(sections)), chromedp.Click(css(sections+" a[href='/account/activity']")), chromedp.WaitVisible(css(".told")))
	says(t, ctx, ".nav summary", "Recent activity")
	if here, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector(".nav details [aria-current=page]").getAttribute("href")`)); err != nil || here != "/account/activity" {
		t.Errorf("the menu says that this is %q, %v", here, err)
	}
	do(t, ctx, "open the way out", chromedp.Click(css(".who summary")), chromedp.WaitVisible(css(out)))
	expect("with the way out open", ".nav summary, .menu, .menu .narrow-only")
	says(t, ctx, whose, "You are signed in as "+v.name)
	open("way out open")
	do(t, ctx, "Escape", chromedp.KeyEvent("\u001b"), chromedp.WaitNotPresent(css("details[open]")))
	do(t, ctx, "leave", chromedp.Click(css(".who summary")), chromedp.WaitVisible(css(out)), chromedp.Click(css(".menu button")), chromedp.WaitNotPresent(css(".who")), chromedp.WaitVisible(css("h1")))
	says(t, ctx, "h1", "You are signed out")
}

// A form that was sent shows a bar at the top until its answer is there.
func TestSentFormsShowABar(t *testing.T) {
	v := newTable(t).visitor(t)
	ctx := v.ctx
	const bar = `getComputedStyle(document.body, "::before").animationName`
	do(t, ctx, "the password", chromedp.Navigate(v.at+"/account/password"), chromedp.WaitVisible(css("#old")))
	if got := js(t, ctx, "return "+bar); got != "none" {
		t.Errorf("a bar, and nothing was sent: %s", got)
	}
	js(t, ctx, `addEventListener("pagehide", () => { sessionStorage.bar = `+bar+`; }); return ""`)
	do(t, ctx, "send", chromedp.SendKeys(css("#old"), "wrong"), chromedp.SendKeys(css("#new"), "vier Worte ohne Sinn\r"), chromedp.WaitVisible(css(".error")))
	if got := js(t, ctx, `return sessionStorage.bar + " " + `+bar); got != "sent none" {
		t.Errorf("when it was sent, and beside the answer: %s", got)
	}
}
