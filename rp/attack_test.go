package rp_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
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

// A provider's documents lead nowhere but to public addresses and to hosts that the website's owner wrote down: a bad provider cannot have
// the website call what stands beside it.
func TestDiscoveryLeadsNowhereInside(t *testing.T) {
	var called atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	t.Cleanup(inside.Close)
	beside := strings.Replace(inside.URL, "127.0.0.1", "localhost", 1) // another host, by its name
	for _, member := range []string{"token_endpoint", "jwks_uri", "userinfo_endpoint", "revocation_endpoint"} {
		o := optest.New(t)
		o.Set(func() {
			o.Answers = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/.well-known/openid-configuration" {
					return false
				}
				d := map[string]any{"issuer": o.URL, "authorization_endpoint": o.URL + "/authorize", "token_endpoint": o.URL + "/token", "userinfo_endpoint": o.URL + "/userinfo",
					"jwks_uri": o.URL + "/jwks", "revocation_endpoint": o.URL + "/revoke"}
				d[member] = beside + "/"
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(d)
				return true
			}
		})
		h := newWebsite(t, rp.Provider("op", o.Provider()))
		b := h.browser()
		a := b.get("/auth/login/op?return=/private/x")
		if m := csrf.FindStringSubmatch(a.body); m != nil {
			b.signOut(m[1], "revoke")
		} else if member == "revocation_endpoint" || member == "userinfo_endpoint" {
			t.Error(member, a)
		}
	}
	// What is no address for a secret is none: the browser's ones, too.
	for _, bad := range []string{"javascript:alert(1)", "http://op.example/authorize", "https://user@op.example/", "//op.example/", "data:text/html,x"} {
		o := optest.New(t)
		o.Set(func() {
			o.Answers = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/.well-known/openid-configuration" {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(map[string]any{"issuer": o.URL, "authorization_endpoint": bad, "token_endpoint": o.URL + "/token", "jwks_uri": o.URL + "/jwks"})
				return true
			}
		})
		if a := newWebsite(t, rp.Provider("op", o.Provider())).browser().once("/auth/login/op"); a.status != 502 || a.header.Get("Location") != "" {
			t.Error(bad, a)
		}
	}
	if called.Load() != 0 {
		t.Error("called inside", called.Load(), "times")
	}
}

// The algorithm is the key's: a public key is no secret to sign with, and no header says otherwise.
func TestAlgorithmConfusion(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signIn("op")
	set, err := jws.NewSet(o.Signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	public, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	good := o.LogoutToken(nil)
	payload := strings.Split(good, ".")[1]
	for _, key := range [][]byte{public, {}, []byte("site-secret")} { // the client secret is no key of the provider's, either
		for _, header := range []string{`{"alg":"HS256","kid":"k1","typ":"logout+jwt"}`, `{"alg":"HS256","typ":"logout+jwt"}`, `{"alg":"hs256","kid":"k1","typ":"logout+jwt"}`} {
			head := b64([]byte(header)) + "." + payload
			m := hmac.New(sha256.New, key)
			m.Write([]byte(head))
			if a := b.backchannel(head + "." + b64(m.Sum(nil))); a.status == 200 {
				t.Error(header)
			}
		}
	}
	parts := strings.Split(good, ".")
	for _, header := range []string{`{"alg":"RS256","kid":"k1","typ":"logout+jwt"}`, `{"alg":"none","typ":"logout+jwt"}`, `{"alg":"ES256","kid":"k1","typ":"logout+jwt","crit":["b64"],"b64":false}`,
		`{"alg":"ES256","typ":"logout+jwt","jwk":{"kty":"EC"}}`, `{"alg":"ES256","typ":"logout+jwt","jku":"` + o.URL + `/jwks"}`} {
		if a := b.backchannel(b64([]byte(header)) + "." + parts[1] + "." + parts[2]); a.status == 200 {
			t.Error(header)
		}
	}
	if !b.signedIn() {
		t.Error("signed out")
	}
}

// Where people return to is here, however it is written.
func TestReturnToIsWrittenInManyWays(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()), rp.Home("/home"))
	for _, to := range []string{"//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\\/evil.example", "/a\\b", "/%09/evil.example", "/%2f%2fevil.example", "/%5cevil.example",
		"/%5c%5cevil.example", "/..//evil.example", "/.//evil.example", "/x/..//evil.example", "/@evil.example", "/:80@evil.example", "https:evil.example", "https:/evil.example", "/\u2028/evil.example",
		"/\u00a0/evil.example", "/x\x00", "/\n/evil.example", " //evil.example", "/ /evil.example", "?x", "#x", "/x#//evil.example", "/http://evil.example", "/x?to=//evil.example"} {
		b := h.browser()
		a := b.once(b.once(b.once("/auth/login/op?return=" + url.QueryEscape(to)).header.Get("Location")).header.Get("Location"))
		at, err := url.Parse(a.header.Get("Location"))
		if err != nil || a.status != 303 || at.Scheme+"://"+at.Host != h.at || at.User != nil || strings.ContainsAny(a.header.Get("Location"), "\\\t\r\n ") {
			t.Errorf("%q: %d %q", to, a.status, a.header.Get("Location"))
		}
		// The link on the page of choice says the same.
		if a := b.get("/auth/?return=" + url.QueryEscape(to)); strings.Contains(a.body, `href="//`) || strings.Contains(a.body, `href="https://evil`) {
			t.Errorf("%q: %s", to, a.body)
		}
	}
}

