package guard

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"exeunt.dev/internal/dpop"
)

// Deny answers a request that a check refused, as RFC 6750 section 3 and RFC 9449 section 7.1 say; for handlers that do not use
// Require. An error that is not of this package gives 503: it says nothing about the token.
func (g *Guard) Deny(w http.ResponseWriter, err error) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/json")
	status, code, text := answer(err)
	algs := `algs="` + strings.Join(dpop.Algs(), " ") + `"`
	switch {
	case status == http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(int(max(g.interval(), time.Second).Seconds()+0.5)))
	case code == "": // the scheme Bearer needs one parameter
		h.Set("WWW-Authenticate", `Bearer realm="`+quotable(g.conf.audience[0])+`"`)
		h.Add("WWW-Authenticate", "DPoP "+algs)
	default:
		challenge := fmt.Sprintf(`error=%q, error_description=%q`, code, text)
		var scope scopeError
		if errors.As(err, &scope) {
			challenge += `, scope="` + quotable(strings.Join(scope.need, " ")) + `"`
		}
		scheme := "Bearer "
		if errors.As(err, new(schemeError)) {
			scheme, challenge = "DPoP ", challenge+", "+algs
			if nonce := g.Nonce(); nonce != "" {
				h.Set("DPoP-Nonce", nonce)
			}
		}
		h.Set("WWW-Authenticate", scheme+challenge)
	}
	w.WriteHeader(status)
	if code != "" {
		fmt.Fprintf(w, `{"error":%q,"error_description":%q}`+"\n", code, text)
	}
}

// answer is what is told of an error: status, code and a sentence.
func answer(err error) (status int, code, text string) {
	switch {
	case errors.Is(err, ErrMissing): // without authentication no error code is said (RFC 6750 section 3.1)
		return http.StatusUnauthorized, "", ""
	case errors.Is(err, ErrRequest):
		return http.StatusBadRequest, "invalid_request", "The Authorization header is malformed or repeated"
	case errors.Is(err, ErrStale): // before the kinds below, lest an outage sign anybody out
	case errors.Is(err, ErrEnded):
		return http.StatusUnauthorized, "invalid_token", "Access Token has been revoked"
	case errors.Is(err, ErrExpired):
		return http.StatusUnauthorized, "invalid_token", "Access Token has expired"
	case errors.Is(err, ErrBound):
		return http.StatusUnauthorized, "invalid_token", "Access Token is bound and the binding was not proved"
	case errors.Is(err, ErrNonce):
		return http.StatusUnauthorized, "use_dpop_nonce", "The DPoP proof needs a nonce of this API"
	case errors.Is(err, ErrProof):
		return http.StatusUnauthorized, "invalid_dpop_proof", "The DPoP proof is missing, not valid for this request, or was used before"
	case errors.Is(err, ErrInvalid):
		return http.StatusUnauthorized, "invalid_token", "Access Token is not valid"
	case errors.Is(err, ErrScope):
		return http.StatusForbidden, "insufficient_scope", "Access Token lacks a scope"
	}
	return http.StatusServiceUnavailable, "temporarily_unavailable", "The service cannot check access tokens at the moment"
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
