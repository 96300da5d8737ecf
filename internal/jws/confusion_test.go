package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
)

// resign makes a token whose header says alg, signed by s in the way of s.
func resign(t *testing.T, s *Signer, header string) string {
	t.Helper()
	input := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(`{"sub":"a"}`))
	signature, err := s.sign([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + b64.EncodeToString(signature)
}

// The public key as the secret of an HMAC: the oldest confusion (RFC 8725 section 2.1).
func TestPublicKeyIsNoSecret(t *testing.T) {
	for _, alg := range algorithms {
		k := newSigner(t, "k", alg).Public()
		der, err := x509.MarshalPKIXPublicKey(k.Public)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range [][]byte{der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil} {
			for _, claimed := range []string{"HS256", alg} {
				input := b64.EncodeToString([]byte(`{"alg":"`+claimed+`","kid":"k"}`)) + ".e30"
				mac := hmac.New(sha256.New, secret)
				mac.Write([]byte(input))
				m, err := Parse(input + "." + b64.EncodeToString(mac.Sum(nil)))
				if claimed == "HS256" && err != ErrAlgorithm {
					t.Errorf("HS256 parsed: %v", err)
				}
				if err == nil && m.Verify(k) != ErrSignature {
					t.Errorf("%s key took an HMAC", alg)
				}
			}
		}
	}
}

func TestNoneDoesNotExist(t *testing.T) {
	for _, token := range []string{"eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJub25lIn0.e30", "eyJhbGciOiJub25lIn0.e30.AAAA"} {
		if m, err := Parse(token); err == nil {
			t.Errorf("%s: %+v", token, m)
		}
	}
	for _, k := range []Key{{}, {Alg: "none"}, {Alg: "HS256", Public: []byte("secret")}} {
		if err := (Unverified{}).Verify(k); err != ErrSignature {
			t.Errorf("the zero message under %+v: %v", k, err)
		}
		if err := (Unverified{Alg: k.Alg, input: "a.b", signature: []byte{1}}).Verify(k); err != ErrSignature {
			t.Errorf("%+v: %v", k, err)
		}
	}
}

// Each algorithm in the header against each kind of key: only the key's own verifies, even where mathematics would
// allow another (one RSA key for RS256 and PS256).
func TestHeaderNeverChooses(t *testing.T) {
	signers := map[string]*Signer{}
	for _, alg := range algorithms {
		signers[alg] = newSigner(t, "k", alg)
	}
	rs := signers[RS256]
	ps, err := NewSigner("k", PS256, rs.private)
	if err != nil {
		t.Fatal(err)
	}
	signers[PS256] = ps
	for by, s := range signers {
		for _, claimed := range algorithms {
			m, err := Parse(resign(t, s, `{"alg":"`+claimed+`"}`))
			if err != nil {
				t.Fatal(err)
			}
			for _, bound := range algorithms {
				k := Key{ID: "k", Alg: bound, Public: s.Public().Public} // also keys bound to what they are not
				want := by == claimed && by == bound
				if got := m.Verify(k) == nil; got != want {
					t.Errorf("signed as %s, header %s, key bound to %s: verifies %v", by, claimed, bound, got)
				}
				other := signers[bound].Public()
				if got := m.Verify(other) == nil; got != want {
					t.Errorf("signed as %s, header %s, the %s key: verifies %v", by, claimed, bound, got)
				}
			}
		}
	}
}

func TestVerifyUnusableKeys(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := newSigner(t, "k", RS256).Public().Public.(*rsa.PublicKey)
	offCurve := *newSigner(t, "k", ES256).Public().Public.(*ecdsa.PublicKey)
	//lint:ignore SA1019 the point of the test is a key that no encoding would give
	offCurve.X = new(big.Int).Add(offCurve.X, big.NewInt(1))
	for name, k := range map[string]Key{
		"zero":                 {},
		"no public key":        {Alg: ES256},
		"nil EC":               {Alg: ES256, Public: (*ecdsa.PublicKey)(nil)},
		"nil RSA":              {Alg: RS256, Public: (*rsa.PublicKey)(nil)},
		"empty RSA":            {Alg: PS256, Public: &rsa.PublicKey{}},
		"empty Ed25519":        {Alg: EdDSA, Public: ed25519.PublicKey{}},
		"RSA of 1024 bits":     {Alg: RS256, Public: &small.PublicKey},
		"RSA of 1024 bits, PS": {Alg: PS256, Public: &small.PublicKey},
		"RSA of 9000 bits":     {Alg: RS256, Public: &rsa.PublicKey{N: new(big.Int).SetBit(good.N, 8999, 1), E: good.E}},
		"RSA, e = 1":           {Alg: RS256, Public: &rsa.PublicKey{N: good.N, E: 1}},
		"RSA, e even":          {Alg: RS256, Public: &rsa.PublicKey{N: good.N, E: 65536}},
		"RSA, n even":          {Alg: RS256, Public: &rsa.PublicKey{N: new(big.Int).Lsh(good.N, 1), E: good.E}},
		"P-384":                {Alg: ES256, Public: &p384.PublicKey},
		"off the curve":        {Alg: ES256, Public: &offCurve},
		"private for public":   {Alg: ES256, Public: p384},
		"bytes":                {Alg: RS256, Public: []byte("secret")},
	} {
		k.ID = "k"
		if _, err := NewSet(k); !errors.Is(err, ErrKey) && !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s: NewSet: %v", name, err)
		}
		size := 64
		if name == "RSA of 1024 bits" {
			size = 128
		}
		if err := (Unverified{Alg: k.Alg, input: "a.b", signature: make([]byte, size)}).Verify(k); err != ErrSignature {
			t.Errorf("%s: Verify: %v", name, err)
		}
		if got, err := Thumbprint(k.Public); err == nil {
			t.Errorf("%s: Thumbprint: %s", name, got)
		}
	}
	// Not only malformed signatures: a genuine one of a key that is too small.
	digest := sha256.Sum256([]byte("a.b"))
	signature, err := small.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	m := Unverified{Alg: RS256, input: "a.b", signature: signature}
	if err := m.Verify(Key{Alg: RS256, Public: &small.PublicKey}); err != ErrSignature {
		t.Errorf("genuine signature of a 1024 bit key: %v", err)
	}
}

