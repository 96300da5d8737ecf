package edge

import (
	"net/http"
	"net/netip"
	"time"
)

// AllowCaller takes one turn of the neighbourhood that a request comes from.
func (l *Limiter) AllowCaller(r *http.Request) (ok bool, wait time.Duration) {
	return l.Allow(Neighbourhood(Client(r).IP))
}

// Neighbourhood is what one caller can change at will: an IPv4 address, or the 64 bits of an IPv6 address that a network is given.
func Neighbourhood(ip netip.Addr) string {
	if !ip.Is6() {
		return ip.String()
	}
	net, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return ip.String()
	}
	return net.String()
}
