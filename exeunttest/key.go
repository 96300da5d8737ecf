package exeunttest

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"exeunt.dev/internal/dpop"
	"exeunt.dev/internal/jws"
	"exeunt.dev/ledger"
)

// Key is a client's key for DPoP (RFC 9449): tokens are bound to it, and it signs a proof for each request.
type Key struct {
	tb     testing.TB
	signer *jws.Signer
	print  string
	now    func() time.Time
}

// NewKey makes a key, for ES256, whose proofs are made at the issuer's time.
func (i *Issuer) NewKey() *Key {
	i.tb.Helper()
	k := NewKey(i.tb)
	k.now = i.Now
	return k
}

// NewKey makes a key whose proofs are made at this machine's time, for a server that is none of [New].
func NewKey(tb testing.TB) *Key {
	tb.Helper()
	s, err := jws.Generate("dpop", jws.ES256)
	if err != nil {
		tb.Fatal(err)
	}
	print, err := jws.Thumbprint(s.Public().Public)
	if err != nil {
		tb.Fatal(err)
	}
	return &Key{tb, s, print, time.Now}
}

// Thumbprint is what tokens say of the key (jkt), and dpop_jkt of an authorization request.
func (k *Key) Thumbprint() string { return k.print }

// BoundTo binds the token to a key.
func BoundTo(k *Key) Claim {
	return func(c map[string]any) { confirmation(c)["jkt"] = k.print }
}

// BoundToAddress binds the token to callers of a network, or, with a full length, to one address.
func BoundToAddress(p netip.Prefix) Claim {
	return func(c map[string]any) { confirmation(c)["exeunt.dev/address"] = p.String() }
}

func confirmation(c map[string]any) map[string]any {
	cnf, ok := c["cnf"].(map[string]any)
	if !ok {
		cnf = map[string]any{}
		c["cnf"] = cnf
	}
	return cnf
}

// Proof makes a proof for a request to an address, with an access token or "" without one. It has a jti of its own and is made
// now; claims change that.
func (k *Key) Proof(method, url, token string, claims ...Claim) string {
	k.tb.Helper()
	c := map[string]any{"jti": ledger.NewName().String(), "htm": method, "htu": url, "iat": k.now().Unix()}
	if token != "" {
		c["ath"] = dpop.TokenHash(token)
	}
	for _, f := range claims {
		f(c)
	}
	payload, err := json.Marshal(c)
	if err != nil {
		k.tb.Fatal(err)
	}
	raw, err := k.signer.SignOwn("dpop+jwt", payload)
	if err != nil {
		k.tb.Fatal(err)
	}
	return raw
}

// Nonce is the nonce that a server asked for; "": none.
func Nonce(n string) Claim {
	if n == "" {
		return Without("nonce")
	}
	return Set("nonce", n)
}

// Sign puts the token and a proof for it into a request that is about to be sent.
func (k *Key) Sign(r *http.Request, token string, claims ...Claim) {
	k.tb.Helper()
	r.Header.Set("Authorization", "DPoP "+token)
	r.Header.Set("DPoP", k.Proof(r.Method, r.URL.Scheme+"://"+r.URL.Host+r.URL.EscapedPath(), token, claims...))
}
