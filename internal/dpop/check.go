package dpop

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"time"
)

// Window is how far iat may lie from now.
type Window struct{ Past, Future time.Duration }

// Want is what a proof must be good for.
type Want struct {
	Method string
	URLs   []string  // any of these, as Normal gives them
	Now    time.Time // of the clock that judges
	Window Window
	Nonces *Nonces // nil: none is asked for
	Token  string  // the access token that comes with the proof; "" at the token endpoint
}

// Check reads the proof of a request. until is when it is past being good, and so for how long its use must be remembered.
// A proof that lacks only its nonce is ErrNonce; everything else that is wrong is ErrInvalid.
func (w *Want) Check(headers []string) (p Proof, until time.Time, err error) {
	if len(headers) != 1 { // RFC 9449 section 4.3, 1: whoever stands before us may have looked at the other one
		return p, until, invalid("there must be one DPoP header")
	}
	if p, err = Parse(headers[0]); err != nil {
		return p, until, err
	}
	issued := time.Unix(p.IssuedAt, 0)
	switch {
	case p.Method != w.Method:
		return p, until, invalid("htm")
	case !slices.Contains(w.URLs, p.URL):
		return p, until, invalid("htu")
	case issued.Before(w.Now.Add(-w.Window.Past)) || issued.After(w.Now.Add(w.Window.Future)):
		return p, until, invalid("iat")
	case w.Token != "" && subtle.ConstantTimeCompare([]byte(p.Token), []byte(TokenHash(w.Token))) != 1:
		return p, until, invalid("ath")
	}
	until = issued.Add(w.Window.Past + time.Second)
	if w.Nonces != nil {
		end, ok := w.Nonces.Good(p.Nonce, w.Now)
		if !ok {
			return p, until, ErrNonce
		}
		if end.Before(until) {
			until = end
		}
	}
	return p, until, nil
}

// TokenHash is ath of an access token (RFC 9449 section 4.2).
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Algs are the algorithms of proofs, as metadata and challenges say them.
func Algs() []string { return []string{"ES256", "EdDSA", "Ed25519", "RS256", "PS256"} }
