package jws_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"exeunt.dev/internal/jws"
	"github.com/go-jose/go-jose/v4"
)

var algs = []string{jws.ES256, jws.EdDSA, jws.RS256, jws.PS256}

func generate(t testing.TB, alg string) *jws.Signer {
	t.Helper()
	s, err := jws.Generate("k1", alg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each algorithm: sign, verify here and by an implementation that is not ours, through the published set.
func TestSignVerify(t *testing.T) {
	for _, alg := range algs {
		t.Run(alg, func(t *testing.T) {
			s := generate(t, alg)
			raw, err := s.Sign("at+jwt", []byte(`{"sub":"a"}`))
			if err != nil {
				t.Fatal(err)
			}
			set, err := jws.NewSet(s.Public())
			if err != nil {
				t.Fatal(err)
			}
			doc, err := json.Marshal(set)
			if err != nil {
				t.Fatal(err)
			}
			again, err := jws.ParseSet(doc)
			if err != nil {
				t.Fatal(err)
			}
			key, ok := again.Key("k1")
			if !ok {
				t.Fatal("key lost in its set")
			}
			m, err := jws.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Verify(key); err != nil {
				t.Fatal(err)
			}
			if m.Type != "at+jwt" || m.KeyID != "k1" || string(m.Payload) != `{"sub":"a"}` {
				t.Fatalf("read back %+v", m)
			}
			theirs, err := jose.ParseSigned(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := theirs.Verify(key.Public); err != nil {
				t.Fatal(err)
			}
			der, err := s.MarshalPrivate()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := jws.ParsePrivate("k1", alg, der); err != nil {
				t.Fatal(err)
			}
			broken := []byte(raw)
			broken[strings.IndexByte(raw, '.')+3] ^= 1
			if m, err := jws.Parse(string(broken)); err == nil && m.Verify(key) == nil {
				t.Fatal("a changed payload verifies")
			}
		})
	}
}

// A key verifies its own algorithm and no other, whatever the header says.
func TestAlgorithmIsTheKeys(t *testing.T) {
	part := base64.RawURLEncoding.EncodeToString
	rsaSigner, ecSigner := generate(t, jws.RS256), generate(t, jws.ES256)
	for _, head := range []string{`{"alg":"none"}`, `{"alg":"HS256"}`, `{"alg":"ES256"}`, `{"alg":"PS256"}`, `{"alg":"rs256"}`} {
		m, err := jws.Parse(part([]byte(head)) + "." + part([]byte(`{}`)) + "." + part([]byte("x")))
		if err != nil {
			t.Fatal(head, err)
		}
		if err := m.Verify(rsaSigner.Public()); !errors.Is(err, jws.ErrAlgorithm) {
			t.Errorf("%s with an RS256 key: %v", head, err)
		}
	}
	k := ecSigner.Public()
	k.Alg = jws.RS256
	if _, err := jws.NewSet(k); !errors.Is(err, jws.ErrKey) {
		t.Error("an EC key passes for RS256:", err)
	}
}

func TestMalformed(t *testing.T) {
	s := generate(t, jws.ES256)
	good, err := s.Sign("", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	part := base64.RawURLEncoding.EncodeToString
	bad := map[string]string{
		"empty":            "",
		"two parts":        parts[0] + "." + parts[1],
		"four parts":       good + ".x",
		"padding":          parts[0] + "=." + parts[1] + "." + parts[2],
		"line end":         parts[0] + "." + parts[1] + "." + parts[2] + "\n",
		"no signature":     parts[0] + "." + parts[1] + ".",
		"header no object": part([]byte(`"x"`)) + "." + parts[1] + "." + parts[2],
		"alg twice":        part([]byte(`{"alg":"ES256","alg":"ES256"}`)) + "." + parts[1] + "." + parts[2],
		"crit":             part([]byte(`{"alg":"ES256","crit":["exp"]}`)) + "." + parts[1] + "." + parts[2],
		"no alg":           part([]byte(`{}`)) + "." + parts[1] + "." + parts[2],
		"alg a number":     part([]byte(`{"alg":1}`)) + "." + parts[1] + "." + parts[2],
		"after the header": part([]byte(`{"alg":"ES256"}{}`)) + "." + parts[1] + "." + parts[2],
		"too large":        parts[0] + "." + strings.Repeat("A", jws.MaxSize) + "." + parts[2],
	}
	for name, text := range bad {
		if _, err := jws.Parse(text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestSetRefusesPrivateAndSmall(t *testing.T) {
	if _, err := jws.ParseSet([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}`)); !errors.Is(err, jws.ErrKey) {
		t.Error("private key:", err)
	}
	set, err := jws.ParseSet([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"oct","k":"x"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`))
	if err != nil || len(set.Keys()) != 0 {
		t.Error("unusable keys are passed over:", err, set)
	}
	if _, err := jws.ParseSet([]byte(`{}`)); err == nil {
		t.Error("no keys member")
	}
}

// RFC 8037 appendix A: Ed25519 signature and thumbprint.
func TestVectors(t *testing.T) {
	set, err := jws.ParseSet([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	key, _ := set.Key("")
	m, err := jws.Parse("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(key); err != nil {
		t.Error(err)
	}
	sum, err := jws.Thumbprint(key.Public.(ed25519.PublicKey))
	if err != nil || sum != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Error("thumbprint", sum, err)
	}
}

// FuzzParse: whatever we accept, go-jose accepts with the same payload.
func FuzzParse(f *testing.F) {
	s := generate(f, jws.ES256)
	good, _ := s.Sign("JWT", []byte(`{"a":1}`))
	f.Add(good)
	f.Add("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZQ.AA")
	f.Fuzz(func(t *testing.T, raw string) {
		m, err := jws.Parse(raw)
		if err != nil {
			return
		}
		theirs, err := jose.ParseSigned(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(m.Alg)})
		if err != nil {
			if m.Verify(s.Public()) == nil {
				t.Fatalf("we verify what go-jose refuses: %v", err)
			}
			return
		}
		if string(theirs.UnsafePayloadWithoutVerification()) != string(m.Payload) {
			t.Fatal("payloads differ")
		}
	})
}

func BenchmarkSign(b *testing.B) {
	for _, alg := range algs {
		s := generate(b, alg)
		payload := []byte(strings.Repeat("x", 500))
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Sign("at+jwt", payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, alg := range algs {
		s := generate(b, alg)
		raw, _ := s.Sign("at+jwt", []byte(strings.Repeat("x", 500)))
		key := s.Public()
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m, err := jws.Parse(raw)
				if err != nil || m.Verify(key) != nil {
					b.Fatal("does not verify")
				}
			}
		})
	}
}
