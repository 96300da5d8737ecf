package outbound

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// HostPort is the host and port that a call of an http or https address connects to, one spelling for each; an address that cannot
// be called is given back as it is. Names are not resolved: two of them are two hosts.
func HostPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return address
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.Unmap().String()
	}
	switch n, err := strconv.ParseUint(port, 10, 16); {
	case err == nil:
		port = strconv.FormatUint(n, 10) // 0443 is dialled as 443
	case port == "" && u.Scheme == "https":
		port = "443"
	case port == "" && u.Scheme == "http":
		port = "80"
	}
	return net.JoinHostPort(host, port)
}
