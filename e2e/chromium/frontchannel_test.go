package chromium_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func frontChannel(c *config.Config) { c.FrontChannel = true }

// frontApp is a website on a site of its own that can be asked in browsers only. It keeps sessions by sid, as a website has to whose
// cookie is not sent in a frame.
type frontApp struct {
	at, id string
	hang   chan struct{} // nil: it answers at once

	mu    sync.Mutex
	asked map[string][]url.Values // by sid
}

func (x *table) frontApp(t *testing.T, id, host string, hang chan struct{}) *frontApp {
	t.Helper()
	l, at := listen(t, host, x.secure)
	a := &frontApp{at: at, id: id, asked: map[string][]url.Values{}, hang: hang}
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/front" {
			a.mu.Lock()
			a.asked[r.URL.Query().Get("sid")] = append(a.asked[r.URL.Query().Get("sid")], r.URL.Query())
			a.mu.Unlock()
			if a.hang != nil {
				select {
				case <-a.hang:
				case <-r.Context().Done():
				}
			}
			w.Header().Set("Cache-Control", "no-store")
			// It would take the whole window, if the frame let it.
			fmt.Fprint(w, `<!doctype html><title>out</title><script>try { top.location = "/stolen" } catch {} try { alert("stolen") } catch {}</script>`)
			return
		}
		fmt.Fprint(w, "<!doctype html><title>site</title><h1 id=site>the app's own page</h1>")
	})}
	go h.Serve(l)
	t.Cleanup(func() { h.Close() })
	c := idp.Client{ID: idp.ClientID(id), Name: "App " + id, Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code"},
		Scopes: []string{"openid"}, RedirectURIs: []string{a.at + "/cb"}, PostLogoutURIs: []string{a.at + "/home"},
		FrontchannelLogoutURI: a.at + "/front?kept=1", FrontchannelLogoutSessionRequired: true}
	secret, err := x.base.AddClient(t.Context(), &c)
	if err != nil {
		t.Fatal(err)
	}
	x.secrets[id] = secret
	return a
}

// enter signs the visitor in to the app, where nobody has to be asked, and returns the ID token.
func (v *visitor) enter(t *testing.T, a *frontApp) (id string) {
	t.Helper()
	q := v.request()
	q.Set("client_id", a.id)
	q.Set("redirect_uri", a.at+"/cb")
	q.Set("scope", "openid")
	do(t, v.ctx, "enter "+a.id, chromedp.Navigate(v.at+"/oauth2/authorize?"+q.Encode()), chromedp.WaitVisible(css("#site")))
	at, _ := where(t, v.ctx)
	u, err := url.Parse(at)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("no code at %s", at)
	}
	id, _ = v.redeemAt(t, a.id, v.secrets[a.id], a.at+"/cb", u.Query().Get("code"))
	return id
}

// wasAsked says whether the app was asked for the `sid` of an ID token, and that it was asked for that once and with nothing else.
func (a *frontApp) wasAsked(t *testing.T, issuer, id string) bool {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	sid := claim(t, id, "sid")
	got := a.asked[sid]
	if len(got) == 0 {
		return false
	}
	want := "iss=" + url.QueryEscape(issuer) + "&kept=1&sid=" + sid
	if len(got) > 1 || got[0].Encode() != want {
		t.Errorf("%s was asked with %v", a.id, got)
	}
	return true
}

// Apps that can be asked in browsers only are asked by frames of the browser that signs out, all at once, by iss and sid; then the
// browser goes on. One that hangs holds nobody up, and none can take the window. On the receipt all of them are ones that cannot be told.
func TestFrontChannelInChromium(t *testing.T) {
	t.Run("http", func(t *testing.T) { askInFrames(t, newTable(t, frontChannel)) })
	t.Run("https", func(t *testing.T) {
		lent := httptest.NewTLSServer(nil) // has a certificate
		lent.Close()
		x := newNode(t, []*tls.Config{{Certificates: lent.TLS.Certificates}}, frontChannel)
		x.client = lent.Client()
		x.addApp(t)
		x.browser = newBrowser(t, chromedp.Flag("ignore-certificate-errors", true))
		askInFrames(t, x)
	})
}

func askInFrames(t *testing.T, x *table) {
	t.Helper()
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	apps := []*frontApp{x.frontApp(t, "front", "127.0.0.8", nil), x.frontApp(t, "other", "127.0.0.9", nil), x.frontApp(t, "hangs", "127.0.0.10", hang)}
	// home signs out by the first app's link and says whether the browser has come to its return address. The app that hangs does so until
	// the test is over: whoever waited for it would never arrive.
	home := func(t *testing.T, v *visitor, ids []string) bool {
		t.Helper()
		ctx, stop := context.WithTimeout(v.ctx, 2*time.Minute)
		defer stop()
		err := chromedp.Do(ctx, chromedp.Navigate(v.logout("id_token_hint", ids[0], "post_logout_redirect_uri", apps[0].at+"/home", "state", "xyz")), chromedp.WaitVisible(css("#site")))
		if err != nil {
			t.Log(err)
			return false
		}
		if at, _ := where(t, v.ctx); at != apps[0].at+"/home?state=xyz" {
			t.Errorf("the browser is at %s", at)
		}
		return true
	}
	for _, c := range []struct {
		name  string
		apps  int
		leave func(t *testing.T, v *visitor, ids []string) bool
	}{
		{"both answer, and the browser is at its return address", 2, func(t *testing.T, v *visitor, ids []string) bool {
			came := home(t, v, ids)
			if v.signedIn(t) {
				t.Error("still signed in")
			}
			return came
		}},
		{"one hangs, and the browser goes on all the same", 3, home},
		{"one hangs, and script is switched off", 3, func(t *testing.T, v *visitor, ids []string) bool {
			withoutScript(t, v.ctx)
			return home(t, v, ids)
		}},
		{"by our own page, and the receipt says what is known", 2, func(t *testing.T, v *visitor, _ []string) bool {
			do(t, v.ctx, "sign out", chromedp.Navigate(v.at+"/account"), chromedp.Click(css("summary")), chromedp.WaitVisible(css(".menu button")), chromedp.Click(css(".menu button")),
				chromedp.WaitVisible(css(".told .cannot-be-told")))
			at, text := where(t, v.ctx)
			if !strings.Contains(at, "/signout/") || strings.Count(text, "cannot be told: it was asked in this browser") != 2 || strings.Contains(text, "confirmed by") {
				t.Errorf("%s: %s", at, text)
			}
			shot(t, v.ctx, "receipt front channel")
			return true
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			// A machine with much else to do may not have opened every frame within the page's second; then somebody else tries.
			for range 4 {
				v := x.visitor(t)
				var ids []string
				for _, a := range apps[:c.apps] {
					ids = append(ids, v.enter(t, a))
				}
				all := c.leave(t, v, ids)
				for i, id := range ids {
					all = apps[i].wasAsked(t, x.at, id) && all
				}
				if all || t.Failed() {
					return
				}
				t.Log("once more")
			}
			t.Error("the browser did not go on, or not all apps were asked")
		})
	}
}

// withoutScript switches script off in the visitor's browser.
func withoutScript(t *testing.T, ctx context.Context) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
}

// claim reads a claim of a token, unverified.
func claim(t *testing.T, token, name string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	claims := map[string]any{}
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		t.Fatal("not a token")
	}
	text, _ := claims[name].(string)
	return text
}
