package jws

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestSetRoundTrip(t *testing.T) {
	var keys []Key
	for _, alg := range algorithms {
		keys = append(keys, newSigner(t, "kid of "+alg, alg).Public())
	}
	s, err := NewSet(keys...)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseSet(doc)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.MarshalJSON()
	if err != nil || string(again) != string(doc) {
		t.Errorf("%s became %s, %v", doc, again, err)
	}
	for i, k := range back.Keys() {
		if k.ID != keys[i].ID || k.Alg != keys[i].Alg {
			t.Errorf("key %d is %s %s", i, k.Alg, k.ID)
		}
		if got, ok := back.Key(k.ID); !ok || got.Alg != k.Alg {
			t.Errorf("%s is not found", k.ID)
		}
	}
	if strings.Count(string(doc), `"use":"sig"`) != len(algorithms) || strings.Contains(string(doc), `"d"`) {
		t.Errorf("%s", doc)
	}
}

func TestEmptySet(t *testing.T) {
	s, err := NewSet()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := s.MarshalJSON()
	if err != nil || string(doc) != `{"keys":[]}` {
		t.Errorf("%s, %v", doc, err)
	}
	if s, err := ParseSet(doc); err != nil || len(s.Keys()) != 0 {
		t.Errorf("%v, %v", s, err)
	}
}

func TestNewSetRefuses(t *testing.T) {
	k := newSigner(t, "k", ES256).Public()
	if _, err := NewSet(k, k); !errors.Is(err, ErrKey) {
		t.Errorf("the same kid twice: %v", err)
	}
	nameless := k
	nameless.ID = ""
	if _, err := NewSet(nameless); !errors.Is(err, ErrKey) {
		t.Errorf("no kid: %v", err)
	}
}

