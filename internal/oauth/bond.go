package oauth

import (
	"net/http"
	"net/url"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/dpop"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

// strays says to what of its bond a code or a refresh token does not hold: "key" or "address"; "": it may be used. The client is told
// only that its grant is not valid (RFC 6749 section 5.2). Nothing ends by it: who has stolen what is bound cannot use it, and must
// not be able to end it either.
func strays(r *http.Request, c *idp.Client, born, now idp.Bond) (from string) {
	switch {
	case born.Key != "" && born.Key != now.Key:
		return "key"
	case c.BindAddress.On() && !born.Admits(edge.Client(r).IP):
		return "address"
	}
	return ""
}

// tokenType is RFC 9449 section 5.
func tokenType(b idp.Bond) string {
	if b.Key != "" {
		return edge.DPoP
	}
	return "Bearer"
}

// ties reads to which key the code of an authorization request will be bound (RFC 9449 section 10): dpop_jkt says it, or, where the
// client itself speaks, the proof that it shows.
func ties(v url.Values, c *idp.Client, shown bearer.Shown) (key string, err error) {
	if c.DPoP == idp.DPoPOff {
		return "", nil
	}
	key = v.Get("dpop_jkt")
	switch {
	case v.Has("dpop_jkt") && !dpop.ValidKey(key):
		return "", refuse("invalid_request", "dpop_jkt is not the thumbprint of a key")
	case shown.Key == "":
		return key, nil
	case key != "" && key != shown.Key: // section 10.1
		return "", refuse("invalid_dpop_proof", "dpop_jkt names another key than the proof")
	}
	return shown.Key, nil
}
