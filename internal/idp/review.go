package idp

import (
	"errors"
	"slices"
)

// Doubts are what a person is to speak about after a recovery: older credentials, which somebody else may have added.
type Doubts struct {
	Care        Care
	Credentials []Credential
	Identities  []Identity
}

// Any says that there is something to be said.
func (d *Doubts) Any() bool { return len(d.Credentials)+len(d.Identities) > 0 }

// DoubtsOf reads what of an account's is doubtful (see [Care.Doubtful]). It is one lookup for accounts that nobody had to recover.
func DoubtsOf(v View, id AccountID) (d Doubts, err error) {
	d.Care, err = v.Care(id)
	if errors.Is(err, ErrNotFound) {
		return d, nil
	}
	if err != nil || !d.Care.Doubtful(0) {
		return d, err
	}
	if d.Credentials, err = v.Credentials(id); err != nil {
		return d, err
	}
	d.Credentials = slices.DeleteFunc(d.Credentials, func(c Credential) bool { return !d.Care.Doubtful(c.AddedAt) })
	d.Identities, err = v.Identities(id)
	d.Identities = slices.DeleteFunc(d.Identities, func(i Identity) bool { return !d.Care.Doubtful(i.AddedAt) })
	return d, err
}
