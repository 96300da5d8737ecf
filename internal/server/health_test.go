package server

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/store/boottime"
	"exeunt.dev/internal/store/sqlite"
)

// standing is a server of which nothing runs, on a database whose wall clock is ahead by what the test says.
func standing(t *testing.T) (s *Server, ahead *atomic.Int64, db string) {
	t.Helper()
	dir := t.TempDir()
	c := config.Default()
	c.Issuer, c.Data, c.KeyFile = "http://localhost", filepath.Join(dir, "db"), filepath.Join(dir, "key")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err = NewOn(t.Context(), c, slog.New(slog.DiscardHandler), l)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.base.Store.Close(); err != nil {
		t.Fatal(err)
	}
	ahead = &atomic.Int64{}
	s.base.Store, err = sqlite.OpenWith(t.Context(), c.Data, sqlite.Options{Wall: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, Monotonic: boottime.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, ahead, c.Data
}

// asks says what a path answers.
func (s *Server) asks(path string) (int, string) {
	mux := http.NewServeMux()
	s.Mount(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	body, _ := io.ReadAll(w.Body)
	return w.Code, string(body)
}

// The process lives through all of it; whether it can serve is another question, and it says what is missing.
func TestReady(t *testing.T) {
	s, ahead, db := standing(t)
	for _, c := range []struct {
		name    string
		does    func() error
		problem string // "": ready
	}{
		{"as it should be", func() error { return nil }, ""},
		{"the clock leaps a day ahead", func() error { ahead.Store(int64(24 * time.Hour)); return nil }, "clock"},
		{"it is right again", func() error { ahead.Store(0); return nil }, ""},
		{"it is set back by a day, which ledger time does not follow", func() error { ahead.Store(-int64(24 * time.Hour)); return nil }, ""},
		{"the database is gone from its place", func() error { return os.Rename(db, db+".aside") }, "database"},
		{"another lies there", func() error { return os.WriteFile(db, nil, 0o600) }, "database"},
		{"it is back", func() error { return os.Rename(db+".aside", db) }, ""},
		{"the server is told to stop", func() error { s.stopping.Store(true); return nil }, "stopping"},
		{"the database is closed", s.base.Store.Close, "database"},
	} {
		if err := c.does(); err != nil {
			t.Fatal(err)
		}
		status, body := s.asks("/readyz")
		if c.problem == "" && (status != 200 || !strings.Contains(body, `"status":"ready"`)) || c.problem != "" && (status != 503 || !strings.Contains(body, `"problem":"`+c.problem+`"`)) {
			t.Errorf("%s: /readyz answers %d %s, want problem %q", c.name, status, body, c.problem)
		}
		if status, _ := s.asks("/healthz"); status != 200 {
			t.Errorf("%s: /healthz answers %d", c.name, status)
		}
		if status, body := s.asks("/metrics"); status != 200 || !strings.Contains(body, "exeunt_endings_total") {
			t.Errorf("%s: /metrics answers %d", c.name, status)
		}
	}
	if _, body := s.asks("/metrics"); !strings.Contains(body, "exeunt_endings_total NaN") {
		t.Error("/metrics makes up a number that nobody can know")
	}
}
