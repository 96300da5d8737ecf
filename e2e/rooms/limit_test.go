package rooms_test

import (
	"fmt"
	"net/netip"
	"testing"

	"exeunt.dev/internal/config"
)

// Strangers who try a person's password from everywhere slow each other down, and not the person's own browser.
func TestStrangersDoNotLockOut(t *testing.T) {
	n := start(t, func(c *config.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	own := n.alice()
	own.get("/csrf_token/")
	own.post("/accounts/logout/", with(nil, "csrfmiddlewaretoken", own.cookie("csrftoken")))
	if own.user() != "" {
		t.Fatal("still signed in")
	}
	try := func(p *person, from, password string) int {
		p.get("/csrf_token/")
		return p.do("POST", "/accounts/login/", fmt.Sprintf(`{"username":"alice","password":%q}`, password),
			map[string]string{"Content-Type": "application/json", "X-CSRFToken": p.cookie("csrftoken"), "X-Forwarded-For": from}).status
	}
	limited := 0
	for i := range 40 {
		if try(n.person(), fmt.Sprintf("198.51.100.%d", i), "wrong password") == 429 {
			limited++
		}
	}
	if limited < 20 {
		t.Errorf("strangers from 40 addresses were limited %d times", limited)
	}
	if status := try(n.person(), "198.51.100.200", alicePW); status != 429 {
		t.Errorf("a stranger with the right password, after all that: %d", status)
	}
	thief := n.person()
	thief.put("exeunt-known", "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	if status := try(thief, "198.51.100.201", alicePW); status != 429 {
		t.Errorf("a mark that was made up: %d", status)
	}
	if status := try(own, "192.0.2.77", alicePW); status != 200 {
		t.Errorf("the owner's own browser: %d", status)
	}
}
