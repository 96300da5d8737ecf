package guard

import (
	"context"
	"net/http"
	"strings"
)

// CheckRequest verifies the token of a request. It is taken from the Authorization header only (RFC 6750 section 2.1),
// never from query or body, where it would end up in logs. Beside the errors of [Guard.Check] it gives ErrMissing and
// ErrRequest.
//
// What a token is bound to (cnf) is checked at each request, seen or unseen. Bound to an address: the caller must be there (see
// [TrustedProxies]), else ErrBound. Bound to a key: the token comes by the scheme DPoP with a proof for this request (RFC 9449),
// signed by that key, else ErrBound, ErrProof or ErrNonce. A proof counts once, so check a request once.
func (g *Guard) CheckRequest(r *http.Request) (*Token, error) {
	raw, byDPoP, err := authorization(r.Header)
	if err == nil {
		var e *entry
		if e, err = g.check(r.Context(), raw); err == nil {
			if !e.bound && !byDPoP {
				return &e.token, nil
			}
			if err = g.holds(r, &e.token, byDPoP); err == nil {
				return &e.token, nil
			}
			byDPoP = byDPoP || e.token.bond.Key != ""
		}
	}
	if byDPoP {
		err = schemeError{err}
	}
	return nil, g.refuse(err)
}

// authorization is the one token of the one Authorization header, and whether it came by the scheme DPoP. Two headers are refused:
// whoever stands before this server may have looked at the other one.
func authorization(h http.Header) (token string, byDPoP bool, err error) {
	values := h["Authorization"]
	if len(values) == 0 {
		return "", false, ErrMissing
	}
	if len(values) > 1 {
		return "", false, ErrRequest
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if byDPoP = strings.EqualFold(scheme, "DPoP"); !byDPoP && !strings.EqualFold(scheme, "Bearer") { // RFC 9110 section 11.1: case-insensitive
		return "", false, ErrMissing
	}
	token = strings.Trim(token, " ")
	if token == "" {
		return "", byDPoP, ErrRequest
	}
	// Several tokens in one header, or a quoted one. Whatever else is no token68 is no token either, and is refused as
	// such; looking at every character here would cost more than a hit.
	for _, c := range []byte(" ,\t\"") {
		if strings.IndexByte(token, c) >= 0 {
			return "", byDPoP, ErrRequest
		}
	}
	return token, byDPoP, nil
}

// Require admits requests whose token is good and grants all scopes. The handler finds the token with [FromContext],
// and its request's context ends when the token does (see [Guard.Watch]), so that streams end too.
func (g *Guard) Require(scopes ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tok, err := g.CheckRequest(r)
			if err == nil {
				if err = lacks(tok, scopes); err != nil {
					g.refuse(err)
					if tok.bond.Key != "" {
						err = schemeError{err}
					}
				}
			}
			if err == nil && tok.bond.Key != "" && g.conf.nonces != nil {
				w.Header().Set("DPoP-Nonce", g.Nonce()) // for the next request (RFC 9449 section 8.2)
			}
			if err != nil {
				g.Deny(w, err)
				return
			}
			ctx, stop := g.Watch(context.WithValue(r.Context(), tokenKey{}, tok), tok)
			defer stop()
			if ctx.Err() != nil && r.Context().Err() == nil {
				g.Deny(w, g.refuse(context.Cause(ctx)))
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

func lacks(tok *Token, scopes []string) error {
	for _, s := range scopes {
		if !tok.HasScope(s) {
			return scopeError{need: scopes}
		}
	}
	return nil
}

type tokenKey struct{}

// FromContext is the token that [Guard.Require] admitted.
func FromContext(ctx context.Context) (*Token, bool) {
	tok, ok := ctx.Value(tokenKey{}).(*Token)
	return tok, ok
}