// Nothing that a browser fetches by itself ends anything.
func TestPrefetchEndsNothing(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signIn("op")
	to := "/auth/logout/op/frontchannel?" + url.Values{"iss": {o.URL}, "sid": {"sid-1"}}.Encode()
	for _, header := range []string{"prefetch", "prefetch;prerender"} {
		if a := b.send("GET", to, "", map[string]string{"Sec-Purpose": header}); a.status != 400 || !b.signedIn() {
			t.Error(header, a)
		}
	}
	if a := b.get(to); a.status != 200 || b.signedIn() {
		t.Error(a)
	}
}

// A session id that somebody else chose is none: the sign-in makes a new one, and the old name of it stays nothing.
func TestFixation(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b, thief := h.browser(), h.browser()
	planted := &http.Cookie{Name: "rp-session", Value: strings.Repeat("a", 43), Path: "/"}
	b.c.Jar.SetCookies(mustURL(h.at), []*http.Cookie{planted})
	thief.c.Jar.SetCookies(mustURL(h.at), []*http.Cookie{planted})
	if b.signIn("op"); !b.signedIn() || thief.signedIn() {
		t.Error("the planted id is signed in")
	}
	// An attacker's own session in the victim's browser is left by the victim's sign-in, and not shared.
	mallory := h.browser()
	o.Set(func() { o.Sub = "mallory-at-op" })
	mallory.signIn("op")
	o.Set(func() { o.Sub = "alice-at-op" })
	victim := h.browser()
	victim.c.Jar.SetCookies(mustURL(h.at), mallory.cookies())
	if victim.signIn("op"); !strings.Contains(victim.get("/private/x").body, "user=user-1") || mallory.signedIn() {
		t.Error("the session is shared")
	}
}

// A cookie that comes twice has two owners, and one of them is not this website: nobody is signed in by either.
func TestTwoSessionCookies(t *testing.T) {
	h := newWebsite(t, rp.Provider("op", optest.New(t).Provider()))
	b := h.browser()
	b.signIn("op")
	for _, c := range b.cookies() {
		if c.Name != "rp-session" {
			continue
		}
		for _, pair := range []string{c.Name + "=" + c.Value, c.Name + "=" + c.Value + "; " + c.Name + "=" + strings.Repeat("x", 43)} {
			a := (&browser{h, &http.Client{}}).send("GET", "/private/", "", map[string]string{"Cookie": pair, "Sec-Fetch-Mode": "cors"})
			if one := !strings.Contains(pair, ";"); (a.status == 200) != one || (a.status == 401) == one {
				t.Errorf("%q: %d", pair, a.status)
			}
		}
	}
}

// small is a store in which few round trips have room.
type small struct {
	rp.Store
	most    int
	trimmed atomic.Int32
}

func (s *small) TrimAttempts(ctx context.Context, most int) error {
	s.trimmed.Add(1)
	if most != 50_000 {
		return errBroken
	}
	return s.Store.TrimAttempts(ctx, s.most)
}

// Whoever asks for /auth/login without end fills nothing: the oldest round trips make room, and who begins now gets through.
func TestRoundTripsAreBounded(t *testing.T) {
	o := optest.New(t)
	st := &small{Store: rptest.NewMemory(), most: 20}
	h := newWebsiteOn(t, st, rp.Provider("op", o.Provider()))
	state := func() rp.Hash {
		u, err := url.Parse(h.browser().once("/auth/login/op").header.Get("Location"))
		if err != nil || u.Query().Get("state") == "" {
			t.Fatal(u, err)
		}
		return sha256.Sum256([]byte(u.Query().Get("state")))
	}
	var all []rp.Hash
	for range 1000 {
		all = append(all, state())
		h.forward(time.Millisecond)
	}
	h.browser().signIn("op")
	kept := 0
	for _, s := range all {
		if err := st.PostAttempt(t.Context(), s, []byte("x"), h.now()); err == nil {
			kept++
		} else if !errors.Is(err, rp.ErrNone) {
			t.Fatal(err)
		}
	}
	if kept > st.most+256 || st.trimmed.Load() != 4 {
		t.Error(kept, "of 1000 are kept; trimmed", st.trimmed.Load(), "times")
	}
}

// long says how long what was POSTed is.
type long struct {
	rp.Store
	posted atomic.Int32
}

func (s *long) PostAttempt(ctx context.Context, state rp.Hash, posted []byte, now time.Time) error {
	s.posted.Store(int32(len(posted)))
	return s.Store.PostAttempt(ctx, state, posted, now)
}

// A POSTed answer is anybody's word, and is not kept if it is long.
func TestPostedAnswersAreShort(t *testing.T) {
	o := optest.New(t)
	st := &long{Store: rptest.NewMemory()}
	h := newWebsiteOn(t, st, rp.Provider("op", o.Provider()))
	b := h.browser()
	to := mustURL(b.click("/auth/login/op").header.Get("Location"))
	h.browser().send("POST", "/auth/callback/op", url.Values{"state": {to.Query().Get("state")}, "code": {strings.Repeat("c", 60<<10)}}.Encode(), nil)
	if n := st.posted.Load(); n == 0 || n > 5<<10 {
		t.Error("kept", n, "bytes")
	}
}
