package operate

import (
	"slices"
	"time"

	"exeunt.dev/internal/idp"
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

// Keys lists signing keys, the oldest first.
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
		out = append(out, Key{k.Kid.String(), k.Use, k.Alg, state, k.CreatedAt.Time(), at(k.RetiredAt)})
	}
	return out, nil
}
