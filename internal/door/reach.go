package door

import (
	"errors"
	"fmt"

	"exeunt.dev/internal/idp"
)

// reach resolves a selector to names, once, under the lock of the row it names, and swaps the epoch where what ends
// comes back under a new one. An end locks only that row: what is opened beneath meanwhile asks for Ended after its
// own share lock, and finds out.
func reach(tx idp.Tx, s idp.Selector, why idp.CauseKind, r *idp.Receipt) ([]idp.Ending, error) {
	switch s.Kind {
	case idp.SelectToken:
		return one(s.Name, idp.WhatToken), nil
	case idp.SelectFamily:
		return family(tx, s, r)
	case idp.SelectApp:
		return app(tx, s, r)
	case idp.SelectSession:
		return session(tx, s, why, r)
	case idp.SelectOthers:
		return others(tx, s, r)
	case idp.SelectAccount:
		return account(tx, s)
	case idp.SelectConsent:
		return consent(tx, s)
	case idp.SelectClient:
		return client(tx, s)
	case idp.SelectKey:
		return []idp.Ending{{Name: s.Name, What: idp.WhatKey, Until: idp.UntilForever}}, nil
	case idp.SelectRealm:
		return realm(tx)
	case idp.SelectUpstream:
		return upstream(tx, s, r)
	}
	return nil, fmt.Errorf("no such selector: %q", s.Kind)
}

func one(n idp.Name, what idp.What) []idp.Ending { return []idp.Ending{{Name: n, What: what}} }

// family ends a family by its name, whether or not its row is there yet: a code used twice before its family was
// written still kills whatever comes.
func family(tx idp.Tx, s idp.Selector, r *idp.Receipt) ([]idp.Ending, error) {
	if f := s.Family; f != nil {
		r.Account, r.Client, r.Session = f.Account, f.Client, f.Session
		return one(f.Name, idp.WhatFamily), nil
	}
	chain, err := tx.Chain(s.Name)
	if err == nil {
		r.Account, r.Client, r.Session = chain.Grant.Account, chain.Grant.Client, chain.Grant.Session
	} else if !errors.Is(err, idp.ErrNotFound) {
		return nil, err
	}
	return one(s.Name, idp.WhatFamily), nil
}

func session(tx idp.Tx, s idp.Selector, why idp.CauseKind, r *idp.Receipt) ([]idp.Ending, error) {
	if err := tx.LockSession(s.Name, idp.Exclusive); err != nil {
		return nil, err
	}
	r.Session = s.Name
	if s.Account != "" && why != idp.CauseExpiry {
		return one(s.Name, idp.WhatSession), nil
	}
	row, err := tx.Session(s.Name)
	if err != nil {
		return nil, err
	}
	r.Account = row.Account
	e := idp.Ending{Name: row.Name, What: idp.WhatSession}
	if why == idp.CauseExpiry {
		head, err := tx.Head()
		if err != nil {
			return nil, err
		}
		if head.Time >= row.ExpiresAt {
			e.Until = idp.UntilNow // no token's exp passes the session's absolute end
		}
	}
	return []idp.Ending{e}, nil
}

// app ends the app's grant of this session and what it keeps offline from here, and marks that it must ask a human. Of a session that is
// over and swept, what it keeps offline is all that is left.
func app(tx idp.Tx, s idp.Selector, r *idp.Receipt) ([]idp.Ending, error) {
	out, err := slot(tx, s, r)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return nil, err
	}
	offline, err := tx.OfflineFrom(s.Name, s.Client)
	if err != nil {
		return nil, err
	}
	r.Session = s.Name
	for _, g := range offline {
		r.Account = g.Account
		out = append(out, idp.Ending{Name: g.Name, What: idp.WhatGrant})
	}
	return out, nil
}

// slot ends the app's grant of a session. idp.ErrNotFound: there is no session.
func slot(tx idp.Tx, s idp.Selector, r *idp.Receipt) ([]idp.Ending, error) {
	session, err := tx.Session(s.Name) // before the lock: to lock a row that is gone fails the transaction
	if err != nil {
		return nil, err
	}
	if err := tx.LockSession(s.Name, idp.Share); err != nil {
		return nil, err
	}
	if err := tx.LockSlot(s.Name, s.Client); err != nil {
		return nil, err
	}
	row, err := tx.Slot(s.Name, s.Client)
	if err != nil {
		return nil, err
	}
	r.Account = session.Account
	row.MustAsk = true
	if err := tx.PutSlot(row); err != nil || row.Grant.IsZero() {
		return nil, err
	}
	return one(row.Grant, idp.WhatGrant), nil
}

