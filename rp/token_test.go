package rp_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
)

// recorder keeps what was put into a store.
type recorder struct {
	*rptest.Memory
	seen [][]byte
}

func (r *recorder) note(v any) { r.seen = append(r.seen, fmt.Appendf(nil, "%s", v)) }

func (r *recorder) PutAttempt(ctx context.Context, a rp.Attempt) error {
	r.note(a)
	return r.Memory.PutAttempt(ctx, a)
}

func (r *recorder) CreateSession(ctx context.Context, s rp.Session, replaced rp.Hash, t *rp.Token) error {
	r.note(s)
	r.note(*t)
	return r.Memory.CreateSession(ctx, s, replaced, t)
}

func (r *recorder) End(ctx context.Context, e rp.Ending) (rp.Ended, error) {
	out, err := r.Memory.End(ctx, e)
	r.note(out)
	return out, err
}

func containsText(s, part string) bool { return bytes.Contains([]byte(s), []byte(part)) }

func TestTokenIsRenewed(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()), rp.Provider("op2", o.Provider()))
	b := h.browser()
	csrf := b.signIn("op")
	if a := b.get("/token/op"); a.body != "access-secret" {
		t.Fatal(a)
	}
	if a := b.get("/token/op2"); a.status != http.StatusTeapot {
		t.Error("a token of a provider that the person did not come through:", a)
	}
	h.forward(4*time.Minute + 45*time.Second) // 15 s before its end
	o.Set(func() {
		o.Answers = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(503); return true }
	})
	if a := b.get("/token/op"); a.body != "access-secret" {
		t.Error("a token that is still good is withheld, because the provider has trouble:", a)
	}
	o.Set(func() { o.Answers = nil })
	if a := b.get("/token/op"); a.body != "access-renewed" {
		t.Fatal(a)
	}
	o.Set(func() {
		o.Answers = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/token" {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(400)
				w.Write([]byte(`{"error":"invalid_grant"}`))
			}
			return r.URL.Path == "/token"
		}
	})
	if a := b.get("/token/op"); a.body != "access-renewed" {
		t.Error("a stored token is asked for again:", a)
	}
	h.forward(2 * time.Hour)
	if a := b.get("/token/op"); a.status != http.StatusTeapot || !strings.Contains(a.body, "not found") {
		t.Error("a provider that does not take it any more:", a)
	}
	if !b.signedIn() {
		t.Error("the session here is another layer")
	}
	b.signOut(csrf)
	if a := b.get("/token/op"); a.status != http.StatusTeapot {
		t.Error(a)
	}
}

// An API may refuse a token before its time: then, and only then, another is fetched.
func TestRefusedTokenIsRenewed(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signIn("op")
	if a := b.get("/token/op?refused=another"); a.body != "access-secret" {
		t.Error("what came in its place meanwhile is renewed again:", a)
	}
	o.Set(func() {
		o.Answers = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(503); return true }
	})
	if a := b.get("/token/op?refused=access-secret"); a.status != http.StatusTeapot {
		t.Error("what was refused is given out, because the provider has trouble:", a)
	}
	o.Set(func() { o.Answers = nil })
	if a := b.get("/token/op?refused=access-secret"); a.body != "access-renewed" {
		t.Error(a)
	}
	if a := b.get("/token/op"); a.body != "access-renewed" {
		t.Error(a)
	}
}
