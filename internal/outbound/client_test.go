package outbound_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/outbound"
)

// names is a name server. Each host has a list of answers, one per question; the last is repeated.
type names struct {
	mu    sync.Mutex
	hosts map[string][][]string
	asked int
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	answers := n.hosts[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(answers) > 1 {
		n.hosts[host] = answers[1:]
	}
	var out []netip.Addr
	for _, a := range answers[0] {
		out = append(out, netip.MustParseAddr(a))
	}
	return out, nil
}

func resolving(host string, answers ...[]string) *names {
	return &names{hosts: map[string][][]string{host: answers}}
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// site starts an https server with the certificate of httptest, which is good for example.com and 127.0.0.1.
func site(t *testing.T, h http.HandlerFunc) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, roots
}

// at is the address of a server under another host name.
func at(s *httptest.Server, host, path string) string {
	u, _ := url.Parse(s.URL)
	return u.Scheme + "://" + net.JoinHostPort(host, u.Port()) + path
}

func client(t *testing.T, o outbound.Options) *outbound.Client {
	c := outbound.New(o)
	t.Cleanup(c.Close)
	return c
}

func wantKind(t *testing.T, err error, want outbound.Kind) {
	t.Helper()
	if got := outbound.KindOf(err); got != want {
		t.Fatalf("kind %q, want %q: %v (%v)", got, want, err, errors.Unwrap(err))
	}
}

func TestDo(t *testing.T) {
	s, roots := site(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(429)
		fmt.Fprint(w, r.Proto, r.Method, r.Host[:11], string(body), r.Header.Get("Content-Type"), r.UserAgent(), r.Header["Cookie"], r.Header["Accept-Encoding"])
	})
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	c := client(t, outbound.Options{Allow: loopback, Roots: roots, Resolver: resolving("example.com", []string{"127.0.0.1"})})
	for range 2 { // the second on the first's connection, and without its cookie
		a, err := c.Do(t.Context(), outbound.Request{URL: at(s, "example.com", "/out"), Header: http.Header{"Content-Type": {"x"}, "User-Agent": {"y"}}, Body: []byte("logout_token=z")})
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
		if a.Status != 429 || a.RetryAfter != 7*time.Second || string(a.Body) != "HTTP/2.0POSTexample.comlogout_token=zxexeunt[] []" {
			t.Errorf("%d %v %s", a.Status, a.RetryAfter, a.Body)
		}
	}
}

