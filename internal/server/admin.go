package server

import (
	"context"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/signin"
	"exeunt.dev/ledger"
)

// AddAccount inserts a person who can sign in, gives the row its id, and records what is said of it. idp.ErrConflict: the username is taken.
func (b *Base) AddAccount(ctx context.Context, a *idp.Account, password string, events ...idp.Event) (err error) {
	if err := idp.ValidUsername(a.Username); err != nil {
		return err
	}
	if a.Password, err = b.Passwords(b.Store).Hash(ctx, password, a.Names()...); err != nil {
		return err
	}
	a.ID, a.State = idp.AccountID(ledger.NewName().String()), idp.AccountActive
	epoch := ledger.NewName()
	return b.Store.Update(ctx, func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		a.CreatedAt, a.PasswordAt = now, now
		if err := tx.InsertAccount(*a, epoch); err != nil {
			return err
		}
		for _, e := range events {
			e.Account = a.ID
			if err := tx.Record(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// Passwords checks and makes passwords by the operator's rules.
func (b *Base) Passwords(store idp.Store) *signin.Passwords {
	p := signin.NewPasswords(store)
	p.SetCost(signin.Cost{Memory: b.Config.Passwords.Memory, Passes: b.Config.Passwords.Passes})
	p.Refuse = b.rules.Refuse
	return p
}

// AddClient inserts an app or API, records what is said of it, and returns its secret, if it has one. idp.ErrConflict: the id is taken.
func (b *Base) AddClient(ctx context.Context, c *idp.Client, events ...idp.Event) (secret string, err error) {
	err = b.Store.Update(ctx, func(tx idp.Tx) (err error) {
		secret, err = operate.Register(tx, c)
		for _, e := range events {
			if err != nil {
				return err
			}
			e.Client = c.ID
			err = tx.Record(e)
		}
		return err
	})
	return secret, err
}
