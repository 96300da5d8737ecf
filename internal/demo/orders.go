package demo

import (
	"context"
	"encoding/json"
	"net/http"

	"exeunt.dev/guard"
	"exeunt.dev/internal/idp"
)

// orders is the API. All that it knows of Exeunt is what package guard does.
type orders struct {
	http.Handler
	guard *guard.Guard
}

func (d *Demo) newOrders(ctx context.Context) (*orders, error) {
	c := idp.Client{ID: "orders", Kind: idp.KindAPI, Name: "Orders", AuthMethod: idp.AuthBasic, Audiences: []string{d.Info.API}}
	secret, err := d.client(ctx, c)
	if err != nil {
		return nil, err
	}
	g, err := guard.New(d.Info.Issuer, guard.Audience(d.Info.API), guard.Credentials("orders", secret))
	if err != nil {
		return nil, err
	}
	list := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t, _ := guard.FromContext(r.Context())
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(map[string]any{"sub": t.Subject(), "orders": []string{"a teapot", "two cups"}})
	})
	mux := http.NewServeMux()
	mux.Handle("GET /", g.Require()(list))
	return &orders{mux, g}, nil
}
