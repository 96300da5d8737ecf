package chromium_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// spa is a single-page app of an origin of its own, with the node behind a proxy that counts and can refuse.
type spa struct {
	*table
	api, evil string
	refreshes atomic.Int32
	refuse    atomic.Pointer[refusal] // what refreshes are answered; nil: what the node says
	deny      atomic.Int32            // so many times the API answers 401
	unplugged atomic.Bool             // the node answers nobody
	leaked    atomic.Int32
	seen      atomic.Int32 // what a page has reported
	mu        sync.Mutex
	bearers   []string // what the API was shown
}

type refusal struct {
	status int
	body   string
}

const spaPage = `<!doctype html><title>spa</title><link rel="icon" href="data:,"><body><h1 id="site">app</h1><button id="link"></button><p id="state"></p><script type="module">
import { Exeunt } from %q;
window.id = new Exeunt({ issuer: %q, clientId: "spa", apis: [%q], redirectUri: location.origin + "/", signedOutUri: location.origin + "/", scope: "openid profile", keep: ["kept"], wipe: location.hash.slice(1) });
window.changes = 0;
const show = () => { state.textContent = id.signedIn ? "in" : "out"; };
id.addEventListener("change", () => { state.dataset.changes = ++changes; show(); });
id.link(link);
try { await id.start(); show(); } catch (e) { state.textContent = "error " + e.code + " " + e.message; }
state.dataset.changes = changes; state.dataset.ready = "yes";
</script>`

func handle(t *testing.T, host string, h http.HandlerFunc) string {
	t.Helper()
	l, at := listen(t, host, nil)
	s := &http.Server{Handler: h}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return at
}

// newSPA starts everything; local: the app serves the file itself.
func newSPA(t *testing.T, local bool, life time.Duration) *spa {
	t.Helper()
	s := &spa{}
	front, issuer := listen(t, "127.0.0.8", nil)
	s.table = newNode(t, nil, func(c *config.Config) { c.Issuer = issuer })
	behind, _ := url.Parse(s.table.at)
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(behind)
		p.Out.Host = p.In.Host
	}}
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.unplugged.Load() {
			panic(http.ErrAbortHandler)
		}
		if r.URL.Path == "/oauth2/token" && r.Method == "POST" {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			if strings.Contains(string(body), "grant_type=refresh_token") {
				s.refreshes.Add(1)
				if no := s.refuse.Load(); no != nil {
					w.Header().Set("Access-Control-Allow-Origin", "*")
					w.WriteHeader(no.status)
					io.WriteString(w, no.body)
					return
				}
			}
		}
		proxy.ServeHTTP(w, r)
	})}
	go h.Serve(front)
	t.Cleanup(func() { h.Close() })
	s.table.at = issuer
	open := func(w http.ResponseWriter) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "Authorization")
	}
	s.api = handle(t, "127.0.0.9", func(w http.ResponseWriter, r *http.Request) {
		open(w)
		if r.Method == "OPTIONS" {
			return
		}
		s.mu.Lock()
		s.bearers = append(s.bearers, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		s.mu.Unlock()
		if r.URL.Path == "/away" {
			http.Redirect(w, r, s.evil+"/", http.StatusFound)
		} else if s.deny.Add(-1) >= 0 {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	s.evil = handle(t, "127.0.0.10", func(w http.ResponseWriter, r *http.Request) { open(w); s.leaked.Add(1) })
	var body string
	s.spaAt(t, local, &body)
	from := issuer + "/exeunt.js"
	if local {
		from = "/vendor/exeunt.js"
	}
	body = fmt.Sprintf(spaPage, from, issuer, s.api)
	if _, err := s.base.AddClient(t.Context(), &idp.Client{ID: "spa", Name: "The single-page app", Kind: idp.KindBrowser, FirstParty: true, AuthMethod: idp.AuthNone, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scopes: []string{"openid", "profile"}, RedirectURIs: []string{s.spaOrigin() + "/"}, PostLogoutURIs: []string{s.spaOrigin() + "/"}, Audiences: []string{s.api}, AccessLife: idp.Life(life)}); err != nil {
		t.Fatal(err)
	}
	if err := s.base.AddAccount(t.Context(), &idp.Account{Username: "alice"}, password); err != nil {
		t.Fatal(err)
	}
	s.browser = newBrowser(t)
	return s
}

func (s *spa) spaOrigin() string { return s.app.at }

// spaAt lets the app's site answer with the page, and with the file.
func (s *spa) spaAt(t *testing.T, local bool, body *string) {
	t.Helper()
	s.app = &site{at: handle(t, "127.0.0.11", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/vendor/exeunt.js" && local {
			http.ServeFile(w, r, filepath.Join("..", "..", "js", "exeunt.js"))
			return
		}
		if r.URL.Path == "/seen" {
			s.seen.Add(1)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, *body)
	})}
}

var settled = css("#state[data-ready]")

// tab opens one more tab of the same browser.
func (s *spa) tab(t *testing.T, browser context.Context) context.Context {
	t.Helper()
	return s.tabAt(t, browser, "/")
}

func (s *spa) tabAt(t *testing.T, browser context.Context, path string) context.Context {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, patience)
	t.Cleanup(stop)
	do(t, ctx, "open a tab", chromedp.Navigate(s.app.at+path), chromedp.WaitVisible(settled))
	return ctx
}

