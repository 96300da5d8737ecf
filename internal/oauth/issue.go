package oauth

import (
	"context"
	"errors"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// errRaced says that another tab opened the app for the first time just before: its consent is there now, start again under it.
var errRaced = errors.New("another tab was first")

// issue makes a code with its grant, in one transaction. idp.ErrEnded: what it would hang on is over.
//
// R: pending grants. The grant is written before anybody can redeem the code, so that an end in between finds it; the locks
// are taken before the question, so that an end that has been missed is waiting for them and will find the grant.
func (o *OAuth) issue(ctx context.Context, a *asked, st *standing) (string, error) {
	if err := o.mayEnter(st.session.Account); err != nil {
		return "", err
	}
	code := idp.NewSecret(32)
	err := o.Store.Update(ctx, func(tx idp.Tx) error {
		if a.row != nil {
			if _, err := tx.TakePending(a.row.ID); err != nil {
				return err
			}
		}
		if err := o.usePushed(tx, a); err != nil {
			return err
		}
		if err := lock(tx, st.session, a.client.ID); err != nil {
			return err
		}
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		session, err := tx.Session(st.session.Name)
		if err != nil {
			return err
		}
		epochs := idp.Epochs{Realm: session.Realm, Account: session.Epoch, Client: a.born.Client, Consent: st.epochs.Consent}
		if epochs.Consent.IsZero() && !a.client.FirstParty {
			return idp.ErrEnded
		}
		if epochs.Consent.IsZero() { // first-party: consented without being asked
			epochs.Consent = ledger.NewName()
			c := idp.Consent{Account: session.Account, Client: a.client.ID, Scopes: a.request.Scopes, GivenAt: now}
			if err := tx.PutConsent(c, epochs.Consent); err != nil {
				return err
			}
			current, err := tx.Epochs(session.Account, a.client.ID)
			if err != nil {
				return err
			}
			if current.Consent != epochs.Consent {
				return errRaced
			}
		}
		if epochs.Client.IsZero() {
			return idp.ErrEnded
		}
		if err := idp.Live(tx, append(epochs.Names(), session.Name)...); err != nil {
			return err
		}
		grant, err := o.grant(tx, &session, a, epochs, now)
		if err != nil {
			return err
		}
		row := idp.Code{
			Hash: idp.HashOf(code), Grant: grant, Family: ledger.NewName(), Client: a.client.ID, RedirectURI: a.request.RedirectURI,
			Challenge: a.request.Challenge, Nonce: a.request.Nonce, Scopes: a.request.Scopes, Resources: a.request.Resources,
			IssuedAt: now, ExpiresAt: now.Add(o.Browser.Policy().CodeLife), Bond: idp.Bond{Key: a.request.Key, Net: a.net},
		}
		if has(a.request.Scopes, scopeOffline) {
			if row.Offline, err = offline(tx, &session, a.client.ID, epochs, now); err != nil {
				return err
			}
		}
		return tx.InsertCode(row)
	})
	return code, err
}

// lock takes the locks of whoever opens something beneath a session: share on what may end, then the slot.
func lock(tx idp.Tx, s *idp.Session, client idp.ClientID) error {
	if err := tx.LockAccount(s.Account, idp.Share); err != nil {
		return err
	}
	if err := tx.LockSession(s.Name, idp.Share); err != nil {
		return err
	}
	if err := tx.LockClient(client, idp.Share); err != nil {
		return err
	}
	return tx.LockSlot(s.Name, client)
}

// grant returns the app's live grant in this session, or opens a new one. The mark "must ask a human" goes only if one
// has acted under it; while it stands, nothing is granted.
func (o *OAuth) grant(tx idp.Tx, s *idp.Session, a *asked, e idp.Epochs, now idp.Time) (idp.Name, error) {
	slot, err := tx.Slot(s.Name, a.client.ID)
	if err != nil {
		return idp.Name{}, err
	}
	if slot.MustAsk && !a.request.Acted(a.row, s.Name, &slot) {
		return idp.Name{}, idp.ErrEnded
	}
	if !slot.Grant.IsZero() && !slot.MustAsk {
		g, err := tx.Grant(slot.Grant)
		if err == nil && idp.Live(tx, g.Names(s)...) == nil {
			return g.Name, nil
		}
		if err != nil && !errors.Is(err, idp.ErrNotFound) {
			return idp.Name{}, err
		}
	}
	g := idp.Grant{
		Name: ledger.NewName(), Account: s.Account, Client: a.client.ID, Session: s.Name,
		Epochs: idp.Epochs{Client: e.Client, Consent: e.Consent}, CreatedAt: now, // realm and account: the session's row says
	}
	slot.Grant, slot.MustAsk = g.Name, false
	if err := tx.PutSlot(slot); err != nil {
		return g.Name, err
	}
	return g.Name, tx.InsertGrant(g)
}

// offline returns the app's live offline grant from this session, or opens one: as many as there are codes would all have to be ended, one
// by one, when the app is signed out here. The slot is locked.
func offline(tx idp.Tx, s *idp.Session, client idp.ClientID, e idp.Epochs, now idp.Time) (idp.Name, error) {
	all, err := tx.OfflineFrom(s.Name, client)
	if err != nil {
		return idp.Name{}, err
	}
	for _, g := range all {
		if err := idp.Live(tx, g.Names(nil)...); !errors.Is(err, idp.ErrEnded) {
			return g.Name, err
		}
	}
	g := idp.Grant{Name: ledger.NewName(), Account: s.Account, Client: client, Here: s.Name, Epochs: e, CreatedAt: now}
	return g.Name, tx.InsertGrant(g)
}
