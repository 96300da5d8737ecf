package outbound

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

// Objection says why a client that may call these networks would not call an address; "" if it would, or if its host is not found
// within a second. It decides nothing: the address that is connected to is checked when it is. A nil resolver is the system's.
func Objection(ctx context.Context, allow []netip.Prefix, r Resolver, uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	if r == nil {
		r = net.DefaultResolver
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	found, err := (&dialer{resolver: r}).lookup(ctx, u.Hostname())
	p := policy{public: u.Scheme == "https", allow: normal(allow)}
	if err != nil || len(found) == 0 || slices.ContainsFunc(found, p.permits) {
		return "" // one that may be called is enough
	}
	if !p.public && (policy{public: true}).permits(found[0]) {
		return u.Hostname() + " is a public address, and those are called by https only"
	}
	return u.Hostname() + " is not a public address"
}
