package outbound_test

import (
	"testing"

	"exeunt.dev/internal/outbound"
)

func TestHostPort(t *testing.T) {
	for address, want := range map[string]string{
		"https://example.com":                "example.com:443",
		"https://Example.COM/a?b=c":          "example.com:443",
		"HTTPS://example.com:443/":           "example.com:443",
		"https://example.com:":               "example.com:443",
		"https://example.com:00443":          "example.com:443",
		"https://example.com:80":             "example.com:80",
		"http://example.com":                 "example.com:80",
		"http://user@example.com":            "example.com:80",
		"http://127.0.0.1:8080/x":            "127.0.0.1:8080",
		"http://[::ffff:127.0.0.1]:8080":     "127.0.0.1:8080",
		"http://[::ffff:7f00:1]:8080":        "127.0.0.1:8080",
		"http://[0:0:0:0:0:FFFF:7F00:0001]/": "127.0.0.1:80",
		"https://[2001:DB8:0::1]":            "[2001:db8::1]:443",
		"https://[2001:db8:0:0:0:0:0:1]:443": "[2001:db8::1]:443",
		"https://example.com:99999":          "example.com:99999", // never connected to
		"https:///x":                         "https:///x",
		"https://example.com:x":              "https://example.com:x",
		"":                                   "",
	} {
		if got := outbound.HostPort(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
