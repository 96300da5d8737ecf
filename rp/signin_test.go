package rp_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/jws"
	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/provider"
	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
)

func TestSignIn(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	if a := b.once("/private/x?q=1"); a.status != 303 || a.header.Get("Location") != h.at+"/auth/login/op?return=%2Fprivate%2Fx%3Fq%3D1" {
		t.Fatal(a)
	}
	if a := b.send("POST", "/private/x", "a=b", nil); a.status != 401 {
		t.Error("a POST is not sent away to sign in:", a.status)
	}
	if b.signedIn() {
		t.Fatal("signed in")
	}
	a := b.get("/private/x?q=1")
	if a.status != 200 || a.at.RequestURI() != "/private/x?q=1" || !strings.Contains(a.body, "user=user-1 name=Alice") || a.header.Get("Cache-Control") != "no-store" {
		t.Fatal(a)
	}
	if !b.signedIn() || h.browser().signedIn() {
		t.Error("this browser, and no other, is signed in")
	}
	q := o.Asked[0]
	if q.Get("code_challenge_method") != "S256" || len(q.Get("nonce")) < 40 || len(q.Get("state")) < 40 || q.Get("redirect_uri") != h.at+"/auth/callback/op" || q.Has("prompt") {
		t.Error(q)
	}
	// Signing in again replaces the session: the old cookie is dead.
	old := b.cookies()
	b.signIn("op")
	thief := h.browser()
	u, _ := url.Parse(h.at)
	thief.c.Jar.SetCookies(u, old)
	if thief.signedIn() || !b.signedIn() {
		t.Error("the session before lives on")
	}
}

func TestCookies(t *testing.T) {
	h := newWebsite(t, rp.Provider("op", optest.New(t).Provider()), rp.Origin("https://site.example"), rp.Persistent())
	a := h.browser().once("/auth/login/op")
	c := a.header.Get("Set-Cookie")
	for _, want := range []string{"__Host-rp-browser=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(c, want) {
			t.Error(c)
		}
	}
	if strings.Contains(c, "Domain") {
		t.Error(c)
	}
}

func TestStateIsBoundToTheBrowserAndUsedOnce(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()), rp.Provider("op2", o.Provider()))
	b := h.browser()
	back := func() string { return b.once(b.click("/auth/login/op").header.Get("Location")).header.Get("Location") }
	to := back()
	if a := h.browser().get(to); a.status != 400 {
		t.Error("another browser:", a.status)
	}
	other := h.browser()
	other.once("/auth/login/op") // has a cookie of its own
	if a := other.get(to); a.status != 400 {
		t.Error("another browser with a cookie:", a.status)
	}
	if a := b.get(to + "&state=x"); a.status != 400 {
		t.Error("state twice:", a.status)
	}
	if a := b.get(to); a.status != 404 || !b.signedIn() { // 404: the home page, which this website does not have
		t.Fatal("strangers spoiled the sign-in:", a.status)
	}
	if a := b.get(to); a.status != 400 {
		t.Error("a state twice:", a.status)
	}
	if a := b.get(strings.Replace(back(), "/op?", "/op2?", 1)); a.status != 400 {
		t.Error("at another provider's callback:", a.status)
	}
	late := back()
	h.forward(11 * time.Minute)
	if a := b.get(late); a.status != 400 {
		t.Error("too late:", a.status)
	}
	h.forward(-11 * time.Minute)
	// Two tabs at once.
	one, two := back(), back()
	if x, y := b.get(two), b.get(one); x.status != 404 || y.status != 404 {
		t.Error(x.status, y.status)
	}
}

