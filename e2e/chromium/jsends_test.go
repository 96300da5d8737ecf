package chromium_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Whatever the token endpoint answers, only invalid_grant is the end; until then the tokens stay, and an API's 401 costs one renewal.
func TestOnlyInvalidGrantEndsInChromium(t *testing.T) {
	s := newSPA(t, true, 0)
	one := s.tab(t, s.browser)
	s.enter(t, one)
	two := s.tab(t, s.browser)
	ask := "const r = await id.fetch('" + s.api + "/'); return r.status + ' ' + id.signedIn"
	s.deny.Store(1000)
	if got := js(t, one, ask); got != "401 true" || s.refreshes.Load() != 1 {
		t.Errorf("an API that refuses good tokens: %s, %d renewals", got, s.refreshes.Load())
	}
	s.deny.Store(0)
	token := s.token(t, one)
	for _, no := range []refusal{{503, ""}, {500, `{"error":"server_error"}`}, {429, `{"error":"slow_down"}`}, {401, `{"error":"invalid_client"}`}, {400, `{"error":"invalid_request"}`},
		{400, "<h1>invalid_grant</h1>"}, {502, `{"error":"invalid_grant"}`}, {200, "<h1>a portal</h1>"}} {
		s.refuse.Store(&no)
		s.deny.Store(1)
		if got := js(t, one, ask); got != "401 true" {
			t.Errorf("%d %s: %s", no.status, no.body, got)
		}
		if now := s.token(t, one); now != token || state(t, two) != "in Sign out" {
			t.Errorf("%d %s: another token, or the other tab is %s", no.status, no.body, state(t, two))
		}
	}
	s.refuse.Store(nil)
	s.unplugged.Store(true)
	if got := js(t, one, "return await id.renew()"); got != "true" || s.token(t, one) != token {
		t.Errorf("no answer: %s", got)
	}
	s.unplugged.Store(false)
	s.refuse.Store(&refusal{400, `{"error":"invalid_grant"}`})
	s.deny.Store(1)
	if got := js(t, one, ask); got != "401 false" {
		t.Errorf("invalid_grant: %s", got)
	}
	becomes(t, one, "out")
	becomes(t, two, "out")
}

// recorder notes for when the page plans what is far away, and lets a test do it now.
const recorder = `window.plans = []; const later = window.setTimeout; window.setTimeout = (f, ms, ...more) => { if (ms > 60000) plans.push({ f, ms }); return later(f, ms, ...more); };`

// Tokens are renewed 20 s before their end: five minutes less what the request took, which is 10 s at the most, less 20 s.
func TestRenewedAheadInChromium(t *testing.T) {
	s := newSPA(t, true, 5*time.Minute)
	ctx := s.tabWith(t, recorder)
	s.enter(t, ctx)
	for n := range 2 {
		plan, err := strconv.ParseFloat(js(t, ctx, "return plans.length === 1 ? plans[0].ms : 'plans: ' + plans.length"), 64)
		if err != nil || plan > 280_000 || plan <= 270_000 {
			t.Fatalf("the renewal is planned in %v ms: %v", plan, err)
		}
		js(t, ctx, "await plans.pop().f(); return ''")
		if got := s.refreshes.Load(); int(got) != n+1 || state(t, ctx) != "in Sign out" {
			t.Fatalf("%d renewals, %s", got, state(t, ctx))
		}
	}
}

// A sign-out empties the origin, with cookies of the paths and names that its tabs can see; or, where the app says so, what is ours only.
// Places that the browser forbids keep nothing from the sign-out.
func TestWhatASignOutEmptiesInChromium(t *testing.T) {
	const mark = `const p = document.createElement("p"); p.dataset.exeunt = ""; p.id = "mine"; p.textContent = "a secret"; const i = document.createElement("input"); i.dataset.exeunt = ""; i.id = "typed"; i.value = "a secret";
		document.body.append(p, i); localStorage.setItem("theme", "dark"); sessionStorage.setItem("theme", "dark"); return ""`
	const left = `return [document.cookie, mine.textContent + typed.value, localStorage.getItem("theme"), sessionStorage.getItem("theme"), localStorage.getItem("exeunt spa here"), (await indexedDB.databases()).length + (await caches.keys()).length].join("|")`
	for at, want := range map[string]string{"/deep/page": "kept=mine|||||0", "/deep/page#own": "||dark|dark||2"} {
		t.Run(at, func(t *testing.T) {
			s := newSPA(t, true, 0)
			zero := s.tab(t, s.browser)
			s.enter(t, zero)
			one := s.tabAt(t, s.browser, "/"+strings.TrimPrefix(at, "/deep/page"))
			two := s.tabAt(t, s.browser, at)
			do(t, zero, "leave", chromedp.Navigate(s.evil+"/")) // it would empty by its own option
			for _, c := range []string{"a=1; Path=/", "b=1; Path=/deep", "c=1; Path=/deep/", "d=1; Path=/deep/page", "__Secure-e=1; Secure; Path=/deep/", "__Host-f=1; Secure; Path=/", "kept=mine; Path=/"} {
				js(t, two, "document.cookie = '"+c+"'; return ''")
			}
			js(t, two, mark)
			js(t, two, "const token = 'x';"+plant) // one more cookie
			cookies := js(t, two, "return document.cookie")
			if strings.Count(cookies, ";") != 7 {
				t.Fatalf("cookies: %s", cookies)
			}
			js(t, one, `indexedDB.databases = caches.keys = () => Promise.reject(new DOMException("no", "SecurityError")); return ""`)
			do(t, one, "sign out", chromedp.Click(css("#link")))
			becomes(t, two, "out")
			do(t, one, "come back", chromedp.WaitVisible(fresh))
			if strings.HasSuffix(at, "own") {
				want = cookies + want
			}
			var got string
			for end := time.Now().Add(30 * time.Second); got != want && time.Now().Before(end); time.Sleep(glance) {
				got = js(t, two, left)
			}
			if got != want {
				t.Errorf("%s: %s is left, and not %s", at, got, want)
			}
		})
	}
}
