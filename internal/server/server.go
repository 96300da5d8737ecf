package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/account"
	"exeunt.dev/internal/acme"
	"exeunt.dev/internal/admin"
	"exeunt.dev/internal/audit"
	"exeunt.dev/internal/broker"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/delivery"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/dpop"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/factor"
	"exeunt.dev/internal/feed"
	"exeunt.dev/internal/frontchannel"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/logout"
	"exeunt.dev/internal/mail"
	"exeunt.dev/internal/oauth"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/outbound"
	"exeunt.dev/internal/person"
	"exeunt.dev/internal/place"
	"exeunt.dev/internal/rescue"
	"exeunt.dev/internal/signin"
	"exeunt.dev/internal/token"
	"exeunt.dev/internal/web"
	"exeunt.dev/js"
)

// follower is what both stores are: they tell of what is committed.
type follower interface {
	Follow(ctx context.Context, tell func(idp.News))
}

// stopWithin is how long requests under way may take when the server stops.
const stopWithin = 10 * time.Second

// Server is one node.
type Server struct {
	base     *Base
	store    idp.Store // base's, with spans if there are any
	log      *slog.Logger
	feed     *feed.Feed
	door     *door.Door
	calls    *outbound.Client
	delivery *delivery.Delivery
	broker   *broker.Broker
	post     *mail.Post // nil: there is no mail server
	rescue   *rescue.Rescue
	audit    *audit.Log
	census   *operate.Census
	places   *place.Table // nil: none
	metrics  *metrics
	handler  http.Handler
	listener net.Listener
	aside    net.Listener  // for metrics; nil: none of its own
	tracer   *tracer       // nil: off
	acme     *acme.Manager // nil: the certificate comes from elsewhere
	stopping atomic.Bool
	grown    chan struct{}
}

// New opens everything and listens. Close it, or Run it.
func New(ctx context.Context, c config.Config, log *slog.Logger) (*Server, error) {
	return NewOn(ctx, c, log, nil)
}

