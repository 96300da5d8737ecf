// Package upstream talks to a provider that people sign in through: it begins a round trip (code, PKCE, state, nonce), redeems
// the answer and says who came, reads logout tokens, makes the provider's own call for taking a consent back, and knows where
// its sign-out is. Package rp uses it for websites, and the server for itself as broker.
//
// It rests on package provider, which says what each provider can do, and on internal/outbound for every call. Signatures are
// checked by internal/jws, which binds the algorithm to the key; claims of ID tokens by coreos/go-oidc.
//
// It refuses to remember anything but discovered documents and keys: whose browser began a trip, who is signed in and what is
// owed is its callers' to store. It knows no page, no cookie and no database, follows no redirect, and takes no encrypted tokens.
package upstream
