package keys_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/store/sqlite"
)

// A key that was retired verifies for 90 days more, as hints want it; then it is nothing. One that was
// killed is nothing at once.
func TestRetiredKeys(t *testing.T) {
	var ahead atomic.Int64
	begin, dir := time.Now(), t.TempDir()
	store, err := sqlite.OpenWith(t.Context(), filepath.Join(dir, "db"), sqlite.Options{
		Wall:      func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		Monotonic: func() time.Duration { return time.Since(begin) + time.Duration(ahead.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	vault, err := keys.CreateVault(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(t.Context(), store, vault, []string{"ES256"})
	if err != nil {
		t.Fatal(err)
	}
	sign := func() (kid idp.Name) {
		t.Helper()
		signer, err := ring.Signer(idp.UseID, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := kid.UnmarshalText([]byte(signer.Public().ID)); err != nil {
			t.Fatal(err)
		}
		return kid
	}
	turn := func(do func(idp.Tx) error) {
		t.Helper()
		if err := store.Update(t.Context(), do); err != nil {
			t.Fatal(err)
		}
		if err := ring.Refill(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	retired := sign()
	turn(func(tx idp.Tx) error { return keys.Rotate(tx, idp.UseID) })
	killed := sign()
	if killed == retired {
		t.Fatal("it was not rotated")
	}
	turn(func(tx idp.Tx) error {
		_, err := keys.Kill(tx, killed, idp.Cause{Kind: idp.CauseKeyKilled, Actor: idp.ActorOperator("test")})
		return err
	})
	for _, days := range []int{0, 89, 91} {
		want := days < 90
		ahead.Store(int64(time.Duration(days) * 24 * time.Hour))
		if err := ring.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, ok := ring.Verifier(retired.String()); ok != want {
			t.Errorf("after %d days it verifies: %t", days, ok)
		}
		if _, ok := ring.Verifier(killed.String()); ok {
			t.Errorf("a killed key verifies after %d days", days)
		}
	}
}
