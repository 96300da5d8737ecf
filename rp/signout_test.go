package rp_test

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/provider"
	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
)

func (a answer) report(t *testing.T) rp.Report {
	t.Helper()
	var r rp.Report
	if err := json.Unmarshal([]byte(a.body), &r); err != nil || a.status != 200 {
		t.Fatal(a.status, a.body, err)
	}
	return r
}

// state of a layer; "" if the report has no such layer.
func state(r rp.Report, k rp.LayerKind) rp.LayerState {
	for _, y := range r.Layers {
		if y.Kind == k {
			return y.State
		}
	}
	return ""
}

func TestSignOutEndsThisSessionOnly(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b, other := h.browser(), h.browser()
	csrf := b.signIn("op")
	o.Set(func() { o.SID = "sid-2" })
	other.signIn("op")
	kept := b.cookies()
	r := b.signOut(csrf).report(t)
	if state(r, rp.LayerWebsite) != rp.Done || state(r, rp.LayerConsent) != rp.Open || state(r, rp.LayerProvider) != rp.Open || r.Layers[0].Sessions != 1 || r.Continue != "" {
		t.Errorf("%+v", r)
	}
	if b.signedIn() || !other.signedIn() || len(o.Revoked) > 0 {
		t.Error("this session, and nothing else, ends")
	}
	thief := h.browser()
	u, _ := url.Parse(h.at)
	thief.c.Jar.SetCookies(u, kept)
	if thief.signedIn() {
		t.Error("a kept cookie works")
	}
	if len(b.cookies()) != 2 { // of the round trip, and that somebody left
		t.Error(b.cookies())
	}
	// Pressed twice, or with the dead cookie: signed out is signed out.
	for _, x := range []*browser{b, thief} {
		if r := x.signOut(csrf, "everywhere", "revoke").report(t); len(r.Layers) != 1 || state(r, rp.LayerWebsite) != rp.Gone || !other.signedIn() {
			t.Errorf("it claims what it did not do: %+v", r)
		}
	}
	thief.c.Jar.SetCookies(u, kept)
	for _, x := range []*browser{b, thief} {
		if r := x.signOut(csrf).report(t); state(r, rp.LayerWebsite) != rp.Done || r.Layers[0].Sessions != 0 {
			t.Errorf("%+v", r)
		}
	}
}

func TestSignOutIsNotForged(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b, other := h.browser(), h.browser()
	csrf, others := b.signIn("op"), other.signIn("op")
	same := map[string]string{"Sec-Fetch-Site": "same-origin"}
	for name, a := range map[string]answer{
		"GET":              b.once("/auth/signout?csrf=" + csrf),
		"no token":         b.send("POST", "/auth/signout", "x=y", same),
		"made-up token":    b.send("POST", "/auth/signout", "csrf=a", same),
		"another's token":  b.send("POST", "/auth/signout", "csrf="+others, same),
		"token in address": b.send("POST", "/auth/signout?csrf="+csrf, "x=y", same),
		"cross-site":       b.send("POST", "/auth/signout", "csrf="+csrf, map[string]string{"Sec-Fetch-Site": "cross-site"}),
		"same-site":        b.send("POST", "/auth/signout", "csrf="+csrf, map[string]string{"Sec-Fetch-Site": "same-site"}),
		"other origin":     b.send("POST", "/auth/signout", "csrf="+csrf, map[string]string{"Origin": "http://evil.example"}),
	} {
		if a.status != 403 && a.status != 405 {
			t.Error(name, a.status)
		}
	}
	if !b.signedIn() {
		t.Fatal("a forged sign-out worked")
	}
	// Nor does another site write "signed out" into a browser in which nobody is signed in.
	if a := h.browser().send("POST", "/auth/signout", "", map[string]string{"Sec-Fetch-Site": "cross-site"}); a.status != 403 || a.header.Get("Set-Cookie") != "" {
		t.Error("nobody's sign-out, cross-site:", a.status, a.header)
	}
	if a := b.send("POST", "/auth/signout", "", map[string]string{"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": csrf}); a.status != 200 || b.signedIn() {
		t.Error("the header is taken, too:", a.status)
	}
}

