package keys_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/store/sqlite"
)

// turning is a ring with a clock to turn.
type turning struct {
	*keys.Ring
	t     *testing.T
	store idp.Store
	ahead atomic.Int64
}

func openTurning(t *testing.T) *turning {
	r := &turning{t: t}
	begin, dir := time.Now(), t.TempDir()
	store, err := sqlite.OpenWith(t.Context(), filepath.Join(dir, "db"), sqlite.Options{
		Wall:      func() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) },
		Monotonic: func() time.Duration { return time.Since(begin) + time.Duration(r.ahead.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	vault, err := keys.CreateVault(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Ring, err = keys.Open(t.Context(), store, vault, []string{"ES256"}); err != nil {
		t.Fatal(err)
	}
	r.store = store
	return r
}

// signs is the key that signs.
func (r *turning) signs(use idp.KeyUse) (kid idp.Name) {
	r.t.Helper()
	signer, err := r.Signer(use, "")
	if err != nil {
		r.t.Fatal(err)
	}
	if err := kid.UnmarshalText([]byte(signer.Public().ID)); err != nil {
		r.t.Fatal(err)
	}
	return kid
}

func (r *turning) turn(do func(idp.Tx) error) {
	r.t.Helper()
	if err := r.store.Update(r.t.Context(), do); err != nil {
		r.t.Fatal(err)
	}
	if err := r.Refill(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *turning) rotate(use idp.KeyUse) {
	r.t.Helper()
	old := r.signs(use)
	r.turn(func(tx idp.Tx) error { return keys.Rotate(tx, use) })
	if r.signs(use) == old {
		r.t.Fatal("it was not rotated")
	}
}

func (r *turning) kill(kid idp.Name) {
	r.t.Helper()
	r.turn(func(tx idp.Tx) error {
		_, err := keys.Kill(tx, kid, idp.Cause{Kind: idp.CauseKeyKilled, Actor: idp.ActorOperator("test")})
		return err
	})
}

// after lets days pass since the beginning.
func (r *turning) after(days int) {
	r.t.Helper()
	r.ahead.Store(int64(time.Duration(days) * 24 * time.Hour))
	if err := r.Load(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// knows says whether a key verifies, which is when it is published.
func (r *turning) knows(kid idp.Name) bool {
	r.t.Helper()
	set, err := jws.ParseSet(r.JWKS())
	if err != nil {
		r.t.Fatal(err)
	}
	_, published := set.Key(kid.String())
	if _, ok := r.Verifier(kid.String()); ok != published {
		r.t.Errorf("key %s verifies: %t, is published: %t", kid, ok, published)
	}
	return published
}

// A key that was retired verifies for 90 days more, as hints want it; then it is nothing. One that signed receipts, which do not expire,
// verifies for good. One that was killed is nothing at once.
func TestRetiredKeys(t *testing.T) {
	r := openTurning(t)
	retired, receipts := r.signs(idp.UseID), r.signs(idp.UseReceipt)
	r.rotate(idp.UseID)
	r.rotate(idp.UseReceipt)
	killed := []idp.Name{r.signs(idp.UseID), r.signs(idp.UseReceipt)}
	r.rotate(idp.UseReceipt)
	for _, kid := range killed {
		r.kill(kid)
	}
	for _, days := range []int{0, 89, 91, 4000} {
		r.after(days)
		if want := days < 90; r.knows(retired) != want {
			t.Errorf("after %d days it verifies: %t", days, !want)
		}
		if !r.knows(receipts) {
			t.Errorf("a key of receipts verifies nothing after %d days", days)
		}
		for _, kid := range killed {
			if r.knows(kid) {
				t.Errorf("a killed key verifies after %d days", days)
			}
		}
	}
}

// However often keys of receipts are rotated, apps can read the set: it has the last 64 that were retired.
func TestManyRetiredKeysOfReceipts(t *testing.T) {
	r := openTurning(t)
	var all []idp.Name
	for day := range 66 {
		r.after(day)
		all = append(all, r.signs(idp.UseReceipt))
		r.rotate(idp.UseReceipt)
	}
	for i, kid := range all {
		if r.knows(kid) != (i >= 2) {
			t.Errorf("the key that was retired as number %d of 66 is published: %t", i+1, i < 2)
		}
	}
	if n := len(r.JWKS()); n > 32<<10 {
		t.Errorf("the set has %d bytes", n)
	}
}
