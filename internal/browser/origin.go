package browser

import (
	"errors"
	"net/http"
	"time"

	"exeunt.dev/internal/idp"
)

// arrive refuses a sign-in whose provider has ended it meanwhile, and keeps others from ending it before the session is written. One that
// was linked before the account was recovered proves nothing until its person has said that it is theirs: idp.ErrDoubtful.
func arrive(tx idp.Tx, from *idp.Origin) error {
	if from == nil {
		return nil
	}
	if err := tx.LockArrival(from.Provider, from.Issuer, from.SID, from.Subject); err != nil {
		return err
	}
	over, err := tx.Overtaken(*from)
	if err == nil && over {
		err = idp.ErrEnded
	}
	if err != nil {
		return err
	}
	i, err := tx.Identity(from.IdentityKey)
	if errors.Is(err, idp.ErrNotFound) {
		return idp.ErrEnded // unlinked meanwhile
	}
	if err != nil {
		return err
	}
	care, err := tx.Care(i.Account)
	if errors.Is(err, idp.ErrNotFound) {
		return nil
	}
	if err == nil && care.Doubtful(i.AddedAt) {
		err = idp.ErrDoubtful
	}
	return err
}

// putOrigin writes through whom the session was signed in, and what the provider gave, in the session's own transaction.
func putOrigin(tx idp.Tx, s *idp.Session, from *idp.Origin) error {
	if from == nil {
		return nil
	}
	i, err := tx.Identity(from.IdentityKey)
	if errors.Is(err, idp.ErrNotFound) || err == nil && i.Account != s.Account {
		return idp.ErrEnded // unlinked meanwhile
	}
	if err != nil {
		return err
	}
	i.Name, i.Mail, i.UsedAt = from.Name, from.Mail, s.LastSeen
	if from.Tokens != nil {
		i.Tokens = from.Tokens
	}
	origin := *from
	origin.Session = s.Name
	return errors.Join(tx.UpdateIdentity(i), tx.PutOrigin(origin))
}

// goneLife is how long a browser that was signed out remembers it: as long as browsers keep a cookie.
const goneLife = 400 * 24 * time.Hour

// Asks says that the next trip to a provider must ask who it is: in this browser somebody has signed out since the last sign-in, or
// its session was ended from elsewhere. Else the provider might sign it in again without a word (promise 7). A session that has
// expired asks nobody: its person may go on.
func (b *Browser) Asks(r *http.Request) bool {
	if value(r, b.gone) != "" {
		return true
	}
	cookie := value(r, b.names.Session)
	if cookie == "" {
		return false
	}
	ask := true // swept long ago, or not to be known now
	err := b.store.View(r.Context(), func(v idp.View) error {
		s, err := v.SessionByCookie(idp.HashOf(cookie))
		if err != nil {
			return err
		}
		over, err := v.Ended(s.Names()...)
		if err != nil {
			return err
		}
		asks := false
		for _, n := range over {
			receipt, err := v.ReceiptOfEnding(n)
			if err != nil {
				return err
			}
			asks = asks || receipt.Cause != idp.CauseExpiry
		}
		ask = asks
		return nil
	})
	return ask || err != nil
}
