package rooms_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/ledger"
)

// A hint that has expired is a hint (RP-Initiated Logout 1.0 section 2): here every ID token has when it is made.
func TestHint_Expired(t *testing.T) {
	n := start(t, func(c *config.Config) { c.Policy.IDTokenLife = time.Millisecond })
	p := n.alice()
	own := p.enter("books")
	claims := part(t, own.ID, 1)
	if claims["exp"].(float64) > claims["iat"].(float64) {
		t.Fatal("the token has not expired")
	}
	if a := p.get(logout("id_token_hint", own.ID, "post_logout_redirect_uri", booksHome)); a.location != booksHome || p.user() != "" {
		t.Errorf("%d to %q", a.status, a.location)
	}
	if a := p.get(logout("id_token_hint", own.ID, "post_logout_redirect_uri", booksHome)); a.location != booksHome {
		t.Errorf("a second time, with nobody signed in: %d to %q", a.status, a.location)
	}
}

// turn does something to keys.
func (n *node) turn(do func(idp.Tx) error) {
	n.t.Helper()
	if err := errors.Join(n.server.Store.Update(n.t.Context(), do), n.server.Ring.Refill(n.t.Context())); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) kill(kid idp.Name) {
	n.t.Helper()
	n.turn(func(tx idp.Tx) error {
		_, err := keys.Kill(tx, kid, idp.Cause{Kind: idp.CauseKeyKilled, Actor: idp.ActorOperator("test")})
		return err
	})
}

