package operate

import (
	"time"

	"exeunt.dev/internal/idp"
)

// Revocation is the duty to take a consent back at a provider, as operators see it.
type Revocation struct {
	ID        string            `json:"id"`
	Provider  string            `json:"provider"` // its id in the configuration
	Subject   idp.AccountID     `json:"sub"`
	Receipt   uint64            `json:"receipt,omitempty"` // read of one, not in lists
	State     idp.DeliveryState `json:"state"`
	Created   time.Time         `json:"created_at"`
	Attempts  int               `json:"attempts"`
	Attempted *time.Time        `json:"attempted_at,omitempty"`
	Next      *time.Time        `json:"next_attempt_at,omitempty"`
	Settled   *time.Time        `json:"settled_at,omitempty"`
	Why       string            `json:"why,omitempty"`
}

// What an operator did to one, as events say it.
const (
	ActAsked   = "revocation-hastened"
	ActForgone = "revocation-given-up"
)

// ShowRevocation makes the operators' view of one.
func ShowRevocation(r *idp.Revocation) Revocation {
	return Revocation{ID: r.ID.String(), Provider: r.Provider, Subject: r.Account, State: r.State, Created: r.CreatedAt.Time(), Attempts: r.Attempts,
		Attempted: idp.At(r.AttemptedAt), Next: idp.At(r.Due), Settled: idp.At(r.SettledAt), Why: r.Error}
}

// ReadRevocation is ShowRevocation with the receipt of the act that it belongs to.
func ReadRevocation(v idp.View, id idp.Name) (out Revocation, err error) {
	row, err := v.Revocation(id)
	if err != nil {
		return out, err
	}
	out = ShowRevocation(&row)
	if row.Receipt != "" {
		var r idp.Receipt
		r, err = v.Receipt(row.Receipt)
		out.Receipt = r.Number
	}
	return out, err
}

// RevocationFilter reads what a list is narrowed to: a provider, and a state, or "dead" for all that providers are not asked any more.
func RevocationFilter(provider, state string) (f idp.RevocationFilter, err error) {
	f.Provider = provider
	f.State, f.Dead, err = stateFilter(state)
	return f, err
}

// AskAgain makes a revocation due now. idp.ErrNotFound; a StateError: the provider has confirmed it, or there is nothing to ask with.
func AskAgain(tx idp.Tx, id idp.Name) (d idp.Revocation, err error) {
	return duty(tx, id, not("It is not owed any more. What the provider is asked with is destroyed with the last attempt: the person can take the consent back there."), tx.HastenRevocation)
}

// Forgo makes an owed revocation dead and destroys what the provider would be asked with. Errors as those of AskAgain.
func Forgo(tx idp.Tx, id idp.Name) (d idp.Revocation, err error) {
	return duty(tx, id, not("It is not owed."), tx.GiveUpRevocation)
}

func duty(tx idp.Tx, id idp.Name, refused error, act func(idp.Name, idp.Time) (bool, error)) (d idp.Revocation, err error) {
	if d, err = tx.Revocation(id); err != nil {
		return d, err
	}
	if d.State == idp.Confirmed {
		return d, not("The provider has confirmed it.")
	}
	now, err := tx.Mint()
	if err != nil {
		return d, err
	}
	done, err := act(id, now)
	if err == nil && !done {
		err = refused
	}
	if err != nil {
		return d, err
	}
	return tx.Revocation(id)
}
