package chromium_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"exeunt.dev/guard"
	"exeunt.dev/internal/idp"
)

// newOrders starts an API that knows of Exeunt what package guard tells it, and nothing else. around is what stands before the guard.
func (x *table) newOrders(t *testing.T, around ...func(http.Handler) http.Handler) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.7:0")
	if err != nil {
		t.Fatal(err)
	}
	x.orders = "http://" + l.Addr().String()
	secret, err := x.base.AddClient(t.Context(), &idp.Client{ID: "orders", Name: "Orders", Kind: idp.KindAPI, AuthMethod: idp.AuthBasic, Audiences: []string{x.orders}})
	if err != nil {
		t.Fatal(err)
	}
	g, err := guard.New(x.at, guard.Audience(x.orders), guard.Credentials("orders", secret))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	handler := g.Require()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"orders":["a teapot"]}`) }))
	for _, f := range around {
		handler = f(handler)
	}
	h := &http.Server{Handler: handler}
	go h.Serve(l)
	t.Cleanup(func() { h.Close() })
	within, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := g.Ready(within); err != nil {
		t.Fatal(err)
	}
}

// bear shows the visitor's token to an address.
func (v *visitor) bear(t *testing.T, address string) int {
	t.Helper()
	r, _ := http.NewRequest("GET", address, nil)
	r.Header.Set("Authorization", "Bearer "+v.access)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// tokenLives asks the issuer, whose answer is true at once, and then Orders, who may learn it later but must within the guard's
// bound. Any answer but yes and 401 fails: a guard that is stale proves nothing.
func (v *visitor) tokenLives(t *testing.T) bool {
	t.Helper()
	lives := v.bear(t, v.at+"/oauth2/userInfo") == http.StatusOK
	for end := time.Now().Add(guardBound); ; {
		switch status := v.bear(t, v.orders+"/"); {
		case status == http.StatusOK && lives || status == http.StatusUnauthorized && !lives:
			return lives
		case status != http.StatusOK, time.Now().After(end):
			t.Fatalf("Orders answers %d, and to the issuer the token lives: %t", status, lives)
		}
	}
}

// guardBound is the guard's default staleness (promise 2).
const guardBound = 5 * time.Second
