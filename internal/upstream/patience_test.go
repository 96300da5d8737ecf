package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exeunt.dev/internal/jws"
	"exeunt.dev/provider"
)

const issuer = "https://op.example"

func signer(t *testing.T, kid string) *jws.Signer {
	t.Helper()
	s, err := jws.Generate(kid, jws.ES256)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func logoutToken(t *testing.T, s *jws.Signer) string {
	t.Helper()
	now := time.Now()
	claims, err := json.Marshal(map[string]any{"iss": issuer, "aud": "site", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": "j", "sid": "s",
		"events": map[string]any{logoutEvent: map[string]any{}}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.Sign("logout+jwt", claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// asked counts the questions for keys, and fails if two are under way or one comes too soon after another.
type asked struct {
	t         *testing.T
	n, at     atomic.Int32
	last      atomic.Int64
	takes     time.Duration
	key       atomic.Pointer[jws.Signer]
	unhealthy atomic.Bool
}

func (a *asked) keys(context.Context) (*jws.Set, error) {
	if a.at.Add(1) > 1 {
		a.t.Error("two questions at once")
	}
	if ago := time.Duration(time.Now().UnixNano() - a.last.Load()); ago < again {
		a.t.Error("asked again after", ago)
	}
	time.Sleep(a.takes)
	a.last.Store(time.Now().UnixNano())
	a.n.Add(1)
	a.at.Add(-1)
	if a.unhealthy.Load() {
		return nil, errors.New("down")
	}
	return jws.NewSet(a.key.Load().Public())
}

func slow(t *testing.T, key *jws.Signer, takes time.Duration) (*Upstream, *asked) {
	u := New("op", provider.OIDC(issuer, "site", "secret"), Options{Timeout: 5 * time.Second, Now: time.Now})
	a := &asked{t: t, takes: takes}
	a.key.Store(key)
	u.sets.fetch = a.keys
	return u, a
}

// Whoever sends logout tokens with keys that nobody knows has the provider asked at most once in two seconds, by one question at a time,
// and keeps a few requests waiting, none for longer than keysPatience. Tokens by the keys at hand wait for none of that.
func TestUnknownKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := signer(t, "good")
		u, a := slow(t, good, time.Second)
		if _, err := u.Patiently(t.Context(), logoutToken(t, good)); err != nil {
			t.Fatal(err)
		}
		const seconds, each = 60, 4 * mostWaiting
		var later, refused, other atomic.Int32
		most := 0
		start := time.Now()
		for second := range seconds {
			raw := logoutToken(t, signer(t, fmt.Sprint("unknown", second)))
			for range each {
				go func() {
					came := time.Now()
					_, err := u.Patiently(t.Context(), raw)
					took := time.Since(came)
					switch {
					case errors.Is(err, ErrUnavailable):
						later.Add(1)
					case errors.Is(err, jws.ErrSignature):
						refused.Add(1)
					default:
						other.Add(1)
					}
					if took > keysPatience {
						t.Error("held for", took)
					}
				}()
			}
			synctest.Wait()
			most = max(most, len(u.waiting))
			before := time.Now()
			if _, err := u.Patiently(t.Context(), logoutToken(t, good)); err != nil || !time.Now().Equal(before) {
				t.Error("a good one:", err, time.Since(before))
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		if most != mostWaiting || other.Load() > 0 || refused.Load() == 0 || later.Load()+refused.Load() != seconds*each {
			t.Error(most, "waited,", refused.Load(), "were refused,", later.Load(), "told to come again,", other.Load(), "else")
		}
		if longest := int32(time.Since(start) / again); a.n.Load() > longest || a.n.Load() < 10 {
			t.Error("asked", a.n.Load(), "times")
		}
	})
}

// In the middle of that the provider turns its key: a token by the new one is taken when the provider comes again.
func TestUnknownKeys_HideNoNewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, a := slow(t, signer(t, "old"), time.Second)
		strangers := logoutToken(t, signer(t, "unknown"))
		flood := func() {
			for range 2 * mostWaiting {
				go u.Patiently(t.Context(), strangers)
			}
			synctest.Wait()
		}
		flood()
		turned := signer(t, "new")
		a.key.Store(turned)
		first := time.Now()
		for {
			_, err := u.Patiently(t.Context(), logoutToken(t, turned))
			if err == nil {
				break
			}
			if !errors.Is(err, ErrUnavailable) || time.Since(first) > time.Minute {
				t.Fatal(err, time.Since(first))
			}
			time.Sleep(5 * time.Second) // the Retry-After of the answer
			flood()
		}
	})
}

// A provider that is down is asked no more often, and nobody is told that a token is bad.
func TestUnknownKeys_ProviderDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := signer(t, "good")
		u, a := slow(t, good, time.Second)
		a.unhealthy.Store(true)
		start := time.Now()
		for range 30 {
			for range 2 * mostWaiting {
				go func() {
					if _, err := u.Patiently(t.Context(), logoutToken(t, good)); !errors.Is(err, ErrUnavailable) {
						t.Error(err)
					}
				}()
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		if a.n.Load() > int32(time.Since(start)/again) || a.n.Load() < 5 {
			t.Error("asked", a.n.Load(), "times")
		}
		a.unhealthy.Store(false)
		if _, err := u.Patiently(t.Context(), logoutToken(t, good)); err != nil {
			t.Error("it is back:", err)
		}
	})
}