func TestEverywhere(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b, phone, bob := h.browser(), h.browser(), h.browser()
	csrf := b.signIn("op")
	phone.signIn("op")
	half := phone.once(phone.click("/auth/login/op").header.Get("Location")).header.Get("Location") // under way
	o.Set(func() { o.Sub, o.SID = "bob-at-op", "sid-bob" })
	bob.signIn("op")
	o.Set(func() { o.Sub, o.SID = "alice-at-op", "sid-3" })
	h.forward(time.Second)
	if r := b.signOut(csrf, "everywhere").report(t); r.Layers[0].Sessions != 2 {
		t.Errorf("%+v", r)
	}
	if b.signedIn() || phone.signedIn() || !bob.signedIn() {
		t.Error("all of this person's sessions, and nobody else's, end")
	}
	if a := phone.get(half); a.status != 409 || phone.signedIn() {
		t.Error("a sign-in that was under way came through:", a.status)
	}
	if a := phone.get("/private/"); a.at.Path != "/auth/" || phone.signedIn() {
		t.Error("the other device is signed in again unasked:", a.at)
	}
	h.forward(time.Second)
	phone.signIn("op")
	if !phone.signedIn() {
		t.Error("the next sign-in is a new one")
	}
}

// quick says that something takes at most a second by itself: of twenty tries one must, for this machine does other things, too.
func quick(t *testing.T, try func() time.Duration) {
	t.Helper()
	var all []time.Duration
	for range 20 {
		took := try()
		if took <= time.Second {
			return
		}
		all = append(all, took)
	}
	t.Error("took", all)
}

// The bound: whatever a provider does, the sign-out is done within a second and says what is owed.
func TestSignOutWithinASecond(t *testing.T) {
	for name, f := range map[string]func(http.ResponseWriter, *http.Request){
		"hangs":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"503":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"html":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); w.Write([]byte("<html>")) },
		"resets": func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		"moves":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"drips": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			quick(t, func() time.Duration {
				o := optest.New(t)
				h := newWebsite(t, rp.Provider("op", o.Provider()))
				b := h.browser()
				csrf := b.signIn("op")
				o.Set(func() {
					o.Answers = func(w http.ResponseWriter, r *http.Request) bool {
						io.Copy(io.Discard, r.Body) // only then does the server notice that the caller has left
						f(w, r)
						return true
					}
				})
				start := time.Now()
				r := b.signOut(csrf, "revoke", "provider").report(t)
				took := time.Since(start)
				if state(r, rp.LayerWebsite) != rp.Done || state(r, rp.LayerConsent) != rp.Queued || state(r, rp.LayerProvider) != rp.Going || b.signedIn() {
					t.Errorf("%+v", r)
				}
				owed, err := h.site.Owed(t.Context(), "user-1", 10)
				if err != nil || len(owed) != 1 || owed[0].Provider != "op" || owed[0].Sealed != nil {
					t.Error(owed, err)
				}
				return took
			})
		})
	}
}

// A certificate that is not the provider's, and a host that is not there: owed, and said.
func TestRevocationWithoutConnection(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(secure.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, at := range map[string]string{"certificate": secure.URL, "refused": gone.URL} {
		o := optest.New(t)
		p := o.Provider()
		p.Endpoints.Revoke = at + "/revoke"
		h := newWebsite(t, rp.Provider("op", p))
		b := h.browser()
		r := b.signOut(b.signIn("op"), "revoke").report(t)
		var owed []rp.Duty
		for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) { // the attempt may outlast the answer
			owed, _ = h.site.Owed(t.Context(), "", 1)
			if len(owed) != 1 || owed[0].Why != "" || time.Now().After(end) {
				break
			}
		}
		if state(r, rp.LayerConsent) != rp.Queued || b.signedIn() || len(owed) != 1 || owed[0].Why != "no answer" {
			t.Errorf("%s: %+v %+v", name, r, owed)
		}
	}
}

// stuck is a store that does not answer, and does not heed its context, from the moment on that broken is closed.
type stuck struct {
	rp.Store
	broken, release chan struct{}
	err             error
}

func (s *stuck) End(ctx context.Context, e rp.Ending) (rp.Ended, error) {
	select {
	case <-s.broken:
		if s.err != nil {
			return rp.Ended{}, s.err
		}
		<-s.release
	default:
	}
	return s.Store.End(ctx, e)
}

