package factor

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/ledger"
)

// Factors checks them.
type Factors struct {
	store idp.Store
	vault *keys.Vault
	site  string        // as an authenticator app shows it
	life  time.Duration // of half-finished things
	codes *edge.Limiter
	rp    *authority // nil: browsers give no passkeys at this address
	asked *edge.Limiter
	begun *edge.Limiter // of what a signed-in person may begin to add

	// Knows gives a key to a browser in which this account has signed in before; nil: none is known.
	Knows func(*http.Request, idp.AccountID) string
	// Elsewhere counts the ways in that are not this package's, nor the password; nil: there are none.
	Elsewhere func(idp.View, idp.AccountID) (int, error)
	// Failed is told of wrong codes; nil: nobody is.
	Failed func(idp.Event)
	// Tell writes to a person, in the transaction of a change, what was changed; nil: nobody does.
	Tell func(tx idp.Tx, e idp.Event, now idp.Time) error
}

// A code has six digits, and three are right at any time. Whoever has the password gets ten guesses and then one in five minutes, at
// each node: after a year the chance that one was right is a quarter.
const (
	guesses    = 10
	guessEvery = 5 * time.Minute
)

// Whoever begins to add a factor leaves a row behind until its time is over: nobody who is signed in may fill the disk with them.
const (
	begins     = 20
	beginEvery = 30 * time.Second
)

// mayBegin takes one of an account's turns. *idp.LimitedError.
func (f *Factors) mayBegin(id idp.AccountID) error {
	if ok, wait := f.begun.Allow(string(id)); !ok {
		return &idp.LimitedError{Wait: wait}
	}
	return nil
}

// New makes a checker for a site of that name at its issuer's address.
func New(store idp.Store, vault *keys.Vault, site, issuer string, life time.Duration) *Factors {
	return &Factors{
		store: store, vault: vault, site: site, life: life, codes: edge.NewLimiter(guessEvery, guesses, 100_000),
		rp: newAuthority(site, issuer), asked: edge.NewLimiter(challengeEvery, challenges, 100_000),
		begun: edge.NewLimiter(beginEvery, begins, 100_000),
	}
}

// turn takes one of the turns that a browser has at an account's codes. Browsers in which the owner has signed in before have turns of
// their own, so that a thief of the password does not use up the owner's.
func (f *Factors) turn(r *http.Request, id idp.AccountID) (key string, err error) {
	key = string(id)
	if f.Knows != nil {
		key += " " + f.Knows(r, id)
	}
	if ok, wait := f.codes.Allow(key); !ok {
		return key, &idp.LimitedError{Wait: wait}
	}
	return key, nil
}

// Add adds the second factor to a proof of the first: a code of the authenticator app, or a recovery code. Errors: idp.ErrWrong,
// *idp.LimitedError, idp.ErrEnded, and the store's.
func (f *Factors) Add(ctx context.Context, r *http.Request, p browser.Proof, code string) (browser.Proof, error) {
	key, err := f.turn(r, p.Account)
	if err != nil {
		return browser.Proof{}, err
	}
	var right bool
	err = f.store.Update(ctx, func(tx idp.Tx) (err error) {
		right, err = f.take(tx, r, p, code)
		return err
	})
	if err == nil && !right {
		f.failed(r, p.Account, "code")
		err = idp.ErrWrong
	}
	if err != nil {
		return browser.Proof{}, err
	}
	f.codes.Forget(key)
	return both(p, "otp"), nil
}

// failed tells of a wrong second factor.
func (f *Factors) failed(r *http.Request, id idp.AccountID, factor string) {
	if f.Failed != nil {
		f.Failed(idp.Event{Kind: idp.EventSignInFailed, Account: id, Actor: "stranger", IP: edge.Client(r).IP.String(), Device: r.UserAgent(),
			Data: map[string]string{"factor": factor}})
	}
}

// both is a proof with its second factor (RFC 8176 section 2: otp takes in codes from a list, and mfa says that there were two).
func both(p browser.Proof, method string) browser.Proof {
	p.Methods = append(slices.Clone(p.Methods), method, "mfa")
	p.Strong = true
	return p
}