func TestDo_AddressesNotAllowed(t *testing.T) {
	var reached atomic.Int32
	s, roots := site(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer plain.Close()
	inner := resolving("example.com", []string{"127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "10.0.0.1"})
	for _, c := range []struct {
		name  string
		allow []netip.Prefix
		r     outbound.Request
		want  outbound.Kind
	}{
		{"a name", nil, outbound.Request{URL: at(s, "example.com", "/")}, outbound.RefusedAddress},
		{"a number", nil, outbound.Request{URL: s.URL}, outbound.RefusedAddress},
		{"a number in a v6 form", nil, outbound.Request{URL: at(s, "::ffff:127.0.0.1", "/")}, outbound.RefusedAddress},
		{"translated", nil, outbound.Request{URL: at(s, "64:ff9b::7f00:1", "/")}, outbound.RefusedAddress},
		{"this network", nil, outbound.Request{URL: at(s, "0.0.0.0", "/")}, outbound.RefusedAddress},
		{"http", nil, outbound.Request{URL: plain.URL}, outbound.RefusedAddress},
		{"http to a public address", loopback, outbound.Request{URL: "http://192.31.196.1/"}, outbound.RefusedAddress},
		{"another network allowed", []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, outbound.Request{URL: s.URL}, outbound.RefusedAddress},
		{"no such name", loopback, outbound.Request{URL: "https://nowhere.example/"}, outbound.DNS},
		{"a number in another base", loopback, outbound.Request{URL: at(s, "2130706433", "/")}, outbound.DNS},
		{"another scheme", loopback, outbound.Request{URL: "gopher://127.0.0.1/"}, outbound.BadRequest},
		{"a user", loopback, outbound.Request{URL: "https://me:pw@127.0.0.1/"}, outbound.BadRequest},
		{"no host", loopback, outbound.Request{URL: "https:///x"}, outbound.BadRequest},
		{"opaque", loopback, outbound.Request{URL: "https:127.0.0.1"}, outbound.BadRequest},
		{"split", loopback, outbound.Request{URL: "https://127.0.0.1/ \r\nX: y"}, outbound.BadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := client(t, outbound.Options{Allow: c.allow, Roots: roots, Resolver: inner}).Do(t.Context(), c.r)
			wantKind(t, err, c.want)
			if strings.Contains(err.Error(), "pw") {
				t.Error(err)
			}
		})
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d calls arrived", n)
	}
}

// A network that is allowed is open to the operator's clients, with and without TLS.
func TestDo_AddressesAllowed(t *testing.T) {
	s, roots := site(t, func(http.ResponseWriter, *http.Request) {})
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer plain.Close()
	c := client(t, outbound.Options{Allow: loopback, Roots: roots})
	for _, u := range []string{s.URL, plain.URL, at(s, "::ffff:127.0.0.1", "/")} {
		a, err := c.Do(t.Context(), outbound.Request{URL: u})
		if err != nil || a.Status != 200 {
			t.Error(u, a.Status, err)
		}
	}
}

// The name server gives a good address when it is first asked and an inner one after that. What is connected to is what was
// checked: one question per connection.
func TestDo_NamesThatChangeTheirMind(t *testing.T) {
	var reached atomic.Int32
	s, roots := site(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	// 127.0.0.1 plays the public address, 127.0.0.2 the inner one; the trap listens there on the same port.
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	trap, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Skip(err)
	}
	defer trap.Close()
	trapped := make(chan struct{}, 9)
	go func() {
		for {
			conn, err := trap.Accept()
			if err != nil {
				return
			}
			conn.Close()
			trapped <- struct{}{}
		}
	}()
	n := resolving("example.com", []string{"127.0.0.1"}, []string{"127.0.0.2"}, []string{"127.0.0.2", "127.0.0.1"})
	c := client(t, outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Roots: roots, Resolver: n})
	r := outbound.Request{URL: at(s, "example.com", "/")}
	if _, err := c.Do(t.Context(), r); err != nil || n.asked != 1 {
		t.Fatal(err, n.asked)
	}
	c.Close()
	_, err = c.Do(t.Context(), r)
	wantKind(t, err, outbound.RefusedAddress)
	if _, err := c.Do(t.Context(), r); err != nil || n.asked != 3 {
		t.Fatal("the good one of two addresses was not used:", err, n.asked)
	}
	if len(trapped) != 0 || reached.Load() != 2 {
		t.Error("the inner address was connected to")
	}
}

func TestDo_Redirects(t *testing.T) {
	var reached atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer inner.Close()
	for _, status := range []int{300, 301, 302, 303, 307, 308, 399} {
		s, roots := site(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", inner.URL)
			w.WriteHeader(status)
		})
		_, err := client(t, outbound.Options{Allow: loopback, Roots: roots}).Do(t.Context(), outbound.Request{URL: s.URL, Body: []byte("x")})
		wantKind(t, err, outbound.Redirect)
		if e := new(outbound.Error); !errors.As(err, &e) || e.Status != status {
			t.Error(e)
		}
	}
	if reached.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// After a 101 the connection is the caller's, and no timeout is on it: nothing is awaited from it, and it is closed.
func TestDo_SwitchingProtocols(t *testing.T) {
	closed := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err = conn.Read(make([]byte, 1))
		closed <- err
	}))
	defer s.Close()
	c := client(t, outbound.Options{Allow: loopback, Timeout: time.Hour, PerHost: 1})
	for range 2 { // the second has the first's place
		_, err := c.Do(t.Context(), outbound.Request{URL: s.URL, Body: []byte("x")})
		wantKind(t, err, outbound.Interim)
		if e := new(outbound.Error); !errors.As(err, &e) || e.Status != 101 {
			t.Error(e)
		}
		if err := <-closed; !errors.Is(err, io.EOF) {
			t.Error("the connection was not closed:", err)
		}
	}
}

