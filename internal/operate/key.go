package operate

import (
	"cmp"
	"slices"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/ledger"
)

// Key is a signing key as operators see it.
type Key struct {
	Kid     string     `json:"kid"`
	Use     idp.KeyUse `json:"use"`
	Alg     string     `json:"alg"`
	State   string     `json:"state"` // standby, active, retired, or killed
	Created time.Time  `json:"created_at"`
	Retired *time.Time `json:"retired_at,omitempty"`
}

// Killed is the state of a key whose name is in the ledger.
const Killed = "killed"

// Keys lists signing keys by what they sign, those that sign or will before those that did, and the newest of these first.
func Keys(v idp.View) ([]Key, error) {
	rows, err := v.Keys()
	if err != nil {
		return nil, err
	}
	kids := make([]idp.Name, len(rows))
	for i, k := range rows {
		kids[i] = k.Kid
	}
	killed, err := v.Ended(kids...)
	if err != nil {
		return nil, err
	}
	out := []Key{}
	for _, k := range rows {
		state := string(k.State)
		if slices.Contains(killed, k.Kid) {
			state = Killed
		}
		out = append(out, Key{k.Kid.String(), k.Use, k.Alg, state, k.CreatedAt.Time(), idp.At(k.RetiredAt)})
	}
	order := func(k Key) (use, state int) {
		return slices.Index(AllUses(), k.Use), slices.Index([]string{string(idp.KeyActive), string(idp.KeyStandby), string(idp.KeyRetired), Killed}, k.State)
	}
	slices.SortStableFunc(out, func(a, b Key) int {
		useA, stateA := order(a)
		useB, stateB := order(b)
		return cmp.Or(useA-useB, stateA-stateB, b.Created.Compare(a.Created))
	})
	return out, nil
}

// AllUses are what keys sign.
func AllUses() []idp.KeyUse { return []idp.KeyUse{idp.UseAccess, idp.UseID, idp.UseReceipt} }

// Uses reads what keys are rotated for: access, id, receipt, or all.
func Uses(text string) ([]idp.KeyUse, error) {
	switch use := idp.KeyUse(text); {
	case text == "" || text == "all":
		return AllUses(), nil
	case slices.Contains(AllUses(), use):
		return []idp.KeyUse{use}, nil
	}
	return nil, idp.Invalid("use", "A use is access, id, receipt or all.")
}

// keySetLife is how long others keep the list of keys.
const keySetLife = 5 * time.Minute

// ErrYoung says that keys were rotated so short ago that others may not have the next one.
var ErrYoung = not("These keys were rotated less than five minutes ago: apps may not have the next one yet. Try again after that.")

// RotateKeys lets the next keys sign from now on; nothing ends. The caller refills the ring after the commit. ErrYoung, unless that
// is to be so.
func RotateKeys(tx idp.Tx, uses []idp.KeyUse, young bool) error {
	rows, err := tx.Keys()
	if err != nil {
		return err
	}
	now, err := tx.Mint()
	if err != nil {
		return err
	}
	if !young && slices.ContainsFunc(rows, func(k idp.Key) bool {
		return k.RetiredAt != 0 && now < k.RetiredAt.Add(keySetLife) && slices.Contains(uses, k.Use)
	}) {
		return ErrYoung
	}
	for _, use := range uses {
		if err := keys.Rotate(tx, use); err != nil {
			return err
		}
	}
	return nil
}

// KillKey ends all that a key has signed. The caller refills the ring after the commit. idp.ErrNotFound: there is no such key.
func KillKey(tx idp.Tx, kid string, by By) (idp.Receipt, error) {
	name, err := ledger.ParseName(kid)
	if err != nil {
		return idp.Receipt{}, idp.ErrNotFound
	}
	return keys.Kill(tx, name, by.cause(idp.CauseKeyKilled))
}
