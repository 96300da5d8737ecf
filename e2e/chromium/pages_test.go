package chromium_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/ledger"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// flaws lists what is outside the window or cannot be read: text whose contrast with what is behind it is below WCAG 2.2's
// 4.5 to 1 (success criterion 1.4.3).
const flaws = `(() => {
  const out = [];
  const rgb = c => { const m = c.match(/[\d.]+/g).map(Number); return m.length > 3 && m[3] === 0 ? null : m; };
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c) return c; } return [255, 255, 255]; };
  if (document.documentElement.scrollWidth > innerWidth) out.push("the page scrolls sideways");
  for (const e of document.body.querySelectorAll("*")) {
    if (!e.checkVisibility()) continue;
    const wide = innerWidth > 768 && e.closest(".scroll"); // tables scroll by themselves, and are cards where it is narrow
    const box = e.getBoundingClientRect(), name = e.tagName + "." + e.className + " " + e.textContent.trim().slice(0, 30);
    if (!wide && box.width && (box.left < -.5 || box.right > innerWidth + .5)) out.push("outside: " + name);
    if (!wide && e.tagName !== "INPUT" && e.scrollWidth > e.clientWidth + 1 && e.clientWidth) out.push("runs over: " + name);
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) out.push("contrast " + ratio.toFixed(1) + ": " + name);
  }
  return out.join("\n");
})()`

// look holds a page to what everybody needs of it, on a desk, in the dark and on a small telephone.
func look(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	fits(t, ctx, name, accessible)
}

