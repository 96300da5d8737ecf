package guard

import (
	"exeunt.dev/internal/jws"
	"exeunt.dev/ledger"
)

// verify checks all of a token that never changes: its form, signature and claims (RFC 9068 section 4). Whether it has
// ended or expired is asked on every request, elsewhere.
func (g *Guard) verify(raw string) (*Token, error) {
	msg, err := jws.Parse(raw)
	if err != nil {
		return nil, invalid("not a signed token")
	}
	// RFC 9068 section 4: so that an ID token or a logout token of the same issuer is never taken for an access token.
	if !msg.HasType("at+jwt") {
		return nil, invalid("typ")
	}
	kid, err := ledger.ParseName(msg.KeyID)
	if err != nil {
		return nil, invalid("kid")
	}
	// Before the key is looked for: a killed key is no longer published, and its tokens are revoked, not unknown.
	if g.endings().hasAny(kid) {
		return nil, ErrEnded
	}
	key, err := g.keys.find(msg.KeyID)
	if err != nil {
		return nil, err
	}
	// Who has stolen the key of ID tokens or of receipts has no access by it. A node of an older kind does not say what a key is for.
	if key.For != "" && key.For != "access" {
		return nil, invalid("the key is for something else")
	}
	if err := msg.Verify(key); err != nil {
		return nil, invalid("signature")
	}
	return g.claims(raw, msg.Payload, kid)
}
