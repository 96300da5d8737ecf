package exeunttest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"exeunt.dev/exeunttest"
	"exeunt.dev/guard"
)

// What the test of an API that takes bound tokens looks like.
func TestBoundTokens(t *testing.T) {
	iss := exeunttest.New(t)
	api := httptest.NewUnstartedServer(nil)
	g, err := guard.New(iss.URL, guard.Audience(iss.Audience), guard.Credentials(iss.ID, iss.Secret), guard.ExternalURL("http://"+api.Listener.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- g.Run(ctx) }()
	t.Cleanup(func() { stop(); <-stopped })
	if err := g.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	api.Config.Handler = g.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "orders") }))
	api.Start()
	t.Cleanup(api.Close)

	key := iss.NewKey()
	here, elsewhere := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24")
	for name, c := range map[string]struct {
		claims []exeunttest.Claim
		sign   *exeunttest.Key
		want   int
	}{
		"by its key":               {[]exeunttest.Claim{exeunttest.BoundTo(key)}, key, 200},
		"by another key":           {[]exeunttest.Claim{exeunttest.BoundTo(key)}, iss.NewKey(), 401},
		"by its key, from here":    {[]exeunttest.Claim{exeunttest.BoundTo(key), exeunttest.BoundToAddress(here)}, key, 200},
		"by its key, from nowhere": {[]exeunttest.Claim{exeunttest.BoundTo(key), exeunttest.BoundToAddress(elsewhere)}, key, 401},
		"not bound":                {nil, key, 401},
	} {
		r, err := http.NewRequest("GET", api.URL+"/orders?page=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		c.sign.Sign(r, iss.Token(c.claims...))
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != c.want || err != nil {
			t.Errorf("%s: %d %s %v, want %d", name, res.StatusCode, text, err, c.want)
		}
	}
}
