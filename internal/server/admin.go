package server

import (
	"context"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/signin"
	"exeunt.dev/ledger"
)

// AddAccount inserts a person who can sign in, and gives the row its id. idp.ErrConflict: the username is taken.
func (b *Base) AddAccount(ctx context.Context, a *idp.Account, password string) (err error) {
	if err := idp.ValidUsername(a.Username); err != nil {
		return err
	}
	if a.Password, err = signin.NewPasswords(b.Store).Hash(ctx, password); err != nil {
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
		return tx.InsertAccount(*a, epoch)
	})
}

// AddClient inserts an app or API and returns its secret, if it has one. idp.ErrConflict: the id is taken.
func (b *Base) AddClient(ctx context.Context, c *idp.Client) (secret string, err error) {
	err = b.Store.Update(ctx, func(tx idp.Tx) (err error) {
		secret, err = operate.Register(tx, c)
		return err
	})
	return secret, err
}
