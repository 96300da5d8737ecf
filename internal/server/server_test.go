package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

func settings(t *testing.T, dir string) config.Config {
	t.Helper()
	c := config.Default()
	c.Data, c.KeyFile = filepath.Join(dir, "db"), filepath.Join(dir, "key")
	c.Listen = freeAddress(t)
	c.Issuer = "http://" + c.Listen
	return c
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) count(part string) int { return strings.Count(l.String(), part) }

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func start(t *testing.T, c config.Config, log ...io.Writer) (stop func() error) {
	t.Helper()
	s, err := server.New(t.Context(), c, slog.New(slog.NewJSONHandler(io.MultiWriter(log...), nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() { stop() })
	return stop
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

func TestServes(t *testing.T) {
	c := settings(t, t.TempDir())
	stop := start(t, c)
	for path, want := range map[string]string{
		"/.well-known/openid-configuration": `"issuer":"` + c.Issuer + `"`,
		"/healthz":                          "alive", "/readyz": "ready", "/login": "Sign in", "/metrics": "exeunt_endings_total 0",
	} {
		if status, body := get(t, c.Issuer+path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	start(t, c) // everything was let go of
	if status, _ := get(t, c.Issuer+"/readyz"); status != 200 {
		t.Error(status)
	}
}

// Trust material is never silently made anew.
func TestKeyFileIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	c := settings(t, dir)
	start(t, c)()
	key, err := os.ReadFile(c.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(c.KeyFile); err != nil {
		t.Fatal(err)
	}
	_, err = server.New(t.Context(), c, slog.New(slog.DiscardHandler))
	var missing *server.MissingKeyError
	if !errors.As(err, &missing) {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.KeyFile); !os.IsNotExist(err) {
		t.Error("a key file was made for a database that has another")
	}
	if err := os.WriteFile(c.KeyFile, key, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, c)
}

// R: room for the longest token is made before it is minted.
func TestLifeCap(t *testing.T) {
	c := settings(t, t.TempDir())
	c.Policy.AccessLife *= 12
	b, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Store.View(t.Context(), func(v idp.View) error {
		if n, err := v.LifeCap(); err != nil || n < 3600 {
			t.Error(n, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Who starts a second server finds no new database and no new key beside the first one's.
func TestServer_AddressIsTakenFirst(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, key := range []string{"listen", "metrics_listen"} {
		dir := t.TempDir()
		c := settings(t, dir)
		if key == "listen" {
			c.Listen = l.Addr().String()
		} else {
			c.MetricsListen = l.Addr().String()
		}
		_, err = server.New(t.Context(), c, slog.New(slog.DiscardHandler))
		var taken *server.AddressError
		if !errors.As(err, &taken) || taken.Key != key || !strings.Contains(err.Error(), "is in use by another program") {
			t.Errorf("%s: %v", key, err)
		}
		if made, err := os.ReadDir(dir); err != nil || len(made) != 0 {
			t.Errorf("%s: it made %v, %v", key, made, err)
		}
		if again, err := net.Listen("tcp", c.Listen); key != "listen" {
			if err != nil {
				t.Error("the other address is still taken:", err)
			} else {
				again.Close()
			}
		}
	}
}
