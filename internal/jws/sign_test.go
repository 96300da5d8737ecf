package jws

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

var algorithms = []string{ES256, EdDSA, RS256, PS256}

func newSigner(t testing.TB, kid, alg string) *Signer {
	t.Helper()
	s, err := Generate(kid, alg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSign(t testing.TB, s *Signer, typ string, payload []byte) string {
	t.Helper()
	raw, err := s.Sign(typ, payload)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSignThenVerify(t *testing.T) {
	payload := []byte(`{"sub":"a"}`)
	for _, alg := range algorithms {
		t.Run(alg, func(t *testing.T) {
			first := newSigner(t, "k/\"1", alg)
			der, err := first.MarshalPrivate()
			if err != nil {
				t.Fatal(err)
			}
			s, err := ParsePrivate("k/\"1", alg, der)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Parse(mustSign(t, s, "at+jwt", payload))
			if err != nil {
				t.Fatal(err)
			}
			if m.Alg != alg || m.KeyID != "k/\"1" || m.Type != "at+jwt" || !bytes.Equal(m.Payload, payload) {
				t.Fatalf("read back %+v", m)
			}
			if err := m.Verify(first.Public()); err != nil {
				t.Fatal(err)
			}
			if err := m.Verify(newSigner(t, "k/\"1", alg).Public()); err != ErrSignature {
				t.Errorf("another key of the same kind: %v", err)
			}
			other := first.Public()
			other.ID = "k2"
			if err := m.Verify(other); err != ErrSignature {
				t.Errorf("a key with another kid: %v", err)
			}
			m, err = Parse(mustSign(t, s, "", payload))
			if err != nil || m.Type != "" || m.Verify(first.Public()) != nil {
				t.Errorf("without typ: %+v, %v", m, err)
			}
		})
	}
}

// Every octet of a token matters: any change to it is refused, at Parse or at Verify.
func TestVerifyRefusesEveryChange(t *testing.T) {
	for _, alg := range []string{ES256, EdDSA} { // RSA tokens are long and add nothing here
		s := newSigner(t, "k", alg)
		raw := mustSign(t, s, "at+jwt", []byte(`{"sub":"a","n":12345}`))
		for i := range raw {
			for _, c := range []byte{'A', 'Q', 'w', '_', '.', '=', '\n'} {
				if raw[i] == c {
					continue
				}
				m, err := Parse(raw[:i] + string(c) + raw[i+1:])
				if err == nil && (m.Verify(s.Public()) == nil || s.Signed(m)) {
					t.Fatalf("%s: octet %d changed from %q to %q and still verifies", alg, i, raw[i], c)
				}
			}
			if m, err := Parse(raw[:i]); err == nil && (m.Verify(s.Public()) == nil || s.Signed(m)) {
				t.Fatalf("%s: cut to %d octets and still verifies", alg, i)
			}
			if m, err := Parse(raw[:i] + "\r\n" + raw[i:]); err == nil {
				t.Fatalf("%s: line break at %d accepted: %v", alg, i, m)
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	s := newSigner(t, "k", ES256)
	for name, c := range map[string]struct {
		typ     string
		payload []byte
		want    error
	}{
		"empty payload":  {"JWT", nil, ErrMalformed},
		"quote in typ":   {`a","alg":"none`, []byte("{}"), ErrMalformed},
		"control in typ": {"a\nb", []byte("{}"), ErrMalformed},
		"too large":      {"JWT", make([]byte, MaxSize), ErrTooLarge},
	} {
		if raw, err := s.Sign(c.typ, c.payload); !errors.Is(err, c.want) || raw != "" {
			t.Errorf("%s: %q, %v", name, raw, err)
		}
	}
	// The largest that is signed is also read, and one octet more is not signed.
	largest := bytes.Repeat([]byte("x"), MaxSize)
	for {
		raw, err := s.Sign("JWT", largest)
		if err != nil {
			largest = largest[1:]
			continue
		}
		if _, err := Parse(raw); err != nil {
			t.Errorf("what was signed (%d octets) is not read: %v", len(raw), err)
		}
		break
	}
}

// Signed knows what the key has signed, and nothing of another key, kid or algorithm. What was signed with the same key in another way
// verifies as ever.
func TestSigned(t *testing.T) {
	for _, alg := range algorithms {
		s, other := newSigner(t, "k", alg), newSigner(t, "k", alg)
		read := func(raw string) Unverified {
			m, err := Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		m := read(mustSign(t, s, "at+jwt", []byte(`{"sub":"a"}`)))
		if once := alg == ES256 || alg == EdDSA; s.Signed(m) != once || m.Verify(s.Public()) != nil {
			t.Errorf("%s: signed %t, verified %v", alg, s.Signed(m), m.Verify(s.Public()))
		}
		renamed, err := NewSigner("k2", alg, s.private)
		if err != nil {
			t.Fatal(err)
		}
		if other.Signed(m) || renamed.Signed(m) {
			t.Errorf("%s: another key or kid has signed it", alg)
		}
		for _, named := range algorithms { // by the key, under a header that names another algorithm
			raw, err := s.compact([]byte(`{"alg":"`+named+`","kid":"k"`), "at+jwt", []byte(`{"sub":"a"}`))
			if err != nil {
				t.Fatal(err)
			}
			if m := read(raw); named != alg && (s.Signed(m) || m.Verify(s.Public()) == nil) {
				t.Errorf("%s: takes what says that it is %s", alg, named)
			}
		}
		s.random = rand.Reader // as an earlier version signed
		old := read(mustSign(t, s, "at+jwt", []byte(`{"sub":"b"}`)))
		s.random = nil
		if old.Verify(s.Public()) != nil || alg == ES256 && s.Signed(old) {
			t.Errorf("%s: with randomness: %v", alg, old.Verify(s.Public()))
		}
	}
}

func TestUnusablePrivateKeys(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256 := newSigner(t, "k", ES256)
	for name, c := range map[string]struct {
		kid, alg string
		key      crypto.Signer
		want     error
	}{
		"RSA of 1024 bits":    {"k", RS256, small, ErrKey},
		"P-384":               {"k", ES256, p384, ErrKey},
		"EC key for RS256":    {"k", RS256, p256.private, ErrKey},
		"EC key for EdDSA":    {"k", EdDSA, p256.private, ErrKey},
		"none":                {"k", "none", p256.private, ErrAlgorithm},
		"HS256":               {"k", "HS256", p256.private, ErrAlgorithm},
		"no algorithm":        {"k", "", p256.private, ErrAlgorithm},
		"no kid":              {"", ES256, p256.private, ErrKey},
		"kid that is no text": {"\xff", ES256, p256.private, ErrKey},
		"no key":              {"k", ES256, nil, ErrKey},
	} {
		if s, err := NewSigner(c.kid, c.alg, c.key); !errors.Is(err, c.want) || s != nil {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	if _, err := Generate("k", "HS256"); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("Generate HS256: %v", err)
	}
	if _, err := ParsePrivate("k", ES256, []byte("not a key")); !errors.Is(err, ErrKey) {
		t.Errorf("ParsePrivate of rubbish: %v", err)
	}
}

// A signer of somebody else's may answer anything.
type oddSigner struct {
	crypto.Signer
	answer []byte
}

func (o oddSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return o.answer, nil }

func TestSignDoesNotTrustForeignSigners(t *testing.T) {
	long := append([]byte{0x30, 38, 2, 33, 1}, make([]byte, 32)...)
	long = append(long, 2, 1, 1)
	for _, answer := range [][]byte{
		nil, {0x30}, {0x30, 0}, {0x30, 6, 2, 1, 1, 2, 1}, {0x30, 6, 2, 1, 1, 2, 2, 1}, {0x30, 6, 2, 0, 2, 1, 1, 2},
		{0x30, 6, 2, 1, 0x80, 2, 1, 1}, {0x30, 7, 2, 1, 1, 2, 1, 1, 0}, {0x31, 6, 2, 1, 1, 2, 1, 1}, {0x30, 3, 2, 1, 1},
		{0x30, 6, 2, 200, 1, 2, 1, 1}, long,
	} {
		s, err := NewSigner("k", ES256, oddSigner{newSigner(t, "k", ES256).private, answer})
		if err != nil {
			t.Fatal(err)
		}
		if raw, err := s.Sign("JWT", []byte("{}")); !errors.Is(err, ErrKey) || raw != "" {
			t.Errorf("% x: %q, %v", answer, raw, err)
		}
	}
}

func TestDERRoundTrip(t *testing.T) {
	for _, fill := range []string{"\x00", "\x01", "\x7f", "\x80", "\xff"} {
		for zeros := range 32 {
			half := strings.Repeat("\x00", zeros) + strings.Repeat(fill, 32-zeros)
			raw := []byte(half + strings.Repeat("\x80", 32))
			der := appendDER(nil, raw)
			back := make([]byte, es256Size)
			if len(der) > maxDER || !parseDER(back, der) || !bytes.Equal(raw, back) {
				t.Fatalf("% x became % x", raw, der)
			}
		}
	}
}

func TestSignerNeverPrintsItsKey(t *testing.T) {
	s := newSigner(t, "kid-1", EdDSA)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{s, *s} {
			if got := fmt.Sprintf(verb, v); got != "jws.Signer(EdDSA kid-1)" {
				t.Errorf("%s of %T: %s", verb, v, got)
			}
		}
	}
	//lint:ignore SA9005 the point of the test is that nothing comes out
	if got, err := json.Marshal(s); err != nil || string(got) != "{}" {
		t.Errorf("as JSON: %s, %v", got, err)
	}
}
