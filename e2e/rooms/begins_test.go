package rooms_test

import (
	"net/http"
	"net/url"
	"testing"
)

// Whoever is signed in leaves no more than so many half-added factors behind, and is told to wait; others do not.
func TestFactors_BegunAreLimited(t *testing.T) {
	n := startNamed(t)
	p, other := n.alice(), n.person()
	other.signIn("/login", "bob", bobPW)
	form := url.Values{"csrf": {fields(p.get("/account/authenticator").body).Get("csrf")}}
	refused := 0
	for i := 0; refused == 0; i++ {
		if i > 25 {
			t.Fatal("there is no end of them")
		}
		to := "/account/authenticator/offer"
		if i%2 == 1 {
			to = "/account/passkeys/challenge"
		}
		if a := p.post(to, form); a.status == http.StatusTooManyRequests {
			if refused = i; a.header.Get("Retry-After") == "" {
				t.Error("nobody says how long to wait")
			}
		} else if a.status != http.StatusSeeOther && a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", to, a.status, a.body)
		}
	}
	if refused < 20 {
		t.Errorf("a person may begin only %d times", refused)
	}
	for _, to := range []string{"/account/authenticator/offer", "/account/passkeys/challenge"} {
		if a := p.post(to, form); a.status != http.StatusTooManyRequests {
			t.Errorf("%s: %d", to, a.status)
		}
	}
	theirs := url.Values{"csrf": {fields(other.get("/account/authenticator").body).Get("csrf")}}
	if a := other.post("/account/authenticator/offer", theirs); a.status != http.StatusSeeOther {
		t.Errorf("somebody else: %d %s", a.status, a.body)
	}
}
