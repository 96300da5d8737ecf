package caller_test

import (
	"net/netip"
	"testing"

	"exeunt.dev/internal/caller"
)

func TestAddress(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		remote string
		header caller.Header
		values []string
		want   string
	}{
		"no proxy":                     {"192.0.2.1:80", caller.XForwardedFor, []string{"203.0.113.9"}, "192.0.2.1"},
		"one proxy":                    {"10.0.0.1:80", caller.XForwardedFor, []string{"203.0.113.9"}, "203.0.113.9"},
		"an invention to the left":     {"10.0.0.1:80", caller.XForwardedFor, []string{"198.51.100.1, 203.0.113.9"}, "203.0.113.9"},
		"in two headers":               {"10.0.0.1:80", caller.XForwardedFor, []string{"198.51.100.1", "203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		"an invented proxy":            {"10.0.0.1:80", caller.XForwardedFor, []string{"10.0.0.9, 203.0.113.9"}, "203.0.113.9"},
		"with a port":                  {"10.0.0.1:80", caller.XForwardedFor, []string{"203.0.113.9:4711"}, "203.0.113.9"},
		"mapped":                       {"[::ffff:10.0.0.1]:80", caller.XForwardedFor, []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		"proxies only":                 {"10.0.0.1:80", caller.XForwardedFor, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"the proxy says nothing":       {"10.0.0.1:80", caller.XForwardedFor, nil, "10.0.0.1"},
		"no address":                   {"10.0.0.1:80", caller.XForwardedFor, []string{"unknown"}, "10.0.0.1"},
		"no address behind a proxy":    {"10.0.0.1:80", caller.XForwardedFor, []string{"198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		"Forwarded":                    {"10.0.0.1:80", caller.Forwarded, []string{`for=198.51.100.1;proto=http, For=203.0.113.9;by=10.0.0.2`}, "203.0.113.9"},
		"Forwarded, IPv6":              {"[fd00::1]:80", caller.Forwarded, []string{`for="[2001:db8::9]:4711"`}, "2001:db8::9"},
		"Forwarded, a comma in quotes": {"10.0.0.1:80", caller.Forwarded, []string{`for=203.0.113.9;host="a,for=198.51.100.1"`}, "203.0.113.9"},
		"Forwarded, hidden":            {"10.0.0.1:80", caller.Forwarded, []string{`for=198.51.100.1, for=_hidden`}, "10.0.0.1"},
		"Forwarded, twice":             {"10.0.0.1:80", caller.Forwarded, []string{`for=198.51.100.1;for=203.0.113.9`}, "10.0.0.1"},
		"Forwarded, an open quote":     {"10.0.0.1:80", caller.Forwarded, []string{`for="198.51.100.1, for=203.0.113.9`}, "203.0.113.9"},
		"Forwarded, all of it quoted":  {"10.0.0.1:80", caller.Forwarded, []string{`for=198.51.100.1;x=", for=203.0.113.9`}, "203.0.113.9"},
		"Forwarded, in two headers":    {"10.0.0.1:80", caller.Forwarded, []string{`for=198.51.100.1;x="`, `for=203.0.113.9;by="[fd00::2]"`}, "203.0.113.9"},
		"Forwarded, a quote in quotes": {"10.0.0.1:80", caller.Forwarded, []string{`for=198.51.100.1, for=203.0.113.9;host="a\"b,for=198.51.100.2"`}, "203.0.113.9"},
		"an open quote":                {"10.0.0.1:80", caller.XForwardedFor, []string{`"198.51.100.1, 203.0.113.9`}, "203.0.113.9"},
		"no peer":                      {"@", caller.XForwardedFor, []string{"203.0.113.9"}, "invalid IP"},
	} {
		if got := caller.Address(caller.Peer(c.remote), proxies, c.header, c.values); got.String() != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestLast(t *testing.T) {
	for _, values := range [][]string{{`for=198.51.100.1;proto=https, proto=http`}, {`proto=https;x=", proto=http`}, {`proto=https;x="`, `proto=http`}, {`proto=http`}} {
		if proto, _ := caller.Parameter(caller.Last(values), "proto"); proto != "http" {
			t.Errorf("%q: %q", values, proto)
		}
	}
}
