package demo

import (
	"encoding/json"
	"net/http"

	"exeunt.dev/guard"
)

// orders is an API that follows the ledger: what its readers copy is these lines.
type orders struct{ guard *guard.Guard }

func newOrders(f *Facts, secret string) (*orders, error) {
	g, err := guard.New(f.Issuer, guard.Audience(f.API), guard.Credentials("orders", secret))
	return &orders{g}, err
}

func (o *orders) handler() http.Handler {
	return o.guard.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := guard.FromContext(r.Context())
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"sub": tok.Subject, "orders": []string{"a lamp", "two chairs"}})
	}))
}