// Each check of OpenID Connect Core section 3.1.3.7 and RFC 9207.
func TestBadAnswersSignNobodyIn(t *testing.T) {
	evil, err := jws.Generate("k1", jws.ES256)
	if err != nil {
		t.Fatal(err)
	}
	put := func(k string, v any) func(*optest.OP) {
		return func(o *optest.OP) {
			o.Claims = func(c map[string]any) {
				if c[k] = v; v == nil {
					delete(c, k)
				}
			}
		}
	}
	for name, change := range map[string]func(*optest.OP){
		"iss":          put("iss", "https://evil.example"),
		"aud":          put("aud", "another"),
		"azp":          put("azp", "another"),
		"no azp":       put("aud", []string{"site", "another"}),
		"expired":      put("exp", time.Now().Add(-3*time.Minute).Unix()),
		"nonce":        put("nonce", "another"),
		"no nonce":     put("nonce", nil),
		"no sub":       put("sub", nil),
		"long sub":     put("sub", strings.Repeat("x", 256)),
		"nul in sub":   put("sub", "a\x00b"),
		"no iat":       put("iat", nil),
		"sid a number": put("sid", 7),
		"at_hash":      put("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"foreign key":  func(o *optest.OP) { o.Sign = func(c []byte) string { s, _ := evil.Sign("JWT", c); return s } },
		"alg none":     func(o *optest.OP) { o.Sign = func(c []byte) string { return "eyJhbGciOiJub25lIn0." + b64(c) + "." } },
		"error": func(o *optest.OP) {
			o.Answers = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/authorize" {
					return false
				}
				http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?error=access_denied&error_description=%3Cb%3Ephish&state="+r.URL.Query().Get("state"), http.StatusSeeOther)
				return true
			}
		},
		"token endpoint down": func(o *optest.OP) {
			o.Answers = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/token" {
					w.WriteHeader(502)
					w.Write([]byte("<html>mail@alice.example</html>"))
				}
				return r.URL.Path == "/token"
			}
		},
		"redirecting token endpoint": func(o *optest.OP) {
			o.Answers = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/token" {
					http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
				}
				return r.URL.Path == "/token"
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := optest.New(t)
			o.Set(func() { change(o) })
			h := newWebsite(t, rp.Provider("op", o.Provider()))
			b := h.browser()
			a := b.get("/auth/login/op?return=/private/x")
			if a.status != 502 && a.status != 403 || b.signedIn() || strings.Contains(a.body, "phish") || strings.Contains(a.body, "mail@") {
				t.Error(a)
			}
			for _, s := range h.said {
				if strings.Contains(s, "secret") || strings.Contains(s, "mail@") || strings.Contains(s, "<html") {
					t.Error("leaked:", s)
				}
			}
		})
	}
}

// RFC 9207 section 2.4: an answer says whose it is, and the code of another's goes nowhere.
func TestAnswerSaysWhoseItIs(t *testing.T) {
	o := optest.New(t)
	b := newWebsite(t, rp.Provider("op", o.Provider())).browser()
	var redeemed atomic.Int32
	o.Set(func() {
		o.Answers = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/token" {
				redeemed.Add(1)
			}
			return false
		}
	})
	for name, change := range map[string]func(url.Values){
		"another": func(q url.Values) { q.Set("iss", "https://evil.example") },
		"nobody":  func(q url.Values) { q.Del("iss") },
		"twice":   func(q url.Values) { q.Add("iss", "https://evil.example") },
	} {
		back := mustURL(b.once(b.click("/auth/login/op").header.Get("Location")).header.Get("Location"))
		q := back.Query()
		change(q)
		back.RawQuery = q.Encode()
		if a := b.get(back.String()); a.status != 502 && a.status != 400 || b.signedIn() || redeemed.Load() > 0 {
			t.Error(name, a.status, redeemed.Load())
		}
	}
	if a := b.get(b.once(b.click("/auth/login/op").header.Get("Location")).header.Get("Location")); !b.signedIn() || redeemed.Load() != 1 {
		t.Error(a)
	}
}

func TestReturnToStaysHere(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()), rp.Home("/home"))
	for to, want := range map[string]string{
		"/x?y=/z": "/x?y=/z", "": "/home", "x": "/home", "//evil.example": "/home", "/\\evil.example": "/home", "/\t/evil.example": "/home", "https://evil.example": "/home",
		"/ok/..//evil.example": "/ok/..//evil.example", "/\r\nSet-Cookie:x": "/home", "javascript:alert(1)": "/home", "/" + strings.Repeat("a", 3000): "/home", "/%2f/evil.example": "/%2f/evil.example",
	} {
		b := h.browser()
		a := b.once(b.once(b.once("/auth/login/op?return=" + url.QueryEscape(to)).header.Get("Location")).header.Get("Location"))
		if got := a.header.Get("Location"); a.status != 303 || got != h.at+want {
			t.Errorf("%q: %d %q", to, a.status, got)
		}
	}
}

