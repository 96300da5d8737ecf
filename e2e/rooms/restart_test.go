package rooms_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
)

// asked is an answer of a protocol endpoint without what differs from one to the next.
func (n *node) asked(app, path, accept, raw string) answer {
	n.t.Helper()
	basic, _ := http.NewRequest("POST", n.at, nil)
	basic.SetBasicAuth(app, n.secrets[app])
	a := n.person().do("POST", path, url.Values{"token": {raw}}.Encode(),
		map[string]string{"Content-Type": formType, "Accept": accept, "Authorization": basic.Header.Get("Authorization")})
	a.header.Del("Date")
	a.header.Del("X-Request-Id")
	if a.header.Get("Content-Type") == signedAnswer { // another signature, and maybe another second
		claims := part(n.t, a.body, 1)
		delete(claims, "iat")
		body, err := json.Marshal(claims)
		if err != nil {
			n.t.Fatal(err)
		}
		a.body = string(body)
	}
	return a
}

func (a answer) same(b answer) bool {
	x, err1 := json.Marshal(a.header)
	y, err2 := json.Marshal(b.header)
	return err1 == nil && err2 == nil && a.status == b.status && a.body == b.body && string(x) == string(y)
}

// A client that asks about another's token, or revokes it, gets to the octet what it gets for a token that there never was:
// whatever kind of client it is, whatever has become of the token, and also after a restart. And the token is what it was.
func TestStrangersLearnNothing(t *testing.T) {
	n := start(t)
	orders := idp.Client{ID: "orders", Name: "Orders", Kind: idp.KindAPI, AuthMethod: idp.AuthBasic, Audiences: []string{"https://orders.test"}}
	var err error
	if n.secrets["orders"], err = n.server.AddClient(t.Context(), &orders); err != nil {
		t.Fatal(err)
	}
	p := n.alice()
	rotated, revoked, over := p.enter("books"), p.enter("books"), n.alice().enter("books")
	next, status := n.token("books", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {rotated.Refresh}})
	if status != 200 {
		t.Fatal(status)
	}
	n.asked("books", "/oauth2/revoke", "", revoked.Refresh)
	if a := n.bearer("POST", "/customers/me/logout", over.Access); a.status != 200 {
		t.Fatal(a.status)
	}
	live := n.alice().enter("books")
	check := func(when string) {
		for _, path := range []string{"/oauth2/revoke", "/oauth2/introspect"} {
			for _, accept := range []string{"application/json", signedAnswer} {
				for _, stranger := range []string{"news", "third", "robot", "orders"} {
					none := n.asked(stranger, path, accept, token.NewRefresh().String())
					if none.status != 200 {
						t.Fatalf("%s, %s at %s: %d %s", when, stranger, path, none.status, none.body)
					}
					for name, raw := range map[string]string{
						"live access": live.Access, "live refresh": live.Refresh, "ID": live.ID, "rotated": rotated.Refresh, "rotated access": rotated.Access, "next": next.Refresh,
						"revoked": revoked.Refresh, "revoked access": revoked.Access, "over": over.Refresh, "over, access": over.Access,
						"forged": live.Access[:len(live.Access)-8] + "AAAAAAAA", "nonsense": "nonsense",
					} {
						if a := n.asked(stranger, path, accept, raw); !a.same(none) {
							t.Errorf("%s, %s at %s (%s), %s: %d %s %v, and for none %d %s %v", when, stranger, path, accept, name, a.status, a.body, a.header, none.status, none.body, none.header)
						}
					}
				}
			}
		}
		if n.asked("books", "/oauth2/introspect", "", live.Refresh).body == n.asked("books", "/oauth2/introspect", "", revoked.Refresh).body || !n.alive(live.Access) {
			t.Errorf("%s: a stranger has ended it", when)
		}
	}
	check("at once")
	n.restart()
	check("after a restart")
}

// What was revoked stays so, and what was not lives on, across restarts; so do keys, and the answers that are signed.
func TestRevocation_AcrossRestarts(t *testing.T) {
	n := start(t)
	p := n.alice()
	live, access, family := p.enter("books"), p.enter("books"), p.enter("books")
	n.asked("books", "/oauth2/revoke", "", access.Access)
	n.asked("books", "/oauth2/revoke", "", family.Refresh)
	const no = `{"active":false}`
	for when := range 3 {
		for name, c := range map[string]struct {
			raw    string
			active bool
		}{
			"live access": {live.Access, true}, "live refresh": {live.Refresh, true}, "revoked access": {access.Access, false}, "its refresh": {access.Refresh, true},
			"revoked refresh": {family.Refresh, false}, "its access": {family.Access, false},
		} {
			plain := n.asked("books", "/oauth2/introspect", "", c.raw)
			signed := n.asked("books", "/oauth2/introspect", signedAnswer, c.raw)
			if strings.Contains(plain.body, `"active":true`) != c.active || (!c.active && strings.TrimSpace(plain.body) != no) ||
				strings.Contains(signed.body, `"token_introspection":`+no) == c.active {
				t.Errorf("%s, after %d restarts: %s %s", name, when, plain.body, signed.body)
			}
		}
		if !n.alive(live.Access) || n.alive(access.Access) || n.alive(family.Access) {
			t.Errorf("userinfo, after %d restarts", when)
		}
		if when < 2 {
			n.restart()
		}
	}
	if !n.refreshes("books", access) || n.refreshes("books", family) || p.user() != "alice" {
		t.Error("at the end: a family that was not revoked is over, or one that was lives")
	}
}

// While the store is gone nobody is told anything but 503, with Retry-After: no false 200, nothing about any token. When it is
// back, what was not revoked then lives, and can be revoked.
func TestRevocation_StoreLost(t *testing.T) {
	n := start(t)
	p := n.alice()
	live, over := p.enter("books"), p.enter("books")
	n.asked("books", "/oauth2/revoke", "", over.Refresh)
	if pg != nil {
		pg.Stop()
	} else if err := n.server.Store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/oauth2/revoke", "/oauth2/introspect"} {
		first := n.asked("books", path, "", live.Refresh)
		if first.status != 503 || first.header.Get("Retry-After") == "" || !strings.Contains(first.body, "temporarily_unavailable") {
			t.Errorf("%s: %d %v %s", path, first.status, first.header, first.body)
		}
		for _, accept := range []string{"", signedAnswer} {
			for _, app := range []string{"books", "news", "robot"} {
				for name, raw := range map[string]string{"live": live.Refresh, "live access": live.Access, "over": over.Refresh, "over, access": over.Access, "nonsense": "nonsense"} {
					if a := n.asked(app, path, accept, raw); !a.same(first) {
						t.Errorf("%s at %s, %s: %d %s %v", app, path, name, a.status, a.body, a.header)
					}
				}
			}
		}
	}
	if pg != nil {
		if err := pg.Up(); err != nil {
			t.Fatal(err)
		}
	}
	n.restart()
	if !n.alive(live.Access) || n.alive(over.Access) {
		t.Fatal("a 503 has changed something")
	}
	if a := n.asked("books", "/oauth2/revoke", "", live.Refresh); a.status != 200 || n.alive(live.Access) || n.refreshes("books", live) {
		t.Errorf("asked again: %d", a.status)
	}
}
