package guard

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"exeunt.dev/exeunttest"
	"exeunt.dev/ledger"
)

// request is one to the API under test, as it comes over the wire.
func request(method, path string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr = "192.0.2.7:4711"
	return r
}

// owner holds a key.
type owner struct{ *exeunttest.Key }

func (o owner) ask(token, method, path string, claims ...exeunttest.Claim) *http.Request {
	r := request(method, path)
	r.Header.Set("Authorization", "DPoP "+token)
	r.Header.Set("DPoP", o.Proof(method, "https://api.test"+path, token, claims...))
	return r
}

// What somebody may try who has a token that is bound to another's key, or an old proof.
func TestBoundToKey(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	strayed := 0
	g := caughtUp(t, iss, Observe(func(e Event) {
		if e.Kind == Refused && errors.Is(e.Err, ErrBound) {
			strayed++
		}
	}))
	me, thief := owner{iss.NewKey()}, owner{iss.NewKey()}
	mine := iss.Token(exeunttest.BoundTo(me.Key))
	another := iss.Token(exeunttest.BoundTo(me.Key))
	plain := iss.Token()
	wantErr(t, g, mine, ErrBound)

	now := iss.Now().Unix()
	replayed := me.ask(mine, "GET", "/orders")
	with := func(r *http.Request, f func(*http.Request)) *http.Request { f(r); return r }
	for _, c := range []struct {
		name    string
		r       *http.Request
		want    error
		strayed int
	}{
		{"good", me.ask(mine, "GET", "/orders"), nil, 0},
		{"good, another proof", me.ask(mine, "GET", "/orders"), nil, 0},
		{"to be replayed", replayed, nil, 0},
		{"replayed", replayed, ErrProof, 0},
		{"stolen, with a proof by another key", thief.ask(mine, "GET", "/orders"), ErrBound, 1},
		{"stolen, as Bearer", with(me.ask(mine, "GET", "/orders"), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+mine) }), ErrBound, 1},
		{"no proof", with(me.ask(mine, "GET", "/orders"), func(r *http.Request) { r.Header.Del("DPoP") }), ErrProof, 0},
		{"two proofs", with(me.ask(mine, "GET", "/orders"), func(r *http.Request) { r.Header.Add("DPoP", r.Header.Get("DPoP")) }), ErrProof, 0},
		{"proof for another token", with(me.ask(another, "GET", "/orders"), func(r *http.Request) { r.Header.Set("Authorization", "DPoP "+mine) }), ErrProof, 0},
		{"proof for no token", me.ask(mine, "GET", "/orders", exeunttest.Without("ath")), ErrProof, 0},
		{"proof for another path", me.ask(mine, "GET", "/orders", exeunttest.Set("htu", "https://api.test/invoices")), ErrProof, 0},
		{"proof for another API", me.ask(mine, "GET", "/orders", exeunttest.Set("htu", "https://evil.test/orders")), ErrProof, 0},
		{"proof for another API, and its name", with(me.ask(mine, "GET", "/orders", exeunttest.Set("htu", "https://evil.test/orders")), func(r *http.Request) { r.Host = "evil.test" }), ErrProof, 0},
		{"proof for another method", me.ask(mine, "POST", "/orders", exeunttest.Set("htm", "GET")), ErrProof, 0},
		{"old", me.ask(mine, "GET", "/orders", exeunttest.Set("iat", now-62)), ErrProof, 0},
		{"ahead", me.ask(mine, "GET", "/orders", exeunttest.Set("iat", now+62)), ErrProof, 0},
		{"address in other letters", me.ask(mine, "GET", "/orders?x=1", exeunttest.Set("htu", "HTTPS://API.test:443/%6frders#f")), nil, 0},
		{"an unbound token in the scheme", me.ask(plain, "GET", "/orders"), ErrInvalid, 0},
		{"an unbound token", with(request("GET", "/orders"), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+plain) }), nil, 0},
	} {
		strayed = 0
		tok, err := g.CheckRequest(c.r)
		if !errors.Is(err, c.want) || (err == nil) != (tok != nil) || strayed != c.strayed {
			t.Errorf("%s: %v, %v, %d events; want %v", c.name, tok, err, strayed, c.want)
		}
	}

	iss.EndToken(mine)
	catchUp(t, g)
	if _, err := g.CheckRequest(me.ask(mine, "GET", "/orders")); !errors.Is(err, ErrEnded) {
		t.Errorf("ended: %v", err)
	}
	wantErr(t, g, mine, ErrEnded)
}

