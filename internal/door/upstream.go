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

// forget unlinks a deleted account from its providers. The consents are taken back by duties of the same transaction, so that
// whoever deletes an account, by whatever way, cannot forget them.
func forget(tx idp.Tx, a idp.AccountID, r idp.ReceiptID) error {
	all, err := tx.Identities(a)
	if err != nil || len(all) == 0 {
		return err
	}
	now, err := tx.Mint()
	if err != nil {
		return err
	}
	for _, i := range all {
		if duty, owed := i.Owe(ledger.NewName(), r, now); owed {
			if err := tx.InsertRevocation(duty); err != nil {
				return err
			}
		}
		if err := tx.DeleteIdentity(i.IdentityKey); err != nil {
			return err
		}
	}
	return nil
}