// tabWith opens a tab in which a script of the test runs before the page's own.
func (s *spa) tabWith(t *testing.T, script string) context.Context {
	t.Helper()
	ctx := s.tab(t, s.browser)
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "load again", chromedp.Reload(), chromedp.WaitVisible(settled))
	return ctx
}

func (s *spa) enter(t *testing.T, ctx context.Context) {
	t.Helper()
	do(t, ctx, "sign in", chromedp.Click(css("#link")), chromedp.WaitVisible(css("#password")), chromedp.SendKeys(css("#username"), "alice"),
		chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(settled))
	if got := state(t, ctx); got != "in Sign out" {
		t.Fatalf("after the sign-in: %s", got)
	}
}

// js runs script, which may wait, and gives its value as text.
func js(t *testing.T, ctx context.Context, script string) string {
	t.Helper()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[string]("(async () => String(await (async () => {"+script+"})().catch((e) => 'error ' + (e.code || e.name))))()", chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return out
}

func state(t *testing.T, ctx context.Context) string {
	t.Helper()
	return js(t, ctx, `return state.textContent + " " + link.textContent`)
}

// becomes waits for the page's own word that the state has changed.
// fresh is a page that is ready and has seen no change since: the one that the browser came back to.
var fresh = css(`#state[data-ready][data-changes="0"]`)

func becomes(t *testing.T, ctx context.Context, want string) {
	t.Helper()
	js(t, ctx, `while (state.textContent !== "`+want+`") await new Promise((r) => setTimeout(r, 10)); return ""`)
}

const search = `
  const found = [], has = (where, what) => { for (const n of needles) if (String(what).includes(n)) found.push(where); };
  for (const s of [localStorage, sessionStorage]) has("storage", JSON.stringify(s));
  has("cookie", document.cookie); has("dom", document.documentElement.outerHTML); has("address", location.href); has("history", JSON.stringify(history.state)); has("name", window.name);
  for (const e of performance.getEntries()) has("timing", e.name);
  for (const n of await caches.keys()) { const c = await caches.open(n); for (const r of await c.keys()) has("cache", await (await c.match(r)).text()); }
  for (const d of await indexedDB.databases()) await new Promise((done) => { const r = indexedDB.open(d.name); r.onsuccess = async () => {
    for (const n of r.result.objectStoreNames) await new Promise((ok) => { const g = r.result.transaction(n).objectStore(n).getAll(); g.onsuccess = () => { has("database", JSON.stringify(g.result)); ok(); }; });
    r.result.close(); done(); }; });
  return found.join(" ");`

const plant = `
  localStorage.setItem("copy", token); sessionStorage.setItem("copy", token); localStorage.setItem("kept", "mine"); document.cookie = "copy=" + token + "; Path=/";
  await (await caches.open("copy")).put("/copy", new Response(token));
  await new Promise((done) => { const r = indexedDB.open("copy"); r.onupgradeneeded = () => r.result.createObjectStore("s"); r.onsuccess = () => {
    const w = r.result.transaction("s", "readwrite"); w.objectStore("s").put(token, 1); w.oncomplete = () => { r.result.close(); done(); }; }; });
  return "planted";`

func (s *spa) token(t *testing.T, ctx context.Context) string {
	t.Helper()
	if got := js(t, ctx, "return (await id.fetch('"+s.api+"/')).status"); got != "200" {
		t.Fatalf("the API answers %s", got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := s.bearers[len(s.bearers)-1]
	if strings.Count(token, ".") != 2 {
		t.Fatalf("the API was shown %q", token)
	}
	return token
}

func needles(token string) string {
	b, _ := json.Marshal([]string{token, strings.Split(token, ".")[2], "exrt_"})
	return "const needles = " + string(b) + ";"
}

// A single-page app's day: sign-in, tabs, a token that is nowhere, and a sign-out that leaves nothing, here and in the other tabs.
func TestSinglePageAppInChromium(t *testing.T) {
	for _, local := range []bool{false, true} {
		t.Run(map[bool]string{false: "served by Exeunt", true: "a file of the site"}[local], func(t *testing.T) {
			s := newSPA(t, local, 0)
			one := s.tab(t, s.browser)
			if at, _ := where(t, one); !strings.HasPrefix(at, s.app.at) || state(t, one) != "out Sign in" {
				t.Fatalf("a visitor without a name: %s %s", at, state(t, one))
			}
			s.enter(t, one)
			token := s.token(t, one)
			if at, _ := where(t, one); at != s.app.at+"/" {
				t.Errorf("the address keeps %s", at)
			}
			if found := js(t, one, needles(token)+search); found != "" {
				t.Errorf("the token is in %s", found)
			}
			two := s.tab(t, s.browser)
			for range 3 { // on a busy machine the other tab may answer too late, and the server gives a token of its own
				if s.token(t, two) == token {
					break
				}
				two = s.tab(t, s.browser)
				token = s.token(t, one)
			}
			if n := js(t, two, `return performance.getEntriesByType("navigation")[0].redirectCount + " " + history.length`); state(t, two) != "in Sign out" || s.token(t, two) != token {
				t.Errorf("a new tab: %s, %s", state(t, two), n)
			}
			// nobody else gets it, not by a redirect either
			if got := js(t, one, "return (await id.fetch('"+s.evil+"/')).status"); got != "error TypeError" {
				t.Errorf("another origin: %s", got)
			}
			if got := js(t, one, "return (await id.fetch('"+s.api+"/away')).status"); got != "error TypeError" || s.leaked.Load() != 0 {
				t.Errorf("a redirect: %s, %d asked there", got, s.leaked.Load())
			}
			// 401: once
			s.deny.Store(1)
			if second := s.token(t, one); second == token || s.refreshes.Load() != 1 {
				t.Errorf("after 401: the same token, or %d refreshes", s.refreshes.Load())
			}
			do(t, one, "reload", chromedp.Reload(), chromedp.WaitVisible(settled))
			if state(t, one) != "in Sign out" {
				t.Errorf("after a reload: %s", state(t, one))
			}
			token = s.token(t, one)
			for _, tab := range []context.Context{one, two} {
				b, _ := json.Marshal(token)
				js(t, tab, "const token = "+string(b)+";"+plant)
			}
			do(t, one, "sign out", chromedp.Click(css("#link")))
			becomes(t, two, "out")
			do(t, one, "come back", chromedp.WaitVisible(fresh))
			for name, tab := range map[string]context.Context{"this": one, "the other": two} {
				js(t, tab, `while ((await indexedDB.databases()).length || (await caches.keys()).length) await new Promise((r) => setTimeout(r, 10)); return ""`)
				if found := js(t, tab, needles(token)+search); found != "" || state(t, tab) != "out Sign in" || js(t, tab, `return localStorage.getItem("kept")`) != "mine" {
					t.Errorf("%s tab after the sign-out: %s, token in %q", name, state(t, tab), found)
				}
			}
			_ = chromedp.Do(one, chromedp.NavigateBack())
			do(t, one, "back", chromedp.WaitVisible(settled))
			if state(t, one) != "out Sign in" {
				t.Errorf("the back button shows %s", state(t, one))
			}
		})
	}
}

// threeTabs are of one browser, all signed in.
func (s *spa) threeTabs(t *testing.T) []context.Context {
	t.Helper()
	first := s.tab(t, s.browser)
	s.enter(t, first)
	return []context.Context{first, s.tab(t, s.browser), s.tab(t, s.browser)}
}

// deaf hears what other tabs say window.deaf milliseconds late, as a busy tab does; with window.frozen not before thaw, and then all at once.
const deaf = `window.deaf = 0;
const late = [];
window.thaw = () => { window.frozen = false; late.splice(0).forEach((f) => f()); };
BroadcastChannel.prototype.addEventListener = function (kind, f) { EventTarget.prototype.addEventListener.call(this, kind, (e) => { window.frozen ? late.push(() => f(e)) : setTimeout(() => f(e), window.deaf); }); };
Object.defineProperty(BroadcastChannel.prototype, "onmessage", { set(f) { this.addEventListener("message", f); } });`

// Three tabs whose tokens did not do at the same moment: each time that is one request, also where one of them hears late.
func TestOneRenewalForAllTabsInChromium(t *testing.T) {
	s := newSPA(t, true, 0)
	first := s.tab(t, s.browser)
	s.enter(t, first)
	tabs := []context.Context{first, s.tab(t, s.browser), s.tabWith(t, deaf)}
	js(t, tabs[2], "window.deaf = 300; return ''")
	tokens := map[string]bool{}
	for range 3 {
		before := s.refreshes.Load()
		first := s.token(t, tabs[0])
		for _, tab := range tabs { // all at the same moment, as timers would
			js(t, tab, "const used = "+fmt.Sprintf("%q", first)+"; setTimeout(() => id.renew(used)); return ''")
		}
		for _, tab := range tabs {
			js(t, tab, "await id.renew("+fmt.Sprintf("%q", first)+"); return ''")
			tokens[s.token(t, tab)] = true
		}
		if n := s.refreshes.Load() - before; n != 1 {
			t.Errorf("%d refreshes", n)
		}
	}
	if len(tokens) != 3 {
		t.Errorf("%d tokens after three renewals", len(tokens))
	}
}

// A tab that was frozen while others renewed twice has the last tokens: an earlier refresh token shown would be taken for a theft.
func TestThawedTabInChromium(t *testing.T) {
	s := newSPA(t, true, 0)
	first := s.tab(t, s.browser)
	s.enter(t, first)
	frozen := s.tabWith(t, deaf)
	js(t, frozen, "window.frozen = true; return ''")
	for range 5 {
		for range 2 { // each is two messages: the tokens, and a word to itself
			js(t, first, "await id.renew(); return ''")
		}
		last := s.token(t, first)
		if got := js(t, frozen, "while (late.length < 4) await new Promise((r) => setTimeout(r, 5)); thaw(); window.frozen = true; return ''") + s.token(t, frozen); got != last {
			t.Fatal("the tab that was frozen has an earlier token")
		}
	}
}

// Tokens that live 6 s are renewed unasked, ahead of their end, and an end elsewhere is seen by all.
func TestRenewedUnaskedInChromium(t *testing.T) {
	s := newSPA(t, true, 6*time.Second)
	tabs := s.threeTabs(t)
	n := s.refreshes.Load()
	for s.refreshes.Load() == n && tabs[0].Err() == nil {
		js(t, tabs[0], "await new Promise((r) => setTimeout(r, 50)); return ''")
	}
	r, err := http.NewRequest("POST", s.table.at+"/v1/customers/me/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token(t, tabs[1]))
	r.Header.Set("Origin", s.app.at)
	out, err := http.DefaultClient.Do(r)
	if err != nil || out.StatusCode != 200 || out.Header.Get("Access-Control-Allow-Origin") != s.app.at || out.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Fatalf("everywhere: %v %v", out, err)
	}
	for _, tab := range tabs {
		becomes(t, tab, "out")
	}
}

// What does not belong to the sign-in that began here is refused.
func TestStrangeAnswersInChromium(t *testing.T) {
	s := newSPA(t, true, 0)
	ctx := s.tab(t, s.browser)
	for name, q := range map[string]string{"state": "state=made-up&code=x&iss=" + url.QueryEscape(s.table.at), "issuer": "state=st&code=x&iss=https%3A%2F%2Fevil.example", "no issuer": "state=st&code=x"} {
		js(t, ctx, `sessionStorage.setItem("exeunt spa st", JSON.stringify({secret: "s", nonce: "n", to: location.origin + "/", quiet: false})); return ""`)
		do(t, ctx, name, chromedp.Navigate(s.app.at+"/?"+q), chromedp.WaitVisible(settled))
		if got := state(t, ctx); !strings.HasPrefix(got, "error invalid_request") || s.refreshes.Load() != 0 {
			t.Errorf("%s: %s", name, got)
		}
		if at, _ := where(t, ctx); strings.Contains(at, "code=") {
			t.Errorf("%s: the code stays in %s", name, at)
		}
	}
	// the nonce: another one is remembered than was sent
	do(t, ctx, "open", chromedp.Navigate(s.app.at+"/"), chromedp.WaitVisible(settled))
	js(t, ctx, `const set = Storage.prototype.setItem; Storage.prototype.setItem = function (k, v) { return set.call(this, k, v.replace(/"nonce":"[^"]+"/, '"nonce":"another"')); }; return ""`)
	do(t, ctx, "go on", chromedp.Click(css("#link")), chromedp.WaitVisible(css("#password")), chromedp.SendKeys(css("#username"), "alice"), chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(settled))
	if got := state(t, ctx); !strings.HasPrefix(got, "error invalid_request The ID token") {
		t.Errorf("another nonce: %s", got)
	}
}