// What cnf may say that is no bond, or one that nobody here can check, is never admitted, as a known one is not by a check that
// cannot see.
func TestBoundToTheUnknown(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	g := caughtUp(t, iss)
	me := owner{iss.NewKey()}
	for name, cnf := range map[string]any{
		"null": nil, "nothing": map[string]any{}, "a text": "x", "a certificate": map[string]any{"x5t#S256": "x"},
		"a certificate too": map[string]any{"jkt": me.Thumbprint(), "x5t#S256": "x"}, "no thumbprint": map[string]any{"jkt": "x"},
		"no network": map[string]any{"exeunt.dev/address": "192.0.2.7"}, "a mapped network": map[string]any{"exeunt.dev/address": "::ffff:192.0.2.0/120"},
		"a key as number": map[string]any{"jkt": 1},
	} {
		raw := iss.Token(exeunttest.Set("cnf", cnf))
		wantErr(t, g, raw, ErrBound)
		r := request("GET", "/")
		r.Header.Set("Authorization", "Bearer "+raw)
		if _, err := g.CheckRequest(r); !errors.Is(err, ErrBound) {
			t.Errorf("%s as Bearer: %v", name, err)
		}
		if _, err := g.CheckRequest(me.ask(raw, "GET", "/")); !errors.Is(err, ErrBound) {
			t.Errorf("%s by DPoP: %v", name, err)
		}
	}
}

func TestBoundToAddress(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	direct := caughtUp(t, iss)
	behind := caughtUp(t, iss, TrustedProxies(XForwardedFor, netip.MustParsePrefix("10.0.0.0/8")))
	rfc7239 := caughtUp(t, iss, TrustedProxies(Forwarded, netip.MustParsePrefix("10.0.0.0/8")))
	net := exeunttest.BoundToAddress(netip.MustParsePrefix("192.0.2.0/24"))
	raw := iss.Token(net)
	six := iss.Token(exeunttest.BoundToAddress(netip.MustParsePrefix("2001:db8::/56")))
	wantErr(t, direct, raw, ErrBound)
	for _, c := range []struct {
		name, remote string
		g            *Guard
		raw          string
		header       []string
		want         error
	}{
		{"there", "192.0.2.99:1", direct, raw, nil, nil},
		{"there, mapped", "[::ffff:192.0.2.99]:1", direct, raw, nil, nil},
		{"elsewhere", "198.51.100.1:1", direct, raw, nil, ErrBound},
		{"no address", "@", direct, raw, nil, ErrBound},
		{"pretended, no proxy trusted", "198.51.100.1:1", direct, raw, []string{"X-Forwarded-For", "192.0.2.99", "Forwarded", "for=192.0.2.99"}, ErrBound},
		{"by a proxy", "10.0.0.1:1", behind, raw, []string{"X-Forwarded-For", "203.0.113.5, 192.0.2.99"}, nil},
		{"pretended through a proxy", "10.0.0.1:1", behind, raw, []string{"X-Forwarded-For", "192.0.2.99, 203.0.113.5"}, ErrBound},
		{"pretended in the other header", "10.0.0.1:1", behind, raw, []string{"X-Forwarded-For", "203.0.113.5", "Forwarded", "for=192.0.2.99"}, ErrBound},
		{"past the proxy", "198.51.100.1:1", behind, raw, []string{"X-Forwarded-For", "192.0.2.99"}, ErrBound},
		{"Forwarded", "10.0.0.1:1", rfc7239, raw, []string{"Forwarded", `for=203.0.113.5, for="192.0.2.99:4711"`}, nil},
		{"Forwarded, pretended", "10.0.0.1:1", rfc7239, raw, []string{"X-Forwarded-For", "192.0.2.99", "Forwarded", "for=203.0.113.5"}, ErrBound},
		{"IPv6", "[2001:db8:0:ff::1]:1", direct, six, nil, nil},
		{"IPv6, elsewhere", "[2001:db8:0:100::1]:1", direct, six, nil, ErrBound},
		{"IPv4 for IPv6", "192.0.2.99:1", direct, six, nil, ErrBound},
	} {
		r := request("GET", "/")
		r.RemoteAddr = c.remote
		r.Header.Set("Authorization", "Bearer "+c.raw)
		for i := 0; i < len(c.header); i += 2 {
			r.Header.Set(c.header[i], c.header[i+1])
		}
		for range 2 { // first sight and again
			if _, err := c.g.CheckRequest(r); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
	}

	me := owner{iss.NewKey()}
	both := iss.Token(net, exeunttest.BoundTo(me.Key))
	if _, err := direct.CheckRequest(me.ask(both, "GET", "/")); err != nil {
		t.Error("key and address:", err)
	}
	r := me.ask(both, "GET", "/")
	r.RemoteAddr = "198.51.100.1:1"
	if _, err := direct.CheckRequest(r); !errors.Is(err, ErrBound) {
		t.Error("key without address:", err)
	}
}

func TestProofNonces(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	key := []byte(strings.Repeat("k", 32))
	g, other := caughtUp(t, iss, ProofNonces(key)), caughtUp(t, iss, ProofNonces(key))
	me := owner{iss.NewKey()}
	raw := iss.Token(exeunttest.BoundTo(me.Key), exeunttest.Scope("a"))
	h := g.Require("a")(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "in") }))
	ask := func(claims ...exeunttest.Claim) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, me.ask(raw, "GET", "/", claims...))
		return w
	}
	w := ask()
	nonce := w.Header().Get("DPoP-Nonce")
	if w.Code != 401 || nonce == "" || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), `DPoP error="use_dpop_nonce", `) {
		t.Errorf("without: %d %v", w.Code, w.Header())
	}
	if w = ask(exeunttest.Nonce(nonce)); w.Code != 200 || w.Header().Get("DPoP-Nonce") == "" {
		t.Errorf("with: %d %v", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	g.Require("b")(h).ServeHTTP(w, me.ask(raw, "GET", "/", exeunttest.Nonce(nonce)))
	if w.Code != 403 || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), `DPoP error="insufficient_scope", `) {
		t.Errorf("without a scope: %d %v", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, request("GET", "/"))
	if c := w.Header().Values("WWW-Authenticate"); w.Code != 401 || len(c) != 2 || !strings.HasPrefix(c[0], "Bearer realm=") || !strings.HasPrefix(c[1], `DPoP algs="ES256 `) {
		t.Errorf("without a token: %d %q", w.Code, c)
	}
	if _, err := other.CheckRequest(me.ask(raw, "GET", "/", exeunttest.Nonce(nonce))); err != nil {
		t.Error("the same key in another process:", err)
	}
	stranger := caughtUp(t, iss, ProofNonces([]byte(strings.Repeat("x", 32))))
	if _, err := stranger.CheckRequest(me.ask(raw, "GET", "/", exeunttest.Nonce(nonce))); !errors.Is(err, ErrNonce) {
		t.Error("another API's nonce:", err)
	}
	late := exeunttest.Set("iat", iss.Now().Add(-4*time.Minute).Unix())
	if w = ask(exeunttest.Nonce(nonce), late); w.Code != 200 {
		t.Errorf("a clock that is late: %d %v", w.Code, w.Header())
	}
	iss.Advance(2 * time.Minute)
	catchUp(t, g)
	if w = ask(exeunttest.Nonce(nonce)); w.Code != 401 || w.Header().Get("DPoP-Nonce") == nonce {
		t.Errorf("old: %d %v", w.Code, w.Header())
	}
}

