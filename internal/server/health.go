package server

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

// Mount adds the paths of operations, and the way from the front page to the account.
func (s *Server) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		edge.JSON(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/account", http.StatusSeeOther) })
	if s.private() {
		mux.Handle("GET /metrics", s.metrics)
	}
}

// private says that this server is for this machine alone, so that /metrics may be answered beside everything else. With an
// https issuer or a proxy, everybody may seem to come from this machine: then metrics have a listener of their own, or none.
func (s *Server) private() bool {
	c := &s.base.Config
	ap, err := netip.ParseAddrPort(s.listener.Addr().String())
	return c.MetricsListen == "" && !c.HTTPS() && len(c.TrustedProxies) == 0 && err == nil && ap.Addr().IsLoopback()
}

// ready says whether this node can serve: the database answers, its clock is right, and nobody has told it to stop.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	problem := ""
	if err := s.base.Store.View(ctx, func(v idp.View) error { _, err := v.Head(); return err }); err != nil {
		problem = "database"
	} else if _, err := s.base.Store.Now(); err != nil {
		problem = "clock"
	} else if s.stopping.Load() {
		problem = "stopping"
		edge.Meant(r.Context())
	}
	if problem != "" {
		edge.Note(r.Context(), "problem", problem)
		w.Header().Set("Retry-After", "1")
		edge.JSON(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready", "problem": problem})
		return
	}
	edge.JSON(w, http.StatusOK, map[string]string{"status": "ready"})
}
