package rp

import (
	"context"
	"errors"
	"time"

	"exeunt.dev/internal/upstream"
	"golang.org/x/oauth2"
)

// renewBefore is how long before its end an access token is renewed.
const renewBefore = 20 * time.Second

func tokenPlace(provider, subject string) string { return "token " + provider + " " + subject }

// sealToken seals what the provider issued.
func (s *Site) sealToken(u *upstream.Upstream, n Session, in upstream.Arrival, now time.Time) (Token, error) {
	k := u.Tokens(in)
	t := Token{Provider: u.Name, Subject: in.Subject, User: n.User, Session: n.ID, Created: now, Revocable: u.Revocable(k)}
	var err error
	t.Sealed, err = s.vault.seal(tokenPlace(t.Provider, t.Subject), k)
	return t, err
}

// Token gives the access token that this session has from a provider, renewed if it is about to end and can be. ErrNone:
// there is none, or it has ended for good, and the person must sign in again.
func (s *Site) Token(ctx context.Context, v Visitor, provider string) (*oauth2.Token, error) {
	return s.token(ctx, v, provider, "")
}

// Renew is Token for when an API has refused a token before its time: at an Exeunt a person who ends all other sessions keeps
// this one, and its tokens are made anew. What has come in place of refused meanwhile, in another tab, is not renewed again.
func (s *Site) Renew(ctx context.Context, v Visitor, provider string, refused *oauth2.Token) (*oauth2.Token, error) {
	return s.token(ctx, v, provider, refused.AccessToken)
}

func (s *Site) token(ctx context.Context, v Visitor, provider, refused string) (*oauth2.Token, error) {
	u := s.ups[provider]
	if u == nil {
		return nil, ErrNone
	}
	for last := false; ; last = true {
		t, k, err := s.readToken(ctx, v, provider)
		if err != nil {
			return nil, err
		}
		good := k.Access != refused && (k.Expiry.IsZero() || s.now().Before(k.Expiry))
		if good && (k.Expiry.IsZero() || s.now().Before(k.Expiry.Add(-renewBefore))) {
			return &oauth2.Token{AccessToken: k.Access, TokenType: k.Type, Expiry: k.Expiry}, nil
		}
		if k.Refresh == "" || last {
			return nil, ErrNone
		}
		if err := s.renew(ctx, u, t, k); err != nil && !errors.Is(err, ErrNone) {
			if good { // the provider has trouble; the token has not
				s.fail(ctx, u.Name+": a token could not be renewed", err)
				return &oauth2.Token{AccessToken: k.Access, TokenType: k.Type, Expiry: k.Expiry}, nil
			}
			return nil, err
		}
		// Renewed here, or by another replica meanwhile, or not to be renewed: what is stored now says which.
	}
}

func (s *Site) readToken(ctx context.Context, v Visitor, provider string) (t Token, k upstream.Tokens, err error) {
	if t, err = s.store.FindToken(ctx, v.session, provider, s.now()); err == nil {
		err = s.vault.open(tokenPlace(t.Provider, t.Subject), t.Sealed, &k)
	}
	return t, k, err
}

// renew exchanges the refresh token. ErrNone: the provider does not take it any more.
func (s *Site) renew(ctx context.Context, u *upstream.Upstream, t Token, k upstream.Tokens) error {
	n, err := u.Renew(ctx, k)
	if errors.Is(err, upstream.ErrRefused) {
		return ErrNone
	}
	if err != nil {
		return &failure{u.Name + ": a token could not be renewed", err}
	}
	old := t.Sealed
	if t.Sealed, err = s.vault.seal(tokenPlace(t.Provider, t.Subject), n); err != nil {
		return err
	}
	return s.store.PutToken(ctx, t, old, s.now())
}