func TestSignOutWithoutDatabaseClaimsNothing(t *testing.T) {
	for name, err := range map[string]error{"gone": errBroken, "hanging": nil} {
		t.Run(name, func(t *testing.T) {
			quick(t, func() time.Duration {
				o := optest.New(t)
				st := &stuck{Store: rptest.NewMemory(), broken: make(chan struct{}), release: make(chan struct{}), err: err}
				defer close(st.release)
				h := newWebsiteOn(t, st, rp.Provider("op", o.Provider()))
				b := h.browser()
				csrf := b.signIn("op")
				close(st.broken)
				start := time.Now()
				a := b.signOut(csrf, "revoke")
				took := time.Since(start)
				if a.status != 503 || strings.Contains(a.body, "done") || strings.Contains(strings.Join(a.header.Values("Set-Cookie"), " "), "session") || a.header.Get("Retry-After") == "" || len(o.Revoked) > 0 {
					t.Error(a)
				}
				if a := b.send("POST", "/auth/signout", "csrf="+csrf, map[string]string{"Sec-Fetch-Site": "same-origin"}); a.status != 503 || strings.Contains(a.body, "are signed out") {
					t.Error(a)
				}
				// The provider is told that it did not work, so that it tries again.
				if a := b.send("POST", "/auth/logout/op/backchannel", "logout_token="+o.LogoutToken(nil), nil); a.status != 503 {
					t.Error(a)
				}
				return took
			})
		})
	}
}

// The way out through the provider and back: the ID token is the hint, the return shows the report, once.
func TestAtProvider(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	csrf := b.signIn("op")
	h.forward(10 * time.Minute) // the ID token has expired
	r := b.signOut(csrf, "provider").report(t)
	to, err := url.Parse(r.Continue)
	if err != nil {
		t.Fatal(err)
	}
	q := to.Query()
	if !strings.HasPrefix(r.Continue, o.URL+"/end?") || q.Get("keep") != "1" || strings.Count(q.Get("id_token_hint"), ".") != 2 || q.Get("client_id") != "site" ||
		q.Get("post_logout_redirect_uri") != h.at+"/auth/logout/op/return" || len(q.Get("state")) < 40 {
		t.Error(r.Continue)
	}
	back := h.at + "/auth/logout/op/return?state=" + q.Get("state")
	if a := h.browser().get(back); a.status != 200 || strings.Contains(a.body, "signed out") {
		t.Error("another browser is told nothing:", a.body)
	}
	if a := b.get(r.Continue); a.status != 200 || !strings.Contains(a.body, `data-layer="provider" data-state="returned"`) || !strings.Contains(a.body, `data-layer="website" data-state="done"`) {
		t.Error(a)
	}
	for _, to := range []string{back, h.at + "/auth/logout/op/return", h.at + "/auth/logout/op/return?state=x"} {
		if a := b.get(to); a.status != 200 || strings.Contains(a.body, "data-layer") {
			t.Error(a)
		}
	}
	h.forward(-10 * time.Minute)
	// A browser is sent there by itself.
	csrf = b.signIn("op")
	if a := b.post("/auth/signout", url.Values{"csrf": {csrf}, "provider": {"1"}}); !strings.Contains(a.body, "returned") || a.at.Path != "/auth/logout/op/return" {
		t.Error(a)
	}
	// A state of a sign-in is none of a sign-out, and the other way round.
	csrf = b.signIn("op")
	r = b.signOut(csrf, "provider").report(t)
	to, _ = url.Parse(r.Continue)
	if a := b.get(h.at + "/auth/callback/op?code=x&iss=" + o.URL + "&state=" + to.Query().Get("state")); a.status != 400 {
		t.Error(a)
	}
}