func TestExternalURL(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	me := owner{iss.NewKey()}
	raw := iss.Token(exeunttest.BoundTo(me.Key))
	for _, c := range []struct {
		external []Option
		htu      string
		want     error
	}{
		{nil, "https://api.test/orders", nil},
		{[]Option{ExternalURL("https://www.test/api/")}, "https://www.test/api/orders", nil},
		{[]Option{ExternalURL("https://www.test/api")}, "https://www.test/orders", ErrProof},
		{[]Option{ExternalURL("https://www.test/api")}, "https://api.test/orders", ErrProof},
		{[]Option{ExternalURL("https://www.test", "http://127.0.0.1:8080")}, "http://127.0.0.1:8080/orders", nil},
	} {
		g := caughtUp(t, iss, c.external...)
		inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := g.CheckRequest(r); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.htu, err, c.want)
			}
		})
		http.StripPrefix("/orders", inner).ServeHTTP(httptest.NewRecorder(), me.ask(raw, "GET", "/orders", exeunttest.Set("htu", c.htu)))
	}
	named, err := New(iss.URL, Audience("orders"), Credentials("a", "b"))
	if err != nil || len(named.addressesOf(request("GET", "/"))) != 0 {
		t.Error("a name is no address", err)
	}
	for name, o := range map[string]Option{
		"no address": ExternalURL("orders"), "with a query": ExternalURL("https://a.test/?x"), "everybody": TrustedProxies(Forwarded, netip.MustParsePrefix("0.0.0.0/0")),
		"no header": TrustedProxies("X-Real-IP"), "short key": ProofNonces(make([]byte, 31)), "no window": ProofWindow(0), "endless window": ProofWindow(time.Hour),
		"no memory": ProofBytes(1),
	} {
		if _, err := New(iss.URL, Audience("a"), Credentials("a", "b"), o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// A stream that was opened with a proof ends with its token.
func TestBoundTokenIsWatched(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	g := caughtUp(t, iss)
	me := owner{iss.NewKey()}
	session := ledger.NewName()
	tok, err := g.CheckRequest(me.ask(iss.Token(exeunttest.BoundTo(me.Key), exeunttest.HangsOn(session)), "GET", "/"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := g.Watch(t.Context(), tok)
	defer stop()
	iss.End(session)
	catchUp(t, g)
	if ctx.Err() == nil {
		t.Error("it goes on")
	}
}
