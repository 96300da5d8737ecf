package jws

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
)

// Bounds on RSA keys that come inside a message: they are a stranger's, one for each message, and the work grows with both.
const (
	maxOwnBits     = 4096
	maxOwnExponent = 1<<16 + 1
)

// OwnKey is the public key that a message brings in its header (jwk, RFC 7515 section 4.1.3), bound to the header's algorithm. That
// the message verifies with it says one thing: who made it holds the private half. So it serves proofs of possession (RFC 9449)
// and nothing else; Verify never looks at it. Errors: ErrKey, ErrPrivate.
func (u Unverified) OwnKey() (Key, error) {
	o, err := ParseObject([]byte(u.jwk)) // a member that is there twice is refused
	if err != nil {
		return Key{}, fmt.Errorf("%w: the header has no jwk", ErrKey)
	}
	members := make(map[string]json.RawMessage, len(o))
	for _, m := range o {
		members[m.name] = json.RawMessage(m.value)
	}
	k, ok, err := parseJWK(members)
	if err != nil {
		return Key{}, err
	}
	if k.Alg == RS256 && members["alg"] == nil {
		k.Alg = u.Alg // an RSA key that does not say does both; any other key has refused already
	}
	if k.Alg == EdDSA && u.Alg == ed25519Only {
		k.Alg = u.Alg
	}
	pub, isRSA := k.Public.(*rsa.PublicKey)
	if !ok || k.check() != nil || isRSA && (pub.N.BitLen() > maxOwnBits || pub.E > maxOwnExponent) {
		return Key{}, fmt.Errorf("%w: the jwk in the header", ErrKey)
	}
	k.ID = ""
	return k, nil
}

// SignOwn is Sign with the public key in the header instead of its kid.
func (s *Signer) SignOwn(typ string, payload []byte) (string, error) {
	public, err := newJWK(s.key.Public)
	if err != nil {
		return "", err
	}
	inside, err := json.Marshal(public)
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrKey, err)
	}
	return s.compact(append([]byte(`{"alg":"`+s.key.Alg+`","jwk":`), inside...), typ, payload)
}
