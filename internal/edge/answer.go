package edge

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"exeunt.dev/internal/dpop"
	"exeunt.dev/internal/idp"
)

// retryAfter is what a 503 asks for, in seconds.
const retryAfter = 1

// JSON answers with a JSON document that nobody may keep.
func JSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nothing to do
}

// OAuthError answers an error as RFC 6749 section 5.2 has it.
func OAuthError(w http.ResponseWriter, status int, code, description string) {
	body := map[string]string{"error": code}
	if description != "" {
		body["error_description"] = description
	}
	JSON(w, status, body)
}

// TokenError answers a refused bearer token (RFC 6750 section 3). An empty code means that none was presented.
func TokenError(w http.ResponseWriter, status int, code, description string) {
	challenge := "Bearer"
	if code != "" {
		challenge += ` error="` + code + `", error_description="` + description + `"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	tokenError(w, status, code, description)
}

// Refuse is TokenError for a request that may bear either kind of access token, in the words of the scheme that it came by, or should
// have come by (RFC 9449 section 7.1).
func Refuse(w http.ResponseWriter, scheme string, status int, code, description string) {
	algs := `algs="` + strings.Join(dpop.Algs(), " ") + `"`
	switch {
	case code == "":
		w.Header()["Www-Authenticate"] = []string{"Bearer", DPoP + " " + algs}
	case scheme == DPoP:
		w.Header().Set("WWW-Authenticate", DPoP+` error="`+code+`", error_description="`+description+`", `+algs)
	default:
		TokenError(w, status, code, description)
		return
	}
	tokenError(w, status, code, description)
}

func tokenError(w http.ResponseWriter, status int, code, description string) {
	if code == "" {
		code, description = "invalid_request", "This asks for an access token."
	}
	OAuthError(w, status, code, description)
}

// Revoked is the description of an access token that has ended.
const Revoked = "Access Token has been revoked"

// Fail answers a program for an error: bad input with its words, a store that is down with 503, everything else with
// no words at all. The details go to the log.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	var input *Error
	var invalid *idp.InvalidError
	var limited *idp.LimitedError
	switch {
	case errors.As(err, &input):
		OAuthError(w, input.Status, input.Code, input.Description)
	case errors.As(err, &invalid):
		OAuthError(w, http.StatusBadRequest, "invalid_request", invalid.Sentence)
	case errors.As(err, &limited):
		w.Header().Set("Retry-After", limited.RetryAfter())
		OAuthError(w, http.StatusTooManyRequests, "too_many_requests", "Please wait a moment and try again.")
	case Down(err):
		Note(r.Context(), "error", err.Error())
		if errors.Is(err, idp.ErrUnknown) {
			unavailable(w, "It is not known whether this was done. Please try again in a moment.")
			return
		}
		Unavailable(w)
	case errors.Is(err, idp.ErrNotFound):
		OAuthError(w, http.StatusNotFound, "not_found", "There is nothing here.")
	default:
		Note(r.Context(), "error", err.Error())
		OAuthError(w, http.StatusInternalServerError, "server_error", "Something went wrong. The request id is "+RequestID(r.Context())+".")
	}
}

// Down says that an error means "nobody can know now".
func Down(err error) bool {
	return errors.Is(err, idp.ErrUnavailable) || errors.Is(err, idp.ErrUnknown) || errors.Is(err, idp.ErrClock)
}

// Unavailable answers 503: the caller must assume that nothing has changed, and try again.
func Unavailable(w http.ResponseWriter) { unavailable(w, "Please try again in a moment.") }

func unavailable(w http.ResponseWriter, text string) {
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	OAuthError(w, http.StatusServiceUnavailable, "temporarily_unavailable", text)
}
