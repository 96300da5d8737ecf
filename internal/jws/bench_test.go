package jws

import (
	"strings"
	"testing"
)

// About the size of an access token of ours.
var benchPayload = []byte(`{"iss":"https://id.example.com","sub":"acct","aud":"https://api.example.com","ends_with":["` +
	strings.Repeat("AAAAAAAAAAAAAAAA\",\"", 6) + `AAAAAAAAAAAAAAAA"],"exp":1700000300,"iat":1700000000,"scope":"orders:read"}`)

func BenchmarkSign(b *testing.B) {
	for _, alg := range algorithms {
		s := newSigner(b, "AAAAAAAAAAAAAAAA", alg)
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustSign(b, s, "at+jwt", benchPayload)
			}
		})
	}
}

// First sight of a token: parsing and the signature.
func BenchmarkVerify(b *testing.B) {
	for _, alg := range algorithms {
		s := newSigner(b, "AAAAAAAAAAAAAAAA", alg)
		raw, key := mustSign(b, s, "at+jwt", benchPayload), s.Public()
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m, err := Parse(raw)
				if err != nil || m.Verify(key) != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// First sight of a token of one's own.
func BenchmarkSigned(b *testing.B) {
	for _, alg := range []string{ES256, EdDSA} {
		s := newSigner(b, "AAAAAAAAAAAAAAAA", alg)
		raw := mustSign(b, s, "at+jwt", benchPayload)
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if m, err := Parse(raw); err != nil || !s.Signed(m) {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	raw := mustSign(b, newSigner(b, "AAAAAAAAAAAAAAAA", ES256), "at+jwt", benchPayload)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}
