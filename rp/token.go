package rp

import (
	"context"
	"errors"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// renewBefore is how long before its end an access token is renewed.
const renewBefore = 20 * time.Second

// keptToken is what a Token keeps sealed.
type keptToken struct {
	Access, Refresh, Type string
	Expiry                time.Time
	Revoke                string // where it is revoked
}

func tokenPlace(provider, subject string) string { return "token " + provider + " " + subject }

// sealToken seals what the provider issued, with the address of its revocation, so that a sign-out needs no discovery.
func (s *Site) sealToken(n Session, in arrival, now time.Time) (Token, error) {
	u := s.ups[in.who.Provider]
	t := Token{
		Provider: in.who.Provider, Subject: in.who.Subject, User: n.User, Session: n.ID, Created: now,
		Revocable: u.p.Revocation.Offered() && in.at.revoke != "",
	}
	k := keptToken{in.token.AccessToken, in.token.RefreshToken, in.token.TokenType, in.token.Expiry, in.at.revoke}
	var err error
	t.Sealed, err = s.vault.seal(tokenPlace(t.Provider, t.Subject), k)
	return t, err
}

// Token gives the access token that this session has from a provider, renewed if it is about to end and can be. ErrNone:
// there is none, or it has ended for good, and the person must sign in again.
func (s *Site) Token(ctx context.Context, v Visitor, provider string) (*oauth2.Token, error) {
	u := s.ups[provider]
	if u == nil {
		return nil, ErrNone
	}
	for last := false; ; last = true {
		t, k, err := s.readToken(ctx, v, provider)
		if err != nil {
			return nil, err
		}
		if k.Expiry.IsZero() || s.now().Before(k.Expiry.Add(-renewBefore)) {
			return &oauth2.Token{AccessToken: k.Access, TokenType: k.Type, Expiry: k.Expiry}, nil
		}
		if k.Refresh == "" || last {
			return nil, ErrNone
		}
		if err := s.renew(ctx, u, t, k); err != nil && !errors.Is(err, ErrNone) {
			if s.now().Before(k.Expiry) { // the provider has trouble; the token has not
				s.fail(ctx, u.name+": a token could not be renewed", err)
				return &oauth2.Token{AccessToken: k.Access, TokenType: k.Type, Expiry: k.Expiry}, nil
			}
			return nil, err
		}
		// Renewed here, or by another replica meanwhile, or not to be renewed: what is stored now says which.
	}
}

func (s *Site) readToken(ctx context.Context, v Visitor, provider string) (t Token, k keptToken, err error) {
	if t, err = s.store.FindToken(ctx, v.session, provider, s.now()); err == nil {
		err = s.vault.open(tokenPlace(t.Provider, t.Subject), t.Sealed, &k)
	}
	return t, k, err
}

// renew exchanges the refresh token. ErrNone: the provider does not take it any more.
func (s *Site) renew(ctx context.Context, u *upstream, t Token, k keptToken) error {
	d, err := u.document(ctx)
	if err != nil {
		return err
	}
	c, err := u.config(d, "")
	if err != nil {
		return err
	}
	n, err := c.TokenSource(oidc.ClientContext(ctx, u.client), &oauth2.Token{RefreshToken: k.Refresh}).Token()
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode == "invalid_grant" {
		return ErrNone
	}
	if err != nil {
		return &failure{u.name + ": a token could not be renewed", err}
	}
	k.Access, k.Refresh, k.Type, k.Expiry = n.AccessToken, n.RefreshToken, n.TokenType, n.Expiry
	old := t.Sealed
	if t.Sealed, err = s.vault.seal(tokenPlace(t.Provider, t.Subject), k); err != nil {
		return err
	}
	return s.store.PutToken(ctx, t, old, s.now())
}
