package outbound

import (
	"net/netip"
	"slices"
)

// policy says which addresses a connection may be made to.
type policy struct {
	public bool           // every address of the public Internet
	allow  []netip.Prefix // and these networks of the operator's
}

func (p policy) permits(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	if slices.ContainsFunc(p.allow, func(n netip.Prefix) bool { return n.Contains(a) }) {
		// A network of translators stands for all of IPv4: what it translates to must be permitted by itself.
		v4, translated := translatedTo(a)
		return !translated || p.permits(v4)
	}
	return p.public && public(a)
}

// normal gives the operator's prefixes the form that addresses are compared in: v4 written as v6 (::ffff:10.0.0.0/104)
// would match nothing.
func normal(ns []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, n := range ns {
		if n.Addr().Is4In6() && n.Bits() >= 96 {
			n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
		}
		if n.IsValid() {
			out = append(out, n.Masked())
		}
	}
	return out
}

// notPublic4 is what the IANA registry of special-purpose IPv4 addresses (RFC 6890 and later) does not call globally
// reachable, multicast and class E, and one address that is public by number only.
func notPublic4() []netip.Prefix {
	return prefixes(
		"0.0.0.0/8",        // this network, RFC 791; Linux connects it to itself
		"10.0.0.0/8",       // private, RFC 1918
		"100.64.0.0/10",    // carrier-grade NAT, RFC 6598; metadata of some clouds
		"127.0.0.0/8",      // loopback
		"169.254.0.0/16",   // link-local, RFC 3927; metadata of most clouds
		"172.16.0.0/12",    // private
		"192.0.0.0/24",     // IETF protocols; metadata of some clouds
		"192.0.2.0/24",     // documentation, RFC 5737
		"192.88.99.0/24",   // 6to4 relay, RFC 7526
		"192.168.0.0/16",   // private
		"198.18.0.0/15",    // benchmarks, RFC 2544
		"198.51.100.0/24",  // documentation
		"203.0.113.0/24",   // documentation
		"224.0.0.0/4",      // multicast
		"240.0.0.0/4",      // reserved, and the broadcast address
		"168.63.129.16/32", // the host of an Azure machine, reachable from inside only
	)
}

// notPublic6 is what is not public within 2000::/3; nothing outside it is.
func notPublic6() []netip.Prefix {
	return prefixes(
		"2001::/23",     // IETF protocols: Teredo (RFC 4380) hides IPv4 addresses, ORCHID, benchmarks
		"2001:db8::/32", // documentation, RFC 3849
		"2002::/16",     // 6to4 (RFC 3056): IPv4 addresses in disguise
		"3fff::/20",     // documentation, RFC 9637
	)
}

func public(a netip.Addr) bool {
	in := func(n netip.Prefix) bool { return n.Contains(a) }
	if a.Is4() {
		return !slices.ContainsFunc(notPublic4(), in)
	}
	// Outside 2000::/3 lie loopback, unspecified, link-local, unique local and multicast addresses, and IPv4 as ::/96
	// (RFC 4291) and behind NAT64 as 64:ff9b::/96 and 64:ff9b:1::/48 (RFC 6052, RFC 8215).
	if !netip.MustParsePrefix("2000::/3").Contains(a) || slices.ContainsFunc(notPublic6(), in) {
		return false
	}
	return !isatap(a)
}

// A translator (RFC 6052) under a prefix of the operator's own looks like any public network and cannot be told from one;
// what it may reach is for the operator's firewall to say.

// isatap tells an interface identifier that carries an IPv4 address (RFC 5214 section 6.1), under whatever prefix.
func isatap(a netip.Addr) bool {
	b := a.As16()
	return b[8]&^0x03 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

// translatedTo reads the IPv4 address that packets for a end at: NAT64's well-known prefix and 6to4.
func translatedTo(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	switch {
	case a.Is4():
		return netip.Addr{}, false
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case netip.MustParsePrefix("2002::/16").Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

func prefixes(ss ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(ss))
	for i, s := range ss {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}
