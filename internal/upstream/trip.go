package upstream

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/url"

	"golang.org/x/oauth2"
)

// Trip is what has to be remembered of a round trip to a provider, apart from its state: neither may leave the site but to
// that provider.
type Trip struct{ Nonce, Verifier string }

// Ask is what a provider is told to ask of the person.
type Ask int

// What can be asked.
const (
	Nothing Ask = iota // a session there is enough
	Who                // who it is, as far as the provider can be told to ask
	Proof              // that it is they, and to say when that was shown; see [Arrival.Proved]
)

// Told says that the provider is told of it: there may be no word for that.
func (u *Upstream) Told(ask Ask) bool {
	return ask != Nothing && len(u.P.Ask) > 0 || ask == Proof && u.P.OIDC()
}

// Begin makes the address that the browser is sent to. state is the caller's: it must be random, bound to the browser and
// redeemed once.
func (u *Upstream) Begin(ctx context.Context, redirect, state string, ask Ask) (to string, t Trip, err error) {
	d, err := u.Document(ctx)
	if err != nil {
		return "", t, err
	}
	c, err := u.config(d, redirect)
	if err != nil {
		return "", t, err
	}
	t = Trip{Nonce: secret(), Verifier: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(t.Verifier)}
	if u.P.OIDC() {
		options = append(options, oauth2.SetAuthURLParam("nonce", t.Nonce))
	}
	for k, v := range u.P.Authorize {
		options = append(options, oauth2.SetAuthURLParam(k, v))
	}
	if ask != Nothing {
		for k, v := range u.P.Ask {
			options = append(options, oauth2.SetAuthURLParam(k, v))
		}
	}
	// OpenID Connect Core section 3.1.2.1: auth_time is in the ID token then. prompt stays the provider's own: some refuse "login".
	if ask == Proof && u.P.OIDC() {
		options = append(options, oauth2.SetAuthURLParam("max_age", "0"))
	}
	return c.AuthCodeURL(state, options...), t, nil
}

// Single refuses parameters that come twice: two readers could choose two different ones (RFC 6749 section 3.1).
func Single(v url.Values) bool {
	for _, k := range []string{"state", "code", "iss", "error", "sid", "logout_token"} {
		if len(v[k]) > 1 {
			return false
		}
	}
	return true
}

const longestAnswer = 4 << 10 // that is kept

// Posted picks what is kept of an answer that was POSTed from the provider's page, until the browser comes again by GET, with
// its Lax cookies. Of one that is too long nothing is kept: anybody can post.
func Posted(form url.Values) url.Values {
	answer, long := url.Values{}, 0
	for _, k := range []string{"code", "iss", "error", "user"} {
		if v := form.Get(k); v != "" {
			answer.Set(k, v)
			long += len(v)
		}
	}
	if long > longestAnswer {
		return url.Values{}
	}
	return answer
}

// Refused puts an error of RFC 6749 section 4.1.2.1 or OpenID Connect Core section 3.1.2.6 into words. The provider's own are
// not shown: anybody can write them into an address.
func (u *Upstream) Refused(code string) string {
	switch code {
	case "access_denied":
		return "The sign-in with " + u.P.Title + " was cancelled."
	case "server_error", "temporarily_unavailable":
		return u.P.Title + " has trouble. Please try again in a moment."
	}
	return u.P.Title + " refused the sign-in."
}

// WayOut is the request of RP-Initiated Logout 1.0 section 2. The ID token is the hint, also when it has expired.
func (u *Upstream) WayOut(endSession, idToken, back, state string) (string, error) {
	to, err := url.Parse(endSession)
	if err != nil {
		return "", err
	}
	q := to.Query()
	q.Set("client_id", u.P.ClientID)
	if own := u.P.SignOut.Return; own != "" {
		q.Set(own, back)
		to.RawQuery = q.Encode()
		return to.String(), nil
	}
	q.Set("post_logout_redirect_uri", back)
	if idToken != "" {
		q.Set("id_token_hint", idToken)
	}
	if state != "" {
		q.Set("state", state)
	}
	to.RawQuery = q.Encode()
	return to.String(), nil
}

// secret gives 256 random bits.
func secret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
