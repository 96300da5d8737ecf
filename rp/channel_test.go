package rp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/jws"
	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
)

func (b *browser) backchannel(token string) answer {
	b.t.Helper()
	return b.send("POST", "/auth/logout/op/backchannel", url.Values{"logout_token": {token}}.Encode(), nil)
}

// Back-Channel Logout 1.0 section 2.6, check by check; section 2.8 for the answers.
func TestLogoutTokenChecks(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signIn("op")
	evil, err := jws.Generate("k1", jws.ES256)
	if err != nil {
		t.Fatal(err)
	}
	event := "http://schemas.openid.net/event/backchannel-logout"
	unix := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	typed := func(typ string) string {
		o.Mu.Lock()
		defer o.Mu.Unlock()
		return o.Signed(typ, o.LogoutClaims(nil))
	}
	signedBy := func(f func(claims []byte) string) string {
		claims, err := json.Marshal(o.LogoutClaims(nil))
		if err != nil {
			t.Fatal(err)
		}
		return f(claims)
	}
	for name, token := range map[string]string{
		"nothing":     "",
		"not a token": "x.y.z",
		"five parts":  "a.b.c.d.e",
		"too long":    strings.Repeat("a", 20<<10),
		"alg none":    signedBy(func(c []byte) string { return b64([]byte(`{"alg":"none","typ":"logout+jwt"}`)) + "." + b64(c) + "." }),
		"alg HS256": signedBy(func(c []byte) string {
			return b64([]byte(`{"alg":"HS256","kid":"k1","typ":"logout+jwt"}`)) + "." + b64(c) + ".AAAA"
		}),
		"foreign key":         signedBy(func(c []byte) string { s, _ := evil.Sign("logout+jwt", c); return s }),
		"typ of an ID token":  typed("JWT"),
		"no typ":              typed(""),
		"typ at+jwt":          typed("at+jwt"),
		"iss":                 o.LogoutToken(map[string]any{"iss": "https://evil.example"}),
		"no iss":              o.LogoutToken(map[string]any{"iss": nil}),
		"aud":                 o.LogoutToken(map[string]any{"aud": "another"}),
		"aud list":            o.LogoutToken(map[string]any{"aud": []string{"another"}}),
		"no aud":              o.LogoutToken(map[string]any{"aud": nil}),
		"expired":             o.LogoutToken(map[string]any{"exp": unix(-6 * time.Minute)}),
		"no exp":              o.LogoutToken(map[string]any{"exp": nil}),
		"exp a word":          o.LogoutToken(map[string]any{"exp": "soon"}),
		"no iat":              o.LogoutToken(map[string]any{"iat": nil}),
		"iat to come":         o.LogoutToken(map[string]any{"iat": unix(10 * time.Minute), "exp": unix(20 * time.Minute)}),
		"iat long ago":        o.LogoutToken(map[string]any{"iat": unix(-time.Hour)}),
		"iat beyond":          o.LogoutToken(map[string]any{"iat": 1e300}),
		"neither sub nor sid": o.LogoutToken(map[string]any{"sub": nil, "sid": nil}),
		"sub a number":        o.LogoutToken(map[string]any{"sub": 7}),
		"sid empty":           o.LogoutToken(map[string]any{"sid": ""}),
		"no events":           o.LogoutToken(map[string]any{"events": nil}),
		"another event":       o.LogoutToken(map[string]any{"events": map[string]any{"http://schemas.openid.net/event/other": map[string]any{}}}),
		"event no object":     o.LogoutToken(map[string]any{"events": map[string]any{event: true}}),
		"nonce":               o.LogoutToken(map[string]any{"nonce": "n"}),
		"nonce null":          o.Signed("logout+jwt", map[string]any{"nonce": nil, "iss": o.URL, "aud": "site", "iat": unix(0), "exp": unix(time.Minute), "jti": "n", "sub": "alice-at-op", "events": map[string]any{event: map[string]any{}}}),
		"no jti":              o.LogoutToken(map[string]any{"jti": nil}),
	} {
		a := b.backchannel(token)
		if a.status != 400 || a.header.Get("Cache-Control") != "no-store" || !strings.Contains(a.body, "invalid_request") {
			t.Error(name, a.status, a.body)
		}
	}
	good := o.LogoutToken(nil)
	for name, body := range map[string]string{"twice": "logout_token=" + good + "&logout_token=" + good, "elsewhere": "token=" + good} {
		if a := b.send("POST", "/auth/logout/op/backchannel", body, nil); a.status != 400 {
			t.Error(name, a.status)
		}
	}
	if a := b.send("POST", "/auth/logout/op/backchannel?logout_token="+good, "x=y", nil); a.status != 400 {
		t.Error("in the address:", a.status)
	}
	if a := b.send("POST", "/auth/logout/op/backchannel", good, map[string]string{"Content-Type": "application/jwt"}); a.status != 400 {
		t.Error("not a form:", a.status)
	}
	if !b.signedIn() {
		t.Fatal("a bad logout token signed somebody out")
	}
	if a := b.backchannel(good); a.status != 200 || a.header.Get("Cache-Control") != "no-store" || b.signedIn() {
		t.Error("a good one:", a)
	}
	if a := b.backchannel(good); a.status != 400 {
		t.Error("a replayed one:", a.status)
	}
	if a := b.backchannel(o.LogoutToken(map[string]any{"aud": []string{"x", "site"}, "typ": "x", "unknown": 1})); a.status != 200 {
		t.Error("signed out already is success, unknown claims are ignored:", a)
	}
	for _, s := range h.said {
		if strings.Contains(s, "alice") || strings.Contains(s, "sid-") || strings.Contains(s, "ey") {
			t.Error("leaked:", s)
		}
	}
}

