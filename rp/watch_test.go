package rp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
)

// moody is a store that does not find sessions while it is broken.
type moody struct {
	rp.Store
	broken atomic.Bool
	asked  atomic.Int64
}

func (m *moody) LiveSessions(ctx context.Context, ids []rp.Hash, now time.Time) ([]rp.Hash, error) {
	m.asked.Add(1)
	if m.broken.Load() {
		return nil, errBroken
	}
	return m.Store.LiveSessions(ctx, ids, now)
}

// What goes on while its session ends is told within two seconds; while nothing can be asked it goes on for ten, and no longer.
func TestWatch(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(*rp.Site, *moody)
		cause error
		most  time.Duration
	}{
		"signed out elsewhere": {func(s *rp.Site, _ *moody) { s.EndUser(t.Context(), "alice") }, rp.ErrEnded, 2 * time.Second},
		"idle":                 {func(*rp.Site, *moody) { time.Sleep(time.Hour) }, rp.ErrEnded, 2 * time.Second},
		"store gone":           {func(_ *rp.Site, m *moody) { m.broken.Store(true) }, rp.ErrStore, 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &moody{Store: rptest.NewMemory()}
				s, err := rp.New(m, rp.Origin("https://site.example"), rp.Key(make([]byte, 32)), rp.Limits(time.Hour, 2*time.Hour))
				if err != nil {
					t.Fatal(err)
				}
				w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/login", nil)
				if err := s.SignIn(w, r, "alice", time.Now()); err != nil {
					t.Fatal(err)
				}
				for _, k := range w.Result().Cookies() {
					r.AddCookie(k)
				}
				v, err := s.Visitor(r)
				if err != nil {
					t.Fatal(err)
				}
				ctx, stop := s.Watch(t.Context(), v)
				defer stop()
				left, leave := s.Watch(t.Context(), v)
				leave()
				time.Sleep(30 * time.Minute)
				if ctx.Err() != nil || !errors.Is(context.Cause(left), context.Canceled) {
					t.Fatal("cut without a cause:", context.Cause(ctx), context.Cause(left))
				}
				c.end(s, m)
				at := time.Now()
				<-ctx.Done()
				if took := time.Since(at); took > c.most || !errors.Is(context.Cause(ctx), c.cause) {
					t.Error(took, context.Cause(ctx))
				}
			})
		})
	}
}

// Who watches many sessions asks one question a second for all of them.
func TestWatch_AsksOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &moody{Store: rptest.NewMemory()}
		s, err := rp.New(m, rp.Origin("https://site.example"), rp.Key(make([]byte, 32)))
		if err != nil {
			t.Fatal(err)
		}
		const people = 600 // in two parts
		var watched []context.Context
		for i := range people {
			w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/login", nil)
			if err := s.SignIn(w, r, fmt.Sprint("person", i), time.Now()); err != nil {
				t.Fatal(err)
			}
			for _, k := range w.Result().Cookies() {
				r.AddCookie(k)
			}
			v, err := s.Visitor(r)
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := s.Watch(t.Context(), v)
			defer stop()
			watched = append(watched, ctx)
		}
		time.Sleep(time.Minute)
		if n := m.asked.Load(); n == 0 || n > 2*61 {
			t.Error("asked", n, "times in a minute")
		}
		s.EndUser(t.Context(), "person7")
		time.Sleep(2 * time.Second)
		for i, ctx := range watched {
			if (ctx.Err() != nil) != (i == 7) {
				t.Error(i, context.Cause(ctx))
			}
		}
	})
}

// A stream of a page behind Require ends with its session, whoever ends it.
func TestStreamEndsWithItsSession(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	cut := make(chan error, 1)
	stream := httptest.NewServer(h.site.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "first")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		cut <- context.Cause(r.Context())
	})))
	t.Cleanup(stream.Close)
	b := h.browser()
	b.signIn("op")
	r, _ := http.NewRequest("GET", stream.URL, nil)
	for _, k := range b.cookies() {
		r.AddCookie(k)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	defer res.Body.Close()
	if a := h.browser().backchannel(o.LogoutToken(nil)); a.status != 200 {
		t.Fatal(a)
	}
	if err := <-cut; !errors.Is(err, rp.ErrEnded) {
		t.Error(err)
	}
}
