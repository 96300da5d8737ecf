package rp

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"exeunt.dev/provider"
)

// Identity is a person at a provider: Provider and Subject together, and nothing else, say who it is.
type Identity struct {
	Provider, Subject string
	// Name and Claims are what the provider says about the person. They are for display. An address in them is no proof
	// that its owner is here: never look a person up by it.
	Name   string
	Claims map[string]any
}

// Users is the website's own list of people.
type Users interface {
	// UserOf gives the local user of an identity, and makes one if this website takes newcomers. ErrNobody if not.
	UserOf(ctx context.Context, who Identity) (user string, err error)
	// Link adds an identity to a local user, who has just proved to be it. ErrTaken if it is another user's.
	Link(ctx context.Context, user string, who Identity) error
}

// Answers of Users that are no failures.
var (
	ErrNobody = errors.New("rp: no such user here")
	ErrTaken  = errors.New("rp: the identity belongs to another user")
)

// Option configures a Site.
type Option func(*Site) error

// Provider adds a provider under a name: lower-case letters, digits and dashes. The name is in addresses and in the
// store; it must not change.
func Provider(name string, p provider.Provider) Option {
	return func(s *Site) error {
		if !nameForm.MatchString(name) {
			return fmt.Errorf("rp: %q cannot be a provider's name", name)
		}
		if _, twice := s.known[name]; twice {
			return fmt.Errorf("rp: two providers are called %q", name)
		}
		if err := p.Check(); err != nil {
			return fmt.Errorf("rp: provider %q: %w", name, err)
		}
		s.known[name] = p
		s.order = append(s.order, name)
		return nil
	}
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// Origin is the website's own address, "https://www.example.com". Required: a Host header is the caller's word.
func Origin(origin string) Option {
	return func(s *Site) error {
		u, err := url.Parse(origin)
		if err != nil || u.Path != "" || u.RawQuery != "" || provider.Safe(origin) != nil {
			return fmt.Errorf("rp: origin %q must be https://host or loopback, without a path", origin)
		}
		s.origin, s.secure = origin, u.Scheme == "https"
		return nil
	}
}

// Key is 32 random bytes that seal what the store must not read; older ones still open. Required.
func Key(current []byte, older ...[]byte) Option {
	return func(s *Site) (err error) {
		s.vault, err = newVault(append([][]byte{current}, older...))
		return err
	}
}

// Accounts is the website's own list of people. Without it a user is "provider:subject" and nothing can be linked.
func Accounts(u Users) Option { return func(s *Site) error { s.users = u; return nil } }

// Prefix is where the site is mounted: "/auth/" by default.
func Prefix(p string) Option {
	return func(s *Site) error {
		if !strings.HasPrefix(p, "/") || !strings.HasSuffix(p, "/") || safePath(p) != p {
			return fmt.Errorf("rp: prefix %q must begin and end with a slash", p)
		}
		s.prefix = p
		return nil
	}
}

// CookieName begins the names of the cookies: "rp" by default. Two sites on one host need two.
func CookieName(name string) Option {
	return func(s *Site) error {
		if !nameForm.MatchString(name) {
			return fmt.Errorf("rp: cookie name %q", name)
		}
		s.cookies = name
		return nil
	}
}

// Limits are how long a session lasts without a request and at most: 12 hours and 7 days by default.
func Limits(idle, absolute time.Duration) Option {
	return func(s *Site) error {
		if idle <= 0 || absolute < idle {
			return errors.New("rp: limits must be positive, the idle one not above the absolute one")
		}
		s.idle, s.absolute = idle, absolute
		return nil
	}
}

// Persistent keeps people signed in when the browser is closed and opened again.
func Persistent() Option { return func(s *Site) error { s.persistent = true; return nil } }

// Home is where people go when nothing else is said: "/" by default.
func Home(path string) Option {
	return func(s *Site) error {
		if safePath(path) == "" {
			return fmt.Errorf("rp: home %q must be a path of this website", path)
		}
		s.home = path
		return nil
	}
}

// OnError is told what went wrong, for a log. The errors name no person and contain no secret. errors.Unwrap gives the cause, in the
// words of a driver, a network or a provider, which this package does not vouch for: it is for the operator, and nobody else.
func OnError(f func(context.Context, error)) Option {
	return func(s *Site) error { s.onError = f; return nil }
}

// Every is how often Run looks for what is owed: a second by default.
func Every(d time.Duration) Option {
	return func(s *Site) error {
		if d <= 0 {
			return errors.New("rp: Every must be positive")
		}
		s.every = d
		return nil
	}
}

// Timeout is how long one call to a provider may take: 5 seconds by default.
func Timeout(d time.Duration) Option {
	return func(s *Site) error {
		if d <= 0 || d > 15*time.Second {
			return errors.New("rp: Timeout must be positive and at most 15 s")
		}
		s.timeout = d
		return nil
	}
}

// Roots are the authorities whose certificates providers may have; the system's by default.
func Roots(pool *x509.CertPool) Option { return func(s *Site) error { s.roots = pool; return nil } }

// Clock replaces the clock.
func Clock(now func() time.Time) Option { return func(s *Site) error { s.now = now; return nil } }