// Old providers send typ JWT or none; a website says so by hand.
func TestAnyLogoutType(t *testing.T) {
	o := optest.New(t)
	p := o.Provider()
	p.AnyLogoutType = true
	b := newWebsite(t, rp.Provider("op", p)).browser()
	for typ, want := range map[string]int{"JWT": 200, "": 200, "at+jwt": 400} {
		o.Mu.Lock()
		token := o.Signed(typ, o.LogoutClaims(map[string]any{"jti": "typ" + typ}))
		o.Mu.Unlock()
		if a := b.backchannel(token); a.status != want {
			t.Error(typ, a.status)
		}
	}
}

// By sid one device, by sub all of the person's, and nobody else's.
func TestBackchannelEndsWhatItNames(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()), rp.Provider("other", o.Provider()))
	in := func(sub, sid, name string) *browser {
		o.Set(func() { o.Sub, o.SID = sub, sid })
		b := h.browser()
		b.signIn(name)
		return b
	}
	one, two, bob, elsewhere := in("alice-at-op", "sid-1", "op"), in("alice-at-op", "sid-2", "op"), in("bob-at-op", "sid-b", "op"), in("alice-at-op", "sid-1", "other")
	if a := one.backchannel(o.LogoutToken(map[string]any{"sub": nil})); a.status != 200 || one.signedIn() || !two.signedIn() || !bob.signedIn() || !elsewhere.signedIn() {
		t.Error("by sid:", a, one.signedIn(), two.signedIn(), bob.signedIn(), elsewhere.signedIn())
	}
	unknown := in("alice-at-op", "", "op") // a session of which no sid is known
	if a := one.backchannel(o.LogoutToken(map[string]any{"sid": "sid-9"})); a.status != 200 || unknown.signedIn() || !two.signedIn() {
		t.Error("by sid and sub:", a, unknown.signedIn(), two.signedIn())
	}
	if a := one.backchannel(o.LogoutToken(map[string]any{"sid": nil})); a.status != 200 || two.signedIn() || !bob.signedIn() || !elsewhere.signedIn() {
		t.Error("by sub:", a, two.signedIn(), bob.signedIn(), elsewhere.signedIn())
	}
}

// A sign-in that the logout token overtakes makes no session; the next one does.
func TestOvertakenSignIn(t *testing.T) {
	for name, change := range map[string]map[string]any{"by sid": {"sub": nil}, "by sub": {"sid": nil}} {
		t.Run(name, func(t *testing.T) {
			o := optest.New(t)
			h := newWebsite(t, rp.Provider("op", o.Provider()))
			b := h.browser()
			reached, go_on := make(chan struct{}), make(chan struct{})
			o.Set(func() {
				o.Claims = func(c map[string]any) { c["name"] = nil } // so that userinfo is asked, after the ID token is there
				o.Answers = func(_ http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == "/userinfo" {
						close(reached)
						<-go_on
					}
					return false
				}
			})
			done := make(chan answer)
			go func() { done <- b.get("/auth/login/op?return=/private/x") }()
			<-reached
			if a := h.browser().backchannel(o.LogoutToken(change)); a.status != 200 {
				t.Error(a)
			}
			close(go_on)
			if a := <-done; a.status != 409 || b.signedIn() {
				t.Error(a)
			}
			o.Set(func() {
				o.Answers, o.SID = nil, "sid-2"
				o.Claims = func(c map[string]any) { c["iat"] = time.Now().Unix() + 1 }
			})
			b.signIn("op")
			if !b.signedIn() {
				t.Error("the next sign-in is refused")
			}
		})
	}
}