// A genuine P-224 signature fits into 64 octets; only the curve tells it from ES256.
func TestOtherCurveThatFits(t *testing.T) {
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("a.b"))
	der, err := p224.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, es256Size)
	if !parseDER(raw, der) {
		t.Fatal("does not fit")
	}
	m := Unverified{Alg: ES256, input: "a.b", signature: raw}
	if err := m.Verify(Key{Alg: ES256, Public: &p224.PublicKey}); err != ErrSignature {
		t.Error(err)
	}
}

// Signatures of other lengths and other forms than the RFCs give.
func TestSignatureForms(t *testing.T) {
	es := newSigner(t, "k", ES256)
	input := "a.b"
	digest := sha256.Sum256([]byte(input))
	der, err := es.private.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := es.sign([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	order := elliptic.P256().Params().N.FillBytes(make([]byte, 32))
	for name, signature := range map[string][]byte{
		"DER": der, "none": nil, "63 octets": raw[:63], "65 octets": append(raw[:64:64], 0), "zeros": make([]byte, 64),
		"r = 0": append(make([]byte, 32), raw[32:]...), "s = 0": append(raw[:32:32], make([]byte, 32)...),
		"r = n": append(order, raw[32:]...), "r and s = n": append(order[:32:32], order...),
	} {
		if err := (Unverified{Alg: ES256, input: input, signature: signature}).Verify(es.Public()); err != ErrSignature {
			t.Errorf("ES256, %s: %v", name, err)
		}
	}
	if err := (Unverified{Alg: ES256, input: input, signature: raw}).Verify(es.Public()); err != nil {
		t.Errorf("ES256, as it should be: %v", err)
	}

	ps := newSigner(t, "k", PS256)
	for salt, want := range map[int]error{32: nil, 20: ErrSignature, rsa.PSSSaltLengthAuto: ErrSignature} {
		signature, err := ps.private.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: salt, Hash: crypto.SHA256})
		if err != nil {
			t.Fatal(err)
		}
		if err := (Unverified{Alg: PS256, input: input, signature: signature}).Verify(ps.Public()); err != want {
			t.Errorf("PS256 with a salt of %d octets: %v", salt, err)
		}
	}

	ed := newSigner(t, "k", EdDSA)
	signature, err := ed.sign([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, signature[:63], append(signature[:64:64], 0), make([]byte, 64)} {
		if err := (Unverified{Alg: EdDSA, input: input, signature: bad}).Verify(ed.Public()); err != ErrSignature {
			t.Errorf("EdDSA, %d octets: %v", len(bad), err)
		}
	}
}
