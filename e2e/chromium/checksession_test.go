package chromium_test

import (
	"crypto/tls"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"github.com/chromedp/chromedp"
)

// watcher is an app's page with our frame in it: ask("client state") in its script gives the frame's answer.
func watcher(issuer string) string {
	return fmt.Sprintf(`<iframe id="op" name="op" src="%[1]s/oauth2/check_session"></iframe><script>
		const frame = document.getElementById("op"), op = frame.contentWindow;
		const ready = new Promise((done) => frame.addEventListener("load", done));
		const ask = async (text) => {
			await ready;
			return new Promise((done) => {
				addEventListener("message", (e) => { if (e.source === op && e.origin === %[1]q) done(e.data); }, {once: true});
				op.postMessage(text, %[1]q);
			});
		};</script>`, issuer)
}

// watch opens the page of a site on which our frame is.
func (v *visitor) watch(t *testing.T, s *site) {
	t.Helper()
	v.from(t, s, watcher(v.at))
}

// ask asks the frame; what is JavaScript.
func (v *visitor) ask(t *testing.T, what string) string {
	t.Helper()
	out, err := chromedp.Run(v.ctx, chromedp.Evaluate[string]("ask("+what+")", chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("ask %s: %v", what, err)
	}
	return out
}

// state enters the app and gives what its page asks the frame with, as JavaScript.
func (v *visitor) state(t *testing.T, client string, s *site) string {
	t.Helper()
	q := v.request()
	q.Set("client_id", client)
	q.Set("redirect_uri", s.at+"/cb")
	do(t, v.ctx, "enter", chromedp.Navigate(v.at+"/oauth2/authorize?"+q.Encode()), chromedp.WaitVisible(css("#site")))
	at, _ := where(t, v.ctx)
	u, err := url.Parse(at)
	state := u.Query().Get("session_state")
	if err != nil || u.Query().Get("code") == "" || state == "" || strings.Contains(state, " ") {
		t.Fatalf("no code, or no session_state: %s", at)
	}
	return fmt.Sprintf("%q", client+" "+state)
}

func (x *table) register(t *testing.T, id string, s *site) {
	t.Helper()
	c := idp.Client{ID: idp.ClientID(id), Name: id, Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code"},
		Scopes: []string{"openid"}, RedirectURIs: []string{s.at + "/cb"}}
	if _, err := x.base.AddClient(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
}

// The module of oidcc-session-management-certification-test-plan that needs a browser, under its own name; and what the frame says where
// it cannot see its cookie, and to whom it says nothing.
func TestSessionManagementInChromium(t *testing.T) {
	x := newTable(t, frontChannel)
	near, other := newSite(t, "127.0.0.1"), newSite(t, "127.0.0.1") // on our own site: what is sent there is sent to frames, too
	x.register(t, "near", near)
	x.register(t, "other", other)

	t.Run("oidcc-session-management-rp-initiated-logout", func(t *testing.T) {
		v := x.visitor(t)
		mine := v.state(t, "near", near)
		if again := v.state(t, "near", near); again == mine {
			t.Error("session_state has no salt")
		}
		v.watch(t, near)
		for range 2 {
			if got := v.ask(t, mine); got != "unchanged" {
				t.Errorf("while signed in: %s", got)
			}
		}
		v.link(t, v.app, v.logout("id_token_hint", v.id))
		v.watch(t, near)
		if got := v.ask(t, mine); got != "changed" {
			t.Errorf("after the sign-out: %s", got)
		}
	})
	t.Run("a second sign-in of the same person, and one of another", func(t *testing.T) {
		v := x.visitor(t)
		mine := v.state(t, "near", near)
		again := func(name string) {
			t.Helper()
			q := v.request()
			q.Set("prompt", "login")
			do(t, v.ctx, "sign in", chromedp.Navigate(v.at+"/oauth2/authorize?"+q.Encode()), chromedp.WaitVisible(css("#password")), chromedp.SetValue(css("#username"), name),
				chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitVisible(css("#site")))
			v.watch(t, near)
		}
		again(v.name)
		if got := v.ask(t, mine); got != "unchanged" {
			t.Errorf("the same person in the same session: %s", got)
		}
		again(x.visitor(t).name)
		if got := v.ask(t, mine); got != "changed" {
			t.Errorf("somebody else: %s", got)
		}
	})
	t.Run("junk, and what is another app's", func(t *testing.T) {
		v := x.visitor(t)
		mine := v.state(t, "near", near)
		v.watch(t, near)
		for what, want := range map[string]string{
			`""`: "error", `"near"`: "error", `"near "`: "error", `" near"`: "error", `"near x"`: "error", `"near x.y"`: "error", `null`: "error", `7`: "error",
			`{toString() { return 1 }}.x`: "error", `[` + mine + `]`: "error", `{data: ` + mine + `}`: "error", mine + `+ " "`: "error", mine + `+ "\n"`: "error",
			`"x".repeat(1e6)`: "error", `"<script>" + ` + mine: "error", mine + `.replace(" ", "  ")`: "error",
			mine + `.replace("near", "other")`: "changed", mine + `.slice(0, -1) + "_"`: "changed", mine: "unchanged",
		} {
			if got := v.ask(t, what); got != want {
				t.Errorf("%s: %s", what, got)
			}
		}
	})
	t.Run("from a wrong origin", func(t *testing.T) {
		v := x.visitor(t)
		mine := v.state(t, "near", near)
		// Another page that frames ours has another origin: what it stole is worth nothing there.
		v.watch(t, other)
		if got := v.ask(t, mine); got != "changed" {
			t.Errorf("on a page of another origin: %s", got)
		}
		// A stranger's frame in the app's page is not answered, and the app is.
		other.page = `<script>
			let answers = 0;
			addEventListener("message", (e) => { if (e.data === "how many?") parent.postMessage("" + answers, "*"); else answers++; });
			for (let i = 0; i < 3; i++) parent.frames.op.postMessage(` + mine + `, "*");
			parent.postMessage("asked", "*");</script>`
		v.from(t, near, watcher(v.at)+fmt.Sprintf(`<script>
			const said = (first) => new Promise((done) => addEventListener("message", (e) => { if (e.origin === %q && (e.data === "asked") === first) done(e.data); }));
			const stranger = (async () => {
				await ready;
				const asked = said(true), evil = document.createElement("iframe");
				evil.src = %q;
				document.body.append(evil);
				await asked;
				const mine = await ask(%s), count = said(false);
				evil.contentWindow.postMessage("how many?", "*");
				return mine + ", " + await count;
			})();</script>`, other.at, other.at+"/page", mine))
		got, err := chromedp.Run(v.ctx, chromedp.Evaluate[string]("stranger", chromedp.EvalAwaitPromise))
		if err != nil || got != "unchanged, 0" {
			t.Errorf("the app's answer, and how many a stranger got: %q %v", got, err)
		}
	})
	t.Run("on another site, whose frames get no cookie of ours", func(t *testing.T) {
		v := x.visitor(t)
		mine := v.state(t, "app", x.app)
		v.watch(t, x.app)
		if got := v.ask(t, mine); got != "error" {
			t.Errorf("while signed in: %s", got)
		}
		v.link(t, v.app, v.logout("id_token_hint", v.id))
		v.watch(t, x.app)
		if got := v.ask(t, mine); got != "error" {
			t.Errorf("after the sign-out: %s", got)
		}
	})
}

// Over https the cookie is one for frames, too: an app on another site hears what is so, as long as the browser lets frames have such
// cookies. Where it does not, the answer is "error" before and after, and never "changed", at which apps would ask anew for ever.
func TestSessionManagementAcrossSitesInChromium(t *testing.T) {
	lent := httptest.NewTLSServer(nil) // has a certificate
	lent.Close()
	secure := []*tls.Config{{Certificates: lent.TLS.Certificates}}
	for name, c := range map[string]struct {
		settings      string
		before, after string
	}{
		"with cookies kept from frames of others":  {`{"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": true}}`, "error", "error"},
		"with cookies allowed in frames of others": {`{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}`, "unchanged", "changed"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newNode(t, secure, frontChannel)
			x.client, x.ordinary = lent.Client(), true
			x.addApp(t)
			profile := t.TempDir()
			if err := os.Mkdir(filepath.Join(profile, "Default"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(c.settings), 0o600); err != nil {
				t.Fatal(err)
			}
			x.browser = newBrowser(t, chromedp.Flag("ignore-certificate-errors", true), chromedp.UserDataDir(profile))
			v := x.visitor(t)
			mine := v.state(t, "app", x.app)
			v.watch(t, x.app)
			if got := v.ask(t, mine); got != c.before {
				t.Errorf("while signed in: %s", got)
			}
			v.link(t, v.app, v.logout("id_token_hint", v.id))
			v.watch(t, x.app)
			if got := v.ask(t, mine); got != c.after {
				t.Errorf("after the sign-out: %s", got)
			}
		})
	}
}
