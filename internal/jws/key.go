package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math"
)

// The algorithms that exist (RFC 7518 section 3.1, RFC 8037 section 3.1).
const (
	ES256 = "ES256"
	EdDSA = "EdDSA" // with Ed25519
	RS256 = "RS256"
	PS256 = "PS256"

	// The name that RFC 9864 gives to EdDSA with Ed25519. It is read in messages that bring their key, since clients of today write it
	// there; keys of ours and tokens have the older one.
	ed25519Only = "Ed25519"
)

const (
	minRSABits = 2048 // RFC 7518 section 3.3: "2048 bits or larger MUST be used"
	// A key set may be a stranger's (dynamic registration); the work of one verification grows with the square of this.
	maxRSABits = 8192
)

// Key is a verification key, bound to the one algorithm that it is used with.
type Key struct {
	ID     string // kid
	Alg    string // ES256, EdDSA, RS256 or PS256
	Public crypto.PublicKey
	For    string // what its owner signs with it: access, id or receipt; "" if the set does not say (the member exeunt_use, RFC 7517 section 4)
}

// check says why a key cannot be used, or nil.
func (k Key) check() error {
	switch k.Alg {
	case ES256:
		if pub, ok := k.Public.(*ecdsa.PublicKey); !ok || !usableEC(pub) {
			return fmt.Errorf("%w: ES256 needs a P-256 key", ErrKey)
		}
	case EdDSA, ed25519Only:
		if pub, ok := k.Public.(ed25519.PublicKey); !ok || len(pub) != ed25519.PublicKeySize {
			return fmt.Errorf("%w: EdDSA needs an Ed25519 key", ErrKey)
		}
	case RS256, PS256:
		if pub, ok := k.Public.(*rsa.PublicKey); !ok || !usableRSA(pub) {
			return fmt.Errorf("%w: %s needs an RSA key of %d to %d bits", ErrKey, k.Alg, minRSABits, maxRSABits)
		}
	default:
		return ErrAlgorithm
	}
	return nil
}

func usableEC(pub *ecdsa.PublicKey) bool {
	if pub == nil || pub.Curve != elliptic.P256() {
		return false
	}
	_, err := pub.ECDH() // refuses points that are not on the curve
	return err == nil
}

func usableRSA(pub *rsa.PublicKey) bool {
	if pub == nil || pub.N == nil {
		return false
	}
	bits := pub.N.BitLen()
	return bits >= minRSABits && bits <= maxRSABits && pub.N.Bit(0) == 1 && usableExponent(int64(pub.E))
}

func usableExponent(e int64) bool { return e >= 3 && e&1 == 1 && e <= math.MaxInt32 }
