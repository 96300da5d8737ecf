package jws

import (
	"crypto"
	"crypto/sha256"
)

// Thumbprint is the SHA-256 JWK thumbprint (RFC 7638 section 3) as base64url: the required members of the key in the
// order of their names, without white space. Errors: ErrKey.
func Thumbprint(public crypto.PublicKey) (string, error) {
	j, err := newJWK(public)
	if err != nil {
		return "", err
	}
	var text string
	switch j.Kty {
	case "EC":
		text = `{"crv":"` + j.Crv + `","kty":"EC","x":"` + j.X + `","y":"` + j.Y + `"}`
	case "OKP": // RFC 8037 section 2
		text = `{"crv":"` + j.Crv + `","kty":"OKP","x":"` + j.X + `"}`
	case "RSA":
		text = `{"e":"` + j.E + `","kty":"RSA","n":"` + j.N + `"}`
	}
	sum := sha256.Sum256([]byte(text))
	return b64.EncodeToString(sum[:]), nil
}
