package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/account"
	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/feed"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/logout"
	"exeunt.dev/internal/oauth"
	"exeunt.dev/internal/signin"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/token"
	"exeunt.dev/internal/web"
	"golang.org/x/crypto/acme/autocert"
)

// Server is a node.
type Server struct {
	*Core
	Passwords *signin.Passwords
	log       *slog.Logger
	feed      *feed.Feed
	metrics   *metrics
	handler   http.Handler
	draining  atomic.Bool
	grown     chan struct{}
}

// New wires a node. Run serves.
func New(ctx context.Context, c config.Config, log *slog.Logger) (*Server, error) {
	s := &Server{log: log, grown: make(chan struct{}, 1)}
	core, err := OpenCore(ctx, c, log, func() { s.feed.Wake() })
	if err != nil {
		return nil, err
	}
	s.Core = core
	s.feed = feed.New(core.Store, s.ledgerGrew)
	s.metrics = newMetrics(core.Store, s.feed)
	pages, err := web.New(c.Name)
	if err != nil {
		core.Close()
		return nil, err
	}
	tokens := token.NewIssuer(c.Issuer, core.Ring)
	names := browser.Names{Session: c.Cookies.Session, Browser: c.Cookies.Browser, CSRF: c.Cookies.CSRF, Header: c.Cookies.Header}
	tie := browser.New(core.Store, core.Door, c.Policy(), c.Issuer, names, core.Vault.Derive("csrf", 32))
	s.Passwords = signin.NewPasswords(core.Store)

	mux := http.NewServeMux()
	pages.Mount(mux)
	(&signin.SignIn{Store: core.Store, Door: core.Door, Browser: tie, Passwords: s.Passwords, Pages: pages}).Mount(mux)
	(&oauth.OAuth{Store: core.Store, Door: core.Door, Browser: tie, Passwords: s.Passwords, Pages: pages, Tokens: tokens, Ring: core.Ring,
		InitialTokens: c.InitialTokens, Resources: c.Resources, Limit: edge.NewLimiter(time.Millisecond, 2000, 10_000)}).Mount(mux)
	(&logout.Logout{Store: core.Store, Door: core.Door, Browser: tie, Pages: pages, Tokens: tokens}).Mount(mux)
	(&account.Account{Store: core.Store, Door: core.Door, Browser: tie, Passwords: s.Passwords, Pages: pages, Tokens: tokens, After: sqlite.SessionKey}).Mount(mux)
	s.feed.Mount(mux)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/account", http.StatusSeeOther) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		edge.JSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", s.ready)
	s.handler = edge.Wrap(mux, edge.Options{Log: log, Trusted: c.Proxies, HTTPS: strings.HasPrefix(c.Issuer, "https:"), Observe: s.metrics.observe})
	return s, nil
}

// ready says whether this node can do its work: it reads the primary, its clock is right, and it is not on its way out.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	_, err := s.Store.Now()
	if err == nil {
		err = s.Store.View(r.Context(), func(v idp.View) error {
			_, err := v.Head()
			return err
		})
	}
	switch {
	case s.draining.Load():
		edge.JSON(w, http.StatusServiceUnavailable, map[string]string{"status": "stopping"})
	case errors.Is(err, idp.ErrClock):
		edge.JSON(w, http.StatusServiceUnavailable, map[string]string{"status": "the clock has leapt: nothing is issued until it is right"})
	case err != nil:
		edge.JSON(w, http.StatusServiceUnavailable, map[string]string{"status": "the database cannot be read"})
	default:
		edge.JSON(w, http.StatusOK, map[string]string{"status": "ready"})
	}
}

// Handler is the node's HTTP handler.
func (s *Server) Handler() http.Handler { return s.handler }

// stopAfter is how long requests may take to end when the node stops.
const stopAfter = 5 * time.Second

// Run serves on the listener until ctx ends, then stops gracefully and closes the store.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	defer s.Close()
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go s.feed.Run(work)
	go s.watchKeys(work)
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		s.sweep(work)
	}()
	main := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	errs := make(chan error, 2)
	go func() { errs <- s.serve(main, l) }()
	side := &http.Server{Handler: s.metrics.handler(), ReadHeaderTimeout: 10 * time.Second}
	if s.Config.MetricsListen != "" {
		ml, err := net.Listen("tcp", s.Config.MetricsListen)
		if err != nil {
			return err
		}
		go func() { errs <- side.Serve(ml) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-errs:
	}
	s.draining.Store(true)
	stop() // closes the tails: guards go elsewhere
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopAfter)
	defer cancel()
	if main.Shutdown(end) != nil {
		main.Close()
	}
	side.Close()
	<-swept
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

func (s *Server) serve(h *http.Server, l net.Listener) error {
	t := s.Config.TLS
	switch {
	case t.ACME:
		u, err := url.Parse(s.Config.Issuer)
		if err != nil {
			return err
		}
		m := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(u.Hostname()), Email: t.ACMEMail, Cache: autocert.DirCache(t.ACMECache)}
		h.TLSConfig = m.TLSConfig()
		return h.ServeTLS(l, "", "")
	case t.CertFile != "":
		h.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		return h.ServeTLS(l, t.CertFile, t.KeyFile)
	}
	return h.Serve(l)
}
