package guard_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"exeunt.dev/exeunttest"
	"exeunt.dev/guard"
)

func Example() {
	ctx := context.Background()
	g, err := guard.New("https://id.example.com",
		guard.Audience("https://api.example.com"),
		guard.Credentials("orders", "secret from your environment"))
	if err != nil {
		slog.Error("guard", "err", err)
		return
	}
	go g.Run(ctx)

	mux := http.NewServeMux()
	mux.Handle("GET /orders", g.Require("orders:read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := guard.FromContext(r.Context())
		fmt.Fprintf(w, "orders of %s\n", tok.Subject())
	})))
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if err := g.Ready(ctx); err != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	})
	_ = http.Server{Addr: ":8080", Handler: mux}
}

func ExampleGuard_Check() {
	var g *guard.Guard // from guard.New
	check := func(raw string) string {
		tok, err := g.Check(raw)
		switch {
		case err == nil:
			return "welcome " + tok.Subject()
		case errors.Is(err, guard.ErrStale):
			return "try again soon" // not "sign in again"
		default:
			return "sign in again"
		}
	}
	_ = check
}

// A stream that ends when its token does. Behind Require this is the request's context already.
func ExampleGuard_Watch() {
	var g *guard.Guard // from guard.New
	stream := func(w http.ResponseWriter, r *http.Request, events <-chan string) {
		tok, err := g.CheckRequest(r)
		if err != nil {
			g.Deny(w, err)
			return
		}
		ctx, stop := g.Watch(r.Context(), tok)
		defer stop()
		for {
			select {
			case e := <-events:
				fmt.Fprintf(w, "data: %s\n\n", e)
			case <-ctx.Done():
				slog.Info("stream over", "why", context.Cause(ctx)) // ErrEnded, ErrExpired, ...
				return
			}
		}
	}
	_ = stream
}

func ExampleObserve() {
	_, _ = guard.New("https://id.example.com",
		guard.Audience("https://api.example.com"),
		guard.Credentials("orders", "secret"),
		guard.Observe(func(e guard.Event) {
			switch e.Kind {
			case guard.Trouble, guard.Stale, guard.AcceptedStale:
				slog.Warn("guard", "kind", e.Kind, "age", e.Age, "err", e.Err)
			}
		}))
}

// How an API tests that sign-out reaches it.
func TestOrdersRefusesAfterSignOut(t *testing.T) {
	iss := exeunttest.New(t)
	g, err := guard.New(iss.URL, guard.Audience(iss.Audience), guard.Credentials(iss.ID, iss.Secret))
	if err != nil {
		t.Fatal(err)
	}
	go g.Run(t.Context())
	if err := g.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	orders := g.Require("orders:read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	raw := iss.Token(exeunttest.Subject("alice"), exeunttest.Scope("orders:read"))
	get := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+raw)
		w := httptest.NewRecorder()
		orders.ServeHTTP(w, r)
		return w
	}
	if w := get(); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	tok, err := g.Check(raw)
	if err != nil {
		t.Fatal(err)
	}
	ended, stop := g.Watch(t.Context(), tok)
	defer stop()
	iss.EndToken(raw)
	<-ended.Done() // within milliseconds
	if w := get(); w.Code != 401 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}
