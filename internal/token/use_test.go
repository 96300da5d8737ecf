package token_test

import (
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/token"
	"exeunt.dev/ledger"
)

// A key is good for its own use only: what another of our keys has signed is no token, whatever its type and claims say. So the thief of one
// key has the tokens of one kind.
func TestKeyOfAnotherUse(t *testing.T) {
	const issuer = "https://id.example.com"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "db"))
	must(err)
	defer store.Close()
	vault, err := keys.CreateVault(filepath.Join(dir, "key"))
	must(err)
	ring, err := keys.Open(t.Context(), store, vault, []string{"ES256"})
	must(err)
	tokens := token.NewIssuer(issuer, ring)
	now := idp.Time(time.Now().UnixMilli())
	access, err := tokens.Access(&token.Access{Subject: "alice", Client: "books", Audience: []string{issuer}, IssuedAt: now, Expires: now + 60_000, EndsWith: idp.Names{ledger.NewName()}})
	must(err)
	id, err := tokens.ID(token.ID{Subject: "alice", Client: "books", Sid: ledger.NewName(), IssuedAt: now, Expires: now + 60_000})
	must(err)
	for _, c := range []struct {
		typ, raw string
		own      idp.KeyUse
		read     func(string) error
	}{
		{"at+jwt", access, idp.UseAccess, func(raw string) error { _, err := tokens.ReadAccess(raw); return err }},
		{"JWT", id, idp.UseID, func(raw string) error { _, err := tokens.ReadHint(raw); return err }},
	} {
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(c.raw, ".")[1])
		must(err)
		for _, use := range []idp.KeyUse{idp.UseAccess, idp.UseID, idp.UseReceipt} {
			signer, err := ring.Signer(use, "")
			must(err)
			signed, err := signer.Sign(c.typ, payload)
			must(err)
			if err := c.read(signed); (err == nil) != (use == c.own) || err != nil && !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%s, signed by the key for %s: %v", c.typ, use, err)
			}
		}
	}
}
