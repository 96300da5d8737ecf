package upstream

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"exeunt.dev/provider"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Tokens is what a provider issued, with the address of its revocation, so that a sign-out needs no discovery. It is a
// secret: only sealed may it be stored.
type Tokens struct {
	Access, Refresh, Type string
	Expiry                time.Time
	Revoke                string
	Of                    string // the registration that they were issued to; "": that was not kept
}

// Tokens of an arrival.
func (u *Upstream) Tokens(a Arrival) Tokens {
	t := a.Token
	return Tokens{t.AccessToken, t.RefreshToken, t.TokenType, t.Expiry, a.At.Revoke, u.registration()}
}

func (u *Upstream) registration() string { return u.P.Issuer + " " + u.P.ClientID }

// others says that tokens were issued to another registration than there is now: to show them with its secret would give the one to the
// other's provider.
func (u *Upstream) others(t Tokens) bool { return t.Of != "" && t.Of != u.registration() }

// Revocable says that there is a call to revoke them with.
func (u *Upstream) Revocable(t Tokens) bool { return u.P.Revocation.Offered() && t.Revoke != "" }

// ErrRefused says that the provider does not take a refresh token any more.
var ErrRefused = errors.New("the provider does not take the refresh token")

// Renew exchanges the refresh token.
func (u *Upstream) Renew(ctx context.Context, t Tokens) (Tokens, error) {
	if u.others(t) {
		return t, ErrRefused
	}
	d, err := u.Document(ctx)
	if err != nil {
		return t, err
	}
	c, err := u.config(d, "")
	if err != nil {
		return t, err
	}
	n, err := c.TokenSource(oidc.ClientContext(ctx, u.client), &oauth2.Token{RefreshToken: t.Refresh}).Token()
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode == "invalid_grant" {
		return t, ErrRefused
	}
	if err != nil {
		return t, err
	}
	t.Access, t.Refresh, t.Type, t.Expiry = n.AccessToken, n.RefreshToken, n.TokenType, n.Expiry
	return t, nil
}

// Forget makes the provider's own call for taking the consent of a subject back, once. err says why there was no answer, for a log;
// the verdict says what to do next in any case.
func (u *Upstream) Forget(ctx context.Context, t Tokens, subject string) (v provider.Verdict, err error) {
	if u.others(t) {
		return provider.Verdict{Again: true, Why: "the token was issued to another registration"}, nil
	}
	now := u.now()
	r, err := u.P.Request(ctx, t.Revoke, provider.Token{Access: t.Access, Refresh: t.Refresh, User: subject}, now)
	if errors.Is(err, provider.ErrNothing) {
		return provider.Verdict{Why: "no token of the kind that the call needs"}, nil
	}
	if err != nil {
		return provider.Verdict{Again: true, Why: "the call could not be made"}, err
	}
	res, err := u.client.Do(r)
	if err != nil {
		return provider.Verdict{Again: true, Why: "no answer"}, err
	}
	defer res.Body.Close()
	defer io.Copy(io.Discard, res.Body)
	return u.P.Judge(res, now), nil
}

const (
	firstPause = 5 * time.Second // after the first attempt that failed; doubled each time
	longPause  = time.Hour       // but not beyond
)

// Pause is how long to wait after an attempt that failed, the attempts-th, so that what failed together is not tried together.
func Pause(attempts int, v provider.Verdict) time.Duration {
	pause := min(firstPause<<min(max(attempts, 1)-1, 12), longPause)
	pause += rand.N(pause / 4)
	return max(pause, v.After)
}
