// Package caller finds out from where a request comes when proxies stand before us. Server and guard bind tokens by it alike.
//
// It believes what proxies say that it was told to trust, in the one header that it was told they write. It refuses to look at
// both headers: a proxy that writes one passes the other on as the caller wrote it.
package caller

import (
	"net/netip"
	"slices"
	"strings"
)

// Header is where proxies say for whom they ask.
type Header string

// Headers.
const (
	XForwardedFor Header = "X-Forwarded-For" // most proxies
	Forwarded     Header = "Forwarded"       // RFC 7239
)

// Peer is the address at the other end of the connection (http.Request.RemoteAddr); the zero one if it is none.
func Peer(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// Trusts says whether an address is one of the proxies.
func Trusts(proxies []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Address is that of the caller: the peer, or, if that is a trusted proxy, the right-most address in the header that is not one.
// What stands to the left of it is the caller's own invention. A hop without an address ends the search at the one before.
func Address(peer netip.Addr, proxies []netip.Prefix, header Header, values []string) netip.Addr {
	if !Trusts(proxies, peer) {
		return peer
	}
	for rest, hop := strings.Join(values, ","), ""; ; {
		rest, hop = last(rest)
		if header == Forwarded {
			hop, _ = Parameter(hop, "for")
		}
		a, ok := address(strings.TrimSpace(hop))
		if !ok {
			return peer
		}
		if peer = a; !Trusts(proxies, peer) || rest == "" {
			return peer
		}
	}
}

// Last is the element of a Forwarded header that the nearest proxy wrote.
func Last(values []string) string {
	_, hop := last(strings.Join(values, ","))
	return hop
}

// last cuts a header at its last comma outside of quotes. It reads from the right, from what the nearest proxy wrote: a quote that the
// caller has opened and not closed would else swallow all that the proxies have added (RFC 7239 section 8.1).
func last(s string) (rest, element string) {
	quoted := false
	for i := len(s) - 1; i >= 0; i-- {
		switch {
		case s[i] == '"' && (len(s[:i])-len(strings.TrimRight(s[:i], `\`)))%2 == 0: // not one that a backslash makes a character
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return "", s
}

// Parameter reads one of an element of Forwarded (RFC 7239 section 4). One that is there twice is none.
func Parameter(element, name string) (value string, ok bool) {
	for _, pair := range split(element, ';') {
		n, v, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if !strings.EqualFold(n, name) {
			continue
		}
		if ok {
			return "", false
		}
		if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
			v = strings.ReplaceAll(v[1:len(v)-1], `\`, "") // no address has a backslash
		}
		value, ok = v, true
	}
	return value, ok
}

// split parts a header where sep stands outside of quotes.
func split(s string, sep byte) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// address reads 192.0.2.1, 2001:db8::1, either with a port, the second in brackets then or always (RFC 7239 section 6).
func address(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		s = s[1 : len(s)-1]
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap().WithZone(""), err == nil
}
