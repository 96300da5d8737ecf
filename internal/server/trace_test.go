package server_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/server"
)

// burst asks more than the queue of spans holds, and says how long the slowest answer took.
func burst(t *testing.T, at string, client *http.Client) (slowest time.Duration) {
	t.Helper()
	for range 3000 {
		began := time.Now()
		res, err := client.Get(at + "/session/")
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != 200 {
			t.Fatal(res.Status)
		}
		slowest = max(slowest, time.Since(began))
	}
	return slowest
}

// A collector that is away, that refuses, or that takes what it gets and never answers: no request fails or waits, the log
// says it once, and the server stops in time.
func TestCollectorAway(t *testing.T) {
	hung := make(chan struct{})
	defer close(hung)
	hangs, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hangs.Close()
	go func() {
		for {
			conn, err := hangs.Accept()
			if err != nil {
				return
			}
			go func() { <-hung; conn.Close() }()
		}
	}()
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer refuses.Close()
	for name, at := range map[string]string{"away": "http://" + freeAddress(t), "hangs": "http://" + hangs.Addr().String(), "refuses": refuses.URL} {
		t.Run(name, func(t *testing.T) {
			c := settings(t, t.TempDir())
			c.Tracing = config.Tracing{Endpoint: at + "/v1/traces", Sample: 1}
			c.LogLevel = slog.LevelWarn
			log := &lines{}
			stop := start(t, c, log)
			client := &http.Client{Timeout: 2 * time.Minute}
			defer client.CloseIdleConnections()
			t.Logf("the longest request took %v", burst(t, c.Issuer, client))
			client.CloseIdleConnections()
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for began := time.Now(); log.count("traces cannot be delivered") == 0 && time.Since(began) < time.Minute; {
				<-tick.C
			}
			if err := stop(); err != nil { // while a collector hangs still
				t.Error(err)
			}
			if said := log.count("traces cannot be delivered"); said != 1 {
				t.Errorf("said %d times", said)
			}
		})
	}
}

// It comes back: what is made from then on arrives, and the log says so.
func TestCollectorBack(t *testing.T) {
	var mu sync.Mutex
	status, took := http.StatusServiceUnavailable, make(chan struct{}, 100)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.WriteHeader(status)
		took <- struct{}{}
	}))
	defer collector.Close()
	c := settings(t, t.TempDir())
	c.Tracing = config.Tracing{Endpoint: collector.URL, Sample: 1}
	log := &lines{}
	stop := start(t, c, log)
	get(t, c.Issuer+"/healthz")
	<-took
	mu.Lock()
	status = http.StatusOK
	mu.Unlock()
	get(t, c.Issuer+"/healthz")
	<-took
	if err := stop(); err != nil {
		t.Error(err)
	}
	if log.count("traces cannot be delivered") != 1 || log.count("traces are delivered again") != 1 {
		t.Errorf("%s", log)
	}
}

// A server that never ran leaves nothing behind that would go on delivering.
func TestTracesOfAServerThatNeverRan(t *testing.T) {
	c := settings(t, t.TempDir())
	c.Tracing = config.Tracing{Endpoint: "http://" + freeAddress(t), Sample: 1}
	s, err := server.New(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
