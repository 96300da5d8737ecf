package chromium_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// stands waits for a page to say something. Pages come and go meanwhile, so an evaluation may fail.
func stands(t *testing.T, ctx context.Context, what, script, want string) {
	t.Helper()
	var got string
	var err error
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(glance) {
		short, stop := context.WithTimeout(ctx, 5*time.Second)
		got, err = chromedp.Run(short, chromedp.Evaluate[string]("String("+script+")"))
		stop()
		if err == nil && got == want {
			return
		}
	}
	t.Fatalf("%s: %s gives %q, %v; want %q", what, script, got, err, want)
}

// A page that the back button brings out of the browser's own cache goes on if its sign-in lives, and shows nothing of one that is
// over: not for a moment. The page marks nothing with data-exeunt.
func TestBackButtonAndSinglePageAppInChromium(t *testing.T) {
	s := newSPA(t, true, 0)
	one := s.tab(t, s.browser)
	// leave plants a secret, goes to another website, and comes back after what happens there.
	leave := func(meanwhile func()) {
		t.Helper()
		js(t, one, `const p = document.createElement("p"); p.id = "secret"; p.textContent = "a secret"; document.body.append(p); window.mine = true;
			addEventListener("pageshow", (e) => { window.first = e.persisted && getComputedStyle(p).visibility; if (window.first === "visible") navigator.sendBeacon("/seen"); }, true); return ""`)
		do(t, one, "another website", chromedp.Navigate(s.evil+"/"), chromedp.WaitReady(css("body")))
		meanwhile()
		js(t, one, `setTimeout(() => history.back()); return ""`)
	}
	page := `[location.origin === "` + s.app.at + `", window.mine, window.first, document.documentElement.style.visibility, document.querySelector("#state[data-ready]")?.textContent, !!document.querySelector("#secret")]`
	s.enter(t, one)
	token := s.token(t, one)
	leave(func() {})
	stands(t, one, "the sign-in lives", page, "true,true,hidden,,in,true")
	leave(func() {
		r, _ := http.NewRequest("POST", s.table.at+"/v1/customers/me/logout", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		if res, err := http.DefaultClient.Do(r); err != nil || res.StatusCode != 200 {
			t.Fatalf("everywhere: %v %v", res, err)
		}
	})
	stands(t, one, "ended elsewhere", page, "true,,,,out,false")
	s.enter(t, one)
	two := s.tab(t, s.browser) // not later: what it says would put the page out of the cache
	leave(func() {             // as if signed out in another tab; the server cannot be asked
		s.unplugged.Store(true)
		js(t, two, `localStorage.removeItem("exeunt spa here"); return ""`)
	})
	stands(t, one, "left in another tab", `!window.mine && !document.querySelector("#secret")`, "true")
	s.unplugged.Store(false)
	do(t, one, "open again", chromedp.Navigate(s.app.at+"/"), chromedp.WaitReady(settled))
	if s.seen.Load() != 0 {
		t.Error("the page was shown before it was known whether it may be")
	}
}
