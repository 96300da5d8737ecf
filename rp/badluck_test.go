package rp_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/provider"
	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
)

// What can be the matter with a provider, as seen by who signs in and by who signs out meanwhile: the first is told in a sentence, or let
// in; the second is out of the website in any case, and told what is owed.
func TestBadLuck(t *testing.T) {
	answer := func(f func(http.ResponseWriter, *http.Request) bool) func(*testing.T, *optest.OP, *provider.Provider) {
		return func(_ *testing.T, o *optest.OP, _ *provider.Provider) { o.Set(func() { o.Answers = f }) }
	}
	for name, c := range map[string]struct {
		befall func(*testing.T, *optest.OP, *provider.Provider)
		in     int // status of a sign-in
		out    rp.LayerState
	}{
		"nothing": {func(*testing.T, *optest.OP, *provider.Provider) {}, 200, rp.Done},
		"down":    {func(_ *testing.T, o *optest.OP, _ *provider.Provider) { o.CloseClientConnections(); o.Close() }, 502, rp.Queued},
		"slow": {answer(func(_ http.ResponseWriter, r *http.Request) bool {
			io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
			return true
		}), 502, rp.Queued},
		"wrong certificate": {func(t *testing.T, o *optest.OP, p *provider.Provider) {
			s := httptest.NewTLSServer(o.Config.Handler)
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			t.Cleanup(s.Close)
			p.Issuer = s.URL
			p.Endpoints = provider.Endpoints{Token: s.URL + "/token", Revoke: s.URL + "/revoke"}
		}, 502, rp.Queued},
		"changed keys": {func(_ *testing.T, o *optest.OP, _ *provider.Provider) { o.Turn("k2") }, 200, rp.Done},
		"revoked client": {answer(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/token" && r.URL.Path != "/revoke" {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"error":"invalid_client","error_description":"mail@alice.example"}`)
			return true
		}), 502, rp.Queued},
		"clock behind": {func(_ *testing.T, o *optest.OP, _ *provider.Provider) {
			o.Set(func() {
				o.Claims = func(c map[string]any) {
					c["iat"], c["exp"] = time.Now().Add(-time.Hour).Unix(), time.Now().Add(-55*time.Minute).Unix()
				}
			})
		}, 502, rp.Done},
		"clock ahead": {func(_ *testing.T, o *optest.OP, _ *provider.Provider) {
			o.Set(func() {
				o.Claims = func(c map[string]any) {
					c["iat"], c["exp"] = time.Now().Add(time.Hour).Unix(), time.Now().Add(65*time.Minute).Unix()
				}
			})
		}, 200, rp.Done},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := optest.New(t)
			store := rptest.NewMemory()
			h := newWebsiteOn(t, store, rp.Provider("op", o.Provider()), rp.Timeout(500*time.Millisecond))
			b := h.browser()
			csrf := b.signIn("op")
			if name == "wrong certificate" { // the tokens of who is in name the address, so they sign in again
				p := o.Provider()
				c.befall(t, o, &p)
				other := newWebsiteOn(t, store, rp.Provider("op", p))
				if a := other.browser().get("/auth/login/op"); a.status != c.in {
					t.Error("sign-in:", a.status)
				}
				return
			}
			in := h.browser()
			back := in.once(in.once("/auth/login/op?return=/private/x").header.Get("Location")).header.Get("Location")
			c.befall(t, o, nil)
			if name == "changed keys" { // it waits for them: they may not be asked for more than once in two seconds
				if a := b.backchannel(o.LogoutToken(map[string]any{"sub": "bob-at-op", "sid": "sid-bob"})); a.status != 200 {
					t.Error(a)
				}
			}
			if a := in.get(back); a.status != c.in || in.signedIn() != (c.in == 200) {
				t.Error("sign-in:", a)
			}
			if r := b.signOut(csrf, "revoke").report(t); state(r, rp.LayerWebsite) != rp.Done || state(r, rp.LayerConsent) != c.out || b.signedIn() {
				t.Errorf("sign-out: %+v", r)
			}
		})
	}
}

// Two replicas renew a token at once, by a refresh token that is good once: whoever comes second takes what the first has stored.
func TestTokenRefreshedElsewhere(t *testing.T) {
	o := optest.New(t)
	store := rptest.NewMemory()
	one := newWebsiteOn(t, store, rp.Provider("op", o.Provider()))
	two := newWebsiteOn(t, store, rp.Provider("op", o.Provider()))
	b := one.browser()
	b.signIn("op")
	one.forward(10 * time.Minute)
	two.forward(10 * time.Minute)
	var asked atomic.Int32
	both, stored := make(chan struct{}), make(chan struct{})
	o.Set(func() {
		o.Answers = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/token" {
				return false
			}
			if asked.Add(1) == 1 {
				<-both
				return false
			}
			close(both)
			<-stored // only then is the second refused: the first has its answer
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":"invalid_grant"}`)
			return true
		}
	})
	r := httptest.NewRequest("GET", "/", nil)
	for _, k := range b.cookies() {
		r.AddCookie(k)
	}
	v, err := one.site.Visitor(r)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for _, h := range []*website{one, two} {
		all.Go(func() {
			tok, err := h.site.Token(context.Background(), v, "op")
			if err != nil || tok.AccessToken != "access-renewed" {
				t.Error(tok, err)
			}
			select {
			case <-stored:
			default:
				close(stored)
			}
		})
	}
	all.Wait()
	if asked.Load() != 2 {
		t.Error("asked", asked.Load(), "times")
	}
}

