package edge_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

func TestQuery(t *testing.T) {
	for raw, status := range map[string]int{
		"a=1&b=2": 0, "resource=1&resource=2": 0, "": 0, "a=1&a=1": 400, "a=1;b=2": 400, "a=%ff": 400, "a=%00": 400, "a=%zz": 400, "%00=a": 400,
	} {
		v, err := edge.Query(&http.Request{URL: &url.URL{RawQuery: raw}}, "resource")
		if statusOf(err) != status || (err == nil) != (status == 0) {
			t.Errorf("%q: %v, %v", raw, v, err)
		}
	}
}

// Whoever has a network of IPv6 addresses is one caller, and an IPv4 address is one however it is written.
func TestNeighbourhood(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
		{"192.0.2.1", "192.0.2.2", false},
	} {
		a, b := edge.Neighbourhood(netip.MustParseAddr(c.a)), edge.Neighbourhood(netip.MustParseAddr(c.b))
		if (a == b) != c.same || a == "" {
			t.Errorf("%s and %s: %q, %q", c.a, c.b, a, b)
		}
	}
	l := edge.NewLimiter(time.Hour, 10, 1000)
	for i := range 20 {
		ip := netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1))
		if ok, _ := l.Allow(edge.Neighbourhood(ip)); ok != (i < 10) {
			t.Fatalf("address %d of one network: %v", i, ok)
		}
	}
	// Behind a proxy v4 in v6 is the v4 address: no second set of attempts.
	r := httptest.NewRequest("GET", "/x", nil)
	r.RemoteAddr = "[fd00::1]:5"
	r.Header["X-Forwarded-For"] = []string{"203.0.113.9", "::ffff:198.51.100.1"} // two lines are one list
	var got edge.Info
	edge.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = edge.Client(r) }),
		edge.Options{Log: slog.New(slog.DiscardHandler), Trusted: []netip.Prefix{netip.MustParsePrefix("fd00::/8")}}).ServeHTTP(httptest.NewRecorder(), r)
	if got.IP != netip.MustParseAddr("198.51.100.1") {
		t.Error(got.IP)
	}
}

// A limiter has as many turns for all goroutines together as it has.
func TestLimiterTogether(t *testing.T) {
	l := edge.NewLimiter(time.Hour, 100, 10)
	ok := make(chan bool)
	for range 400 {
		go func() { a, _ := l.Allow("one"); ok <- a }()
	}
	n := 0
	for range 400 {
		if <-ok {
			n++
		}
	}
	if n != 100 {
		t.Errorf("%d turns of 100", n)
	}
}

// A panic after the answer began adds nothing to it; one that means "cut the connection" goes on to the server.
func TestPanicLate(t *testing.T) {
	var log bytes.Buffer
	o := edge.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}
	w := httptest.NewRecorder()
	edge.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("begun"))
		panic("late\nlevel=INFO msg=forged")
	}), o).ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
	if w.Code != 200 || w.Body.String() != "begun" || strings.Count(log.String(), "\n") != 2 {
		t.Errorf("%d %s; %s", w.Code, w.Body, &log)
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("the server does not learn that the connection is to be cut")
		}
	}()
	edge.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), o).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil))
}

// A receipt's id opens the receipt for a while, so the log does not have it.
func TestLogHidesReceipts(t *testing.T) {
	var log bytes.Buffer
	mux := http.NewServeMux()
	mux.HandleFunc("GET /signout/{receipt}/receipt.jwt", func(http.ResponseWriter, *http.Request) {})
	edge.Wrap(mux, edge.Options{Log: slog.New(slog.NewJSONHandler(&log, nil))}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/signout/opens-it/receipt.jwt", nil))
	if got := log.String(); strings.Contains(got, "opens-it") || !strings.Contains(got, "/signout/…/receipt.jwt") {
		t.Error(got)
	}
}

// A program is not told the same of what was not done and of what may have been.
func TestFailOfUnknown(t *testing.T) {
	said := map[string]string{}
	for _, err := range []error{idp.ErrUnavailable, idp.ErrUnknown} {
		w := httptest.NewRecorder()
		if edge.Fail(w, httptest.NewRequest("POST", "/", nil), fmt.Errorf("store: %w", err)); w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"temporarily_unavailable"`) {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
		said[err.Error()] = w.Body.String()
	}
	if text := said[idp.ErrUnknown.Error()]; !strings.Contains(text, "not known whether this was done") || text == said[idp.ErrUnavailable.Error()] {
		t.Error(said)
	}
}