// A POSTed callback comes without Lax cookies: it is stored, answered 303, and redeemed by the GET that follows.
func TestPostedCallback(t *testing.T) {
	o := optest.New(t)
	o.Set(func() { o.Form = true })
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	form := b.once(b.once("/auth/login/op?return=/private/x").header.Get("Location")).header.Get("X-Form")
	stranger := h.browser() // what the provider's page posts has no cookies of this website
	post := func(form string) answer {
		one := *stranger.c
		one.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		return (&browser{h, &one}).send("POST", "/auth/callback/op", form, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": o.URL})
	}
	a := post(form)
	to := a.header.Get("Location")
	if a.status != 303 || strings.Contains(to, "code") || !strings.HasPrefix(to, h.at+"/auth/callback/op?state=") {
		t.Fatal(a)
	}
	if a := post(form); a.status != 400 {
		t.Error("a second answer:", a.status)
	}
	if a := post("state=made-up&code=x"); a.status != 400 {
		t.Error("a made-up state:", a.status)
	}
	if a := stranger.get(to); a.status != 400 {
		t.Error("another browser:", a.status)
	}
	if a := b.get(to); a.status != 200 || a.at.Path != "/private/x" {
		t.Fatal(a)
	}
}

// A provider for many tenants: the issuer of each token must be its own tenant's.
func TestTenants(t *testing.T) {
	o := optest.New(t)
	p := o.Provider()
	p.IssuerPattern = o.URL + "/{tenantid}"
	h := newWebsite(t, rp.Provider("op", p))
	for issuer, ok := range map[string]bool{"/t1": true, "/t2": false, "": false} {
		o.Set(func() { o.Claims = func(c map[string]any) { c["tid"], c["iss"] = "t1", o.URL+issuer } })
		b := h.browser()
		q, _ := url.Parse(b.once(b.once("/auth/login/op").header.Get("Location")).header.Get("Location"))
		v := q.Query()
		v.Del("iss")
		if b.get(h.at + q.Path + "?" + v.Encode()); b.signedIn() != ok {
			t.Error(issuer, b.signedIn())
		}
	}
	for issuer, ok := range map[string]bool{"/t1": true, "/t2": false, "": false} {
		if a := h.browser().backchannel(o.LogoutToken(map[string]any{"tid": "t1", "iss": o.URL + issuer})); (a.status == 200) != ok {
			t.Error("a logout token,", issuer, a.status)
		}
	}
}

func TestNewRefusesWhatIsUnsafe(t *testing.T) {
	good := provider.OIDC("https://id.example", "i", "s")
	for name, options := range map[string][]rp.Option{
		"no origin":      {rp.Key(make([]byte, 32))},
		"no key":         {rp.Origin("https://a.example")},
		"short key":      {rp.Origin("https://a.example"), rp.Key(make([]byte, 16))},
		"http":           {rp.Origin("http://a.example"), rp.Key(make([]byte, 32))},
		"path in origin": {rp.Origin("https://a.example/x"), rp.Key(make([]byte, 32))},
		"twice":          {rp.Origin("https://a.example"), rp.Key(make([]byte, 32)), rp.Provider("a", good), rp.Provider("a", good)},
		"bad name":       {rp.Origin("https://a.example"), rp.Key(make([]byte, 32)), rp.Provider("A/b", good)},
		"http provider":  {rp.Origin("https://a.example"), rp.Key(make([]byte, 32)), rp.Provider("a", provider.OIDC("http://id.example", "i", "s"))},
		"bad home":       {rp.Origin("https://a.example"), rp.Key(make([]byte, 32)), rp.Home("//evil")},
	} {
		if _, err := rp.New(rptest.NewMemory(), options...); err == nil {
			t.Error(name)
		}
	}
	if _, err := rp.New(nil, rp.Origin("https://a.example"), rp.Key(make([]byte, 32))); err == nil {
		t.Error("no store")
	}
}
