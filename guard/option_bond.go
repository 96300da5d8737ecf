package guard

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"exeunt.dev/internal/caller"
	"exeunt.dev/internal/dpop"
)

// ExternalURL says at which address clients reach this API, such as https://api.example.com, or with a path that a proxy takes away,
// https://example.com/api. Proofs name the address of the request (htu), and only these count. Without this option it is the
// origin of each [Audience] that is an address. What a request says of its host is not believed: a proof that was made for another
// API could come with that API's name.
func ExternalURL(addresses ...string) Option {
	return func(s *settings) error {
		for _, a := range addresses {
			u, err := url.Parse(a)
			normal, ok := dpop.Normal(a)
			if err != nil || !ok || u.RawQuery != "" || u.Fragment != "" {
				return fmt.Errorf("guard: %q is not an address like https://api.example.com", a)
			}
			s.external = append(s.external, strings.TrimSuffix(normal, "/"))
		}
		return nil
	}
}

// origins of those that are addresses.
func origins(audience []string) (out []string) {
	for _, a := range audience {
		u, err := url.Parse(a)
		if err != nil || u.Host == "" {
			continue
		}
		if normal, ok := dpop.Normal(u.Scheme + "://" + u.Host); ok {
			out = append(out, strings.TrimSuffix(normal, "/"))
		}
	}
	return out
}

// ProxyHeader is where proxies say for whom they ask.
type ProxyHeader = caller.Header

// Headers that proxies write.
const (
	XForwardedFor = caller.XForwardedFor
	Forwarded     = caller.Forwarded // RFC 7239
)

// TrustedProxies are those that stand before this API, and the one header in which they say for whom they ask. The caller of a
// request is the right-most address there that is not one of them; without this option it is whoever the connection is from. Tokens
// may be bound to it.
func TrustedProxies(header ProxyHeader, proxies ...netip.Prefix) Option {
	return func(s *settings) error {
		if header != XForwardedFor && header != Forwarded {
			return fmt.Errorf("guard: proxies write X-Forwarded-For or Forwarded, not %q", header)
		}
		for _, p := range proxies {
			if !p.IsValid() || p.Bits() == 0 {
				return errors.New("guard: a proxy that is everybody lets anybody pretend to come from anywhere")
			}
		}
		s.proxyHeader, s.proxies = header, append(s.proxies, proxies...)
		return nil
	}
}

// ProofNonces makes proofs carry a nonce of this API (RFC 9449 section 9), which changes each minute: a proof then cannot be made
// ahead of time, and wrong clocks of clients matter less. key has at least 32 random bytes; all processes of one API share it. A
// client without a nonce is told one and tries again.
func ProofNonces(key []byte) Option {
	return func(s *settings) (err error) {
		if s.nonces, err = dpop.NewNonces(key); err != nil {
			return fmt.Errorf("guard: %w", err)
		}
		return nil
	}
}

// ProofWindow is how far the time in a proof (iat) may lie from ledger time, before or after it. Default one minute, from 1 s to 10
// minutes. A proof is good once within it, in one process; where several processes serve one API, a thief who overhears a request
// could show its proof once to each of the others, and [ProofNonces] does not change that.
func ProofWindow(d time.Duration) Option {
	return func(s *settings) error {
		if d < time.Second || d > 10*time.Minute {
			return fmt.Errorf("guard: a proof window of %s is not between 1s and 10m", d)
		}
		s.window = dpop.Window{Past: d, Future: d}
		return nil
	}
}

// ProofBytes bounds the memory for proofs that were used; one takes about 48 bytes. Default 8 MiB, that is some 2,800 requests
// with proofs a second at the default window. When it is full, proofs count for a shorter time; none counts twice.
func ProofBytes(n int) Option {
	return func(s *settings) error {
		if n < 64<<10 {
			return fmt.Errorf("guard: a memory for proofs of %d bytes is less than %d", n, 64<<10)
		}
		s.proofBytes = n
		return nil
	}
}