// others ends the account's epoch, begins the next and re-roots the acting session, which must be alive after the
// account's row is locked: a session that lost the race against another end must not come back by it.
func others(tx idp.Tx, s idp.Selector, r *idp.Receipt) ([]idp.Ending, error) {
	if err := tx.LockAccount(s.Account, idp.Exclusive); err != nil {
		return nil, err
	}
	if err := tx.LockSession(s.Name, idp.Exclusive); err != nil {
		return nil, err
	}
	row, err := tx.Session(s.Name)
	if err != nil {
		return nil, err
	}
	if row.Account != s.Account {
		return nil, fmt.Errorf("session of another account: %w", idp.ErrNotFound)
	}
	over, err := tx.Ended(row.Names()...)
	if err != nil {
		return nil, err
	}
	if len(over) > 0 {
		return nil, idp.ErrEnded
	}
	next := newEpoch()
	swapped, err := tx.SwapAccountEpoch(s.Account, row.Epoch, next, idp.AccountActive)
	if err != nil {
		return nil, err
	}
	if !swapped {
		return nil, idp.ErrEnded
	}
	if err := tx.ReRootSession(row.Name, row.Realm, next, *s.Acting); err != nil {
		return nil, err
	}
	r.Session = row.Name
	return one(row.Epoch, idp.WhatAccount), nil
}

func account(tx idp.Tx, s idp.Selector) ([]idp.Ending, error) {
	if err := tx.LockAccount(s.Account, idp.Exclusive); err != nil {
		return nil, err
	}
	row, err := tx.Account(s.Account)
	if err != nil {
		return nil, err
	}
	now, err := tx.Epochs(s.Account, "")
	if err != nil {
		return nil, err
	}
	// Nothing is alive under an account without an epoch, and an end never gives it one: that would unlock it. Deleted is for good.
	if now.Account.IsZero() && (s.State == idp.AccountActive || row.State == idp.AccountDeleted) {
		return nil, nil
	}
	var next idp.Name
	if s.State == idp.AccountActive {
		next = newEpoch()
	}
	if _, err := tx.SwapAccountEpoch(s.Account, now.Account, next, s.State); err != nil {
		return nil, err
	}
	if now.Account.IsZero() {
		return nil, nil
	}
	return one(now.Account, idp.WhatAccount), nil
}

func consent(tx idp.Tx, s idp.Selector) ([]idp.Ending, error) {
	if err := tx.LockAccount(s.Account, idp.Exclusive); err != nil {
		return nil, err
	}
	now, err := tx.Epochs(s.Account, s.Client)
	if err != nil || now.Consent.IsZero() {
		return nil, err
	}
	_, err = tx.SwapConsentEpoch(s.Account, s.Client, now.Consent, idp.Name{})
	return one(now.Consent, idp.WhatConsent), err
}

func client(tx idp.Tx, s idp.Selector) ([]idp.Ending, error) {
	if err := tx.LockClient(s.Client, idp.Exclusive); err != nil {
		return nil, err
	}
	now, err := tx.Epochs("", s.Client)
	if err != nil || now.Client.IsZero() {
		return nil, err // disabled before: an end does not enable it
	}
	var next idp.Name
	if !s.Disable {
		next = newEpoch()
	}
	if _, err := tx.SwapClientEpoch(s.Client, now.Client, next); err != nil {
		return nil, err
	}
	return one(now.Client, idp.WhatClient), nil
}

func realm(tx idp.Tx) ([]idp.Ending, error) {
	if err := tx.LockRealm(idp.Exclusive); err != nil {
		return nil, err
	}
	now, err := tx.Epochs("", "")
	if err != nil {
		return nil, err
	}
	_, err = tx.SwapRealmEpoch(now.Realm, newEpoch())
	return one(now.Realm, idp.WhatRealm), err
}