// A key that was retired signs nothing more and still verifies hints; one that was killed does not, in no branch.
func TestHint_RetiredAndKilledKeys(t *testing.T) {
	n := start(t)
	p := n.alice()
	own := p.enter("books")
	kid, err := ledger.ParseName(part(t, own.ID, 0)["kid"].(string))
	if err != nil {
		t.Fatal(err)
	}
	n.turn(func(tx idp.Tx) error { return keys.Rotate(tx, idp.UseID) })
	if next := p.enter("books"); part(t, next.ID, 0)["kid"] == kid.String() {
		t.Fatal("the key was not rotated")
	}
	to := logout("id_token_hint", own.ID, "post_logout_redirect_uri", booksHome)
	if a := n.person().get(to); a.location != booksHome {
		t.Errorf("retired key, nobody signed in: %d to %q", a.status, a.location)
	}
	if a := p.get(to); a.location != booksHome || p.user() != "" {
		t.Errorf("retired key: %d to %q", a.status, a.location)
	}
	p = n.alice()
	if err := n.server.Store.Update(t.Context(), func(tx idp.Tx) error { // and this node has yet to load its keys anew
		_, err := keys.Kill(tx, kid, idp.Cause{Kind: idp.CauseKeyKilled, Actor: idp.ActorOperator("test")})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for name, who := range map[string]*person{"signed in": p, "nobody signed in": n.person()} {
		if a := who.get(to); a.status != 400 || a.location != "" {
			t.Errorf("killed key, %s: %d to %q", name, a.status, a.location)
		}
	}
	if p.user() != "alice" {
		t.Error("a killed key's hint signs out")
	}
}

// What is not an ID token of ours does nothing and leads nowhere, whatever it looks like and whoever is signed in.
func TestHint_NotOurs(t *testing.T) {
	n := start(t)
	p := n.alice()
	own := p.enter("books")
	header, claims := part(t, own.ID, 0), part(t, own.ID, 1)
	parts := strings.Split(own.ID, ".")
	kid := header["kid"].(string)
	plain := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	// ours signs any claims with the key of ID tokens, so that only what they say can be wrong.
	signer, err := n.server.Ring.Signer(idp.UseID, "")
	if err != nil {
		t.Fatal(err)
	}
	ours := func(typ, payload string) string {
		out, err := signer.Sign(typ, []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	but := func(member string, value any) string {
		other := map[string]any{member: value}
		for k, v := range claims {
			if k != member {
				other[k] = v
			}
		}
		raw, err := json.Marshal(other)
		if err != nil {
			t.Fatal(err)
		}
		return ours("JWT", string(raw))
	}
	whole, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	symmetric := func(alg string, key []byte) string {
		h := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + alg + `","kid":"` + kid + `","typ":"JWT"}`))
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key}, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := s.Sign(whole)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return h + "." + parts[1] + compact[strings.LastIndexByte(compact, '.'):]
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: secret}, nil)
	if err != nil {
		t.Fatal(err)
	}
	box, err := encrypter.Encrypt([]byte(own.ID))
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := box.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	good := ours("JWT", string(whole))
	if a := n.person().get(logout("id_token_hint", good, "post_logout_redirect_uri", booksHome)); a.location != booksHome {
		t.Fatalf("this test's own signing is wrong: %d", a.status)
	}
	for name, hint := range map[string]string{
		"encrypted":                encrypted,
		"encrypted, no key":        strings.Join([]string{parts[0], "", parts[1], parts[2], ""}, "."),
		"two parts":                parts[0] + "." + parts[1],
		"not base64":               "a.b!.c",
		"a space behind":           own.ID + " ",
		"padding":                  own.ID + "=",
		"no signature":             parts[0] + "." + parts[1] + ".",
		"alg none, any case":       plain(map[string]any{"alg": "nOnE", "kid": kid, "typ": "JWT"}) + "." + parts[1] + ".",
		"HS256 by the secret":      symmetric("HS256", []byte(n.secrets["books"])),
		"HS256 under ES256's name": symmetric("ES256", []byte(n.secrets["books"])),
		"other payload":            parts[0] + "." + plain(claims) + "x." + parts[2],
		"kid of an access key":     plain(map[string]any{"alg": "ES256", "kid": part(t, own.Access, 0)["kid"], "typ": "JWT"}) + "." + parts[1] + "." + parts[2],
		"kid unknown":              plain(map[string]any{"alg": "ES256", "kid": ledger.NewName().String(), "typ": "JWT"}) + "." + parts[1] + "." + parts[2],
		"key in the header":        plain(map[string]any{"alg": "ES256", "kid": kid, "typ": "JWT", "jwk": map[string]string{"kty": "EC"}, "crit": []string{"x"}}) + "." + parts[1] + "." + parts[2],
		"access token":             own.Access,
		"logout token":             ours("logout+jwt", string(whole)),
		"introspection answer":     ours("token-introspection+jwt", string(whole)),
		"payload is an array":      ours("JWT", `["iss"]`),
		"payload is a string":      ours("JWT", `"iss"`),
		"payload is null":          ours("JWT", `null`),
		"another issuer":           but("iss", "https://other.test"),
		"the issuer and a slash":   but("iss", n.at+"/"),
		"no subject":               but("sub", ""),
		"subject is a number":      but("sub", 7),
		"an app that is not there": but("aud", "nobody"),
		"for two apps":             but("aud", []string{"books", "news"}),
		"for none":                 but("aud", []string{}),
		"sid that is no name":      but("sid", "../../x"),
	} {
		for who, b := range map[string]*person{"alice": p, "nobody": n.person()} {
			a := b.get(logout("id_token_hint", hint, "post_logout_redirect_uri", booksHome, "state", "x"))
			if a.status != http.StatusBadRequest || a.location != "" || a.header.Get("Refresh") != "" {
				t.Errorf("%s, %s: %d to %q", name, who, a.status, a.location)
			}
		}
	}
	if p.user() != "alice" || !n.alive(own.Access) {
		t.Error("something has ended")
	}
}

// A hint ends a session only if its app, its person and its sid are those of one grant of that session. No key of ours signs another;
// whoever had one would still be led to a question.
func TestHint_OfAnotherGrant(t *testing.T) {
	n := start(t)
	p := n.alice()
	books := part(t, p.enter("books").ID, 1)
	p.enter("news")
	bob := n.person()
	bob.signIn("/login", "bob", bobPW)
	signer, err := n.server.Ring.Signer(idp.UseID, "")
	if err != nil {
		t.Fatal(err)
	}
	ends := func(member string, value any) bool {
		t.Helper()
		claims := maps.Clone(books)
		claims[member] = value
		raw, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		hint, err := signer.Sign("JWT", raw)
		if err != nil {
			t.Fatal(err)
		}
		if a := p.get(logout("id_token_hint", hint)); a.status != http.StatusOK && a.status != http.StatusSeeOther {
			t.Errorf("%s %v: %d", member, value, a.status)
		}
		return p.user() == ""
	}
	for member, value := range map[string]any{"aud": "news", "sub": n.id("bob"), "sid": part(t, bob.enter("books").ID, 1)["sid"]} {
		if ends(member, value) {
			t.Fatalf("a hint with another %s signs out", member)
		}
	}
	if !ends("nonce", "x") {
		t.Error("this test's own hint is wrong")
	}
}
