package jws

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"
)

// MaxSize bounds a compact token, in bytes.
const MaxSize = 16 << 10

// Message is a token taken apart. It is NOT verified: its payload is a stranger's words until Verify has returned nil.
type Message struct {
	Alg, KeyID, Type string
	Payload          []byte

	signed    string // header.payload
	signature []byte
}

// Parse takes a compact JWS apart.
func Parse(compact string) (Message, error) {
	var m Message
	if len(compact) > MaxSize {
		return m, ErrTooLarge
	}
	head, rest, ok := strings.Cut(compact, ".")
	payload, sig, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 || strings.ContainsAny(compact, "\r\n") { // the decoder would pass over line ends
		return m, ErrMalformed
	}
	rawHead, err := decode(head)
	if err != nil {
		return m, ErrMalformed
	}
	if err := m.header(rawHead); err != nil {
		return m, err
	}
	if m.Payload, err = decode(payload); err != nil {
		return m, ErrMalformed
	}
	if m.signature, err = decode(sig); err != nil || len(m.signature) == 0 {
		return m, ErrMalformed
	}
	m.signed = compact[:len(head)+1+len(payload)]
	return m, nil
}

// header reads the protected header: one JSON object, no member twice (RFC 7515 section 4), no crit.
func (m *Message) header(raw []byte) error {
	if !utf8.Valid(raw) {
		return ErrMalformed
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return ErrMalformed
	}
	seen := make(map[string]bool, 4)
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok || seen[name] {
			return ErrMalformed
		}
		seen[name] = true
		var value any
		if d.Decode(&value) != nil {
			return ErrMalformed
		}
		text, isText := value.(string)
		switch name {
		case "alg", "kid", "typ":
			if !isText {
				return ErrMalformed
			}
		case "crit": // what it names must be understood, and we understand none
			return fmt.Errorf("%w: crit", ErrMalformed)
		case "b64":
			return fmt.Errorf("%w: b64", ErrMalformed)
		}
		switch name {
		case "alg":
			m.Alg = text
		case "kid":
			m.KeyID = text
		case "typ":
			m.Type = text
		}
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') {
		return ErrMalformed
	}
	if d.More() || len(bytes.TrimSpace(raw[d.InputOffset():])) > 0 || m.Alg == "" {
		return ErrMalformed
	}
	return nil
}

// Verify checks the signature with a key. ErrAlgorithm if the header asks for another algorithm than the key's.
func (m Message) Verify(k Key) error {
	if m.Alg != k.Alg {
		return ErrAlgorithm
	}
	if err := k.fits(); err != nil {
		return err
	}
	switch pub := k.Public.(type) {
	case ed25519.PublicKey:
		if ed25519.Verify(pub, []byte(m.signed), m.signature) {
			return nil
		}
	case *ecdsa.PublicKey:
		sum := sha256.Sum256([]byte(m.signed))
		if len(m.signature) == 64 { // r ‖ s, RFC 7518 section 3.4
			if ecdsa.VerifyASN1(pub, sum[:], asn1Signature(m.signature)) {
				return nil
			}
		}
	case *rsa.PublicKey:
		sum := sha256.Sum256([]byte(m.signed))
		if k.Alg == PS256 {
			options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash} // RFC 7518 section 3.5
			if rsa.VerifyPSS(pub, crypto.SHA256, sum[:], m.signature, options) == nil {
				return nil
			}
		} else if rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], m.signature) == nil {
			return nil
		}
	}
	return ErrSignature
}

// asn1Signature writes r ‖ s as the DER sequence that crypto/ecdsa reads.
func asn1Signature(sig []byte) []byte {
	out := make([]byte, 2, 72)
	for _, half := range [][]byte{sig[:32], sig[32:]} {
		n := bytes.TrimLeft(half, "\x00")
		if len(n) == 0 {
			n = []byte{0}
		}
		out = append(out, 2, 0)
		at := len(out) - 1
		if n[0]&0x80 != 0 {
			out = append(out, 0)
		}
		out = append(out, n...)
		out[at] = byte(len(out) - at - 1)
	}
	out[0], out[1] = 0x30, byte(len(out)-2)
	return out
}

// rawSignature writes r ‖ s, 32 bytes each.
func rawSignature(r, s *big.Int) []byte {
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out
}
