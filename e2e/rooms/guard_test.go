package rooms_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"exeunt.dev/guard"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

const ordersAPI = "https://orders.test"

// guarded adds an API, orders, and an app that may call it, shop, and returns the API's guard.
func (n *node) guarded() *guard.Guard {
	n.t.Helper()
	for _, c := range []idp.Client{
		{ID: "orders", Name: "Orders", Kind: idp.KindAPI, AuthMethod: idp.AuthBasic, Audiences: []string{ordersAPI}},
		{ID: "shop", Name: "Shop", Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code", "refresh_token"}, Scopes: []string{"openid"},
			RedirectURIs: []string{"https://shop.test/cb"}, Audiences: []string{ordersAPI}},
	} {
		secret, err := n.server.AddClient(n.t.Context(), &c)
		if err != nil {
			n.t.Fatal(err)
		}
		n.secrets[string(c.ID)] = secret
	}
	g, err := guard.New(n.at, guard.Audience(ordersAPI), guard.Credentials("orders", n.secrets["orders"]))
	if err != nil {
		n.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- g.Run(ctx) }()
	n.t.Cleanup(func() { stop(); <-stopped })
	if err := g.Ready(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
	return g
}

// Who has stolen a key that signs something else makes no access token with it: not for an API, and not for us.
func TestKeysOfOtherUses_OpenNothing(t *testing.T) {
	n := start(t)
	g := n.guarded()
	for _, use := range []idp.KeyUse{idp.UseAccess, idp.UseID, idp.UseReceipt} {
		signer, err := n.server.Ring.Signer(use, "")
		if err != nil {
			t.Fatal(err)
		}
		claims, err := json.Marshal(part(t, n.alice().enter("shop").Access, 1))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := signer.Sign("at+jwt", claims)
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.Check(raw)
		if good := use == idp.UseAccess; good != (err == nil) || !good && !errors.Is(err, guard.ErrInvalid) || good != n.alive(raw) {
			t.Errorf("by the key of %s: the guard says %v; alive here: %v", use, err, n.alive(raw))
		}
	}
}

// ES256 by default, EdDSA and RS256 by choice: what a server signs with any of them is taken here and by guards, and refused when it has ended.
func TestSigningAlgorithms(t *testing.T) {
	for _, alg := range []string{"ES256", "EdDSA", "RS256"} {
		t.Run(alg, func(t *testing.T) {
			n := start(t, func(c *config.Config) { c.Algs = []string{alg} })
			g := n.guarded()
			p := n.alice()
			tok := p.enter("shop")
			for what, raw := range map[string]string{"access token": tok.Access, "ID token": tok.ID} {
				if got := part(t, raw, 0)["alg"]; got != alg {
					t.Errorf("the %s is signed with %v", what, got)
				}
			}
			good, err := g.Check(tok.Access)
			if err != nil || !n.alive(tok.Access) {
				t.Fatalf("the guard says %v; alive here: %v", err, n.alive(tok.Access))
			}
			watched, stop := g.Watch(t.Context(), good)
			defer stop()
			if a := p.get("/logout?id_token_hint=" + tok.ID); a.status != 303 || p.user() != "" {
				t.Fatalf("the hint is not taken: %d %s", a.status, a.body)
			}
			<-watched.Done()
			if _, err := g.Check(tok.Access); !errors.Is(err, guard.ErrEnded) || n.alive(tok.Access) {
				t.Errorf("after the sign-out the guard says %v; alive here: %v", err, n.alive(tok.Access))
			}
		})
	}
}
