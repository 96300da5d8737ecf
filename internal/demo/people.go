package demo

import (
	"context"
	"errors"
	"fmt"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
)

// people makes the accounts: two persons, and one who may look at the console. In a folder that was used before they get the
// passwords of this run, and locks are taken off: what is printed works.
func (d *Demo) people(ctx context.Context) error {
	for _, p := range [][3]string{{d.Info.Username, d.Info.Password, "Alice"}, {d.Info.SecondUsername, d.Info.SecondPassword, "Bob"}, {d.Info.AdminUsername, d.Info.AdminPassword, "Administrator"}} {
		err := d.base.AddAccount(ctx, &idp.Account{Username: p[0], Name: p[2]}, p[1])
		if errors.Is(err, idp.ErrConflict) {
			err = d.again(ctx, p[0], p[1])
		}
		if err != nil {
			return err
		}
	}
	return d.base.Store.Update(ctx, func(tx idp.Tx) error {
		a, err := tx.AccountByUsername(d.Info.AdminUsername)
		if err != nil {
			return err
		}
		return operate.Give(tx, a.ID, idp.RoleAdmin, operate.By{Actor: idp.ActorOperator("demo"), Reason: "to look at the console"})
	})
}

func (d *Demo) again(ctx context.Context, username, password string) error {
	hash, err := d.base.Passwords(d.base.Store).Hash(ctx, password)
	if err != nil {
		return err
	}
	var a idp.Account
	err = d.base.Store.Update(ctx, func(tx idp.Tx) (err error) {
		if a, err = tx.AccountByUsername(username); err != nil {
			return err
		}
		if a.State == idp.AccountDeleted {
			return fmt.Errorf("%s was deleted in this folder: choose another", username)
		}
		a.Password = hash
		return tx.UpdateAccount(a)
	})
	if err != nil || a.State != idp.AccountLocked {
		return err
	}
	return d.base.Door().Unlock(ctx, a.ID)
}

// client makes a client, or brings one of an earlier run up to date, and returns its secret.
func (d *Demo) client(ctx context.Context, c idp.Client) (string, error) {
	secret, err := d.base.AddClient(ctx, &c)
	if !errors.Is(err, idp.ErrConflict) {
		return secret, err
	}
	secret = idp.NewSecret(32)
	c.Secret = idp.HashOf(secret)
	return secret, d.base.Store.Update(ctx, func(tx idp.Tx) error { return tx.UpdateClient(c) })
}

// The clients of the two apps that can keep no secret.
const (
	singlePage = "orders-page"
	native     = "orders-desk"
)

// publicApps registers the single-page app and the native one.
func (d *Demo) publicApps(ctx context.Context) error {
	page, grants, scopes := d.Info.SinglePage+"/", []string{"authorization_code", "refresh_token"}, []string{"openid", "profile"}
	for _, c := range []idp.Client{
		{ID: singlePage, Kind: idp.KindBrowser, Name: "Orders in the browser", RedirectURIs: []string{page}, PostLogoutURIs: []string{page}},
		{ID: native, Kind: idp.KindNative, Name: "Orders on the desk", RedirectURIs: []string{"http://127.0.0.1/callback"}, DPoP: idp.DPoPRequired},
	} {
		c.AuthMethod, c.FirstParty, c.GrantTypes, c.Scopes, c.Audiences = idp.AuthNone, true, grants, scopes, []string{d.Info.API}
		if _, err := d.client(ctx, c); err != nil {
			return err
		}
	}
	d.Info.Native = fmt.Sprintf("ISSUER=%s CLIENT_ID=%s API=%s go run ./examples/native/cmd", d.Info.Issuer, native, d.Info.API)
	return nil
}
