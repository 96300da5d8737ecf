package edge

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"exeunt.dev/internal/caller"
	"exeunt.dev/internal/idp"
)

// Options of Wrap.
type Options struct {
	Log     *slog.Logger
	Trusted []netip.Prefix // proxies whose forwarding headers are believed
	Proxies caller.Header  // which they write; "": X-Forwarded-For
	HTTPS   bool           // the issuer is https: answers carry HSTS
	Observe func(route string, status int, took time.Duration)
	// Trace begins a span and gives the request that carries it, and what ends it. nil: none.
	Trace func(*http.Request) (*http.Request, func(route string, status int))
}

type state struct {
	id    string
	info  Info
	mu    sync.Mutex
	notes []any
	meant bool
}

type stateKey struct{}

func stateOf(ctx context.Context) *state {
	s, _ := ctx.Value(stateKey{}).(*state)
	return s
}

// RequestID is the id by which the log knows this request.
func RequestID(ctx context.Context) string {
	if s := stateOf(ctx); s != nil {
		return s.id
	}
	return ""
}

// Note adds a field to the request's log event, or says it anew: a stream that lives for days notes its client at each look. Never a
// secret.
func Note(ctx context.Context, key string, value any) {
	s := stateOf(ctx)
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 0; i < len(s.notes); i += 2 {
		if s.notes[i] == key {
			s.notes[i+1] = value
			return
		}
	}
	s.notes = append(s.notes, key, value)
}

// Meant says that this request's answer is as it should be, whatever its status: the log calls it no error.
func Meant(ctx context.Context) {
	if s := stateOf(ctx); s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.meant = true
	}
}

// Wrap gives every request its id, its headers, its one log event, and a plain answer if a handler panics. The log has the
// path, never the query: parameters carry codes, hints and tokens.
func Wrap(next http.Handler, o Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		s := &state{id: idp.NewSecret(9), info: locate(r, &o)}
		r = r.WithContext(context.WithValue(r.Context(), stateKey{}, s))
		var traced func(route string, status int)
		if o.Trace != nil {
			r, traced = o.Trace(r)
		}
		out := &recorder{ResponseWriter: w}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Request-Id", s.id)
		if o.HTTPS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				o.Log.Error("panic", "request", s.id, "panic", p, "stack", string(debug.Stack()))
				if out.status == 0 {
					OAuthError(out, http.StatusInternalServerError, "server_error", "Something went wrong. The request id is "+s.id+".")
				}
			}
			status := out.status
			if status == 0 {
				status = http.StatusOK
			}
			took := time.Since(start)
			if o.Observe != nil {
				o.Observe(r.Pattern, status, took)
			}
			if traced != nil {
				traced(r.Pattern, status)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			level := slog.LevelInfo
			if status >= 500 && !s.meant && r.Context().Err() == nil { // nobody's fault if the caller has hung up
				level = slog.LevelError
			}
			if !o.Log.Enabled(r.Context(), level) {
				return
			}
			fields := append([]any{"id", s.id, "method", r.Method, "path", plainPath(r), "route", r.Pattern, "status", status, "bytes", out.bytes,
				"ms", float64(took.Microseconds()) / 1000, "ip", s.info.IP}, s.notes...)
			o.Log.Log(r.Context(), level, "request", fields...)
		}()
		next.ServeHTTP(out, r)
	})
}

// plainPath is the path without what opens something: who knows a receipt's id may read it for a while.
func plainPath(r *http.Request) string {
	if id := r.PathValue("receipt"); id != "" {
		return strings.ReplaceAll(r.URL.Path, id, "…")
	}
	return r.URL.Path
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection, for the feed's flushes.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
