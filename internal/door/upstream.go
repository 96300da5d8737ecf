package door

import (
	"bytes"
	"errors"
	"slices"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// upstream ends what came from a provider. Its caller has locked the arrival, so that what comes meanwhile finds out.
func upstream(tx idp.Tx, s idp.Selector, r *idp.Receipt) (out []idp.Ending, err error) {
	sessions, err := tx.SessionsFrom(*s.From)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(sessions, func(a, b idp.Name) int { return bytes.Compare(a[:], b[:]) }) // one order of locks
	for _, n := range slices.Compact(sessions) {
		if err := tx.LockSession(n, idp.Exclusive); errors.Is(err, idp.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		row, err := tx.Session(n)
		if err != nil {
			return nil, err
		}
		r.Account = row.Account
		out = append(out, idp.Ending{Name: n, What: idp.WhatSession})
	}
	if len(out) == 1 {
		r.Session = out[0].Name
	}
	if !s.Away {
		return out, nil
	}
	grants, err := tx.OfflineOf(idp.IdentityKey{Provider: s.From.Provider, Issuer: s.From.Issuer, Subject: s.From.Subject})
	if err != nil {
		return nil, err
	}
	for _, n := range grants {
		if err := tx.LockGrant(n, idp.Exclusive); err != nil {
			return nil, err
		}
		g, err := tx.Grant(n)
		if err != nil {
			return nil, err
		}
		r.Account = g.Account
		out = append(out, idp.Ending{Name: n, What: idp.WhatGrant})
	}
	return out, nil
}

// forget takes from a deleted account what the person told of themselves, the operator's role, and the links to providers. The consents are
// taken back by duties of the same transaction, so that whoever deletes an account, by whatever way, cannot forget them. What a person signed
// in with goes with the epoch.
func forget(tx idp.Tx, id idp.AccountID, r idp.ReceiptID) error {
	a, err := tx.Account(id)
	if err != nil {
		return err
	}
	a.Password, a.Name, a.Email, a.EmailVerified = "", "", "", false
	if err := tx.UpdateAccount(a); err != nil {
		return err
	}
	if _, err := tx.DropOperator(id); err != nil {
		return err
	}
	if err := tx.DropLock(id); err != nil {
		return err
	}
	all, err := tx.Identities(id)
	if err != nil || len(all) == 0 {
		return err
	}
	now, err := tx.Mint()
	if err != nil {
		return err
	}
	for _, i := range all {
		if err := Unlink(tx, &i, r, now); err != nil {
			return err
		}
	}
	return nil
}

// Unlink takes an identity from its account, and writes down the duty to take the consent back at the provider, as part of the act that a
// receipt is of.
func Unlink(tx idp.Tx, i *idp.Identity, r idp.ReceiptID, now idp.Time) error {
	if duty, owed := i.Owe(ledger.NewName(), r, now); owed {
		if err := tx.InsertRevocation(duty); err != nil {
			return err
		}
	}
	return tx.DeleteIdentity(i.IdentityKey)
}
