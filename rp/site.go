package rp

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/upstream"
	"exeunt.dev/provider"
)

const (
	attemptLife   = 10 * time.Minute // of a round trip
	recent        = 10 * time.Minute // how fresh a sign-in must be for linking
	tombstoneLife = time.Hour        // longer than any round trip and any logout token that is accepted
	mostHands     = 64               // first attempts at providers at once
	mostTrips     = 50_000           // round trips under way, and up to trimEvery of each replica: anybody can begin one, and leave it
	trimEvery     = 256
)

// Site is one website. It is an http.Handler for the addresses below its prefix.
type Site struct {
	store   Store
	vault   *vault
	users   Users
	known   map[string]provider.Provider
	ups     map[string]*upstream.Upstream
	order   []string
	origin  string
	prefix  string
	cookies string
	home    string
	secure  bool
	roots   *x509.CertPool
	timeout time.Duration
	// crossOrigin refuses what another site posts, by Sec-Fetch-Site and Origin.
	crossOrigin *http.CrossOriginProtection
	hands       chan struct{} // first attempts under way
	watchers    chan struct{} // pages that wait for the end of their session
	watches     watches
	begun       atomic.Uint64 // round trips, here

	persistent     bool
	idle, absolute time.Duration
	every          time.Duration
	now            func() time.Time
	onError        func(context.Context, error)
	mux            *http.ServeMux
}

// New makes a site. It dials nothing yet: a provider that is down does not keep the website from starting.
func New(store Store, options ...Option) (*Site, error) {
	s := &Site{
		store: store, known: map[string]provider.Provider{}, ups: map[string]*upstream.Upstream{}, prefix: "/auth/", cookies: "rp", home: "/",
		idle: 12 * time.Hour, absolute: 7 * 24 * time.Hour, every: time.Second,
		now: time.Now, onError: func(context.Context, error) {}, timeout: 5 * time.Second,
		crossOrigin: http.NewCrossOriginProtection(), hands: make(chan struct{}, mostHands), watchers: make(chan struct{}, mostWatchers),
	}
	for _, o := range options {
		if err := o(s); err != nil {
			return nil, err
		}
	}
	switch {
	case store == nil:
		return nil, errors.New("rp: no store")
	case s.origin == "":
		return nil, errors.New("rp: no Origin")
	case s.vault == nil:
		return nil, errors.New("rp: no Key")
	}
	if err := s.crossOrigin.AddTrustedOrigin(s.origin); err != nil {
		return nil, err
	}
	for name, p := range s.known {
		s.ups[name] = upstream.New(name, p, upstream.Options{Roots: s.roots, Timeout: s.timeout, Now: s.now})
	}
	s.mux = http.NewServeMux()
	route := func(method, path string, f http.HandlerFunc) { s.mux.HandleFunc(method+" "+s.prefix+path, f) }
	route("GET", "{$}", s.choose)
	route("GET", "state", s.state)
	route("POST", "signout", s.postSignOut)
	route("GET", "login/{provider}", s.up(s.login))
	route("POST", "link/{provider}", s.up(s.link))
	route("GET", "callback/{provider}", s.up(s.callback))
	route("POST", "callback/{provider}", s.up(s.posted))
	route("POST", "logout/{provider}/backchannel", s.up(s.backchannel))
	route("GET", "logout/{provider}/frontchannel", s.up(s.frontchannel))
	route("GET", "logout/{provider}/return", s.up(s.returned))
	return s, nil
}

// ServeHTTP serves the addresses below the prefix.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin") // not none: then browsers would say "Origin: null" in our own forms
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	s.mux.ServeHTTP(w, r)
}

// up finds the provider that an address names.
func (s *Site) up(next func(http.ResponseWriter, *http.Request, *upstream.Upstream)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u := s.ups[r.PathValue("provider")]
		if u == nil {
			http.NotFound(w, r)
			return
		}
		next(w, r, u)
	}
}

func (s *Site) url(what, name string) string { return s.origin + s.prefix + what + "/" + name }

// fail tells OnError.
func (s *Site) fail(ctx context.Context, what string, err error) {
	s.onError(ctx, &failure{what, err})
}

// failure keeps the words of others (a provider's, a driver's) out of the message; errors.Is and errors.As see through.
type failure struct {
	what string
	err  error
}

func (f *failure) Error() string { return "rp: " + f.what }
func (f *failure) Unwrap() error { return f.err }
