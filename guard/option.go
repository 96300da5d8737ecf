package guard

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"exeunt.dev/internal/caller"
	"exeunt.dev/internal/dpop"
)

// Option sets up a guard.
type Option func(*settings) error

type settings struct {
	audience     []string
	id, secret   string
	maxStaleness time.Duration
	accept       time.Duration // beyond maxStaleness; 0: refuse
	cacheBytes   int
	feeds        []string
	observe      func(Event)
	client       *http.Client
	external     []string // where clients reach this API; empty: what audience says
	proxies      []netip.Prefix
	proxyHeader  caller.Header
	nonces       *dpop.Nonces
	window       dpop.Window
	proofBytes   int
	clock        clock // tests only
}

// Defaults, and the least that is accepted.
const (
	DefaultMaxStaleness = 5 * time.Second
	DefaultCacheBytes   = 64 << 20
	DefaultProofWindow  = time.Minute
	DefaultProofBytes   = 8 << 20

	minStaleness  = 100 * time.Millisecond
	minCacheBytes = 1 << 20
)

// Audience names this API as tokens name it in aud. At least one is needed: without it the guard would take tokens
// that were meant for somebody else.
func Audience(aud ...string) Option {
	return func(s *settings) error {
		for _, a := range aud {
			if a == "" {
				return errors.New("guard: empty audience")
			}
		}
		s.audience = append(s.audience, aud...)
		return nil
	}
}

// Credentials are this API's client id and secret (a client of kind "api"), with which the guard asks for the ledger.
func Credentials(id, secret string) Option {
	return func(s *settings) error {
		if id == "" || secret == "" {
			return errors.New("guard: empty credentials")
		}
		s.id, s.secret = id, secret
		return nil
	}
}

// MaxStaleness is the bound on how long after its end a token may still be admitted, whatever happens on the way.
// Default 5 s, at least 100 ms. The guard asks about the ledger five times in this time.
func MaxStaleness(d time.Duration) Option {
	return func(s *settings) error {
		if d < minStaleness || d > time.Hour {
			return fmt.Errorf("guard: max staleness %s is not between %s and 1h", d, minStaleness)
		}
		s.maxStaleness = d
		return nil
	}
}

// CacheBytes bounds the memory for verified tokens; a token takes about 2 KB. Default 64 MiB, at least 1 MiB. Tokens
// that are watched stay beyond the bound. The endings themselves, 13 to 26 bytes each, are not counted here.
func CacheBytes(n int) Option {
	return func(s *settings) error {
		if n < minCacheBytes {
			return fmt.Errorf("guard: a cache of %d bytes is less than %d", n, minCacheBytes)
		}
		s.cacheBytes = n
		return nil
	}
}

// Feeds are addresses of nodes to follow instead of the issuer's own, such as internal ones. The guard changes to the
// next when one fails. Keys come from them too: they are trusted like the issuer.
func Feeds(addresses ...string) Option {
	return func(s *settings) error {
		for _, a := range addresses {
			if err := checkAddress(a); err != nil {
				return err
			}
			s.feeds = append(s.feeds, strings.TrimSuffix(a, "/"))
		}
		return nil
	}
}

// StalePolicy is what a guard does when it has lost the ledger for longer than MaxStaleness.
type StalePolicy struct{ accept time.Duration }

// Refuse is the default: ErrStale, 503.
func Refuse() StalePolicy { return StalePolicy{} }

// AcceptFor goes on admitting tokens for d beyond MaxStaleness, and reports it (AcceptedStale, at most once a second).
// The bound becomes MaxStaleness + d: for that long, what somebody signed out of stays open. A guard that has never
// known the ledger refuses all the same.
func AcceptFor(d time.Duration) StalePolicy { return StalePolicy{accept: d} }

// OnStale chooses the policy.
func OnStale(p StalePolicy) Option {
	return func(s *settings) error {
		if p.accept < 0 || p.accept > 24*time.Hour {
			return fmt.Errorf("guard: accepting for %s is not between 0 and 24h", p.accept)
		}
		s.accept = p.accept
		return nil
	}
}

// Observe is told what happens, for logs and metrics. Events may come from several goroutines at once. f must not block
// and must not check tokens; it may ask for the Status.
func Observe(f func(Event)) Option {
	return func(s *settings) error {
		s.observe = f
		return nil
	}
}

// HTTPClient is used for keys and ledger instead of the guard's own. Its Timeout and CheckRedirect are not used: the
// guard has its own deadlines, and follows no redirect, since that would hand trust to another address. If it speaks
// HTTP/2, let it notice dead connections sooner than MaxStaleness (http.HTTP2Config.SendPingTimeout).
func HTTPClient(c *http.Client) Option {
	return func(s *settings) error {
		if c == nil {
			return errors.New("guard: nil HTTP client")
		}
		s.client = c
		return nil
	}
}

func newSettings(issuer string, opts []Option) (settings, error) {
	s := settings{
		maxStaleness: DefaultMaxStaleness,
		cacheBytes:   DefaultCacheBytes,
		window:       dpop.Window{Past: DefaultProofWindow, Future: DefaultProofWindow},
		proofBytes:   DefaultProofBytes,
		proxyHeader:  caller.XForwardedFor,
		observe:      func(Event) {},
		clock:        machineClock(),
	}
	if err := checkAddress(issuer); err != nil {
		return s, err
	}
	for _, o := range opts {
		if err := o(&s); err != nil {
			return s, err
		}
	}
	if len(s.audience) == 0 {
		return s, errors.New("guard: no audience: say guard.Audience(...) with the name of this API in tokens")
	}
	if s.id == "" {
		return s, errors.New("guard: no credentials: say guard.Credentials(id, secret) of a client of kind api")
	}
	if len(s.external) == 0 {
		s.external = origins(s.audience)
	}
	if s.observe == nil {
		s.observe = func(Event) {}
	}
	if len(s.feeds) == 0 {
		s.feeds = []string{strings.TrimSuffix(issuer, "/")}
	}
	return s, nil
}

// checkAddress demands https, except on this machine: over plain http anybody on the way could forge keys and
// freshness.
func checkAddress(a string) error {
	u, err := url.Parse(a)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("guard: %q is not an address like https://id.example.com", a)
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("guard: %q must be https", a)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
