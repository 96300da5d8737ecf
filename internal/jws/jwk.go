package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// jwk is a public key as JSON (RFC 7518 section 6, RFC 8037 section 2).
type jwk struct {
	Kty string `json:"kty"`
	Use string `json:"use,omitempty"`
	Alg string `json:"alg,omitempty"`
	ID  string `json:"kid,omitempty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	For string `json:"exeunt_use,omitempty"`
}

func newJWK(public crypto.PublicKey) (jwk, error) {
	switch pub := public.(type) {
	case *ecdsa.PublicKey:
		if !usableEC(pub) {
			break
		}
		point, err := pub.Bytes() // 4, x, y; both of full length, as RFC 7518 section 6.2.1.2 demands
		if err != nil {
			break
		}
		x, y := point[1:1+es256Size/2], point[1+es256Size/2:]
		return jwk{Kty: "EC", Crv: "P-256", X: b64.EncodeToString(x), Y: b64.EncodeToString(y)}, nil
	case ed25519.PublicKey:
		if len(pub) != ed25519.PublicKeySize {
			break
		}
		return jwk{Kty: "OKP", Crv: "Ed25519", X: b64.EncodeToString(pub)}, nil
	case *rsa.PublicKey:
		if !usableRSA(pub) {
			break
		}
		e := big.NewInt(int64(pub.E))
		return jwk{Kty: "RSA", N: b64.EncodeToString(pub.N.Bytes()), E: b64.EncodeToString(e.Bytes())}, nil
	}
	return jwk{}, fmt.Errorf("%w: neither P-256, Ed25519 nor RSA of %d to %d bits", ErrKey, minRSABits, maxRSABits)
}

// parseJWK reads one key of a set; ok is false if it is not for us. The only error is ErrPrivate.
func parseJWK(members map[string]json.RawMessage) (k Key, ok bool, err error) {
	for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, found := members[secret]; found {
			return Key{}, false, ErrPrivate
		}
	}
	var j jwk
	for name, field := range map[string]*string{
		"kty": &j.Kty, "use": &j.Use, "alg": &j.Alg, "kid": &j.ID, "crv": &j.Crv,
		"x": &j.X, "y": &j.Y, "n": &j.N, "e": &j.E, "exeunt_use": &j.For,
	} {
		if raw, found := members[name]; found && json.Unmarshal(raw, field) != nil {
			return Key{}, false, nil
		}
	}
	if j.Use != "" && j.Use != "sig" || !mayVerify(members["key_ops"]) {
		return Key{}, false, nil
	}
	k = Key{ID: j.ID, Alg: j.Alg, For: j.For}
	switch {
	case j.Kty == "EC" && j.Crv == "P-256":
		k.Public, ok = j.ecdsa()
		ok = ok && (k.Alg == "" || k.Alg == ES256)
		k.Alg = ES256
	case j.Kty == "OKP" && j.Crv == "Ed25519":
		k.Public, ok = j.ed25519()
		ok = ok && (k.Alg == "" || k.Alg == EdDSA || k.Alg == ed25519Only)
		k.Alg = EdDSA
	case j.Kty == "RSA":
		k.Public, ok = j.rsa()
		if k.Alg == "" {
			k.Alg = RS256
		}
	}
	return k, ok && k.check() == nil, nil
}

// mayVerify reads key_ops (RFC 7517 section 4.3), if there is one.
func mayVerify(raw json.RawMessage) bool {
	if raw == nil {
		return true
	}
	var ops []string
	return json.Unmarshal(raw, &ops) == nil && slices.Contains(ops, "verify")
}

func (j jwk) ecdsa() (crypto.PublicKey, bool) {
	x, okX := octets(j.X)
	y, okY := octets(j.Y)
	if !okX || !okY || len(x) != es256Size/2 || len(y) != es256Size/2 {
		return nil, false
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	return pub, err == nil
}

func (j jwk) ed25519() (crypto.PublicKey, bool) {
	x, ok := octets(j.X)
	return ed25519.PublicKey(x), ok && len(x) == ed25519.PublicKeySize
}

func (j jwk) rsa() (crypto.PublicKey, bool) {
	n, okN := octets(j.N)
	e, okE := octets(j.E)
	exponent := new(big.Int).SetBytes(e)
	if !okN || !okE || !exponent.IsInt64() || !usableExponent(exponent.Int64()) {
		return nil, false
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, true
}

func octets(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := b64.DecodeString(s)
	return b, err == nil && len(b) > 0
}
