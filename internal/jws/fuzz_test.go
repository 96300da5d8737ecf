package jws

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

var joseAlgorithms = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256, jose.PS256}

// FuzzParse: whatever Parse accepts, go-jose accepts and reads alike, and encoding/json reads the header alike.
func FuzzParse(f *testing.F) {
	for _, header := range []string{
		`{"alg":"ES256"}`, `{"alg":"EdDSA","kid":"k","typ":"at+jwt"}`, `{"alg":"none"}`, `{"alg":"HS256"}`,
		`{"alg":"RS256","alg":"none"}`, `{"alg":"PS256","crit":["x"]}`, `{"\u0061lg":"ES256","kid":"\ud83d\ude00"}`,
		`{"a":{"b":[1,"}"]},"alg":"ES256"}`, ` {"alg" : "ES256" , "c" : null } `, `{"alg":"ES256","kid":"\ud800"}`,
	} {
		f.Add(compact(header, `{"sub":"a"}`))
	}
	f.Add(ed25519Example)
	f.Add("eyJhbGciOiJFUzI1NiJ9.AB.AA")
	f.Add("e\nyJhbGciOiJFUzI1NiJ9.AA.AA")
	f.Fuzz(func(t *testing.T, compact string) {
		m, err := Parse(compact)
		if err != nil {
			return
		}
		header, err := base64.RawURLEncoding.DecodeString(compact[:strings.IndexByte(compact, '.')])
		if err != nil {
			t.Fatalf("%q: %v", compact, err)
		}
		var members map[string]any
		decoder := json.NewDecoder(strings.NewReader(string(header)))
		decoder.UseNumber()
		if err := decoder.Decode(&members); err != nil {
			t.Fatalf("%q: %v", header, err)
		}
		text := func(name string) string { s, _ := members[name].(string); return s }
		if text("alg") != m.Alg || text("kid") != m.KeyID || text("typ") != m.Type {
			t.Fatalf("%q read as %+v", header, m)
		}

		theirs, err := jose.ParseSignedCompact(compact, joseAlgorithms)
		if err != nil && !ignoredHere(members) {
			t.Fatalf("%q: go-jose refuses: %v", compact, err)
		}
		if err != nil {
			return
		}
		if string(theirs.UnsafePayloadWithoutVerification()) != string(m.Payload) {
			t.Fatalf("%q: payloads differ", compact)
		}
		h := theirs.Signatures[0].Header
		if h.Algorithm != m.Alg || h.KeyID != m.KeyID {
			t.Fatalf("%q: go-jose reads %q %q", compact, h.Algorithm, h.KeyID)
		}
		if string(theirs.Signatures[0].Signature) != string(m.signature) {
			t.Fatalf("%q: signatures differ", compact)
		}
	})
}

// ignoredHere: parameters that this package ignores and go-jose reads and may therefore refuse: the keys within a token
// and a nonce by name, and whatever is not a string by looking for repeated names and large numbers inside.
func ignoredHere(members map[string]any) bool {
	for name, value := range members {
		switch name {
		case "jwk", "x5c", "nonce", "b64":
			return true
		}
		switch value.(type) {
		case map[string]any, []any, json.Number:
			return true
		}
	}
	return false
}

// FuzzParseSet: what is read can be written and read again, and go-jose finds the same keys in it.
func FuzzParseSet(f *testing.F) {
	f.Add([]byte(`{"keys":[` + ed25519JWK(`"kid":"a"`) + `,{"kty":"EC","crv":"P-256",` +
		`"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("_", 342) + `"}]}`))
	f.Add([]byte(`{"keys":[null,{"kty":"oct","k":"AA"}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		s, err := ParseSet(doc)
		if err != nil {
			return
		}
		ours, err := s.MarshalJSON()
		if err != nil {
			t.Fatalf("%q cannot be written: %v", doc, err)
		}
		var theirs jose.JSONWebKeySet
		if err := json.Unmarshal(ours, &theirs); err != nil || len(theirs.Keys) != len(s.keys) {
			t.Fatalf("%s: go-jose finds %d keys, %v", ours, len(theirs.Keys), err)
		}
		for i, k := range s.Keys() {
			if err := k.check(); err != nil {
				t.Fatalf("%q: %v", doc, err)
			}
			if their := theirs.Keys[i]; their.Algorithm != k.Alg || their.KeyID != k.ID || !their.Valid() {
				t.Fatalf("%s: go-jose reads key %d as %+v", ours, i, their)
			}
		}
	})
}
