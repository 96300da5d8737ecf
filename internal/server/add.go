package server

import (
	"context"
	"slices"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/signin"
	"exeunt.dev/ledger"
)

// AddAccount makes a person with a password. idp.ErrConflict: the username is taken.
func AddAccount(ctx context.Context, store idp.Store, p *signin.Passwords, a idp.Account, password string) (idp.Account, error) {
	if err := idp.ValidUsername(a.Username); err != nil {
		return a, err
	}
	hash, err := p.Hash(ctx, password)
	if err != nil {
		return a, err
	}
	a.ID, a.Password, a.State = idp.AccountID(ledger.NewName().String()), hash, idp.AccountActive
	err = store.Update(ctx, func(tx idp.Tx) (err error) {
		if a.CreatedAt, err = tx.Mint(); err != nil {
			return err
		}
		a.PasswordAt = a.CreatedAt
		return tx.InsertAccount(a, ledger.NewName())
	})
	return a, err
}

// AddClient registers an app or an API and returns its secret, "" for a public one. idp.ErrConflict: the id is taken.
func AddClient(ctx context.Context, store idp.Store, c idp.Client) (secret string, err error) {
	if err := idp.ValidClientID(string(c.ID)); err != nil {
		return "", err
	}
	if c.Name == "" {
		c.Name = string(c.ID)
	}
	c.AuthMethod = idp.AuthBasic
	switch c.Kind {
	case idp.KindBrowser, idp.KindNative:
		c.AuthMethod = idp.AuthNone
		c.GrantTypes = []string{"authorization_code", "refresh_token"}
	case idp.KindWeb:
		c.GrantTypes = []string{"authorization_code", "refresh_token"}
	case idp.KindMachine:
		c.GrantTypes = []string{"client_credentials"}
	}
	signsIn := slices.Contains(c.GrantTypes, "authorization_code")
	if signsIn && len(c.RedirectURIs) == 0 {
		return "", idp.Invalid("redirect", "An app that people sign in to needs a redirect URI.")
	}
	if c.Kind == idp.KindAPI && len(c.Audiences) == 0 {
		return "", idp.Invalid("audience", "An api needs an audience: what tokens for it say in aud.")
	}
	if signsIn && len(c.Scopes) == 0 {
		c.Scopes = []string{"openid", "profile", "email"}
	}
	if c.Offline && signsIn && !slices.Contains(c.Scopes, "offline_access") {
		c.Scopes = append(c.Scopes, "offline_access")
	}
	for _, uri := range slices.Concat(c.RedirectURIs, c.PostLogoutURIs, c.LogoutURIs) {
		if err := idp.ValidRedirectURI(uri, c.Kind); err != nil {
			return "", err
		}
	}
	if c.Confidential() {
		secret = idp.NewSecret(32)
		c.Secret = idp.HashOf(secret)
	}
	return secret, store.Update(ctx, func(tx idp.Tx) (err error) {
		if c.CreatedAt, err = tx.Mint(); err != nil {
			return err
		}
		return tx.InsertClient(c, ledger.NewName())
	})
}
