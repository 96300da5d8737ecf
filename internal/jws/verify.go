package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
)

// Verify checks the signature with k. It returns nil or ErrSignature and never says what was wrong: another algorithm
// than the key's, another key's kid, an unusable key, a bad signature.
func (u Unverified) Verify(k Key) error {
	if u.Alg != k.Alg || u.KeyID != "" && k.ID != "" && u.KeyID != k.ID {
		return ErrSignature
	}
	if !u.verify(k) {
		return ErrSignature
	}
	return nil
}

// verify asks of the key only what the standard library does not ask by itself or would panic about; Key.check, at the
// making of a Set, has asked the rest.
func (u Unverified) verify(k Key) bool {
	switch k.Alg {
	case ES256:
		pub, ok := k.Public.(*ecdsa.PublicKey)
		if !ok || pub == nil || pub.Curve != elliptic.P256() || len(u.signature) != es256Size {
			return false
		}
		digest := sha256.Sum256([]byte(u.input))
		var der [maxDER]byte
		return ecdsa.VerifyASN1(pub, digest[:], appendDER(der[:0], u.signature))
	case EdDSA, ed25519Only:
		pub, ok := k.Public.(ed25519.PublicKey)
		return ok && len(pub) == ed25519.PublicKeySize && ed25519.Verify(pub, []byte(u.input), u.signature)
	case RS256:
		pub, ok := k.Public.(*rsa.PublicKey)
		if !ok || !usableRSA(pub) {
			return false
		}
		digest := sha256.Sum256([]byte(u.input))
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], u.signature) == nil
	case PS256:
		pub, ok := k.Public.(*rsa.PublicKey)
		if !ok || !usableRSA(pub) {
			return false
		}
		digest := sha256.Sum256([]byte(u.input))
		return rsa.VerifyPSS(pub, crypto.SHA256, digest[:], u.signature, pssOptions()) == nil
	}
	return false
}

// RFC 7518 section 3.5: the salt is as long as the hash.
func pssOptions() *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
}