// The provider's keys change, and its documents are away for a while: a good logout token is not dropped.
func TestKeysForLogout(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signIn("op")
	o.Turn("k2") // just after the old one was asked for: the website waits until it may ask again
	if a := b.backchannel(o.LogoutToken(nil)); a.status != 200 || b.signedIn() {
		t.Error("a new key:", a)
	}

	fresh := newWebsite(t, rp.Provider("op", o.Provider())) // has asked for nothing yet
	x := fresh.browser()
	var down atomic.Int32
	down.Store(1)
	o.Set(func() {
		o.Answers = func(w http.ResponseWriter, _ *http.Request) bool {
			if down.Add(1) > 2 {
				return false // comes back for the second question
			}
			w.WriteHeader(503)
			return true
		}
	})
	if a := x.backchannel(o.LogoutToken(nil)); a.status != 200 {
		t.Error("discovery retried:", a)
	}
	o.Set(func() {
		o.Answers = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(503); return true }
	})
	y := newWebsite(t, rp.Provider("op", o.Provider())).browser()
	if a := y.backchannel(o.LogoutToken(nil)); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Error("no keys:", a)
	}
}

func TestFrontchannel(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signIn("op")
	iss := url.QueryEscape(o.URL)
	for name, q := range map[string]string{"nothing": "", "sid alone": "sid=sid-1", "iss alone": "iss=" + iss, "another iss": "iss=https://evil.example&sid=sid-1", "sid twice": "iss=" + iss + "&sid=sid-1&sid=x"} {
		if a := b.get("/auth/logout/op/frontchannel?" + q); a.status != 400 {
			t.Error(name, a.status)
		}
	}
	frame := h.browser() // a frame of another site: no cookies
	if a := frame.get("/auth/logout/op/frontchannel?iss=" + iss + "&sid=sid-9"); a.status != 200 || !b.signedIn() {
		t.Error("another sid:", a)
	}
	a := frame.get("/auth/logout/op/frontchannel?iss=" + iss + "&sid=sid-1")
	if a.status != 200 || b.signedIn() || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Content-Security-Policy") != "default-src 'none'; frame-ancestors "+o.URL {
		t.Error(a)
	}
	b.signIn("op") // nothing proves that the provider sent it: it leaves no tombstone
	if !b.signedIn() {
		t.Error("a stranger's frame keeps somebody out")
	}
}

// Section 2.7: what the provider signed out loses its refresh token, too, unless it is for when the person is away.
func TestBackchannelRevokesRefreshTokens(t *testing.T) {
	for _, offline := range []bool{false, true} {
		o := optest.New(t)
		p := o.Provider()
		if offline {
			p.Scopes = append(p.Scopes, "offline_access")
		}
		st := &watched{rptest.NewMemory(), make(chan rp.Duty, 10)}
		h := newWebsiteOn(t, st, rp.Provider("op", p))
		b := h.browser()
		b.signIn("op")
		if a := b.backchannel(o.LogoutToken(nil)); a.status != 200 {
			t.Error(a)
		}
		owed, err := h.site.Owed(t.Context(), "user-1", 9)
		if err != nil || offline != (len(owed) == 0) {
			t.Error(offline, owed, err)
		}
		if !offline {
			run(t, h.site)
			if d := st.next(t); d.State != rp.Revoked || d.User != "user-1" {
				t.Errorf("%+v", d)
			}
		}
	}
}

// Clocks that differ by minutes keep nobody out, and nobody in.
func TestClocksDiffer(t *testing.T) {
	for _, d := range []time.Duration{-4 * time.Minute, 4 * time.Minute} {
		o := optest.New(t)
		h := newWebsite(t, rp.Provider("op", o.Provider()))
		h.forward(d)
		b := h.browser()
		b.signIn("op")
		if a := b.backchannel(o.LogoutToken(nil)); a.status != 200 || b.signedIn() {
			t.Error(d, a)
		}
	}
}

// Strangers' logout tokens with made-up keys hold a few requests, and have the provider asked once; what it signed itself gets through
// meanwhile.
func TestFloodOfUnknownKeys(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signIn("op")
	stranger, err := jws.Generate("made-up", jws.ES256)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := stranger.Sign("logout+jwt", []byte(`{"sid":"sid-1"}`))
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	release := make(chan struct{})
	o.Set(func() {
		o.Answers = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/jwks" {
				asked.Add(1)
				<-release
			}
			return false
		}
	})
	const seats, more = 64, 40
	answers := make(chan int)
	for range seats + more {
		go func() { answers <- h.browser().backchannel(raw).status }()
	}
	for range more { // at once, while the others wait
		if status := <-answers; status != 503 {
			t.Error(status)
		}
	}
	if a := b.backchannel(o.LogoutToken(nil)); a.status != 200 || b.signedIn() {
		t.Error("a good one:", a)
	}
	if asked.Load() > 1 {
		t.Error("asked for keys", asked.Load(), "times")
	}
	close(release)
	for range seats {
		if status := <-answers; status != 400 && status != 503 {
			t.Error(status)
		}
	}
}
