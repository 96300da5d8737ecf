package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// generatedRSABits: larger keys make signing several times slower, and these keys live for weeks.
const generatedRSABits = 2048

// Signer is a private key with the kid and the algorithm that it signs with. It prints as those two and never as the key.
type Signer struct {
	key     Key
	private crypto.Signer
	prefix  []byte // of every header: alg and kid. What is left costs less to encode than to look up
	sigSize int
	random  io.Reader // nil: there is one signature of a message (RFC 6979, RFC 8032)
}

// NewSigner binds a private key, which may live in hardware, to a kid and an algorithm. Errors: ErrKey, ErrAlgorithm.
func NewSigner(kid, alg string, private crypto.Signer) (*Signer, error) {
	if kid == "" || !utf8.ValidString(kid) {
		return nil, fmt.Errorf("%w: a signing key needs a kid", ErrKey)
	}
	if private == nil {
		return nil, fmt.Errorf("%w: no private key", ErrKey)
	}
	s := &Signer{key: Key{ID: kid, Alg: alg, Public: private.Public()}, private: private, sigSize: es256Size, random: rand.Reader}
	if err := s.key.check(); err != nil {
		return nil, err
	}
	if pub, ok := s.key.Public.(*rsa.PublicKey); ok {
		s.sigSize = pub.Size()
	}
	switch private.(type) {
	case *ecdsa.PrivateKey, ed25519.PrivateKey:
		s.random = nil
	}
	quoted, err := json.Marshal(kid)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrKey, err)
	}
	s.prefix = append([]byte(`{"alg":"`+alg+`","kid":`), quoted...)
	return s, nil
}

// Generate makes a new private key for an algorithm.
func Generate(kid, alg string) (*Signer, error) {
	private, err := generate(alg)
	if err != nil {
		return nil, err
	}
	return NewSigner(kid, alg, private)
}

func generate(alg string) (crypto.Signer, error) {
	switch alg {
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case RS256, PS256:
		return rsa.GenerateKey(rand.Reader, generatedRSABits)
	}
	return nil, ErrAlgorithm
}

// Public is the key that verifies what this one signs.
func (s *Signer) Public() Key { return s.key }

// Sign makes a compact JWS with alg, kid and, unless it is empty, typ in its header. Errors: ErrMalformed for an empty
// payload or an impossible typ, ErrTooLarge, ErrKey if the key would not sign.
func (s *Signer) Sign(typ string, payload []byte) (string, error) {
	var scratch [256]byte
	return s.compact(append(scratch[:0], s.prefix...), typ, payload)
}

// compact signs under a header that begins with head.
func (s *Signer) compact(head []byte, typ string, payload []byte) (string, error) {
	if len(payload) == 0 || !isType(typ) {
		return "", ErrMalformed
	}
	if typ != "" {
		head = append(head, `,"typ":"`...)
		head = append(head, typ...)
		head = append(head, '"')
	}
	head = append(head, '}')
	size := b64.EncodedLen(len(head)) + 1 + b64.EncodedLen(len(payload)) + 1 + b64.EncodedLen(s.sigSize)
	if size > MaxSize {
		return "", ErrTooLarge
	}
	out := make([]byte, 0, size)
	out = append(b64.AppendEncode(out, head), '.')
	out = b64.AppendEncode(out, payload)
	signature, err := s.sign(out)
	if err != nil {
		return "", err
	}
	out = append(out, '.')
	return string(b64.AppendEncode(out, signature)), nil
}

func (s *Signer) sign(input []byte) ([]byte, error) {
	var signature []byte
	var err error
	if s.key.Alg == EdDSA { // signs the message itself (RFC 8032 section 5.1.6)
		signature, err = s.private.Sign(s.random, input, crypto.Hash(0))
	} else {
		var opts crypto.SignerOpts = crypto.SHA256
		if s.key.Alg == PS256 {
			opts = pssOptions()
		}
		digest := sha256.Sum256(input)
		signature, err = s.private.Sign(s.random, digest[:], opts)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: signing failed: %v", ErrKey, err)
	}
	if s.key.Alg == ES256 {
		raw := make([]byte, es256Size)
		if !parseDER(raw, signature) {
			return nil, fmt.Errorf("%w: not an ECDSA signature", ErrKey)
		}
		return raw, nil
	}
	return signature, nil
}

// Signed says that s signed u, by signing it again: where there is one signature of a message, that takes a third of the time of Verify.
// false says only that Verify is to be asked.
func (s *Signer) Signed(u Unverified) bool {
	if s.random != nil || u.Alg != s.key.Alg || u.KeyID != s.key.ID {
		return false
	}
	signature, err := s.sign([]byte(u.input))
	return err == nil && subtle.ConstantTimeCompare(signature, u.signature) == 1
}

// isType admits the characters of a media type (RFC 6838 section 4.2), none of which JSON would escape.
func isType(typ string) bool {
	for i := range len(typ) {
		c := typ[i]
		if c-'a' > 25 && c-'A' > 25 && c-'0' > 9 && strings.IndexByte("!#$&-^_.+/", c) < 0 {
			return false
		}
	}
	return true
}

// MarshalPrivate gives the private key as PKCS #8 DER, to be encrypted by the caller. Keys in hardware refuse.
func (s *Signer) MarshalPrivate() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.private)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be exported", ErrKey)
	}
	return der, nil
}

// ParsePrivate reads what MarshalPrivate gave. Errors: ErrKey, ErrAlgorithm.
func ParsePrivate(kid, alg string, der []byte) (*Signer, error) {
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: not a PKCS #8 private key", ErrKey)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%w: not a signing key", ErrKey)
	}
	return NewSigner(kid, alg, signer)
}

// String and GoString keep the private key out of logs.
func (s Signer) String() string { return "jws.Signer(" + s.key.Alg + " " + s.key.ID + ")" }

// GoString is String.
func (s Signer) GoString() string { return s.String() }
