package outbound

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// Resolver is what turns a host's name into addresses; *net.Resolver is one. Its answers are not believed: each address is
// checked.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// most addresses of one host that are tried in one call.
const mostAddresses = 8

var errAddress = errors.New("an address that is not connected to")

type dialer struct {
	policy   policy
	resolver Resolver
	timeout  time.Duration
	tls      *tls.Config // nil: plain
}

// dial resolves once and connects to what was resolved. Permitted addresses are tried one after the other, each with a fair
// share of the time that is left; the others are passed over.
func (d *dialer) dial(ctx context.Context, _, hostPort string) (net.Conn, error) {
	// A dial outlives the call that asked for it, in the hope of serving the next; not for long.
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, &Error{Kind: BadRequest, Host: hostPort, cause: err}
	}
	addrs, err := d.lookup(ctx, host)
	if err != nil {
		return nil, &Error{Kind: cmp.Or(timeoutKind(err), DNS), Host: host, cause: err}
	}
	last := &Error{Kind: RefusedAddress, Host: host, cause: errAddress}
	for i, a := range addrs {
		if !d.policy.permits(a) {
			continue
		}
		conn, err := d.connect(ctx, netip.AddrPortFrom(a.Unmap(), 0), port, len(addrs)-i)
		if err == nil {
			return d.secure(ctx, conn, host)
		}
		last = &Error{Kind: cmp.Or(refusedKind(err), timeoutKind(err), Unreachable), Host: host, cause: err}
	}
	return nil, last
}

func (d *dialer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	addrs, err := d.resolver.LookupNetIP(ctx, "ip", host)
	return addrs[:min(len(addrs), mostAddresses)], err
}

func (d *dialer) connect(ctx context.Context, a netip.AddrPort, port string, left int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	// A number is dialled, so nothing is resolved again; Control sees what the kernel is given, whatever happens in between.
	n := net.Dialer{Control: d.control}
	return n.DialContext(ctx, "tcp", net.JoinHostPort(a.Addr().String(), port))
}

func (d *dialer) control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !d.policy.permits(a.Addr()) {
		return errAddress
	}
	return nil
}

func (d *dialer) secure(ctx context.Context, conn net.Conn, host string) (net.Conn, error) {
	if d.tls == nil {
		return conn, nil
	}
	c := d.tls.Clone()
	c.ServerName = host
	secured := tls.Client(conn, c)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, &Error{Kind: cmp.Or(timeoutKind(err), TLS), Host: host, cause: err}
	}
	return secured, nil
}

func timeoutKind(err error) Kind {
	if timedOut(err) {
		return Timeout
	}
	return ""
}

func refusedKind(err error) Kind {
	if errors.Is(err, errAddress) {
		return RefusedAddress
	}
	return ""
}
