package rooms_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/ledger"
)

// A receipt is shown by its address, as programs and browsers know it. A signed one is checked by the command, by the database or by a copy of the key set: also when its key was retired since. What
// was changed, what another key of ours has signed, another kind of token, and what a killed key has signed are nothing.
func TestReceiptVerify(t *testing.T) {
	n := start(t)
	s := &scene{node: n, t: t, program: build(t)}
	p := n.alice()
	hint := p.enter("books").ID
	left := p.post("/account/signout", fields(p.get("/account").body)).location
	number := p.sheet(left, func(s *sheet) bool { return !s.Working }).Number
	good := p.get(left + "/receipt.jwt").body
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	set := write("jwks.json", p.get("/.well-known/jwks.json").body)
	payload := func(raw string) string { return strings.Split(raw, ".")[1] }
	claims, err := base64.RawURLEncoding.DecodeString(payload(good))
	if err != nil {
		t.Fatal(err)
	}
	by := func(use idp.KeyUse, typ string) string {
		signer, err := n.server.Ring.Signer(use, "")
		if err != nil {
			t.Fatal(err)
		}
		out, err := signer.Sign(typ, claims)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	const typ = "signout-receipt+jwt"
	tries := func(raw string, more ...string) (string, error) {
		return s.tries(append([]string{"--json", "receipt", "verify", write("receipt.jwt", raw)}, more...)...)
	}
	valid := func(when string, more ...string) {
		t.Helper()
		said, err := tries(good+"\n", more...)
		var out struct {
			Valid   bool
			Issuer  string
			Receipt sheet
		}
		if err != nil || json.Unmarshal([]byte(said), &out) != nil || !out.Valid || out.Issuer != n.at || out.Receipt.Number != number || out.Receipt.state("books") != "cannot-be-told" {
			t.Errorf("%s: %v: %s", when, err, said)
		}
	}
	address := n.server.ReceiptAddress(idp.ReceiptID(strings.TrimPrefix(left, "/signout/")))
	for _, name := range []string{address, n.at + left, strings.TrimPrefix(left, "/signout/")} {
		if said, err := s.tries("--json", "receipt", "show", name); err != nil || !strings.Contains(said, `"cause":"sign-out"`) {
			t.Errorf("%s: %v: %s", name, err, said)
		}
	}
	valid("by the database")
	valid("by the key set", "--jwks", set)
	for what, raw := range map[string]string{
		"changed":                  strings.Replace(good, payload(good), base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(claims), `"sign-out"`, `"sign-oux"`, 1))), 1),
		"by the key of ID tokens":  by(idp.UseID, typ),
		"by the key of access":     by(idp.UseAccess, typ),
		"of another type":          by(idp.UseReceipt, "JWT"),
		"an ID token":              hint,
		"signed by nobody at all":  base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"`+typ+`"}`)) + "." + payload(good) + ".",
		"two receipts in one file": good + "\n" + good,
		"an empty file":            "",
	} {
		for _, more := range [][]string{nil, {"--jwks", set}} {
			if said, err := tries(raw, more...); err == nil || strings.Contains(said, "valid\":true") {
				t.Errorf("%s, %v: %v: %s", what, more, err, said)
			}
		}
	}
	n.turn(func(tx idp.Tx) error { return operate.RotateKeys(tx, operate.AllUses(), false) })
	valid("by a retired key")
	valid("by a retired key, in the key set of now", "--jwks", write("rotated.json", p.get("/.well-known/jwks.json").body))
	kid, err := ledger.ParseName(part(t, good, 0)["kid"].(string))
	if err != nil {
		t.Fatal(err)
	}
	n.kill(kid)
	if said, err := tries(good); err == nil || !strings.Contains(said, "killed") {
		t.Errorf("by a killed key: %v: %s", err, said)
	}
	if said, err := tries(good, "--jwks", write("later.json", p.get("/.well-known/jwks.json").body)); err == nil {
		t.Errorf("by a killed key, by a key set of later: %s", said)
	}
}