// take finds the code among what the account has, and uses it up. Its account's row is locked, so that no code is taken twice.
func (f *Factors) take(tx idp.Tx, r *http.Request, p browser.Proof, code string) (bool, error) {
	if err := tx.LockAccount(p.Account, idp.Exclusive); err != nil {
		return false, err
	}
	now, err := tx.Mint()
	if err != nil {
		return false, err
	}
	if err := idp.Live(tx, p.Born.Names()...); err != nil {
		return false, err
	}
	all, err := tx.Credentials(p.Account)
	if err != nil {
		return false, err
	}
	for _, c := range all {
		was, ok := c.Counter, false
		switch c.Kind {
		case idp.CredentialTOTP:
			secret, err := f.vault.Open(c.Secret, about(c.ID))
			if err != nil {
				return false, err
			}
			c.Counter, ok = step(string(secret), code, now, was)
		case idp.CredentialRecovery:
			given := recoveryHash(p.Account, code)
			ok = was == 0 && subtle.ConstantTimeCompare(c.Handle[:], given[:]) == 1
			c.Counter = 1
		}
		if !ok {
			continue
		}
		c.UsedAt = now
		if ok, err = tx.UseCredential(c, was); err == nil && ok && c.Kind == idp.CredentialRecovery {
			err = tx.Record(idp.Event{Kind: idp.EventRecoveryUsed, Account: p.Account, IP: edge.Client(r).IP.String(), Device: r.UserAgent()})
		}
		return ok, err
	}
	return false, nil
}

// ErrLast says that this is the last way in.
var ErrLast = idp.Invalid("credential", "This is the only way for you to sign in. Add another one first.")

// Remove takes a credential of the session's person away, and ends what the person has elsewhere. An authenticator app takes its
// recovery codes with it. idp.ErrNotFound, ErrLast, idp.ErrEnded.
func (f *Factors) Remove(ctx context.Context, r *http.Request, s *idp.Session, id idp.CredentialID, cookie idp.Hash) (receipt idp.Receipt, err error) {
	return f.change(ctx, s, cookie, func(tx idp.Tx, now idp.Time, all []idp.Credential) error {
		who, err := tx.Account(s.Account)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(c idp.Credential) bool { return c.ID == id })
		if at < 0 {
			return idp.ErrNotFound
		}
		gone := all[at]
		if gone.Kind == idp.CredentialPasskey {
			if last, err := f.last(tx, &who, slices.Delete(all, at, at+1)); err != nil || last {
				return errors.Join(err, ErrLast)
			}
		}
		if gone.Kind == idp.CredentialTOTP {
			if err := tx.DeleteCredentials(s.Account, idp.CredentialRecovery); err != nil {
				return err
			}
		}
		if err := tx.DeleteCredential(s.Account, id); err != nil {
			return err
		}
		return f.record(tx, r, s, idp.EventFactorRemoved, &gone, now)
	})
}

// last says that with these there would be no way in.
func (f *Factors) last(tx idp.Tx, who *idp.Account, rest []idp.Credential) (bool, error) {
	if idp.WaysIn(who, rest) > 0 {
		return false, nil
	}
	if f.Elsewhere == nil {
		return true, nil
	}
	n, err := f.Elsewhere(tx, who.ID)
	return n == 0, err
}

// change changes what a person signs in with, and ends what they have elsewhere in the same transaction. all is what there was before.
func (f *Factors) change(ctx context.Context, s *idp.Session, cookie idp.Hash, act func(tx idp.Tx, now idp.Time, all []idp.Credential) error) (receipt idp.Receipt, err error) {
	err = f.store.Update(ctx, func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		if receipt, err = changed(tx, s, cookie); err != nil {
			return err
		}
		all, err := tx.Credentials(s.Account)
		if err != nil {
			return err
		}
		return act(tx, now, all)
	})
	return receipt, err
}

// changed ends what the person has elsewhere, at the door: a credential is changed while signed in.
func changed(tx idp.Tx, s *idp.Session, cookie idp.Hash) (idp.Receipt, error) {
	cause := idp.Cause{Kind: idp.CauseCredential, Actor: idp.ActorAccount(s.Account)}
	return door.EndIn(tx, idp.EndOthers(s.Account, s.Name, idp.ReRoot{Cookie: cookie}), cause)
}

// added is a new credential, added in a session.
func added(s *idp.Session, r *http.Request, kind idp.CredentialKind, now idp.Time) idp.Credential {
	return idp.Credential{ID: idp.CredentialID(ledger.NewName().String()), Account: s.Account, Kind: kind, AddedAt: now, From: s.Ref, IP: edge.Client(r).IP.String()}
}

// record writes down what was changed, and to its person.
func (f *Factors) record(tx idp.Tx, r *http.Request, s *idp.Session, kind idp.EventKind, c *idp.Credential, now idp.Time) error {
	e := idp.Event{Kind: kind, Account: s.Account, Session: s.Ref, IP: edge.Client(r).IP.String(), Device: r.UserAgent()}
	if c != nil {
		e.Data = map[string]string{"factor": string(c.Kind), "name": c.Name}
	}
	if f.Tell != nil {
		if err := f.Tell(tx, e, now); err != nil {
			return err
		}
	}
	return tx.Record(e)
}
