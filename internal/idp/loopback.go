package idp

import "net/netip"

func isIPv4Loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Is4() && a.IsLoopback()
}