// NewOn is New on a listener that is there already, in place of the configured address.
func NewOn(ctx context.Context, c config.Config, log *slog.Logger, l net.Listener) (*Server, error) {
	s := &Server{log: log, listener: l, grown: make(chan struct{}, 1)}
	err := s.listen(ctx, c)
	if err == nil {
		s.base, err = open(ctx, c, log, (*Base).join)
	}
	if err == nil {
		err = s.build()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) build() (err error) {
	c := s.base.Config
	s.feed = feed.New(s.base.Store, s.ledgerGrew)
	s.metrics = newMetrics(s.base.Store, s.feed)
	calls := outbound.Options{Allow: c.Outbound}
	with := edge.Options{Log: s.log, Trusted: c.TrustedProxies, Proxies: c.ProxyHeader, HTTPS: c.HTTPS(), Observe: s.metrics.observe}
	s.store, s.tracer = s.base.Store, newTracer(c.Tracing, s.log)
	if s.tracer != nil {
		s.store, with.Trace, calls.Watch = tracedStore{s.store, s.tracer.spans}, s.tracer.request, s.tracer.call
	}
	s.calls = outbound.New(calls)
	tokens := token.NewIssuer(c.Issuer, s.base.Ring)
	if tokens.Nonces, err = dpop.NewNonces(s.base.Vault.Derive("dpop nonce", 32)); err != nil {
		return err
	}
	s.delivery = delivery.New(s.base.Store, tokens, s.calls, delivery.Options{
		TryFor: c.TryFor, Log: s.log, Observe: s.metrics.delivered,
		// Many nodes share one Postgres. The embedded database has one server: a second one could not listen at the issuer's address, and if
		// somebody starts one all the same, an app is told twice, which it must bear anyway.
		Alone: c.Postgres.URL == "",
	})
	if s.places, err = places(c); err != nil {
		return err
	}
	s.census = operate.NewCensus(s.base.Store, s.log)
	s.audit = audit.New(s.base.Store, c.AuditKeep, s.log)
	tokens.Strayed = s.audit.Failed
	s.door = door.New(s.store, s.committed)
	pages, err := web.New(c.Name, c.HTTPS())
	if err != nil {
		return err
	}
	pages.Wear(c.Look.Logo, c.Look.LogoKind, c.Look.Color, c.Look.Dark)
	if s.post, err = s.base.Post(s.store, pages.Speak, s.log); err != nil {
		return err
	}
	if s.post != nil {
		s.post.Observe = s.metrics.mailed
	}
	s.handler = edge.Wrap(pages.Remember(s.rooms(pages, tokens)), with)
	return nil
}

// placeOf says about where an address is, if the operator has a table of that.
func (s *Server) placeOf(ip string) string {
	if s.places == nil {
		return ""
	}
	return s.places.Of(ip)
}

// committed is told by the door that the ledger may have grown, and whether apps may have to be told.
func (s *Server) committed(owes bool) {
	if s.base.Config.Postgres.URL != "" { // the embedded database has told the feed already
		s.feed.Wake()
	}
	if owes {
		s.delivery.Wake()
		s.broker.Wake()
	}
}

func (s *Server) rooms(pages *web.Pages, tokens *token.Issuer) http.Handler {
	c, store := s.base.Config, s.store
	tie := s.base.browser(store, s.door)
	tie.ShowsState = c.FrontChannel
	front := &frontchannel.FrontChannel{Store: store, Browser: tie, Pages: pages, Issuer: c.Issuer, On: c.FrontChannel, Await: s.delivery.Await}
	passwords := s.base.Passwords(store)
	passwords.Knows, passwords.Failed = tie.Knows, s.audit.Failed
	factors := factor.New(store, s.base.Vault, c.Name, c.Issuer, c.Policy.PendingLife)
	factors.Knows, factors.Failed = tie.Knows, s.audit.Failed
	entrance := &signin.SignIn{Store: store, Door: s.door, Browser: tie, Passwords: passwords, Factors: factors, Pages: pages, Front: front, Letters: s.post.On()}
	for _, p := range c.Providers {
		entrance.Providers = append(entrance.Providers, web.ProviderButton{ID: p.ID, Title: p.Provider.Title, Proves: p.Provider.OIDC()})
	}
	host := &person.Host{Browser: tie, Pages: pages, Nav: account.Nav(len(c.Providers) > 0)}
	pages.Strip = host.Strip
	own := &account.Account{Host: host, Store: store, Door: s.door, Passwords: passwords, Factors: factors, Tokens: tokens, Front: front, Place: s.placeOf,
		After: (*idp.Session).PageKey}
	rescuer := &rescue.Rescue{Host: host, Store: store, Door: s.door, Passwords: passwords, Front: front, Post: s.post, Issuer: c.Issuer, Log: s.log,
		Limit: edge.NewLimiter(10*time.Second, 20, 100_000), Asked: rescue.Queue()}
	s.rescue = rescuer
	tie.Arrived = rescuer.Arrived
	own.Tell, factors.Tell = rescuer.Tell, rescuer.Tell
	s.broker = &broker.Broker{Host: host, Store: store, Door: s.door, Vault: s.base.Vault, Issuer: c.Issuer, Log: s.log, Enter: entrance.Enter, Tell: rescuer.Tell}
	s.broker.Use(c.Providers)
	factors.Elsewhere, own.Provider, rescuer.Provider = s.broker.Ways, s.broker.Title, s.broker.Title
	waits := edge.NewLimiter(100*time.Millisecond, 1000, 100_000)
	mux := http.NewServeMux()
	for _, room := range []interface{ Mount(*http.ServeMux) }{
		pages,
		entrance,
		s.broker,
		&oauth.OAuth{Store: store, Door: s.door, Browser: tie, Passwords: passwords, Factors: factors, Pages: pages, Tokens: tokens, Ring: s.base.Ring,
			InitialTokens: c.InitialTokens, Resources: c.Resources, Scopes: c.RegistrationScopes, FrontChannel: c.FrontChannel, Limit: edge.NewLimiter(time.Millisecond, 2000, 100_000),
			Waits: waits, Codes: edge.NewLimiter(200*time.Millisecond, 5000, 100_000), OnTheft: onTheft(c.Lock, rescuer)},
		&logout.Logout{Store: store, Door: s.door, Browser: tie, Pages: pages, Tokens: tokens, Front: front, Waits: waits, Layers: s.broker.Layers},
		&admin.Admin{Store: store, Door: s.door, Browser: tie, Pages: pages, Tokens: tokens, Ring: s.base.Ring, Looker: &operate.Looker{Guards: s.guards, Census: s.census}, Tell: rescuer.Tell,
			Wake: func() { s.delivery.Ask(); s.broker.Wake(); s.post.Wake() }, Networks: c.Outbound},
		own,
		rescuer,
		s.feed,
		js.Files{},
		s,
	} {
		room.Mount(mux)
	}
	return missing(mux, pages)
}

// guards are those that follow this node.
func (s *Server) guards() []operate.Guard {
	out := []operate.Guard{}
	for _, g := range s.feed.Guards() {
		one := operate.Guard{ClientID: g.Client, Streams: g.Streams, Behind: g.Behind}
		if !g.Asked.IsZero() {
			one.Asked = &g.Asked
		}
		out = append(out, one)
	}
	return out
}

// Base is what the server rests on.
func (s *Server) Base() *Base { return s.base }

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close closes what Run has not: for a server that never ran.
func (s *Server) Close() error {
	var errs []error
	for _, l := range []net.Listener{s.listener, s.aside} {
		if l != nil {
			if err := l.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	if s.tracer != nil {
		s.tracer.close()
	}
	if s.calls != nil {
		s.calls.Close()
	}
	if s.base != nil {
		errs = append(errs, s.base.Close())
	}
	return errors.Join(errs...)
}

// Run serves until ctx ends, then lets requests under way finish and closes everything.
func (s *Server) Run(ctx context.Context) error {
	defer s.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var work sync.WaitGroup
	follow, stopFollow := context.WithCancel(context.Background())
	work.Go(func() { s.feed.Run(follow) })
	work.Go(func() { s.base.Store.(follower).Follow(follow, s.feed.Heard) })
	work.Go(func() { s.watchKeys(follow) })
	work.Go(func() { s.sweep(follow) })
	work.Go(func() { s.census.Run(follow) })
	if s.acme != nil {
		work.Go(func() { s.acme.Run(follow) })
	}
	work.Go(func() { s.delivery.Run(follow) })
	work.Go(func() { s.broker.Run(follow) })
	work.Go(func() { s.post.Run(follow) })
	work.Go(func() { s.rescue.Run(follow) })
	last, stopLast := context.WithCancel(context.Background()) // what requests leave behind is written when the last one is over
	work.Go(func() { s.audit.Run(last) })
	failed := make(chan error, 2)
	servers := []*http.Server{s.serve(s.listener, s.handler, failed)}
	if s.aside != nil {
		only := http.NewServeMux()
		only.Handle("GET /metrics", s.metrics)
		servers = append(servers, s.serve(s.aside, only, failed))
	}
	s.log.Info("serving", "issuer", s.base.Config.Issuer, "address", s.Addr().String())
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.stopping.Store(true) // /readyz says so first
	if err == nil {
		s.log.Info("stopping", "drain", s.base.Config.Drain.String())
		time.Sleep(s.base.Config.Drain)
	}
	stopFollow() // the tails end, which would else hold Shutdown up; their guards move to other nodes
	within, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	for _, h := range servers {
		if h.Shutdown(within) != nil {
			h.Close()
		}
	}
	stopLast()
	work.Wait()
	s.log.Info("stopped")
	return err
}

// parting lets connections go while the server is about to stop, each with its next answer: what a proxy keeps open would be cut when it sends again.
func (s *Server) parting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) serve(l net.Listener, h http.Handler, failed chan<- error) *http.Server {
	out := &http.Server{
		Handler:           s.parting(h),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := out.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", l.Addr(), err)
		}
	}()
	return out
}
