package keys

import (
	"context"
	"fmt"
	"slices"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
)

// Rotate retires the active keys of a use and makes their standbys active at once. Nobody is signed out: what the
// old keys signed verifies until it expires. After the commit the ring is to be refilled.
func Rotate(tx idp.Tx, use idp.KeyUse) error {
	if err := tx.LockRealm(idp.Exclusive); err != nil {
		return err
	}
	rows, err := living(tx)
	if err != nil {
		return err
	}
	now, err := tx.Mint()
	if err != nil {
		return err
	}
	return promote(tx, rows, now, func(k idp.Key) bool { return k.Use == use })
}

// promote retires the active keys that match and makes the standby of each the active one.
func promote(tx idp.Tx, rows []idp.Key, now idp.Time, match func(idp.Key) bool) error {
	for _, old := range rows {
		if old.State != idp.KeyActive || !match(old) {
			continue
		}
		if err := tx.SetKeyState(old.Kid, idp.KeyRetired, now); err != nil {
			return err
		}
		for _, next := range rows {
			if next.State == idp.KeyStandby && next.Use == old.Use && next.Alg == old.Alg {
				if err := tx.SetKeyState(next.Kid, idp.KeyActive, 0); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

// Kill ends everything that the key signed, at every guard, for ever, and switches to the standby at once. After the commit the ring is
// to be refilled. idp.ErrNotFound: there is no such key.
func Kill(tx idp.Tx, kid idp.Name, c idp.Cause) (idp.Receipt, error) {
	if err := tx.LockRealm(idp.Exclusive); err != nil {
		return idp.Receipt{}, err
	}
	rows, err := tx.Keys()
	if err != nil {
		return idp.Receipt{}, err
	}
	if !slices.ContainsFunc(rows, func(k idp.Key) bool { return k.Kid == kid }) {
		return idp.Receipt{}, fmt.Errorf("key %s: %w", kid, idp.ErrNotFound)
	}
	head, err := tx.Head()
	if err != nil {
		return idp.Receipt{}, err
	}
	if err := promote(tx, rows, head.Time, func(k idp.Key) bool { return k.Kid == kid }); err != nil {
		return idp.Receipt{}, err
	}
	return door.EndIn(tx, idp.EndKey(kid), c)
}

// Refill makes the keys that are missing since a rotation or kill, and reads all anew.
func (r *Ring) Refill(ctx context.Context) error {
	if err := r.Fill(ctx); err != nil {
		return err
	}
	return r.Load(ctx)
}