// After a sign-out nobody is signed in again without a human act, and the provider is told to ask who.
func TestNoSilentWayBack(t *testing.T) {
	o := optest.New(t)
	asks := o.Provider()
	dumb := o.Provider()
	dumb.Ask = nil
	for name, p := range map[string]provider.Provider{"asks": asks, "cannot": dumb} {
		t.Run(name, func(t *testing.T) {
			h := newWebsite(t, rp.Provider("op", p))
			b := h.browser()
			b.signOut(b.signIn("op"))
			if a := b.get("/private/x"); a.at.Path != "/auth/" || b.signedIn() {
				t.Fatal(a.at)
			}
			a := b.once("/auth/login/op?return=/private/x")
			if name == "asks" {
				if to, _ := url.Parse(a.header.Get("Location")); to.Query().Get("prompt") != "login" {
					t.Error(to)
				}
			} else {
				if a.status != 200 || b.once("/auth/login/op?act=made-up").status != 200 {
					t.Error("sent to a provider that does not ask:", a.status)
				}
				link := a.body[strings.Index(a.body, `href="`)+6:]
				link = strings.ReplaceAll(link[:strings.Index(link, `"`)], "&amp;", "&")
				if h.browser().once(link).status != 303 { // who has not left needs no act
					t.Error(link)
				}
				if a := b.get(link); a.at.Path != "/private/x" {
					t.Error("the click leads in:", a.at)
				}
			}
			b.signIn("op")
			if a := b.once("/private/y"); a.status != 200 {
				t.Error("signed in again, all is as before:", a.status)
			}
		})
	}
}

// Several providers: the entrance is a choice, and the report names what a provider does not offer, with the link.
func TestNotOfferedIsSaidWithALink(t *testing.T) {
	gh := newGitHub(t)
	o := optest.New(t)
	none := o.Provider()
	none.Revocation = provider.Revocation{ByHand: "https://op.example/apps"}
	none.SignOut = provider.SignOut{ByHand: "https://op.example/bye"}
	none.Title = "Old Provider"
	h := newWebsite(t, rp.Provider("github", gh.provider), rp.Provider("op", none))
	b := h.browser()
	if a := b.get("/private/"); a.at.Path != "/auth/" || !strings.Contains(a.body, "Continue with GitHub") || !strings.Contains(a.body, "Continue with Old Provider") {
		t.Error(a)
	}
	csrf := b.signIn("op")
	a := b.post("/auth/signout", url.Values{"csrf": {csrf}, "revoke": {"1"}, "provider": {"1"}})
	for _, want := range []string{`data-layer="website" data-state="done"`, `data-layer="consent" data-state="not offered"`, `data-layer="provider" data-state="not offered"`,
		`href="https://op.example/apps"`, `href="https://op.example/bye"`, "You are signed out of this website."} {
		if !strings.Contains(a.body, want) {
			t.Error("missing", want, a.body)
		}
	}
	if strings.Contains(a.body, "GitHub") {
		t.Error("a provider that the person has nothing at is named")
	}
	if len(o.Revoked) > 0 || !slices.Equal(gh.calls(), nil) {
		t.Error("called", o.Revoked, gh.calls())
	}
}

func TestEndUser(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signIn("op")
	if r := h.site.EndUser(t.Context(), "nobody", rp.Revoke()); r.Layers[0].Sessions != 0 || len(o.Revoked) > 0 || !b.signedIn() {
		t.Errorf("%+v", r)
	}
	if r := h.site.EndUser(t.Context(), "", rp.Revoke()); r.Layers[0].Sessions != 0 || !b.signedIn() {
		t.Errorf("%+v", r)
	}
	r := h.site.EndUser(t.Context(), "user-1", rp.Revoke())
	if state(r, rp.LayerConsent) != rp.Done || r.Layers[0].Sessions != 1 || b.signedIn() || !slices.Equal(o.Revoked, []string{"refresh-secret"}) {
		t.Errorf("%+v", r)
	}
}

// A sign-in of the website's own, with a password it has checked, is signed out the same way.
func TestOwnSignIn(t *testing.T) {
	h := newWebsite(t, rp.Provider("op", optest.New(t).Provider()))
	w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/login", nil)
	if err := h.site.SignIn(w, r, "user-9", time.Now()); err != nil {
		t.Fatal(err)
	}
	if h.site.SignIn(w, r, "", time.Now()) == nil || h.site.SignIn(w, r, "a\x00", time.Now()) == nil {
		t.Error("a user without a name")
	}
	b := h.browser()
	u, _ := url.Parse(h.at)
	b.c.Jar.SetCookies(u, w.Result().Cookies())
	m := csrf.FindStringSubmatch(b.get("/private/").body)
	if m == nil {
		t.Fatal("not signed in")
	}
	if r := b.signOut(m[1], "revoke", "provider").report(t); len(r.Layers) != 1 || state(r, rp.LayerWebsite) != rp.Done || b.signedIn() {
		t.Errorf("%+v", r)
	}
}
