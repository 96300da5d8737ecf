package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
)

// Signer is a private key with its kid and its one algorithm.
type Signer struct {
	key     Key
	private crypto.Signer
	headers sync.Map // typ → encoded protected header
}

// NewSigner wraps a private key.
func NewSigner(kid, alg string, private crypto.Signer) (*Signer, error) {
	k := Key{ID: kid, Alg: alg, Public: private.Public()}
	if err := k.fits(); err != nil {
		return nil, err
	}
	return &Signer{key: k, private: private}, nil
}

// Generate makes a new key.
func Generate(kid, alg string) (*Signer, error) {
	var private crypto.Signer
	var err error
	switch alg {
	case ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case RS256, PS256:
		private, err = rsa.GenerateKey(rand.Reader, minRSA)
	default:
		return nil, fmt.Errorf("%w: no such algorithm: %q", ErrKey, alg)
	}
	if err != nil {
		return nil, err
	}
	return NewSigner(kid, alg, private)
}

// Public is the verification key.
func (s *Signer) Public() Key { return s.key }

// MarshalPrivate writes the private key as PKCS #8 DER.
func (s *Signer) MarshalPrivate() ([]byte, error) { return x509.MarshalPKCS8PrivateKey(s.private) }

// ParsePrivate reads what MarshalPrivate wrote.
func ParsePrivate(kid, alg string, der []byte) (*Signer, error) {
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: not PKCS #8", ErrKey)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, ErrKey
	}
	return NewSigner(kid, alg, signer)
}

// Sign makes a compact JWS with the given `typ` over the payload.
func (s *Signer) Sign(typ string, payload []byte) (string, error) {
	head, err := s.header(typ)
	if err != nil {
		return "", err
	}
	signed := head + "." + encode(payload)
	sig, err := s.signature([]byte(signed))
	if err != nil {
		return "", err
	}
	return signed + "." + encode(sig), nil
}

func (s *Signer) header(typ string) (string, error) {
	if h, ok := s.headers.Load(typ); ok {
		return h.(string), nil
	}
	raw, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid,omitempty"`
		Typ string `json:"typ,omitempty"`
	}{s.key.Alg, s.key.ID, typ})
	if err != nil {
		return "", err
	}
	h := encode(raw)
	s.headers.Store(typ, h)
	return h, nil
}

func (s *Signer) signature(text []byte) ([]byte, error) {
	if s.key.Alg == EdDSA {
		return s.private.Sign(rand.Reader, text, crypto.Hash(0))
	}
	sum := sha256.Sum256(text)
	switch s.key.Alg {
	case PS256:
		return s.private.Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case RS256:
		return s.private.Sign(rand.Reader, sum[:], crypto.SHA256)
	}
	der, err := s.private.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return nil, err
	}
	return rawSignature(rs.R, rs.S), nil
}
