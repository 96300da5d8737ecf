package oauth

import (
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

const typeSignedAnswer = "application/token-introspection+jwt"

// wantsSigned says whether the caller takes introspection's signed answer (RFC 9701 section 4), and plain JSON no more gladly.
func wantsSigned(r *http.Request) bool {
	signed := quality(r, typeSignedAnswer)
	return signed > 0 && signed >= quality(r, "application/json")
}

// quality is how gladly a caller takes a type that it names: 0 to 1, and 0 if it does not (RFC 9110 section 12.5.1). Wildcards do
// not count: who knows of neither form gets the plain one.
func quality(r *http.Request, kind string) float64 {
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept"), ","), ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil || name != kind {
			continue
		}
		text, given := parameters["q"]
		if !given {
			return 1
		}
		q, err := strconv.ParseFloat(text, 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 0
}

// signed answers with the introspection as a JWT for this caller.
func (o *OAuth) signed(w http.ResponseWriter, r *http.Request, caller *idp.Client, now idp.Time, answer introspection) {
	raw, err := o.Tokens.Introspection(caller.ID, caller.IntrospectionAlg, now, answer)
	if err != nil {
		o.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", typeSignedAnswer)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(raw)) // the caller is gone: nothing to do
}

// failSigned is fail, but for who asked for a signed answer and showed no credentials in the header: RFC 9701 section 5 wants
// 400 there. Where they were in the header it stays 401 (RFC 6749 section 5.2).
func (o *OAuth) failSigned(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errClient) && wantsSigned(r) && r.Header.Get("Authorization") == "" {
		edge.OAuthError(w, http.StatusBadRequest, errClient.Code, errClient.Description)
		return
	}
	o.fail(w, r, err)
}
