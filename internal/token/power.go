package token

import (
	"errors"

	"exeunt.dev/internal/idp"
)

// ErrPower says that a token carries no such power.
var ErrPower = errors.New("the token does not carry this power")

// Wields returns nil if a token carries a power: it is alive, a machine's, for this server alone, and of a client that an operator
// still allows it. Errors: idp.ErrEnded, ErrPower.
func (i *Issuer) Wields(v idp.View, a *Access, power string) error {
	if err := idp.Live(v, a.Hangs()...); err != nil {
		return err
	}
	if !a.Machine() || !a.HasScope(power) || len(a.Audience) != 1 || a.Audience[0] != i.URL {
		return ErrPower
	}
	c, err := v.Client(a.Client)
	if errors.Is(err, idp.ErrNotFound) || (err == nil && (c.Disabled || !c.MayWield(power))) {
		return ErrPower
	}
	return err
}
