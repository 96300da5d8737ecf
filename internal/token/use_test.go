package token_test

import (
	"encoding/base64"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/token"
	"exeunt.dev/ledger"
)

const issuer = "https://id.example.com"

func openRing(t *testing.T) *keys.Ring {
	t.Helper()
	ring, _ := openStore(t)
	return ring
}

func openStore(t *testing.T) (*keys.Ring, idp.Store) {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	vault, err := keys.CreateVault(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(t.Context(), store, vault, []string{"ES256"})
	if err != nil {
		t.Fatal(err)
	}
	return ring, store
}

func mint(t *testing.T, tokens *token.Issuer, now idp.Time) string {
	t.Helper()
	raw, err := tokens.Access(&token.Access{Subject: "alice", Client: "books", Audience: []string{issuer}, Scopes: []string{"openid"}, Sid: ledger.NewName(),
		AuthTime: now, IssuedAt: now, Expires: now + 60_000, EndsWith: idp.Names{ledger.NewName(), ledger.NewName()}, Bond: idp.Bond{Key: strings.Repeat("A", 43)}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A token says the same when it is remembered as before, and to every node; one that differs from it in a single character is none.
func TestOneCharacter(t *testing.T) {
	ring := openRing(t)
	tokens, other := token.NewIssuer(issuer, ring), token.NewIssuer(issuer, ring)
	raw := mint(t, tokens, idp.Time(time.Now().UnixMilli()))
	body := strings.LastIndexByte(raw, '.')
	for range 2 { // the second time it is remembered
		here, err1 := tokens.ReadAccess(raw)
		there, err2 := other.ReadAccess(raw)
		if err := errors.Join(err1, err2); err != nil || !reflect.DeepEqual(here, there) {
			t.Fatalf("%+v, %+v: %v", here, there, err)
		}
		for at := range []byte(raw) {
			if at < body && at%8 != 0 {
				continue // a verification each
			}
			changed := []byte(raw)
			if changed[at] = 'A'; raw[at] == 'A' {
				changed[at] = 'B'
			}
			if _, err := tokens.ReadAccess(string(changed)); !errors.Is(err, token.ErrInvalid) {
				t.Fatalf("character %d: %v", at, err)
			}
		}
	}
}

// A key is good for its own use only: what another of our keys has signed is no token, whatever its type and claims say. So the thief of one
// key has the tokens of one kind.
func TestKeyOfAnotherUse(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ring := openRing(t)
	tokens := token.NewIssuer(issuer, ring)
	now := idp.Time(time.Now().UnixMilli())
	access := mint(t, tokens, now)
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

// A token that is remembered is forgotten with its key: once that is killed, it is none.
func TestKilledKey(t *testing.T) {
	ring, store := openStore(t)
	tokens := token.NewIssuer(issuer, ring)
	raw := mint(t, tokens, idp.Time(time.Now().UnixMilli()))
	a, err := tokens.ReadAccess(raw)
	if err != nil {
		t.Fatal(err)
	}
	kid := a.Hangs()[len(a.Hangs())-1]
	err = store.Update(t.Context(), func(tx idp.Tx) error {
		_, err := keys.Kill(tx, kid, idp.Cause{Kind: idp.CauseKeyKilled, Actor: idp.ActorOperator("test")})
		return err
	})
	if err := errors.Join(err, ring.Refill(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.ReadAccess(raw); !errors.Is(err, token.ErrInvalid) {
		t.Error("a token of a killed key is read:", err)
	}
	if _, err := tokens.ReadAccess(mint(t, tokens, a.IssuedAt)); err != nil {
		t.Error("a token of the next key:", err)
	}
}
