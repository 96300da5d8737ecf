package signin

import (
	"context"
	"errors"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// What is done once a password was right: here it may be told that an account is locked, and a password may be kept anew.

// lockedSentence says to whoever has shown a right credential what opens the account.
func lockedSentence(err error) web.Words {
	var locked *idp.LockedError
	if errors.As(err, &locked) {
		switch opens := web.Moment(locked.Lock.OpensAt.Time()); {
		case locked.Lock.Kind == idp.LockDevice:
			return web.Say("This account is locked until %s. Then it opens by itself.", opens)
		case locked.Lock.Kind == idp.LockPassword && locked.Lock.OpensAt > locked.Lock.At:
			return web.Say("This account is locked, because somebody may know its password. From %s on you can set a new one by “Forgot your password?”.", opens)
		case locked.Lock.Kind == idp.LockPassword:
			return "This account is locked, because somebody may know its password. Set a new one by “Forgot your password?”."
		}
	}
	return "This account is locked. Ask the people who run this site."
}

// upgrade keeps a password anew that was kept with less than today's cost, unless it was changed meanwhile. It may fail without harm: the
// next sign-in tries again.
func (p *Passwords) upgrade(ctx context.Context, a *idp.Account, password string) {
	c, _, _, err := decodePHC(a.Password)
	if err != nil || c.Memory >= p.cost.Memory && c.Passes >= p.cost.Passes {
		return
	}
	hash, err := p.hash(ctx, password)
	if err != nil {
		return
	}
	_ = p.store.Update(ctx, func(tx idp.Tx) error {
		if err := tx.LockAccount(a.ID, idp.Exclusive); err != nil {
			return err
		}
		row, err := tx.Account(a.ID)
		if err != nil || row.Password != a.Password {
			return err
		}
		row.Password = hash
		return tx.UpdateAccount(row)
	})
}
