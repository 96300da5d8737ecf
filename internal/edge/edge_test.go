package edge_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"exeunt.dev/internal/edge"
)

const formType = "application/x-www-form-urlencoded"

func post(body, kind string) *http.Request {
	r := httptest.NewRequest("POST", "/x", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	return r
}

func statusOf(err error) int {
	var e *edge.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

func TestForm(t *testing.T) {
	for name, c := range map[string]struct {
		body, kind string
		status     int
	}{
		"good":              {"a=1&b=%C3%A4", formType, 0},
		"with a charset":    {"a=1", formType + "; charset=UTF-8", 0},
		"repeatable":        {"resource=1&resource=2", formType, 0},
		"no type":           {"a=1", "", 415},
		"another type":      {"a=1", "multipart/form-data", 415},
		"broken type":       {"a=1", "application/;;", 415},
		"twice":             {"a=1&a=1", formType, 400},
		"twice, one empty":  {"a=1&a=", formType, 400},
		"semicolons":        {"a=1;b=2", formType, 400},
		"half an escape":    {"a=%4", formType, 400},
		"invalid UTF-8":     {"a=%ff", formType, 400},
		"invalid name":      {"%ff=a", formType, 400},
		"NUL":               {"a=%00", formType, 400},
		"as large as it is": {"a=" + strings.Repeat("x", edge.MaxBody-2), formType, 0},
		"too large":         {"a=" + strings.Repeat("x", edge.MaxBody-1), formType, 413},
		"a lot of fields":   {strings.Repeat("&a", edge.MaxBody/2+1), formType, 413},
	} {
		v, err := edge.Form(httptest.NewRecorder(), post(c.body, c.kind), "resource")
		if statusOf(err) != c.status || (err == nil) != (c.status == 0) {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	// What stands in the address is no part of the form.
	r := httptest.NewRequest("POST", "/x?a=evil", strings.NewReader("b=1"))
	r.Header.Set("Content-Type", formType)
	if v, err := edge.Form(httptest.NewRecorder(), r); err != nil || v.Has("a") || v.Get("b") != "1" {
		t.Error(v, err)
	}
}

// FuzzForm: whatever comes in, what comes out is valid, single and small.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"a=1", "a=1&a=2", "%ff", "a=%00", ";", "a=%", "resource=1&resource=2", strings.Repeat("a&", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		v, err := edge.Form(httptest.NewRecorder(), post(body, formType), "resource")
		if err != nil {
			if statusOf(err) < 400 {
				t.Fatal(err)
			}
			return
		}
		for name, all := range v {
			if len(all) != 1 && name != "resource" {
				t.Fatalf("%q is there %d times", name, len(all))
			}
			for _, text := range append(all, name) {
				if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
					t.Fatalf("%q", text)
				}
			}
		}
	})
}

