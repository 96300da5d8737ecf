package dpop

import (
	"encoding/json"
	"net/netip"
	"strings"

	"exeunt.dev/internal/jws"
)

// address is our member of cnf (RFC 7800 section 3.1): the network of the caller, as a prefix. It stands there in the clear, because
// whoever checks it sees the caller's address anyway, and a hash of 32 bits hides nothing.
const address = "exeunt.dev/address"

// Bond is what a token is good with only (cnf, RFC 7800). The zero value: with anything.
type Bond struct {
	Key string       // RFC 7638 thumbprint of the DPoP key (RFC 9449 section 6.1); "": none
	Net netip.Prefix // network of the caller; zero: any
}

// Admits says whether the bond lets an address through.
func (b Bond) Admits(a netip.Addr) bool {
	return !b.Net.IsValid() || b.Net.Contains(a.Unmap().WithZone(""))
}

// MarshalJSON writes cnf.
func (b Bond) MarshalJSON() ([]byte, error) {
	cnf := map[string]string{}
	if b.Key != "" {
		cnf["jkt"] = b.Key
	}
	if b.Net.IsValid() {
		cnf[address] = b.Net.String()
	}
	return json.Marshal(cnf)
}

// ParseBond reads cnf. false: the token is bound to nothing, which is no bond, or to something that cannot be checked here.
func ParseBond(cnf string) (b Bond, ok bool) {
	o, err := jws.ParseObject([]byte(cnf))
	if err != nil || len(o) == 0 {
		return Bond{}, false
	}
	known := 0
	if v, here := o.Get("jkt"); here {
		text, ok := jws.Text(v)
		if !ok || !ValidKey(text) {
			return Bond{}, false
		}
		b.Key = strings.Clone(text)
		known++
	}
	if v, here := o.Get(address); here {
		text, _ := jws.Text(v)
		if b.Net, err = netip.ParsePrefix(text); err != nil || b.Net.Addr().Is4In6() {
			return Bond{}, false
		}
		known++
	}
	if known != len(o) {
		return Bond{}, false
	}
	return b, true
}

// ValidKey says whether a text is a thumbprint: the base64url of 32 bytes.
func ValidKey(text string) bool {
	const size = 43
	if len(text) != size {
		return false
	}
	return strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
