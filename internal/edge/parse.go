package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxBody bounds every request body, in bytes.
const MaxBody = 64 << 10

// Error is bad input: a status, an OAuth error code and a sentence.
type Error struct {
	Status      int
	Code        string
	Description string
	Said        any // the same to a person, in words of package web; nil: it is for programmers
}

func (e *Error) Error() string { return e.Code + ": " + e.Description }

func bad(description string) error {
	return &Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: description}
}

// Form reads the parameters of a POST: from the body only, each at most once unless repeatable (RFC 6749 section 3.2), in
// valid UTF-8. Errors are *Error.
func Form(w http.ResponseWriter, r *http.Request, repeatable ...string) (url.Values, error) {
	if !hasType(r, "application/x-www-form-urlencoded") {
		return nil, &Error{Status: http.StatusUnsupportedMediaType, Code: "invalid_request", Description: "The body must be application/x-www-form-urlencoded."}
	}
	body, err := read(w, r)
	if err != nil {
		return nil, err
	}
	return values(string(body), repeatable)
}

// hasType says of which kind the body is said to be.
func hasType(r *http.Request, want string) bool {
	given := r.Header.Get("Content-Type")
	if given == want { // nearly always
		return true
	}
	kind, _, err := mime.ParseMediaType(given)
	return err == nil && kind == want
}

// Query reads the parameters of a GET under the same rules.
func Query(r *http.Request, repeatable ...string) (url.Values, error) {
	return values(r.URL.RawQuery, repeatable)
}

func values(raw string, repeatable []string) (url.Values, error) {
	v, err := url.ParseQuery(raw)
	if err != nil {
		return nil, bad("The parameters are not well-formed.")
	}
	for name, all := range v {
		if len(all) > 1 && !slices.Contains(repeatable, name) {
			return nil, bad("A parameter is there twice.")
		}
		for _, text := range append(all, name) {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				return nil, bad("A parameter is not valid UTF-8.")
			}
		}
	}
	return v, nil
}

func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var body bytes.Buffer
	if 0 < r.ContentLength && r.ContentLength <= MaxBody {
		body.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, &Error{Status: http.StatusRequestEntityTooLarge, Code: "invalid_request", Description: "The body is too large."}
	}
	if err != nil {
		return nil, bad("The body could not be read.")
	}
	return body.Bytes(), nil
}

// DecodeJSON reads a JSON object from the body. Unknown members are passed over (RFC 7591 section 2 wants that).
func DecodeJSON(w http.ResponseWriter, r *http.Request, into any) error {
	if !hasType(r, "application/json") {
		return &Error{Status: http.StatusUnsupportedMediaType, Code: "invalid_request", Description: "The body must be application/json."}
	}
	body, err := read(w, r)
	if err != nil {
		return err
	}
	// A NUL in a text is refused as in a form: one of the databases cannot hold it.
	if !utf8.Valid(body) || bytes.Contains(body, []byte(`\u0000`)) || json.Unmarshal(body, into) != nil {
		return bad("The body is not the JSON object that is expected here.")
	}
	return nil
}

// maxKey bounds an Idempotency-Key, in bytes.
const maxKey = 256

// IdempotencyKey is the header by which a program repeats a call; "" if there is none. Errors are *Error.
func IdempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKey {
		return "", bad("The Idempotency-Key is too long.")
	}
	return key, nil
}

// WantsJSON says whether the caller is a program rather than a person's browser.
func WantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// WantsHTML says that a person's browser asks for a page.
func WantsHTML(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// DPoP is the scheme of access tokens that are bound to a key (RFC 9449 section 7.1).
const DPoP = "DPoP"

// Bears says whether a request bears an access token, in either scheme: a program asks, not a browser by its cookie.
func Bears(r *http.Request) bool {
	_, token := Authorization(r)
	return token != ""
}

// Bearer returns the token of the Authorization header (RFC 6750 section 2.1); "" if there is none. It is for tokens that are no access
// tokens: those may come in another scheme, too, and be bound.
func Bearer(r *http.Request) string {
	if scheme, token := Authorization(r); scheme == "Bearer" {
		return token
	}
	return ""
}

// Authorization returns the access token of the Authorization header and its scheme, Bearer or [DPoP]; "" if there is none, or more
// than one header.
func Authorization(r *http.Request) (scheme, token string) {
	all := r.Header.Values("Authorization")
	if len(all) != 1 {
		return "", ""
	}
	given, token, _ := strings.Cut(all[0], " ")
	for _, scheme := range []string{"Bearer", DPoP} {
		if token = strings.TrimSpace(token); token != "" && strings.EqualFold(given, scheme) {
			return scheme, token
		}
	}
	return "", ""
}