func TestDo_HugeAnswers(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 64<<10)
	sent := atomic.Int64{}
	for name, h := range map[string]http.HandlerFunc{
		"exact":  func(w http.ResponseWriter, _ *http.Request) { w.Write(big) },
		"length": func(w http.ResponseWriter, _ *http.Request) { w.Write(append(big, 'y')) },
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(big); err != nil {
					return
				}
				sent.Add(int64(len(big)))
			}
		},
		"headers": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", string(big)) },
	} {
		t.Run(name, func(t *testing.T) {
			s, roots := site(t, h)
			a, err := client(t, outbound.Options{Allow: loopback, Roots: roots}).Do(t.Context(), outbound.Request{URL: s.URL})
			switch name {
			case "exact":
				if err != nil || len(a.Body) != 64<<10 {
					t.Error(len(a.Body), err)
				}
			case "headers":
				if err == nil {
					t.Error("64 KiB of headers were read")
				}
			default:
				wantKind(t, err, outbound.TooLarge)
				if n := sent.Load(); n > 32<<20 { // what was on its way, or in buffers of the connection
					t.Errorf("%d bytes were taken", n)
				}
			}
		})
	}
}

// How long to wait is known of an answer whose body is not.
func TestDo_HugeAnswerWithRetryAfter(t *testing.T) {
	s, roots := site(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(503)
		w.Write(make([]byte, 65<<10))
	})
	_, err := client(t, outbound.Options{Allow: loopback, Roots: roots}).Do(t.Context(), outbound.Request{URL: s.URL})
	wantKind(t, err, outbound.TooLarge)
	if e := new(outbound.Error); !errors.As(err, &e) || e.Status != 503 || e.RetryAfter != 7*time.Second {
		t.Errorf("%+v", e)
	}
}

// Time is of the whole call, wherever it goes.
func TestDo_Time(t *testing.T) {
	hung, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hung.Close() })
	silent, roots := site(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	drip := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for r.Context().Err() == nil {
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			<-tick.C
		}
	}))
	t.Cleanup(drip.Close)
	for name, u := range map[string]string{"hung in TLS": "https://" + hung.Addr().String(), "hung": "http://" + hung.Addr().String(), "silent": silent.URL, "drip": drip.URL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := client(t, outbound.Options{Allow: loopback, Roots: roots, Timeout: 200 * time.Millisecond}).Do(t.Context(), outbound.Request{URL: u})
			wantKind(t, err, outbound.Timeout)
			if took := time.Since(began); took < 100*time.Millisecond || took > time.Minute {
				t.Error("took", took)
			}
		})
	}
	t.Run("given up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := client(t, outbound.Options{Allow: loopback, Roots: roots}).Do(ctx, outbound.Request{URL: silent.URL})
		wantKind(t, err, outbound.Cancelled)
	})
}

