package edge_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"exeunt.dev/internal/caller"
	"exeunt.dev/internal/edge"
)

// With Forwarded chosen, nothing in the other headers counts, and the nearest proxy says by which scheme it was asked.
func TestForwarded(t *testing.T) {
	for name, c := range map[string]struct {
		peer, forwarded string
		ip              string
		https           bool
	}{
		"by the proxy":            {"10.0.0.1:5", `for=198.51.100.1;proto=https`, "198.51.100.1", true},
		"the nearest one says it": {"10.0.0.1:5", `for=203.0.113.9;proto=https, for="[2001:db8::7]:1";proto=http`, "2001:db8::7", false},
		"by a stranger":           {"192.0.2.1:5", `for=198.51.100.1;proto=https`, "192.0.2.1", false},
		"nothing":                 {"10.0.0.1:5", "", "10.0.0.1", false},
	} {
		r := httptest.NewRequest("GET", "/x", nil)
		r.RemoteAddr = c.peer
		r.Header.Set("Forwarded", c.forwarded)
		r.Header.Set("X-Forwarded-For", "203.0.113.200")
		r.Header.Set("X-Forwarded-Proto", "https")
		var got edge.Info
		edge.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = edge.Client(r) }), edge.Options{
			Log: slog.New(slog.DiscardHandler), Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Proxies: caller.Forwarded,
		}).ServeHTTP(httptest.NewRecorder(), r)
		if got.IP.String() != c.ip || got.HTTPS != c.https {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAuthorization(t *testing.T) {
	for name, c := range map[string]struct {
		given         []string
		scheme, token string
	}{
		"none": {nil, "", ""}, "bearer": {[]string{"bearer  abc "}, "Bearer", "abc"}, "DPoP": {[]string{"dpop abc"}, edge.DPoP, "abc"},
		"Basic": {[]string{"Basic abc"}, "", ""}, "two": {[]string{"DPoP a", "Bearer b"}, "", ""}, "no token": {[]string{"DPoP "}, "", ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Authorization"] = c.given
		if scheme, token := edge.Authorization(r); scheme != c.scheme || token != c.token {
			t.Errorf("%s: %q %q", name, scheme, token)
		}
	}
}
