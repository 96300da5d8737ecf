package jws

import (
	"crypto"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Another implementation takes what we make, and we take what it makes.
func TestGoJoseAgrees(t *testing.T) {
	payload := []byte(`{"sub":"a"}`)
	for _, alg := range algorithms {
		s := newSigner(t, "k", alg)
		theirs, err := jose.ParseSignedCompact(mustSign(t, s, "at+jwt", payload), joseAlgorithms)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := theirs.Verify(s.Public().Public); err != nil || string(got) != string(payload) {
			t.Errorf("%s: go-jose reads %q, %v", alg, got, err)
		}
		if typ := theirs.Signatures[0].Header.ExtraHeaders["typ"]; typ != "at+jwt" {
			t.Errorf("%s: go-jose reads typ %v", alg, typ)
		}

		their, err := jose.NewSigner(jose.SigningKey{
			Algorithm: jose.SignatureAlgorithm(alg), Key: jose.JSONWebKey{Key: s.private, KeyID: "k"},
		}, (&jose.SignerOptions{}).WithType("at+jwt"))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := their.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(raw)
		if err != nil || m.Verify(s.Public()) != nil || m.KeyID != "k" || !m.HasType("at+jwt") || string(m.Payload) != string(payload) {
			t.Errorf("%s: we read %+v, %v", alg, m, err)
		}

		jwk := jose.JSONWebKey{Key: s.Public().Public, KeyID: "k", Algorithm: alg, Use: "sig"}
		doc, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk}})
		if err != nil {
			t.Fatal(err)
		}
		if k := onlyKey(t, string(doc)); k.Alg != alg || m.Verify(k) != nil {
			t.Errorf("%s: go-jose's key set gives %+v", alg, k)
		}
		sum, err := jwk.Thumbprint(crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Thumbprint(s.Public().Public); err != nil || got != b64.EncodeToString(sum) {
			t.Errorf("%s: thumbprint %s, %v", alg, got, err)
		}
	}
}

// guard and rp bring this package into other people's programs: it may bring nothing along.
func TestStandardLibraryOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(out)); len(got) != 1 || got[0] != "exeunt.dev/internal/jws" {
		t.Errorf("depends on %v", got)
	}
}
