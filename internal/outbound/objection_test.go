package outbound_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"exeunt.dev/internal/outbound"
)

type resolves map[string][]netip.Addr

func (n resolves) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return n[host], nil
}

func TestObjection(t *testing.T) {
	ours := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	known := resolves{"inside.test": {netip.MustParseAddr("10.2.0.1")}, "outside.test": {netip.MustParseAddr("8.8.8.8")}, "both.test": {netip.MustParseAddr("10.2.0.1"), netip.MustParseAddr("8.8.8.8")}}
	for uri, want := range map[string]string{
		"https://outside.test/out":   "",
		"https://both.test/out":      "",
		"https://nowhere.test/out":   "",
		"http://10.1.2.3/out":        "",
		"https://10.1.2.3/out":       "",
		"https://inside.test/out":    "not a public address",
		"http://outside.test/out":    "https only",
		"https://10.2.3.4/out":       "not a public address",
		"https://[::1]/out":          "not a public address",
		"https://[::ffff:10.2.0.1]/": "not a public address",
		"https://169.254.169.254/":   "not a public address",
		"not an address":             "",
	} {
		if got := outbound.Objection(t.Context(), ours, known, uri); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q", uri, got)
		}
	}
}
