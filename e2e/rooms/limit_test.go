package rooms_test

import (
	"fmt"
	"net/netip"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
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
	tryAs := func(p *person, from, name, password string) int {
		p.get("/csrf_token/")
		return p.do("POST", "/accounts/login/", fmt.Sprintf(`{"username":%q,"password":%q}`, name, password),
			map[string]string{"Content-Type": "application/json", "X-CSRFToken": p.cookie("csrftoken"), "X-Forwarded-For": from}).status
	}
	try := func(p *person, from, password string) int { return tryAs(p, from, "alice", password) }
	limited := 0
	for i := range 40 {
		if try(n.person(), fmt.Sprintf("198.51.100.%d", i), "wrong password") == 429 {
			limited++
		}
	}
	if limited < 20 {
		t.Errorf("strangers from 40 addresses were limited %d times", limited)
	}
	atAlice := func() int { return try(n.person(), "198.51.100.202", "wrong password") }
	refused(t, "a stranger with the right password, after all that", atAlice, func() int { return try(n.person(), "198.51.100.200", alicePW) })
	refused(t, "a mark that was made up", atAlice, func() int {
		thief := n.person()
		thief.put("exeunt-known", "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
		return try(thief, "198.51.100.201", alicePW)
	})
	// Her own address is a stranger's, too, who tries names that are nobody's from there.
	shared := 0
	for i := range 60 {
		if tryAs(n.person(), "192.0.2.77", fmt.Sprint("nobody", i), "wrong password") == 429 {
			shared++
		}
	}
	if shared == 0 {
		t.Error("one address is not limited")
	}
	if status := try(own, "192.0.2.77", alicePW); status != 200 {
		t.Errorf("the owner's own browser: %d", status)
	}
	// The mark is of this person in this browser: it buys no attempts at anybody else, and not without end.
	if err := n.server.AddAccount(t.Context(), &idp.Account{Username: "dora"}, bobPW); err != nil {
		t.Fatal(err)
	}
	refused(t, "alice's browser at dora's account, from an address that is limited", func() int {
		return tryAs(n.person(), "192.0.2.77", "nobody again", "wrong password")
	}, func() int { return tryAs(own, "192.0.2.77", "dora", "wrong password") })
	for i := 0; ; i++ {
		if try(own, fmt.Sprintf("203.0.113.%d", i), "wrong password") == 429 {
			break
		}
		if i == 40 {
			t.Fatal("a browser with a mark may guess without end")
		}
	}
	// What an unknown name is answered is what a known one is answered.
	for _, name := range []string{"bob", "nobody at all"} {
		status := 0
		for i := 0; status != 429; i++ {
			if status = tryAs(n.person(), fmt.Sprintf("198.51.101.%d", i), name, "wrong password"); i < 15 && status != 403 || i == 40 {
				t.Fatalf("%s, attempt %d: %d", name, i, status)
			}
		}
	}
}

// refused says that asking is limited once using up the turns is. Time gives turns back, at any moment: one of four times is enough.
func refused(t *testing.T, what string, useUp, ask func() int) {
	t.Helper()
	status := 0
	for range 4 {
		for useUp() != 429 {
		}
		if status = ask(); status == 429 {
			return
		}
	}
	t.Errorf("%s: %d", what, status)
}