// A host of HTTP/2 that is owed answers (here to pings) and takes none loses its connection: whoever wrote next would wait for ever.
func TestDo_HostThatDoesNotRead(t *testing.T) {
	t.Parallel()
	s, roots := site(t, func(http.ResponseWriter, *http.Request) {})
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: s.TLS.Certificates, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ended := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			ended <- err
			return
		}
		defer conn.Close()
		conn.(*tls.Conn).NetConn().(*net.TCPConn).SetReadBuffer(4 << 10)
		conn.SetDeadline(time.Now().Add(3 * time.Minute)) // answers fill megabytes of buffers first
		const settings, status200 = "\x00\x00\x00\x04\x00\x00\x00\x00\x00", "\x00\x00\x01\x01\x05\x00\x00\x00\x01\x88"
		io.WriteString(conn, settings)
		frame := make([]byte, 9)
		for io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); frame[3] != 1 && err == nil; { // until HEADERS
			if _, err = io.ReadFull(conn, frame); err == nil {
				_, err = io.CopyN(io.Discard, conn, int64(frame[1])<<8|int64(frame[2]))
			}
		}
		io.WriteString(conn, status200)
		pings := strings.Repeat("\x00\x00\x08\x06\x00\x00\x00\x00\x00pingpong", 900)
		for err == nil {
			_, err = io.WriteString(conn, pings)
		}
		ended <- err
	}()
	c := client(t, outbound.Options{Allow: loopback, Roots: roots, Timeout: 700 * time.Millisecond})
	if _, err := c.Do(t.Context(), outbound.Request{URL: "https://" + l.Addr().String()}); err != nil {
		t.Error(err, errors.Unwrap(err))
	}
	if err := <-ended; errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("it keeps its connection")
	}
}

func TestDo_TLS(t *testing.T) {
	s, roots := site(t, func(http.ResponseWriter, *http.Request) {})
	n := &names{hosts: map[string][][]string{"example.com": {{"127.0.0.1"}}, "other.test": {{"127.0.0.1"}}}}
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer plain.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, c := range []struct {
		name, url string
		roots     *x509.CertPool
		want      outbound.Kind
	}{
		{"an unknown authority", at(s, "example.com", "/"), x509.NewCertPool(), outbound.TLS},
		{"another's certificate", at(s, "other.test", "/"), roots, outbound.TLS},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1), roots, outbound.TLS},
		{"nobody there", "https://" + closed.Addr().String(), roots, outbound.Unreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := client(t, outbound.Options{Allow: loopback, Roots: c.roots, Resolver: n}).Do(t.Context(), outbound.Request{URL: c.url})
			wantKind(t, err, c.want)
		})
	}
}

// One host never has more connections than it may, and takes none from another.
func TestDo_ConnectionsPerHost(t *testing.T) {
	release := make(chan struct{})
	arrived := make(chan struct{}, 8)
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	most := 0
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-release }))
	s.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		if state == http.StateActive {
			open[conn] = true
		} else {
			delete(open, conn)
		}
		most = max(most, len(open))
	}
	s.Start()
	defer s.Close()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer other.Close()
	c := client(t, outbound.Options{Allow: loopback, PerHost: 2})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := c.Do(t.Context(), outbound.Request{URL: s.URL}); err != nil {
				t.Error(err)
			}
		})
	}
	<-arrived
	<-arrived
	if _, err := c.Do(t.Context(), outbound.Request{URL: other.URL}); err != nil {
		t.Error(err)
	}
	close(release)
	wg.Wait()
	mu.Lock()
	defer mu.Unlock()
	if most != 2 {
		t.Errorf("%d connections at work at once", most)
	}
}

// Who watches is told of each call's host and of how it ended, and of nothing else.
func TestWatch(t *testing.T) {
	s, roots := site(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	var seen []string
	c := client(t, outbound.Options{Allow: loopback, Roots: roots, Resolver: resolving("example.com", []string{"127.0.0.1"}),
		Watch: func(_ context.Context, host string) func(int, outbound.Kind) {
			return func(status int, failed outbound.Kind) {
				seen = append(seen, fmt.Sprintf("%s %d %s", host, status, failed))
			}
		}})
	c.Do(t.Context(), outbound.Request{URL: at(s, "example.com", "/secret?a=b")})
	c.Do(t.Context(), outbound.Request{URL: at(s, "nowhere.example.com", "/secret")})
	c.Do(t.Context(), outbound.Request{URL: "https://user:secret@example.com/"})
	if want := []string{"example.com 418 ", "nowhere.example.com 0 dns", "example.com 0 bad-request"}; fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("%q", seen)
	}
}
