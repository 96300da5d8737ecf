package guard

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"

	"exeunt.dev/internal/caller"
	"exeunt.dev/internal/dpop"
)

// holds checks what a token is bound to: the address of the caller, and the key, by a proof for this very request (RFC 9449
// section 7.1). A token that is not bound must not come by the scheme that says so.
func (g *Guard) holds(r *http.Request, t *Token, byDPoP bool) error {
	switch {
	case !t.bond.Admits(g.callerOf(r)):
		return fmt.Errorf("%w: to another address", ErrBound)
	case t.bond.Key == "" && byDPoP:
		return invalid("not bound to a key, and shown as if it were")
	case t.bond.Key == "":
		return nil
	case !byDPoP: // section 7.2
		return fmt.Errorf("%w: it is bound to a key, and came as Bearer", ErrBound)
	}
	want := dpop.Want{
		Method: r.Method, URLs: g.addressesOf(r), Now: g.floorNow().Time(), Window: g.conf.window, Nonces: g.conf.nonces, Token: t.raw,
	}
	p, until, err := want.Check(r.Header["Dpop"])
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return ErrNonce
	case err != nil:
		return fmt.Errorf("%w: %w", ErrProof, err)
	case subtle.ConstantTimeCompare([]byte(p.Key), []byte(t.bond.Key)) != 1:
		return fmt.Errorf("%w: to another key", ErrBound)
	case !g.proofs.Use(p.Use(), until, want.Now):
		return fmt.Errorf("%w: used before", ErrProof)
	}
	return nil
}

// callerOf is the address of who asks.
func (g *Guard) callerOf(r *http.Request) netip.Addr {
	return caller.Address(caller.Peer(r.RemoteAddr), g.conf.proxies, g.conf.proxyHeader, r.Header.Values(string(g.conf.proxyHeader)))
}

// addressesOf are the addresses that a proof for this request may name: ours, with the path as it came, whatever the API's own
// router has made of it since.
func (g *Guard) addressesOf(r *http.Request) []string {
	path := r.URL.EscapedPath()
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil { // empty in requests that did not come over the wire
		path = u.EscapedPath()
	}
	out := make([]string, 0, len(g.conf.external))
	for _, base := range g.conf.external {
		if a, ok := dpop.Normal(base + path); ok {
			out = append(out, a)
		}
	}
	return out
}

// Nonce is what proofs must carry now ("" without [ProofNonces]), for handlers that use CheckRequest: they answer a request by DPoP
// with it in the header DPoP-Nonce. Require and Deny do so by themselves.
func (g *Guard) Nonce() string {
	if g.conf.nonces == nil || g.anchor.Load() == nil {
		return ""
	}
	return g.conf.nonces.At(g.floorNow().Time())
}
