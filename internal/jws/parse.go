package jws

import (
	"encoding/base64"
	"strings"
)

// MaxSize is the longest compact JWS, in bytes, that is read or made.
const MaxSize = 16 << 10

// Strict also refuses trailing bits that are not zero, so that bytes have one spelling. What it still skips, CR and LF,
// Parse looks for itself.
var b64 = base64.RawURLEncoding.Strict()

// Unverified is a parsed compact JWS. Nothing in it is to be believed until Verify has returned nil; before that KeyID,
// Alg and Type serve to find the key, and Payload to find out whose key to look for.
type Unverified struct {
	Alg     string // one of the algorithms of this package
	KeyID   string // "" if the header has none
	Type    string // typ as written; compare with HasType
	Payload []byte // never empty

	input     string // what is signed: header and payload as they came
	signature []byte
	jwk       string // as it stands in the header, for OwnKey
}

// Parse reads a compact JWS (RFC 7515 section 7.1) without verifying it. Errors: ErrMalformed, ErrTooLarge,
// ErrAlgorithm, ErrCritical.
func Parse(compact string) (Unverified, error) {
	if len(compact) > MaxSize {
		return Unverified{}, ErrTooLarge
	}
	if strings.IndexByte(compact, '\n') >= 0 || strings.IndexByte(compact, '\r') >= 0 {
		return Unverified{}, ErrMalformed
	}
	head, rest, _ := strings.Cut(compact, ".")
	body, sig, _ := strings.Cut(rest, ".") // a third dot is not base64url and fails below
	if head == "" || body == "" || sig == "" {
		return Unverified{}, ErrMalformed
	}
	// One buffer for all three parts.
	buf := make([]byte, b64.DecodedLen(len(head))+b64.DecodedLen(len(body))+b64.DecodedLen(len(sig)))
	header, buf, err1 := decode(buf, head)
	payload, buf, err2 := decode(buf, body)
	signature, _, err3 := decode(buf, sig)
	if err1 != nil || err2 != nil || err3 != nil {
		return Unverified{}, ErrMalformed
	}
	h, err := parseHeader(header)
	if err != nil {
		return Unverified{}, err
	}
	return Unverified{
		Alg: h.alg, KeyID: h.kid, Type: h.typ, Payload: payload,
		input: compact[:len(head)+1+len(body)], signature: signature, jwk: h.jwk,
	}, nil
}

// decode reads s into the front of buf and returns what it read and the rest of buf.
func decode(buf []byte, s string) (part, rest []byte, err error) {
	n, err := b64.Decode(buf, []byte(s))
	return buf[:n:n], buf[n:], err
}

// HasType compares typ with a media type as RFC 7515 section 4.1.9 asks: without regard to case, and with or without
// the prefix "application/".
func (u Unverified) HasType(typ string) bool {
	const prefix = "application/"
	have := u.Type
	if len(have) > len(prefix) && strings.EqualFold(have[:len(prefix)], prefix) {
		have = have[len(prefix):]
	}
	return strings.EqualFold(have, typ)
}