func TestJSON(t *testing.T) {
	for name, c := range map[string]struct {
		body, kind string
		status     int
	}{
		"good":          {`{"a":"1","unknown":2}`, "application/json", 0},
		"another type":  {`{"a":"1"}`, "text/plain", 415},
		"no object":     {`[1]`, "application/json", 400},
		"two":           {`{"a":"1"}{"a":"2"}`, "application/json", 400},
		"wrong kind":    {`{"a":1}`, "application/json", 400},
		"invalid UTF-8": {"{\"a\":\"\xff\"}", "application/json", 400},
		"NUL":           {`{"a":"\u0000"}`, "application/json", 400},
		"nothing":       {"", "application/json", 400},
		"deep":          {strings.Repeat("[", 20000), "application/json", 400},
		"large":         {`{"a":"` + strings.Repeat("x", edge.MaxBody) + `"}`, "application/json", 413},
	} {
		var into struct{ A string }
		if err := edge.DecodeJSON(httptest.NewRecorder(), post(c.body, c.kind), &into); statusOf(err) != c.status || (err == nil) != (c.status == 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSameOrigin(t *testing.T) {
	const ours = "https://id.example.com"
	for name, c := range map[string]struct {
		site, origin string
		ok           bool
	}{
		"our page":                       {"same-origin", ours, true},
		"another site":                   {"cross-site", "https://evil.example", false},
		"another subdomain":              {"same-site", "https://app.example.com", false},
		"typed into the address bar":     {"none", "", false},
		"an old browser, our page":       {"", ours, true},
		"an old browser, another":        {"", "https://evil.example", false},
		"a sandboxed frame":              {"", "null", false},
		"what is said twice contradicts": {"cross-site", ours, false},
		"a program":                      {"", "", true}, // it still needs the CSRF token
	} {
		r := httptest.NewRequest("POST", "/x", nil)
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if err := edge.SameOrigin(r, ours); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The caller's address is the peer's, unless that is a proxy which is trusted; what the caller invents is passed over.
func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		peer, forwarded, proto, ip string
		https                      bool
	}{
		"no proxy":               {"192.0.2.1:5", "", "", "192.0.2.1", false},
		"spoofed by a stranger":  {"192.0.2.1:5", "198.51.100.1", "https", "192.0.2.1", false},
		"one proxy":              {"10.0.0.1:5", "198.51.100.1", "https", "198.51.100.1", true},
		"spoofed through it":     {"10.0.0.1:5", "203.0.113.9, 198.51.100.1", "https", "198.51.100.1", true},
		"two proxies":            {"10.0.0.1:5", "203.0.113.9, 198.51.100.1, 10.0.0.2", "", "198.51.100.1", false},
		"proxies all the way":    {"10.0.0.1:5", "10.0.0.3, 10.0.0.2", "", "10.0.0.3", false},
		"nonsense":               {"10.0.0.1:5", "who knows", "", "10.0.0.1", false},
		"nonsense in the middle": {"10.0.0.1:5", "198.51.100.1, x, 10.0.0.2", "", "10.0.0.2", false},
		"IPv6":                   {"[fd00::1]:5", "2001:db8::7", "", "2001:db8::7", false},
		"v4 in v6":               {"[::ffff:10.0.0.1]:5", "198.51.100.1", "", "198.51.100.1", false},
	} {
		r := httptest.NewRequest("GET", "/x", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if c.proto != "" {
			r.Header.Set("X-Forwarded-Proto", c.proto)
		}
		var got edge.Info
		edge.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = edge.Client(r) }),
			edge.Options{Log: slog.New(slog.DiscardHandler), Trusted: trusted}).ServeHTTP(httptest.NewRecorder(), r)
		if got.IP.String() != c.ip || got.HTTPS != c.https {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// One event for each request, on one line, without a secret in it.
func TestWideEvent(t *testing.T) {
	const secret = "hunter2hunter2"
	var log bytes.Buffer
	h := edge.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 3 { // a stream asks again and again who follows it
			edge.Note(r.Context(), "client", "books\n{\"level\":\"INFO\"}")
		}
		io.WriteString(w, "ok")
	}), edge.Options{Log: slog.New(slog.NewJSONHandler(&log, nil)), HTTPS: true})
	r := httptest.NewRequest("POST", "/oauth2/token/%0aFAKE?code="+secret, strings.NewReader("password="+secret))
	for _, name := range []string{"Authorization", "Cookie", "User-Agent", "Referer", "X-CSRFToken"} {
		r.Header.Set(name, secret)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if strings.Contains(log.String(), secret) || strings.Count(log.String(), "\n") != 1 || strings.Count(log.String(), `"client"`) != 1 {
		t.Errorf("the log: %s", &log)
	}
	for _, part := range []string{`"status":200`, `"method":"POST"`, `"bytes":2`, w.Header().Get("X-Request-Id")} {
		if part == "" || !strings.Contains(log.String(), part) {
			t.Errorf("the log has no %s: %s", part, &log)
		}
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=31536000"} {
		if w.Header().Get(name) != want {
			t.Errorf("%s: %q", name, w.Header().Get(name))
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	var log bytes.Buffer
	h := edge.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the secret of the panic") }), edge.Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "the secret of the panic") {
		t.Error("nobody learns of it")
	}
}

// The limiter forgets the key used longest ago first, whatever number of keys an attacker brings.
func TestLimiter(t *testing.T) {
	l := edge.NewLimiter(time.Hour, 2, 100)
	for i := range 3 {
		if ok, wait := l.Allow("victim"); ok != (i < 2) || (wait > 0) != (i == 2) {
			t.Fatalf("turn %d: %v, wait %v", i, ok, wait)
		}
	}
	for i := range 99 {
		l.Allow(fmt.Sprint(i))
	}
	if ok, _ := l.Allow("victim"); ok {
		t.Error("forgotten although there was room")
	}
	for i := range 200 {
		l.Allow(fmt.Sprint("more", i))
	}
	if ok, _ := l.Allow("victim"); !ok {
		t.Error("memory is not bounded")
	}
}

func TestCORS(t *testing.T) {
	h := edge.CORS(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "body") }),
		func(origin string, _ *http.Request) bool { return origin == "https://spa.example" })
	for _, c := range []struct {
		method, origin, allowed string
		status                  int
	}{
		{"GET", "https://spa.example", "https://spa.example", 200}, {"OPTIONS", "https://spa.example", "https://spa.example", 204},
		{"GET", "https://evil.example", "", 200}, {"OPTIONS", "https://evil.example", "", 204}, {"GET", "", "", 200}, {"GET", "null", "", 200},
	} {
		r := httptest.NewRequest(c.method, "/x", nil)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Access-Control-Allow-Origin") != c.allowed || w.Header().Get("Access-Control-Allow-Credentials") != "" || w.Header().Get("Vary") != "Origin" {
			t.Errorf("%s from %q: %d %v", c.method, c.origin, w.Code, w.Header())
		}
	}
}

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{"Bearer abc": "abc", "bearer abc": "abc", "Bearer  abc ": "abc", "Basic abc": "", "Bearer": "", "": "", "Bearerabc": ""} {
		r := httptest.NewRequest("GET", "/x", nil)
		r.Header.Set("Authorization", header)
		if got := edge.Bearer(r); got != want {
			t.Errorf("%q: %q", header, got)
		}
	}
	r := httptest.NewRequest("GET", "/x", nil)
	r.Header["Authorization"] = []string{"Bearer a", "Bearer b"}
	if edge.Bearer(r) != "" {
		t.Error("two tokens at once")
	}
}