// fits holds a page to less: it fits, and can be read. What is more than that is asked once: in English by day on a desk, in German in the
// dark on a small telephone.
func fits(t *testing.T, ctx context.Context, name string, more func(*testing.T, context.Context, string)) {
	t.Helper()
	lang, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.documentElement.lang`))
	if err != nil {
		t.Fatal(err)
	}
	moreAt := "light"
	if lang == "de" {
		moreAt = "small dark"
	}
	for _, as := range []struct {
		name, scheme string
		width        int64
	}{{"light", "light", 900}, {"dark", "dark", 900}, {"small", "light", 360}, {"small dark", "dark", 320}, {"twice as large", "light", 640}} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: as.scheme}}}
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		do(t, ctx, "size the window", chromedp.EmulateViewport(as.width, 800))
		twice := as.name == "twice as large" // WCAG 2.2 success criterion 1.4.4
		if twice {
			do(t, ctx, "larger text", run(`document.documentElement.style.fontSize = "200%"`))
		}
		found, err := chromedp.Run(ctx, chromedp.Evaluate[string](flaws))
		if err != nil {
			t.Fatal(err)
		}
		if found != "" {
			t.Errorf("%s, %s:\n%s", name, as.name, found)
		}
		shot(t, ctx, name+" "+as.name)
		if twice {
			do(t, ctx, "text as it was", run(`document.documentElement.removeAttribute("style")`))
		} else if more != nil && as.name == moreAt {
			more(t, ctx, name+", "+as.name)
		}
	}
	do(t, ctx, "the window as it was", chromedp.EmulateViewport(900, 900))
}

// Every page fits and can be read in every language, with names as long as people and apps have them, and by everybody.
func TestPagesFitAndCanBeRead(t *testing.T) {
	for _, lang := range []string{"en", "de"} {
		t.Run(lang, func(t *testing.T) { everyPage(t, lang) })
	}
}

// signedIn are the pages of who is signed in: where, and what to wait for.
func signedIn() [][3]string {
	return [][3]string{
		{"account", "/account", ".sessions"},
		{"apps", "/account/apps", ".sessions"},
		{"activity", "/account/activity", ".told"},
		{"activity before", "/account/activity?after=1.1", "h1"},
		{"password", "/account/password", "#old"},
		{"passkeys", "/account/passkeys", "h2"},
		{"authenticator", "/account/authenticator", "h2"},
		{"recovery", "/account/recovery", "h2"},
		{"providers", "/account/providers", "h1"},
		{"mail address", "/account/mail", "h1"},
		{"lock", "/account/lock", "h1"},
		{"review", "/account/review", "h1"},
		{"close", "/account/close", "h1"},
	}
}

// signedOut are the pages of who cannot get in.
func signedOut() [][3]string {
	return [][3]string{
		{"forgotten", "/login/forgot", "h1"},
		{"a link to reset that is over", "/login/reset?link=x", "h1"},
		{"reset", "/login/reset/done", "h1"},
		{"a link to lock that is over", "/login/lock?link=x", "h1"},
		{"locked", "/login/locked", "h1"},
	}
}

// operators are the pages of an operator; %s is somebody's id.
func operators() [][3]string {
	return [][3]string{
		{"console", "/admin", "h1"},
		{"people", "/admin/people", "table"},
		{"person", "/admin/people/%s", "h1"},
		{"person's sessions", "/admin/people/%s/sessions", "table"},
		{"nobody", "/admin/people/nobody", "h1"},
		{"apps of all", "/admin/apps", "table"},
		{"app", "/admin/apps/guest", "h1"},
		{"deliveries", "/admin/deliveries", "h1"},
		{"revocations", "/admin/revocations", "table"},
		{"receipts", "/admin/receipts", "h1"},
		{"keys", "/admin/keys", "table"},
		{"events", "/admin/events", "table"},
		{"operators", "/admin/operators", "table"},
	}
}

// leaves says whether a page has the way out, in sight, with "only here", "everywhere" and a word for shared computers one step away.
const leaves = `(() => { const m = document.querySelector("header.top details.menu-of"); return !!m && m.querySelector("summary").checkVisibility() &&
  [...m.querySelectorAll("form")].map(f => new URL(f.action).pathname).join() === "/account/signout,/account/sessions/all/end" && !!m.querySelector(".hint").textContent; })()`

func everyPage(t *testing.T, lang string) {
	x := newTable(t, func(c *config.Config) {
		c.Mail = config.Mail{Host: "127.0.0.1", Port: 1, TLS: "none", From: "exeunt@example.com"}
	})
	user := "maximiliane.von-hohenstein-wittelsbach@department.example.com"
	account := idp.Account{Username: user}
	if err := x.base.AddAccount(t.Context(), &account, password); err != nil {
		t.Fatal(err)
	}
	err := x.base.Store.Update(t.Context(), func(tx idp.Tx) error {
		return errors.Join(operate.Give(tx, account.ID, idp.RoleAdmin, operate.By{Actor: idp.ActorOperator("test"), Reason: "somebody has to do it"}),
			tx.InsertRevocation(idp.Revocation{ID: ledger.NewName(), IdentityKey: idp.IdentityKey{Provider: "hub", Issuer: "https://hub.example", Subject: "1"}, Account: account.ID, State: idp.Refused, CreatedAt: 1, SettledAt: 1 << 41, Error: "status 400 invalid_token"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	guest := idp.Client{ID: "guest", Name: "The Long-Winded Library of Everything Printed", Kind: idp.KindWeb, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code"},
		Scopes: []string{"openid", "profile", "email"}, RedirectURIs: []string{x.app.at + "/cb", "com.example.guest:/cb"}, LogoutURIs: []string{x.app.at + "/guestleft"}}
	if _, err := x.base.AddClient(t.Context(), &guest); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(x.browser, patience)
	defer stop()
	speak(t, ctx, x.at, lang)
	enter := chromedp.Steps(chromedp.SetValue(css("#username"), user), chromedp.SendKeys(css("#password"), password+"\r"))
	ask := func(id, redirect, more string) string {
		q := x.request()
		q.Set("client_id", id)
		q.Set("redirect_uri", redirect)
		q.Set("scope", "openid profile email")
		return x.at + "/oauth2/authorize?" + q.Encode() + more
	}
	open := func(name, address, wait string) {
		t.Helper()
		do(t, ctx, name, chromedp.Navigate(address), chromedp.WaitVisible(css(wait)))
		look(t, ctx, lang+" "+name)
	}
	open("sign in", ask("guest", x.app.at+"/cb", ""), "#password")
	do(t, ctx, "a wrong password", chromedp.SendKeys(css("#username"), user), chromedp.SendKeys(css("#password"), "wrong\r"), chromedp.WaitVisible(css(".error")))
	look(t, ctx, lang+" sign in again")
	do(t, ctx, "sign in", enter, chromedp.WaitVisible(css("button[value=continue]")))
	look(t, ctx, lang+" consent")
	do(t, ctx, "allow", chromedp.Click(css("button[value=continue]")), chromedp.WaitVisible(css("#site")))
	open("continue", ask("app", x.app.at+"/cb", "&prompt=select_account"), "button[value=continue]")
	open("form post", ask("guest", x.app.at+"/cb", "&response_mode=form_post"), "button.primary")
	open("missing", x.at+"/nowhere", "h1")
	open("bad link", x.at+"/oauth2/authorize?client_id=nobody", "h1")
	open("bad sign-out", x.logout("id_token_hint", "x"), "main a[href='/logout']")
	open("ask", x.at+"/logout", "button[value=all]")
	open("ask app", x.logout("client_id", "guest", "logout_uri", x.app.at+"/guestleft"), "button[value=app]")
	x.elsewhere(t, user)
	for _, p := range append(signedIn(), operators()...) {
		open(p[0], x.at+strings.ReplaceAll(p[1], "%s", string(account.ID)), p[2])
		out, err := chromedp.Run(ctx, chromedp.Evaluate[bool](leaves))
		if err != nil || !out && p[0] != "providers" && p[0] != "nobody" { // there is neither here
			t.Errorf("%s: no way out in its strip: %v", p[0], err)
		}
	}
	do(t, ctx, "begin to set an app up", chromedp.Navigate(x.at+"/account/authenticator"), chromedp.Click(css("main form .primary")), chromedp.WaitVisible(css(".qr")))
	look(t, ctx, lang+" authenticator offer")
	open("account again", x.at+"/account/password", "#old")
	do(t, ctx, "open the menu", chromedp.Click(css("summary")), chromedp.WaitVisible(css("details[open] .menu button")))
	look(t, ctx, lang+" menu")
	do(t, ctx, "a new password that is too simple", chromedp.Navigate(x.at+"/account/password"), chromedp.WaitVisible(css("#old")), chromedp.SendKeys(css("#old"), "wrong"), chromedp.SendKeys(css("#new"), password+"2\r"), chromedp.WaitVisible(css(".error")))
	look(t, ctx, lang+" account error")
	do(t, ctx, "leave", chromedp.Navigate(x.at+"/logout"), chromedp.WaitVisible(css("button[value=all]")), chromedp.Click(css("button[value=all]")),
		chromedp.WaitNotPresent(css("button[value=all]")), chromedp.WaitVisible(css("h1")))
	if at, _ := where(t, ctx); !strings.Contains(at, "/signout/") {
		t.Errorf("no receipt at %s", at)
	}
	look(t, ctx, lang+" receipt")
	open("nobody here", x.at+"/logout", "h1")
	for _, p := range signedOut() {
		open(p[0], x.at+p[1], p[2])
	}
	open("no such receipt", x.at+"/signout/unknown", "h1")
	// Last: where no app takes the link, the browser holds up every click after it.
	do(t, ctx, "on to an app of the system", chromedp.Navigate(ask("guest", "com.example.guest:/cb", "")), chromedp.WaitVisible(css("#password")), enter,
		chromedp.WaitVisible(css("main a[href^='com.example.guest:']")))
	look(t, ctx, lang+" onward")
}

// elsewhere signs the person in with another browser.
func (x *table) elsewhere(t *testing.T, user string) {
	t.Helper()
	ctx, stop := chromedp.NewContext(x.browser, chromedp.WithNewBrowserContext())
	defer stop()
	do(t, ctx, "sign in elsewhere", chromedp.Navigate(x.at+"/login"), chromedp.WaitVisible(css("#password")),
		chromedp.SendKeys(css("#username"), user), chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(css(".sessions")))
}
