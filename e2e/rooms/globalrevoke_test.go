package rooms_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

// An incident tool signs a person out: the browsers, the apps and a guard that never asks the server about a token know it, and
// also after a restart. Whoever was not named lives on.
func TestGlobalRevocation_ReachesEverything(t *testing.T) {
	n := start(t)
	g := n.guarded()
	var err error
	if n.secrets["watcher"], err = n.server.AddClient(t.Context(), &idp.Client{ID: "watcher", Name: "Watcher", Kind: idp.KindMachine, AuthMethod: idp.AuthBasic,
		GrantTypes: []string{"client_credentials"}, Scopes: []string{idp.ScopeGlobalRevocation}}); err != nil {
		t.Fatal(err)
	}
	here, there, bob := n.alice(), n.alice(), n.person()
	bob.signIn("/login", "bob", bobPW)
	one, two, bobs := here.enter("shop"), there.enter("books"), bob.enter("shop")
	tok, err := g.Check(one.Access)
	if err != nil {
		t.Fatal(err)
	}
	over, unwatch := g.Watch(t.Context(), tok)
	defer unwatch()
	machine, status := n.token("watcher", url.Values{"grant_type": {"client_credentials"}, "scope": {idp.ScopeGlobalRevocation}})
	if status != http.StatusOK {
		t.Fatal(status)
	}
	if _, err := g.Check(machine.Access); err == nil {
		t.Error("an API takes the token that signs anybody out")
	}
	a := n.person().do("POST", "/oauth2/global-token-revocation", `{"sub_id":{"format":"account","uri":"acct:alice@127.0.0.1"}}`,
		map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + machine.Access})
	if a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	select {
	case <-over.Done():
	case <-time.After(2 * time.Minute):
		t.Error("the guard has not heard of it")
	}
	check := func(when string) {
		if n.alive(one.Access) || n.alive(two.Access) || n.refreshes("shop", one) || n.refreshes("books", two) || here.user() != "" || there.user() != "" {
			t.Error(when, "something of hers lives")
		}
		if !n.alive(bobs.Access) || bob.user() != "bob" {
			t.Error(when, "somebody else was touched")
		}
	}
	check("at once:")
	if _, err := g.Check(bobs.Access); err != nil {
		t.Error("somebody else at the guard:", err)
	}
	n.restart()
	check("after a restart:")
	if n.alice().user() != "alice" {
		t.Error("she cannot sign in again")
	}
}