// broken is a store that is gone from a moment on.
type broken struct {
	rp.Store
	gone atomic.Bool
}

func (s *broken) CreateSession(ctx context.Context, n rp.Session, replaced rp.Hash, k *rp.Token) error {
	if s.gone.Load() {
		return errBroken
	}
	return s.Store.CreateSession(ctx, n, replaced, k)
}

func (s *broken) PutAttempt(ctx context.Context, a rp.Attempt) error {
	if s.gone.Load() {
		return errBroken
	}
	return s.Store.PutAttempt(ctx, a)
}

func (s *broken) FindSession(ctx context.Context, id rp.Hash, now time.Time) (rp.Session, error) {
	if s.gone.Load() {
		return rp.Session{}, errBroken
	}
	return s.Store.FindSession(ctx, id, now)
}

// The website's database goes away in the middle: 503, nobody is in, and nobody is out.
func TestDatabaseGoneInTheMiddle(t *testing.T) {
	o := optest.New(t)
	st := &broken{Store: rptest.NewMemory()}
	h := newWebsiteOn(t, st, rp.Provider("op", o.Provider()))
	b, in := h.browser(), h.browser()
	in.signIn("op")
	back := b.once(b.once("/auth/login/op?return=/private/x").header.Get("Location")).header.Get("Location")
	st.gone.Store(true)
	for name, a := range map[string]answer{
		"callback":     b.get(back),
		"beginning":    h.browser().get("/auth/login/op"),
		"private page": in.get("/private/x"),
		"state":        in.get("/auth/state"),
		"link":         in.send("GET", "/auth/login/op", "", nil),
	} {
		if a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Error(name, a)
		}
	}
	st.gone.Store(false)
	if b.signedIn() || !in.signedIn() {
		t.Error("something happened that was not written")
	}
}

// The same answer of a provider arrives twice at the same moment, and so does a logout token: one of the two counts.
func TestAnswersTwice(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	back := b.once(b.click("/auth/login/op?return=/private/x").header.Get("Location")).header.Get("Location")
	both := func(do func() answer) (x, y answer) {
		var all sync.WaitGroup
		all.Go(func() { x = do() })
		all.Go(func() { y = do() })
		all.Wait()
		if x.status > y.status {
			x, y = y, x
		}
		return x, y
	}
	if x, y := both(func() answer { return b.once(back) }); x.status != 303 || y.status != 400 || !b.signedIn() {
		t.Error("an answer twice:", x.status, y.status)
	}
	token := o.LogoutToken(nil)
	if x, y := both(func() answer { return b.backchannel(token) }); x.status != 200 || y.status != 400 || b.signedIn() {
		t.Error("a logout token twice:", x.status, y.status)
	}
}

// halfway is a store that hangs, and does not heed its context, as soon as a sign-out is written.
type halfway struct {
	rp.Store
	over    atomic.Bool
	release chan struct{}
}

func (s *halfway) End(ctx context.Context, e rp.Ending) (rp.Ended, error) {
	out, err := s.Store.End(ctx, e)
	s.over.Store(true)
	return out, err
}

func (s *halfway) hang() {
	if s.over.Load() {
		<-s.release
	}
}

func (s *halfway) PutAttempt(ctx context.Context, a rp.Attempt) error {
	s.hang()
	return s.Store.PutAttempt(ctx, a)
}

func (s *halfway) SettleDuty(ctx context.Context, d rp.Duty) error {
	s.hang()
	return s.Store.SettleDuty(ctx, d)
}

// The database goes away when the end is written: the sign-out is done, within a second, and nothing is claimed that could not be written.
func TestDatabaseGoneAfterTheEnd(t *testing.T) {
	quick(t, func() time.Duration {
		o := optest.New(t)
		st := &halfway{Store: rptest.NewMemory(), release: make(chan struct{})}
		h := newWebsiteOn(t, st, rp.Provider("op", o.Provider()))
		b := h.browser()
		csrf := b.signIn("op")
		start := time.Now()
		r := b.signOut(csrf, "revoke", "provider", "everywhere").report(t)
		took := time.Since(start)
		if state(r, rp.LayerWebsite) != rp.Done || state(r, rp.LayerConsent) != rp.Queued || state(r, rp.LayerProvider) != rp.Going || r.Continue == "" || b.signedIn() {
			t.Errorf("%+v", r)
		}
		close(st.release)
		return took
	})
}
