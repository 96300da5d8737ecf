package chromium_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused says what has the keyboard, and whether that can be seen.
const focused = `(() => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0 && box.top >= 0 && box.bottom <= innerHeight;
  return (seen ? "" : "unseen ") + e.tagName.toLowerCase() + " " + (e.name || e.id || e.textContent.trim());
})()`

// press presses a key and says where the keyboard is then.
func press(t *testing.T, ctx context.Context, key string) string {
	t.Helper()
	do(t, ctx, "press a key", chromedp.KeyEvent(key))
	out, err := chromedp.Run(ctx, chromedp.Evaluate[string](focused))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// By the keyboard alone: past the strip to the content, through a page in the order that it is read in, and through the menu, which Escape
// closes.
func TestByKeyboard(t *testing.T) {
	x := newTable(t)
	v := x.visitor(t)
	ctx, stop := context.WithTimeout(v.ctx, patience)
	defer stop()
	do(t, ctx, "open the account", chromedp.Navigate(x.at+"/account/password"), chromedp.WaitVisible(css("#old")))
	var order []string
	for range 20 {
		at := press(t, ctx, kb.Tab)
		if strings.HasPrefix(at, "unseen") {
			t.Errorf("where the keyboard is cannot be seen: %s", at)
		}
		order = append(order, strings.TrimPrefix(at, "unseen "))
		if strings.HasSuffix(at, "Change password") {
			break
		}
	}
	got := strings.Join(order, "; ")
	if !strings.HasPrefix(got, "a To the content; a ⟶ Exeunt; summary Sign out; a Where you are signed in; a Apps; ") || !strings.HasSuffix(got, "; input old; input new; button Change password") {
		t.Errorf("by Tab: %s", got)
	}
	do(t, ctx, "the same page anew", chromedp.Navigate(x.at+"/account/password?again"), chromedp.WaitVisible(css("#old")))
	press(t, ctx, kb.Tab)
	press(t, ctx, kb.Enter)
	if at := press(t, ctx, kb.Tab); !strings.HasSuffix(at, "input old") {
		t.Errorf("past the strip: %s", at)
	}
	do(t, ctx, "the same page anew", chromedp.Navigate(x.at+"/account/password"), chromedp.WaitVisible(css("#old")), chromedp.Focus(css("summary")))
	press(t, ctx, kb.Enter)
	do(t, ctx, "the menu", chromedp.WaitVisible(css(".menu button")))
	if at := press(t, ctx, kb.Tab); at != "button Only here" {
		t.Errorf("in the menu: %s", at)
	}
	if at := press(t, ctx, kb.Escape); at != "summary Sign out" {
		t.Errorf("after Escape: %s", at)
	}
	do(t, ctx, "the menu is closed", chromedp.WaitNotPresent(css("details[open]")))
	press(t, ctx, kb.Enter)
	press(t, ctx, kb.Tab)
	do(t, ctx, "leave", chromedp.KeyEvent(kb.Enter), chromedp.WaitNotPresent(css("#old")), chromedp.WaitReady(css("h1")))
	if at, text := where(t, ctx); !strings.Contains(at, "/signout/") || !strings.Contains(text, "You are signed out") {
		t.Errorf("left to %s: %s", at, text)
	}
}

// Without script everything works: signing in, the menu, a change of language, signing out. Times are in UTC then; with script they are the
// reader's own.
func TestWithoutScript(t *testing.T) {
	x := newTable(t)
	v := x.visitor(t)
	ctx, stop := context.WithTimeout(v.ctx, patience)
	defer stop()
	if _, err := chromedp.Call(ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kathmandu"}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "the account", chromedp.Navigate(x.at+"/account"), chromedp.WaitVisible(css(".sessions")))
	zoned, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => { const t = document.querySelector("time"), at = new Date(t.dateTime);
		return t.title.endsWith(" UTC") && t.textContent === new Intl.DateTimeFormat(navigator.language, {dateStyle: "long", timeStyle: "short", timeZone: "Asia/Kathmandu"}).format(at); })()`))
	if err != nil || !zoned {
		t.Errorf("times are not the reader's: %v", err)
	}
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "the account again", chromedp.Navigate(x.at+"/account"), chromedp.WaitVisible(css(".sessions")))
	if _, text := where(t, ctx); !strings.Contains(text, " UTC") {
		t.Errorf("no times: %s", text)
	}
	do(t, ctx, "German", chromedp.Click(css("button[value=de]")), chromedp.WaitVisible(css("html[lang=de] .sessions")))
	do(t, ctx, "the menu", chromedp.Click(css("summary")), chromedp.WaitVisible(css(".menu button")), chromedp.Click(css(".menu button")), chromedp.WaitNotPresent(css(".sessions")), chromedp.WaitReady(css("h1")))
	if at, text := where(t, ctx); !strings.Contains(at, "/signout/") || !strings.Contains(text, "Sie sind abgemeldet") {
		t.Errorf("left to %s: %s", at, text)
	}
	do(t, ctx, "sign in", chromedp.Navigate(x.at+"/login"), chromedp.WaitVisible(css("#password")), chromedp.SendKeys(css("#username"), v.name),
		chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(css("html[lang=de] .sessions")))
}
