package signin

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever the address says, a step-up goes back to a page of the account or the console, at the issuer.
func FuzzOwnPage(f *testing.F) {
	for _, s := range []string{"/account", "/account/passkeys?x=1", "/admin/people/%20", "//evil.test/account", "/\\evil.test", "/account/..", "/account/%2e%2e/login", "https://evil.test/account",
		"/account//evil.test", "/accounts/login/", "/account;x", "/account?//evil.test", "/account/%5c", "javascript:/account", "/admin@evil.test"} {
		f.Add(s)
	}
	base, err := url.Parse("https://id.example.com/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if !ownPage(path) {
			return
		}
		// What browsers make of it: they take a backslash for a slash, and drop tabs and line ends.
		u, err := base.Parse(strings.NewReplacer("\\", "/", "\t", "", "\n", "", "\r", "").Replace(path))
		if err != nil || u.Scheme != "https" || u.Host != "id.example.com" || u.User != nil || u.Path != "/account" && u.Path != "/admin" &&
			!strings.HasPrefix(u.Path, "/account/") && !strings.HasPrefix(u.Path, "/admin/") {
			t.Errorf("%q leads to %v", path, u)
		}
	})
}

// The dispatcher is asked again with all that it was told.
func TestAddress(t *testing.T) {
	if a := address("p&x", "", "/account?a=1&b=2"); a != "/login?again=%2Faccount%3Fa%3D1%26b%3D2&pending=p%26x" {
		t.Error(a)
	}
	if a := address("", "", ""); a != "/login" {
		t.Error(a)
	}
}
