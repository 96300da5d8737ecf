package rooms_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"exeunt.dev/guard"
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
