package server

import (
	"context"
	"net/http"
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
	if s.base.Config.MetricsListen == "" {
		mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
			// Behind a proxy on this machine everybody comes from this machine; the proxy says so by its headers.
			forwarded := r.Header.Get("X-Forwarded-For") + r.Header.Get("X-Forwarded-Host") + r.Header.Get("Forwarded") + r.Header.Get("Via")
			if !edge.Client(r).IP.IsLoopback() || forwarded != "" {
				http.NotFound(w, r)
				return
			}
			s.metrics.ServeHTTP(w, r)
		})
	}
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
	}
	if problem != "" {
		w.Header().Set("Retry-After", "1")
		edge.JSON(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready", "problem": problem})
		return
	}
	edge.JSON(w, http.StatusOK, map[string]string{"status": "ready"})
}
