package websites_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/provider"
)

// Exeunt as broker of a provider that we did not write: sign up, sign in, its logout tokens, its sign-out, its revocation.
func TestForeignProvider_Broker(t *testing.T) {
	const secret = "a secret that is long enough"
	var op string
	x := newExeunt(t, func(c *config.Config) {
		at := c.Issuer + "/login/foreign/"
		op = newOP(t, at+"callback", at+"left", at+"logout", secret)
		p := provider.OIDC(op, "site", secret)
		p.Title = "Foreign"
		c.Providers = []config.Provider{{ID: "foreign", Kind: "oidc", Provider: p, SignUp: true}}
	})
	user := func(p *person) string { return p.get(x.at + "/session/").body }
	enter := func(p *person, again ...string) answer {
		t.Helper()
		f := fields(p.get(x.at + "/login").body)
		if again != nil {
			f = fields(p.get(x.at + "/account").body)
			f["again"] = again
		}
		a := p.send("POST", x.at+"/login/foreign", f)
		for range 4 {
			if strings.HasPrefix(a.at.String(), x.at) {
				break
			}
			a = p.answer(a, url.Values{"login": {"from-afar"}, "password": {"any"}})
		}
		return a
	}
	p, phone := newPerson(t), newPerson(t)
	a := enter(p)
	if !strings.HasPrefix(a.at.Path, "/login/foreign/signup") {
		t.Fatal(a)
	}
	f := fields(a.body)
	f.Set("username", "afar")
	p.send("POST", x.at+"/login/foreign/signup", f)
	enter(phone)
	if !strings.Contains(user(p), `"afar"`) || !strings.Contains(user(phone), `"afar"`) {
		t.Fatal(user(p), user(phone))
	}

	// To prove it again there: it asks, and says that it has.
	if a := enter(p, "/account/providers"); a.at.Path != "/account/providers" || a.status != http.StatusOK {
		t.Error("a step-up: ", a)
	}

	// Signed out there, ended here: this browser and no other.
	p.answer(p.get(op+"/session/end"), url.Values{"logout": {"yes"}})
	for end := time.Now().Add(2 * time.Minute); strings.Contains(user(p), "afar"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the logout token ended nothing")
		}
	}
	if !strings.Contains(user(phone), `"afar"`) {
		t.Error("another device was signed out")
	}

	// Out here, then out there, then the consent back.
	enter(p)
	a = p.send("POST", x.at+"/account/signout", fields(p.get(x.at+"/account").body))
	receipt := x.at + a.at.Path
	f = fields(a.body)
	a = p.send("POST", receipt+"/providers/foreign/leave", f)
	if !strings.HasPrefix(a.at.String(), op) {
		t.Fatal("not at the provider: ", a)
	}
	if a = p.answer(a, url.Values{"logout": {"yes"}}); a.at.Path != strings.TrimPrefix(receipt, x.at) || !strings.Contains(a.body, "Foreign sent you back from its sign-out") {
		t.Error(a)
	}
	if a = p.send("POST", receipt+"/providers/foreign/revoke", f); a.status != http.StatusOK {
		t.Fatal(a)
	}
	for end := time.Now().Add(2 * time.Minute); !strings.Contains(p.get(receipt).body, "Foreign has ended the access that this site had"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(p.get(receipt).body)
		}
	}
}
