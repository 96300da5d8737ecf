package faults

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Every command that ends something, beside the running server: refused there at once, and nobody else is touched.
func TestPromise_CommandsBesideTheServer(t *testing.T) {
	c := start(t, 1, nil, "")
	people := c.people(3)
	g := c.newGuard()
	for _, p := range people {
		for range 2 {
			if err := p.signIn(); err != nil {
				t.Fatal(err)
			}
		}
	}
	a, b, d := people[0], people[1], people[2]
	check := func(what string) {
		t.Helper()
		for _, p := range people {
			if err := p.check(g); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	end := func(all ...*state) {
		for _, s := range all {
			*s = over
		}
	}
	check("at first")

	var line struct{ ID string }
	c.commandLines(&line, "session", "list", a.name)
	c.command(nil, "session", "end", a.name, line.ID)
	for _, s := range a.all(nil) {
		*s = unsure // which of the two it was
	}
	check("session end")
	for i, s := range a.sessions {
		other := a.sessions[1-i]
		for _, app := range s.apps {
			if app.family != s.cookie || s.cookie == other.cookie {
				t.Error("session end ended more or less than one session")
			}
		}
	}

	var receipt struct{ Receipt string }
	c.command(&receipt, "account", "end", a.name, "--reason", "lost phone")
	end(a.all(nil)...)
	check("account end")
	if status, body, err := a.do(newBrowser(), "GET", strings.TrimPrefix(receipt.Receipt, c.front.URL()), "", map[string]string{"Accept": "application/json"}); err != nil || status != 200 {
		t.Errorf("the receipt: %d %s %v", status, body, err)
	}

	c.command(nil, "account", "lock", b.name)
	end(b.all(nil)...)
	check("account lock")
	if err := b.signIn(); err == nil {
		t.Error("a locked account signs in")
	}
	c.command(nil, "account", "unlock", b.name)
	check("unlock revives nothing")
	if err := b.signIn(); err != nil {
		t.Error("after the unlock:", err)
	}

	c.command(nil, "key", "rotate", "access")
	check("key rotate ends nothing")

	for _, kid := range c.kids("access", "active", "retired") {
		c.command(nil, "key", "kill", kid)
	}
	for _, p := range people {
		for _, s := range p.sessions {
			for _, app := range s.apps {
				app.token = over
			}
		}
	}
	// The server learns of the kill by looking at the ledger, 20 times a second. What it signs with the killed key until then is
	// dead when it is born.
	probe := b.sessions[len(b.sessions)-1].apps["books"]
	for limit := time.Now().Add(time.Minute); ; {
		if err := b.renew(probe); err != nil {
			t.Fatal(err)
		}
		if _, body, _ := b.do(http.DefaultClient, "POST", "/oauth2/introspect", "token="+probe.access, c.basic("orders")); strings.Contains(string(body), `"active":true`) {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("the server goes on signing with a killed key")
		}
	}
	check("key kill ends the access tokens, and refreshing goes on")
	check("with the new key")

	c.command(nil, "client", "disable", "news")
	for _, p := range people {
		for _, s := range p.sessions {
			end(&s.apps["news"].family, &s.apps["news"].token)
		}
	}
	for _, p := range people { // a client that is over cannot even ask
		for _, s := range p.sessions {
			delete(s.apps, "news")
		}
	}
	check("client end")

	c.command(nil, "account", "delete", d.name, "--yes")
	end(d.all(nil)...)
	check("account delete")
	c.gapless()
}
