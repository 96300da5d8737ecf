package guard

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exeunt.dev/exeunttest"
	"exeunt.dev/internal/jws"
	"exeunt.dev/ledger"
)

func TestNewKeyIsFoundAndOldTokensStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		g := running(t, iss)
		old, unseen := iss.Token(), iss.Token()
		wantErr(t, g, old, nil)
		time.Sleep(keysAgain)
		iss.RotateKey()
		wantErr(t, g, iss.Token(), nil)
		wantErr(t, g, old, nil)
		wantErr(t, g, unseen, nil)
	})
}

// A killed key ends what it has signed, seen or not, and whatever its thief will sign.
func TestKilledKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		g := running(t, iss)
		seen, unseen, late := iss.Token(), iss.Token(), iss.Token()
		wantErr(t, g, seen, nil)
		iss.KillKey()
		synctest.Wait()
		wantErr(t, g, seen, ErrEnded)
		wantErr(t, g, unseen, ErrEnded)
		time.Sleep(10 * time.Minute)
		iss.Advance(48 * time.Hour)
		time.Sleep(2 * time.Minute) // the key set without it has been read
		wantErr(t, g, unseen, ErrEnded)
		wantErr(t, g, late, ErrEnded) // of a key that is known no more: it has ended, and is neither unknown (401 for a forged one) nor 503
		wantErr(t, g, iss.Token(), nil)
	})
}

// Made-up kids do not flood the issuer, and get nothing but refusals.
func TestUnknownKids(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		v, client := through(iss, nil)
		g := running(t, iss, client)
		payload := []byte(`{}`)
		time.Sleep(keysAgain)
		before := v.count(jwksPath)
		for i := range 50 {
			s, err := jws.Generate(ledger.NewName().String(), jws.ES256)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := s.Sign("at+jwt", payload)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				wantErr(t, g, raw, ErrInvalid)
			} else {
				wantErr(t, g, raw, ErrStale) // nobody was asked about this one
			}
		}
		if n := v.count(jwksPath) - before; n != 1 {
			t.Errorf("the issuer was asked %d times", n)
		}
		// Whoever sends made-up kids makes nobody be refused for good whose key is new.
		iss.RotateKey()
		iss.RotateKey()
		raw := iss.Token()
		wantErr(t, g, raw, ErrStale)
		time.Sleep(keysAgain)
		wantErr(t, g, raw, nil)
	})
}

// An answer about keys that was asked for before a token came says nothing about its key, which may be newer.
func TestUnknownKeyWhileAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		var hold atomic.Bool
		_, client := through(iss, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if r.URL.Path == jwksPath && hold.Load() {
				time.Sleep(time.Second) // on its way back
			}
			return resp, err
		})
		g := running(t, iss, client)
		time.Sleep(keysAgain)
		hold.Store(true)
		g.keys.renew()
		synctest.Wait()
		hold.Store(false)
		iss.RotateKey()
		raw := iss.Token()
		wantErr(t, g, raw, ErrStale)
		time.Sleep(keysAgain)
		wantErr(t, g, raw, nil)
	})
}

// When the issuer cannot be asked about a key the token may be good: not a sign-out.
func TestUnknownKeyWhileIssuerIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := exeunttest.NewInMemory(t)
		var bad atomic.Value
		bad.Store("")
		_, client := through(iss, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if body := bad.Load().(string); r.URL.Path == jwksPath && body != "" {
				return &http.Response{StatusCode: 200, Body: nopBody{strings.NewReader(body)}, Request: r}, nil
			}
			return next.RoundTrip(r)
		})
		g := running(t, iss, client)
		seen := iss.Token()
		wantErr(t, g, seen, nil)
		for _, body := range []string{"<html>", `{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AAAA"}]}`, strings.Repeat(" ", maxJWKS+1)} {
			bad.Store(body)
			time.Sleep(keysAgain)
			iss.RotateKey()
			raw := iss.Token()
			wantErr(t, g, raw, ErrStale)
			wantErr(t, g, raw, ErrStale) // within the two seconds too
			wantErr(t, g, seen, nil)     // the keys it has stay
		}
		if !errors.Is(g.keys.refresh(), errNoKeys) {
			t.Error("a bad key set was taken")
		}
	})
}

type nopBody struct{ *strings.Reader }

func (nopBody) Close() error { return nil }
