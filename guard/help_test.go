package guard

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"exeunt.dev/exeunttest"
	"exeunt.dev/ledger"
)

// made is a guard of iss that nobody runs yet; the client reaches the issuer without sockets.
func made(t testing.TB, iss *exeunttest.Issuer, opts ...Option) *Guard {
	t.Helper()
	all := append([]Option{Audience(iss.Audience), Credentials(iss.ID, iss.Secret), HTTPClient(iss.Client())}, opts...)
	g, err := New(iss.URL, all...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// running is a guard that follows iss and is fresh.
func running(t testing.TB, iss *exeunttest.Issuer, opts ...Option) *Guard {
	t.Helper()
	g := made(t, iss, opts...)
	follow(t, g)
	if err := g.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return g
}

func follow(t testing.TB, g *Guard) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- g.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// caughtUp is a guard that knows iss now and that nobody runs: time stands still for it.
func caughtUp(t testing.TB, iss *exeunttest.Issuer, opts ...Option) *Guard {
	t.Helper()
	g := made(t, iss, append([]Option{new(handClock).option()}, opts...)...)
	if err := g.keys.refresh(); err != nil {
		t.Fatal(err)
	}
	catchUp(t, g)
	return g
}

func catchUp(t testing.TB, g *Guard) {
	t.Helper()
	for again, err := true, error(nil); again; {
		if again, err = g.ask(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
}

func wantErr(t testing.TB, g *Guard, raw string, want error) {
	t.Helper()
	tok, err := g.Check(raw)
	if !errors.Is(err, want) || (err == nil) != (tok != nil) {
		t.Fatalf("Check = %v, %v; want %v", tok, err, want)
	}
}

// via is the issuer with something in between. It counts requests by path.
type via struct {
	iss  http.RoundTripper
	hook func(r *http.Request, next http.RoundTripper) (*http.Response, error)

	mu    sync.Mutex
	paths map[string]int
}

func through(iss *exeunttest.Issuer, hook func(*http.Request, http.RoundTripper) (*http.Response, error)) (*via, Option) {
	v := &via{iss: exeunttest.Memory(iss.Handler()), hook: hook, paths: map[string]int{}}
	return v, HTTPClient(&http.Client{Transport: v})
}

func (v *via) RoundTrip(r *http.Request) (*http.Response, error) {
	v.mu.Lock()
	v.paths[r.URL.Path]++
	v.mu.Unlock()
	if v.hook == nil {
		return v.iss.RoundTrip(r)
	}
	return v.hook(r, v.iss)
}

func (v *via) count(path string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.paths[path]
}

// noTail is a proxy that does not let the tail through, or forever buffers it.
func noTail(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	if r.URL.Path == ledger.PathTail {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return next.RoundTrip(r)
}

var errLine = errors.New("line is dead")

// handClock is a clock to turn.
type handClock struct{ mono, wall atomic.Int64 }

func (c *handClock) option() Option {
	return func(s *settings) error {
		s.clock = func() reading { return reading{mono: c.mono.Load(), wall: c.wall.Load()} }
		return nil
	}
}

// events collects what is observed.
type events struct {
	mu  sync.Mutex
	all []Event
}

func (e *events) option() Option {
	return Observe(func(ev Event) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.all = append(e.all, ev)
	})
}

func (e *events) count(k EventKind) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.all {
		if ev.Kind == k {
			n++
		}
	}
	return n
}

func (e *events) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var b strings.Builder
	for _, ev := range e.all {
		b.WriteString(string(ev.Kind))
		if ev.Err != nil {
			b.WriteString(" (" + ev.Err.Error() + ")")
		}
		b.WriteString("\n")
	}
	return b.String()
}
