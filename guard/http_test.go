package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exeunt.dev/exeunttest"
)

func TestRequire(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	g := caughtUp(t, iss)
	good := iss.Token(exeunttest.Scope("orders:read", "orders:write"))
	ended := iss.Token(exeunttest.Scope("orders:read"))
	wantErr(t, g, ended, nil)
	iss.EndToken(ended)
	catchUp(t, g)
	h := g.Require("orders:read", "orders:write")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, ok := FromContext(r.Context())
		fmt.Fprint(w, ok, tok.Subject())
	}))
	const bare, bad = `Bearer realm="https://api.test"`, `Bearer error="invalid_token", error_description="Access Token is not valid"`
	malformed := `Bearer error="invalid_request", error_description="The Authorization header is malformed or repeated"`
	for name, c := range map[string]struct {
		auth   []string
		status int
		want   string
	}{
		"good":               {[]string{"Bearer " + good}, 200, ""},
		"scheme in capitals": {[]string{"BEARER " + good}, 200, ""},
		"more blanks":        {[]string{"bearer   " + good}, 200, ""},
		"none":               {nil, 401, bare},
		"Basic":              {[]string{"Basic YTpi"}, 401, bare},
		"DPoP":               {[]string{"DPoP " + good}, 401, `DPoP error="invalid_token", error_description="Access Token is not valid", algs="ES256 EdDSA Ed25519 RS256 PS256"`},
		"scheme run on":      {[]string{"Bearer" + good}, 401, bare},
		"no token":           {[]string{"Bearer"}, 400, malformed},
		"blank token":        {[]string{"Bearer  "}, 400, malformed},
		"two in one":         {[]string{"Bearer " + good + ", Bearer " + good}, 400, malformed},
		"two tokens":         {[]string{"Bearer " + good + " " + good}, 400, malformed},
		"two headers":        {[]string{"Bearer " + good, "Bearer " + good}, 400, malformed},
		"quote":              {[]string{`Bearer "` + good + `"`}, 400, malformed},
		"forged":             {[]string{"Bearer " + good[:len(good)-4] + "AAAA"}, 401, bad},
		"padding":            {[]string{"Bearer " + good + "="}, 401, bad},
		"ended":              {[]string{"Bearer " + ended}, 401, `Bearer error="invalid_token", error_description="Access Token has been revoked"`},
		"expired":            {[]string{"Bearer " + iss.Token(exeunttest.Set("exp", 1_700_000_000))}, 401, `Bearer error="invalid_token", error_description="Access Token has expired"`},
		"bound":              {[]string{"Bearer " + iss.Token(exeunttest.Set("cnf", map[string]string{"jkt": "x"}))}, 401, `Bearer error="invalid_token", error_description="Access Token is bound and the binding was not proved"`},
		"scope missing":      {[]string{"Bearer " + iss.Token(exeunttest.Scope("orders:read"))}, 403, `Bearer error="insufficient_scope", error_description="Access Token lacks a scope", scope="orders:read orders:write"`},
	} {
		t.Run(name, func(t *testing.T) {
			// Query and body are never looked at (RFC 6750 sections 2.2 and 2.3).
			r := httptest.NewRequest("POST", "/orders?access_token="+good, strings.NewReader("access_token="+good))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header["Authorization"] = c.auth
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status || w.Header().Get("WWW-Authenticate") != c.want {
				t.Errorf("%d %q\nwant %d %q", w.Code, w.Header().Get("WWW-Authenticate"), c.status, c.want)
			}
			if refused := w.Code != 200; refused != (w.Header().Get("Cache-Control") == "no-store") || !refused && w.Body.String() != "truealice" {
				t.Errorf("%v %q", w.Header(), w.Body)
			}
		})
	}
}

func TestStaleIs503(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	var clock handClock
	g := made(t, iss, clock.option())
	raw := iss.Token()
	h := g.Require()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, when := range []string{"not started", "stale"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+raw)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 503 || w.Header().Get("Retry-After") != "1" || w.Header().Get("WWW-Authenticate") != "" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", when, w.Code, w.Header())
		}
		if err := g.keys.refresh(); err != nil {
			t.Fatal(err)
		}
		catchUp(t, g)
		wantErr(t, g, raw, nil)
		clock.mono.Add(int64(time.Minute))
	}
	w := httptest.NewRecorder()
	g.Deny(w, errors.New("of somebody else"))
	if w.Code != 503 {
		t.Errorf("unknown error: %d", w.Code)
	}
}

// A request under way ends with its token, and so does one that waits for a check when its client leaves.
func TestRequestEndsWithItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		g := running(t, iss)
		raw := iss.Token()
		why := make(chan error)
		h := g.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			why <- context.Cause(r.Context())
		}))
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+raw)
		go h.ServeHTTP(httptest.NewRecorder(), r)
		synctest.Wait()
		iss.EndToken(raw)
		if err := <-why; !errors.Is(err, ErrEnded) {
			t.Errorf("%v", err)
		}
		synctest.Wait()
		if n := len(g.watches.entries()); n != 0 {
			t.Errorf("%d still watched", n)
		}
	})
}

func FuzzBearer(f *testing.F) {
	f.Add("Bearer abc.def-_~+/=")
	f.Add("bearer  x")
	f.Fuzz(func(t *testing.T, in string) {
		tok, _, err := authorization(http.Header{"Authorization": {in}})
		if err == nil && (tok == "" || strings.ContainsAny(tok, " \t,\"") || !strings.HasSuffix(strings.TrimRight(in, " "), tok)) {
			t.Errorf("%q gave %q", in, tok)
		}
	})
}
