package idp

import (
	"net/netip"
	"strconv"
	"strings"

	"exeunt.dev/internal/dpop"
)

// Bond is what a token is good with only: a key, a network of callers, both or, as the zero value, anything.
type Bond = dpop.Bond

// DPoP says what a client does with keys. The zero value: it may bind its tokens, by showing a proof.
type DPoP string

// What a client does with keys.
const (
	DPoPAllowed  DPoP = ""
	DPoPRequired DPoP = "required" // no token without a proof
	DPoPOff      DPoP = "off"      // proofs are not looked at: for APIs that know bearer tokens only
)

// Networks says how much of a caller's address tokens are bound to: the lengths of the prefix, of IPv4 and IPv6. The zero
// value: none. As text: "" (or "off"), "exact", or both lengths as in "24/56".
type Networks struct{ V4, V6 int }

// Shortest prefixes: what is shorter binds to nobody.
const (
	leastV4 = 8
	leastV6 = 24
)

// ParseNetworks reads the text.
func ParseNetworks(text string) (Networks, error) {
	switch text {
	case "", "off":
		return Networks{}, nil
	case "exact":
		return Networks{32, 128}, nil
	}
	four, six, _ := strings.Cut(text, "/")
	v4, err4 := strconv.Atoi(four)
	v6, err6 := strconv.Atoi(six)
	if err4 != nil || err6 != nil || v4 < leastV4 || v4 > 32 || v6 < leastV6 || v6 > 128 {
		return Networks{}, InvalidText("bind_address", text, "%s is neither off, exact, nor two prefix lengths like 24/56 (IPv4 from 8 to 32, IPv6 from 24 to 128).")
	}
	return Networks{v4, v6}, nil
}

// On says that tokens are bound to addresses.
func (n Networks) On() bool { return n != Networks{} }

func (n Networks) String() string {
	switch n {
	case Networks{}:
		return "off"
	case Networks{32, 128}:
		return "exact"
	}
	return strconv.Itoa(n.V4) + "/" + strconv.Itoa(n.V6)
}

// MarshalText is String.
func (n Networks) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText is ParseNetworks.
func (n *Networks) UnmarshalText(b []byte) (err error) {
	*n, err = ParseNetworks(string(b))
	return err
}

// Of is the network that an address is in. false: the address is not known, and nothing can be bound to it.
func (n Networks) Of(a netip.Addr) (netip.Prefix, bool) {
	a = a.Unmap().WithZone("")
	bits := n.V6
	if a.Is4() {
		bits = n.V4
	}
	p, err := a.Prefix(bits)
	return p, err == nil && p.IsValid() && n.On() // no address is in no network
}

// ValidBinding refuses what a kind of client cannot keep: devices move between networks, and are bound to a key instead; an API has
// no tokens of its own.
func (c *Client) ValidBinding() error {
	switch {
	case c.DPoP != DPoPAllowed && c.DPoP != DPoPRequired && c.DPoP != DPoPOff:
		return Invalid("dpop", "dpop is off, allowed or required.")
	case c.Kind == KindNative && c.BindAddress.On():
		return Invalid("bind_address", "A native app changes its address as it moves: bind its tokens to a key, with dpop required.")
	case c.Kind == KindAPI && (c.BindAddress.On() || c.DPoP != DPoPAllowed):
		return Invalid("bind_address", "An API gets no tokens.")
	}
	return nil
}