// A token that names no key must not find one: whoever kills keys by kid would be passed by.
func TestEmptyKidFindsNoKey(t *testing.T) {
	s, err := NewSet(newSigner(t, "k", ES256).Public())
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := s.Key(""); ok {
		t.Errorf("found %s", k.ID)
	}
	if k, ok := s.Only(); !ok || k.ID != "k" {
		t.Errorf("Only: %+v, %v", k, ok)
	}
	for _, doc := range []string{
		`{"keys":[]}`,
		`{"keys":[` + ed25519JWK(``) + `,` + ed25519JWK(`"kid":"b"`) + `]}`,
	} {
		s, err := ParseSet([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		if k, ok := s.Key(""); ok {
			t.Errorf("%s: Key finds %+v", doc, k)
		}
		if k, ok := s.Only(); ok {
			t.Errorf("%s: Only finds %+v", doc, k)
		}
	}
}

func TestKeysIsACopy(t *testing.T) {
	s, err := NewSet(newSigner(t, "k", ES256).Public())
	if err != nil {
		t.Fatal(err)
	}
	s.Keys()[0] = Key{}
	if k := s.Keys()[0]; k.ID != "k" {
		t.Error("a caller changed the set")
	}
}

const exampleX = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" // RFC 8037 appendix A.2

func ed25519JWK(more string) string {
	if more != "" {
		more += ","
	}
	return `{` + more + `"kty":"OKP","crv":"Ed25519","x":"` + exampleX + `"}`
}

// A provider's set may hold anything. What is not for us is passed over; what is beside it is still found.
func TestParseSetPassesOver(t *testing.T) {
	const ecX, ecY = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	n := func(octets int) string { return b64.EncodeToString([]byte("\xff" + strings.Repeat("\xff", octets-1))) }
	for name, jwk := range map[string]string{
		"encryption key":         ed25519JWK(`"kid":"x","use":"enc"`),
		"use of the wrong type":  ed25519JWK(`"kid":"x","use":["sig"]`),
		"key_ops without verify": ed25519JWK(`"kid":"x","key_ops":["encrypt"]`),
		"key_ops of wrong type":  ed25519JWK(`"kid":"x","key_ops":"verify"`),
		"kid of the wrong type":  ed25519JWK(`"kid":1`),
		"other algorithm":        ed25519JWK(`"kid":"x","alg":"ECDH-ES"`),
		"algorithm none":         ed25519JWK(`"kid":"x","alg":"none"`),
		"OKP as RS256":           ed25519JWK(`"kid":"x","alg":"RS256"`),
		"unknown kty":            `{"kid":"x","kty":"AKP","pub":"AA"}`,
		"no kty":                 `{"kid":"x"}`,
		"kty in other case":      `{"kid":"x","KTY":"OKP","crv":"Ed25519","x":"` + exampleX + `"}`,
		"null":                   `null`,
		"X25519":                 `{"kid":"x","kty":"OKP","crv":"X25519","x":"` + exampleX + `"}`,
		"short Ed25519":          `{"kid":"x","kty":"OKP","crv":"Ed25519","x":"AAAA"}`,
		"padded x":               `{"kid":"x","kty":"OKP","crv":"Ed25519","x":"` + exampleX + `="}`,
		"x with a line break":    `{"kid":"x","kty":"OKP","crv":"Ed25519","x":"` + exampleX + `\n"}`,
		"P-384":                  `{"kid":"x","kty":"EC","crv":"P-384","x":"` + ecX + `","y":"` + ecY + `"}`,
		"EC off the curve":       `{"kid":"x","kty":"EC","crv":"P-256","x":"` + ecY + `","y":"` + ecX + `"}`,
		"EC without y":           `{"kid":"x","kty":"EC","crv":"P-256","x":"` + ecX + `"}`,
		"EC at infinity":         `{"kid":"x","kty":"EC","crv":"P-256","x":"` + b64.EncodeToString(make([]byte, 32)) + `","y":"` + b64.EncodeToString(make([]byte, 32)) + `"}`,
		"EC as RS256":            `{"kid":"x","kty":"EC","crv":"P-256","alg":"RS256","x":"` + ecX + `","y":"` + ecY + `"}`,
		"RSA of 2040 bits":       `{"kid":"x","kty":"RSA","e":"AQAB","n":"` + n(255) + `"}`,
		"RSA of 16384 bits":      `{"kid":"x","kty":"RSA","e":"AQAB","n":"` + n(2048) + `"}`,
		"RSA, e = 1":             `{"kid":"x","kty":"RSA","e":"AQ","n":"` + n(256) + `"}`,
		"RSA, e even":            `{"kid":"x","kty":"RSA","e":"Ag","n":"` + n(256) + `"}`,
		"RSA, e of 2^32+1":       `{"kid":"x","kty":"RSA","e":"AQAAAAE","n":"` + n(256) + `"}`,
		"RSA, e of 9 octets":     `{"kid":"x","kty":"RSA","e":"AQAAAAAAAQAB","n":"` + n(256) + `"}`,
		"RSA without e":          `{"kid":"x","kty":"RSA","n":"` + n(256) + `"}`,
		"RSA as HS256":           `{"kid":"x","kty":"RSA","alg":"HS256","e":"AQAB","n":"` + n(256) + `"}`,
		"RSA as ES256":           `{"kid":"x","kty":"RSA","alg":"ES256","e":"AQAB","n":"` + n(256) + `"}`,
		"the second of one kid":  `{"kid":"good","kty":"EC","crv":"P-256","x":"` + ecX + `","y":"` + ecY + `"}`,
	} {
		s, err := ParseSet([]byte(`{"keys":[` + ed25519JWK(`"kid":"good"`) + `,` + jwk + `]}`))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if k, ok := s.Key("good"); !ok || k.Alg != EdDSA || len(s.Keys()) != 1 {
			t.Errorf("%s: %+v", name, s.Keys())
		}
	}
	// The same shapes, as they should be.
	for alg, jwk := range map[string]string{
		ES256: `{"kid":"x","kty":"EC","crv":"P-256","key_ops":["verify"],"x":"` + ecX + `","y":"` + ecY + `","x5c":["AA"]}`,
		EdDSA: ed25519JWK(`"kid":"x","use":"sig","alg":"EdDSA","key_ops":["sign","verify"]`),
		RS256: `{"kid":"x","kty":"RSA","e":"AQAB","n":"` + n(256) + `"}`,
		PS256: `{"kid":"x","kty":"RSA","e":"Aw","alg":"PS256","n":"` + n(1024) + `"}`,
	} {
		s, err := ParseSet([]byte(`{"other":1,"keys":[` + jwk + `]}`))
		if err != nil {
			t.Errorf("%s: %v", alg, err)
			continue
		}
		if k, ok := s.Key("x"); !ok || k.Alg != alg {
			t.Errorf("%s: %+v", jwk, s.Keys())
		}
	}
}

func TestParseSetRefuses(t *testing.T) {
	for doc, want := range map[string]error{
		``:                           ErrMalformed,
		`null`:                       ErrMalformed,
		`[]`:                         ErrMalformed,
		`{}`:                         ErrMalformed,
		`{"keys":null}`:              ErrMalformed,
		`{"keys":{}}`:                ErrMalformed,
		`{"keys":["a"]}`:             ErrMalformed,
		`{"KEYS":[]}`:                ErrMalformed,
		`{"keys":[]} x`:              ErrMalformed,
		`{"keys":[` + ed25519JWK(``): ErrMalformed,
		`{"keys":[` + ed25519JWK(`"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"`) + `]}`: ErrPrivate,
		`{"keys":[` + ed25519JWK(`"d":null`) + `]}`:                                          ErrPrivate,
		`{"keys":[` + ed25519JWK(`"use":"enc","d":"AA"`) + `]}`:                              ErrPrivate,
		`{"keys":[` + ed25519JWK(``) + `,{"kty":"oct","k":"c2VjcmV0"}]}`:                     ErrPrivate,
		`{"keys":[{"kty":"RSA","n":"AA","e":"AQAB","p":"AA"}]}`:                              ErrPrivate,
		`{"keys":[],"x":"` + strings.Repeat("a", MaxSetSize) + `"}`:                          ErrTooLarge,
	} {
		if s, err := ParseSet([]byte(doc)); !errors.Is(err, want) || s != nil {
			t.Errorf("%.80s: %v, want %v", doc, err, want)
		}
	}
}
