package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// CheckRequest verifies the token of a request. It is taken from the Authorization header only (RFC 6750 section 2.1),
// never from query or body, where it would end up in logs. Beside the errors of [Guard.Check] it gives ErrMissing and
// ErrRequest. Bound tokens (cnf) are refused with ErrBound: proofs of possession are not checked yet.
func (g *Guard) CheckRequest(r *http.Request) (*Token, error) {
	raw, err := bearer(r.Header)
	if err != nil {
		return nil, err
	}
	return g.check(r.Context(), raw)
}

// bearer is the one token of the one Authorization header. Two headers are refused: whoever stands before this server
// may have looked at the other one.
func bearer(h http.Header) (string, error) {
	values := h["Authorization"]
	if len(values) == 0 {
		return "", ErrMissing
	}
	if len(values) > 1 {
		return "", ErrRequest
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") { // RFC 9110 section 11.1: case-insensitive
		return "", ErrMissing
	}
	token = strings.Trim(token, " ")
	if token == "" {
		return "", ErrRequest
	}
	// Several tokens in one header, or a quoted one. Whatever else is no token68 is no token either, and is refused as
	// such; looking at every character here would cost more than a hit.
	for _, c := range []byte(" ,\t\"") {
		if strings.IndexByte(token, c) >= 0 {
			return "", ErrRequest
		}
	}
	return token, nil
}

// Require admits requests whose token is good and grants all scopes. The handler finds the token with [FromContext],
// and its request's context ends when the token does (see [Guard.Watch]), so that streams end too.
func (g *Guard) Require(scopes ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tok, err := g.CheckRequest(r)
			if err == nil {
				err = lacks(tok, scopes)
			}
			if err != nil {
				g.Deny(w, err)
				return
			}
			ctx, stop := g.Watch(context.WithValue(r.Context(), tokenKey{}, tok), tok)
			defer stop()
			if ctx.Err() != nil && r.Context().Err() == nil {
				g.Deny(w, context.Cause(ctx))
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

// Deny answers a request that a check refused, as RFC 6750 section 3 says; for handlers that do not use Require. An
// error that is not of this package gives 503: it says nothing about the token.
func (g *Guard) Deny(w http.ResponseWriter, err error) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	status, code, text := http.StatusServiceUnavailable, "temporarily_unavailable", "The service cannot check access tokens at the moment"
	challenge := ""
	var scope scopeError
	switch {
	case errors.Is(err, ErrMissing):
		// Without authentication no error code is said (RFC 6750 section 3.1); the scheme needs one parameter.
		status, code, text = http.StatusUnauthorized, "", ""
		challenge = `Bearer realm="` + quotable(g.conf.audience[0]) + `"`
	case errors.Is(err, ErrRequest):
		status, code, text = http.StatusBadRequest, "invalid_request", "The Authorization header is malformed or repeated"
	case errors.Is(err, ErrStale): // before the kinds below, lest an outage sign anybody out
	case errors.Is(err, ErrEnded):
		status, code, text = http.StatusUnauthorized, "invalid_token", "Access Token has been revoked"
	case errors.Is(err, ErrExpired):
		status, code, text = http.StatusUnauthorized, "invalid_token", "Access Token has expired"
	case errors.Is(err, ErrBound):
		status, code, text = http.StatusUnauthorized, "invalid_token", "Access Token is bound and the binding was not proved"
	case errors.Is(err, ErrInvalid):
		status, code, text = http.StatusUnauthorized, "invalid_token", "Access Token is not valid"
	case errors.As(err, &scope):
		status, code, text = http.StatusForbidden, "insufficient_scope", "Access Token lacks a scope"
	}
	switch {
	case status == http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(int(max(g.interval(), time.Second).Seconds()+0.5)))
	case challenge == "":
		challenge = fmt.Sprintf(`Bearer error=%q, error_description=%q`, code, text)
		if scope.need != nil {
			challenge += `, scope="` + quotable(strings.Join(scope.need, " ")) + `"`
		}
	}
	if challenge != "" {
		h.Set("WWW-Authenticate", challenge)
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if code != "" {
		fmt.Fprintf(w, `{"error":%q,"error_description":%q}`+"\n", code, text)
	}
}

// quotable leaves out what a quoted string in a header may not hold (RFC 6750 section 3).
func quotable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, s)
}
