package factor

import (
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"exeunt.dev/internal/idp"
)

// A code is good for its own step and the one before and after, and once.
func TestStep(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // RFC 6238 appendix B
	now := time.Unix(59, 0)
	at := func(seconds int64) string {
		code, err := totp.GenerateCode(secret, time.Unix(59+seconds, 0))
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	for _, c := range []struct {
		what, code string
		last       int64
		want       int64
		ok         bool
	}{
		{"the RFC's own", "287082", 0, 1, true},
		{"with spaces", " 287 082", 0, 1, true},
		{"the step after", at(30), 0, 2, true},
		{"two after", at(60), 0, 0, false},
		{"taken before", "287082", 1, 1, false},
		{"an older one", at(0), 2, 2, false},
		{"a later one", at(30), 1, 2, true},
		{"nothing", "", 0, 0, false},
		{"too short", "87082", 0, 0, false},
		{"too long", "1287082", 0, 0, false},
		{"letters", "28708x", 0, 0, false},
	} {
		if got, ok := step(secret, c.code, idp.Time(now.UnixMilli()), c.last); ok != c.ok || (ok && got != c.want) {
			t.Errorf("%s: step %d, %t", c.what, got, ok)
		}
	}
	if _, ok := step(secret, at(-30), idp.Time(now.Add(30*time.Second).UnixMilli()), 0); ok {
		t.Error("a code of two steps ago")
	}
	// The step before the first one is what a clock at the beginning of time would ask for.
	if _, ok := step(secret, "000000", 0, 0); ok {
		t.Error("a clock at zero takes zeros")
	}
}

// Recovery codes are many, and are known again however they are typed.
func TestRecoveryCodes(t *testing.T) {
	seen := map[idp.Hash]bool{}
	for range 20 {
		for _, code := range newCodes() {
			h := recoveryHash("a", code)
			if len(code) != 19 || seen[h] || h == recoveryHash("b", code) {
				t.Fatalf("%q", code)
			}
			seen[h] = true
		}
	}
	if len(seen) != 200 || recoveryHash("a", "ABCD-efgh 2345-6777") != recoveryHash("a", "abcdefgh23456777") {
		t.Error("codes are not known again")
	}
}

// Where browsers give passkeys, and where they do not.
func TestAuthority(t *testing.T) {
	for issuer, want := range map[string]bool{
		"https://id.example.com": true, "https://id.example.com:8443": true, "http://localhost:8080": true, "http://exeunt.localhost": true,
		"http://127.0.0.1:8080": false, "http://[::1]:8080": false, "https://192.0.2.1": false, "http://id.example.com": false, "": false,
	} {
		if got := newAuthority("Test", issuer) != nil; got != want {
			t.Errorf("%s: %t", issuer, got)
		}
	}
}
