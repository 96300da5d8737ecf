package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// Algorithms (RFC 7518 section 3.1, RFC 8037 section 3.1).
const (
	ES256 = "ES256"
	EdDSA = "EdDSA"
	RS256 = "RS256"
	PS256 = "PS256"
)

// Errors.
var (
	ErrMalformed = errors.New("not a well-formed token")
	ErrSignature = errors.New("signature does not verify")
	ErrAlgorithm = errors.New("algorithm is not the key's")
	ErrTooLarge  = errors.New("token is larger than 16 KiB")
	ErrKey       = errors.New("key cannot be used")
)

// minRSA is the smallest modulus, in bits (RFC 7518 section 3.3).
const minRSA = 2048

// Key is a verification key with the one algorithm it verifies.
type Key struct {
	ID     string
	Alg    string
	Public crypto.PublicKey
}

// fits checks that the key's type is the algorithm's.
func (k Key) fits() error {
	switch pub := k.Public.(type) {
	case *ecdsa.PublicKey:
		if k.Alg == ES256 && pub.Curve == elliptic.P256() {
			return nil
		}
	case ed25519.PublicKey:
		if k.Alg == EdDSA && len(pub) == ed25519.PublicKeySize {
			return nil
		}
	case *rsa.PublicKey:
		if (k.Alg == RS256 || k.Alg == PS256) && pub.N.BitLen() >= minRSA {
			return nil
		}
	}
	return fmt.Errorf("%w: %T for %q", ErrKey, k.Public, k.Alg)
}

// Set is a set of verification keys, found by kid.
type Set struct {
	keys []Key
	byID map[string]int
}

// NewSet makes a set. Two keys of one kid are refused: nobody could tell which is meant.
func NewSet(keys ...Key) (*Set, error) {
	s := &Set{keys: keys, byID: make(map[string]int, len(keys))}
	for i, k := range keys {
		if err := k.fits(); err != nil {
			return nil, err
		}
		if _, twice := s.byID[k.ID]; twice {
			return nil, fmt.Errorf("%w: kid %q twice", ErrKey, k.ID)
		}
		s.byID[k.ID] = i
	}
	return s, nil
}

// Key finds a key by kid.
func (s *Set) Key(kid string) (Key, bool) {
	i, ok := s.byID[kid]
	if !ok {
		return Key{}, false
	}
	return s.keys[i], true
}

// Keys returns all keys.
func (s *Set) Keys() []Key { return slices.Clone(s.keys) }

type jwk struct {
	Kty string `json:"kty"`
	Use string `json:"use,omitempty"`
	Alg string `json:"alg,omitempty"`
	Kid string `json:"kid,omitempty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	D   string `json:"d,omitempty"`
}

// ParseSet reads a JWKS document (RFC 7517 section 5). Keys of kinds that it does not know, and keys for encryption,
// are passed over, as the RFC wants; private keys are refused, since whoever publishes one has lost it.
func ParseSet(data []byte) (*Set, error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &doc); err != nil || doc.Keys == nil {
		return nil, fmt.Errorf("%w: not a JWKS", ErrMalformed)
	}
	var keys []Key
	for _, raw := range doc.Keys {
		var j jwk
		if json.Unmarshal(raw, &j) != nil {
			continue
		}
		if j.D != "" {
			return nil, fmt.Errorf("%w: a private key in a public set", ErrKey)
		}
		if j.Use == "enc" {
			continue
		}
		k, err := j.key()
		if err != nil || k.fits() != nil {
			continue
		}
		keys = append(keys, k)
	}
	return NewSet(keys...)
}

func (j jwk) key() (Key, error) {
	k := Key{ID: j.Kid, Alg: j.Alg}
	switch {
	case j.Kty == "EC" && j.Crv == "P-256":
		x, err1 := decode(j.X)
		y, err2 := decode(j.Y)
		if err1 != nil || err2 != nil || len(x) != 32 || len(y) != 32 {
			return k, ErrKey
		}
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
		if err != nil {
			return k, ErrKey
		}
		k.Public = pub
		return k.or(ES256), nil
	case j.Kty == "OKP" && j.Crv == "Ed25519":
		x, err := decode(j.X)
		if err != nil {
			return k, ErrKey
		}
		k.Public = ed25519.PublicKey(x)
		return k.or(EdDSA), nil
	case j.Kty == "RSA":
		n, err1 := decode(j.N)
		e, err2 := decode(j.E)
		if err1 != nil || err2 != nil || len(e) == 0 || len(e) > 4 || len(n) > 1024 {
			return k, ErrKey
		}
		k.Public = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
		return k.or(RS256), nil
	}
	return k, ErrKey
}

func (k Key) or(alg string) Key {
	if k.Alg == "" {
		k.Alg = alg
	}
	return k
}

// MarshalJSON writes the JWKS document.
func (s *Set) MarshalJSON() ([]byte, error) {
	doc := struct {
		Keys []jwk `json:"keys"`
	}{Keys: make([]jwk, 0, len(s.keys))}
	for _, k := range s.keys {
		j, err := describe(k.Public)
		if err != nil {
			return nil, err
		}
		j.Use, j.Alg, j.Kid = "sig", k.Alg, k.ID
		doc.Keys = append(doc.Keys, j)
	}
	return json.Marshal(doc)
}

func describe(public crypto.PublicKey) (jwk, error) {
	switch pub := public.(type) {
	case *ecdsa.PublicKey:
		b, err := pub.Bytes()
		if err != nil || len(b) != 65 {
			return jwk{}, ErrKey
		}
		return jwk{Kty: "EC", Crv: "P-256", X: encode(b[1:33]), Y: encode(b[33:])}, nil
	case ed25519.PublicKey:
		return jwk{Kty: "OKP", Crv: "Ed25519", X: encode(pub)}, nil
	case *rsa.PublicKey:
		return jwk{Kty: "RSA", N: encode(pub.N.Bytes()), E: encode(big.NewInt(int64(pub.E)).Bytes())}, nil
	}
	return jwk{}, fmt.Errorf("%w: %T", ErrKey, public)
}

// Thumbprint is the JWK thumbprint (RFC 7638) with SHA-256, base64url.
func Thumbprint(public crypto.PublicKey) (string, error) {
	j, err := describe(public)
	if err != nil {
		return "", err
	}
	var text string // members in lexicographic order, no white space (section 3.2)
	switch j.Kty {
	case "EC":
		text = fmt.Sprintf(`{"crv":"%s","kty":"EC","x":"%s","y":"%s"}`, j.Crv, j.X, j.Y)
	case "OKP":
		text = fmt.Sprintf(`{"crv":"%s","kty":"OKP","x":"%s"}`, j.Crv, j.X)
	default:
		text = fmt.Sprintf(`{"e":"%s","kty":"RSA","n":"%s"}`, j.E, j.N)
	}
	sum := sha256.Sum256([]byte(text))
	return encode(sum[:]), nil
}

// strict base64url without padding; non-zero trailing bits are refused, so that a token has one spelling.
func decode(s string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(s) }
func encode(b []byte) string          { return base64.RawURLEncoding.EncodeToString(b) }
