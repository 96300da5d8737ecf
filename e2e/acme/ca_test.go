package acme_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// pebble is the authority: Let's Encrypt's own for tests, built from its module, which is no dependency of ours.
const pebble = "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1"

// builder builds it once for all tests.
type builder struct {
	once sync.Once
	dir  string
	err  error
}

var built builder

func (b *builder) program(t *testing.T) string {
	t.Helper()
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "exeunt-pebble-"); b.err != nil {
			return
		}
		cmd := exec.Command("go", "install", pebble)
		cmd.Dir = b.dir // not of our module
		cmd.Env = append(os.Environ(), "GOBIN="+b.dir, "GOFLAGS=")
		cmd.Stderr = os.Stderr
		b.err = cmd.Run()
	})
	if b.err != nil {
		t.Fatalf("%s cannot be built: %v", pebble, b.err)
	}
	return filepath.Join(b.dir, "pebble")
}

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(built.dir)
	os.Exit(code)
}

// text gathers what a program says, and wakes who waits for it.
type text struct {
	mu    sync.Mutex
	said  bytes.Buffer
	grown chan struct{}
}

func newText() *text { return &text{grown: make(chan struct{})} }

func (l *text) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.grown)
	l.grown = make(chan struct{})
	return l.said.Write(b)
}

func (l *text) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.String()
}

func (l *text) count(part string) int { return strings.Count(l.String(), part) }

// wait waits until part was said n times.
func (l *text) wait(t *testing.T, part string, n int) {
	t.Helper()
	late := time.After(3 * time.Minute)
	for {
		l.mu.Lock()
		grown := l.grown
		enough := strings.Count(l.said.String(), part) >= n
		l.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-grown:
		case <-late:
			t.Fatalf("%q was not said %d times:\n%s", part, n, l)
		}
	}
}

// authority is a running pebble.
type authority struct {
	address, manage string
	names           string // of the DNS server it asks
	asks            string // the port on which it looks for proofs
	life            time.Duration
	dir             string
	root            string // the file: whom its own address is trusted by
	log             *text
	cmd             *exec.Cmd
	exited          chan struct{}
}

// newAuthority prepares one that gives certificates of that life, for names that it finds at our address.
func newAuthority(t *testing.T, ours string, life time.Duration) *authority {
	t.Helper()
	if testing.Short() {
		t.Skip("builds another program")
	}
	dir := t.TempDir()
	_, port, _ := net.SplitHostPort(ours)
	a := &authority{address: freeAddress(t), manage: freeAddress(t), names: resolver(t), asks: port, life: life, dir: dir, root: filepath.Join(dir, "cert.pem")}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, a.root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}))
	return a
}

func (a *authority) directory() string { return "https://" + a.address + "/dir" }

// up starts it. It keeps nothing of the time before: neither accounts nor its own key.
func (a *authority) up(t *testing.T) {
	t.Helper()
	number := func(port string) (n int) { n, _ = net.LookupPort("tcp", port); return n }
	conf, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": a.address, "managementListenAddress": a.manage, "certificate": a.root, "privateKey": filepath.Join(a.dir, "key.pem"),
		"httpPort": 1, "tlsPort": number(a.asks), "domainBlocklist": []string{"blocked.example.com"}, "retryAfter": map[string]int{"authz": 1, "order": 1},
		"keyAlgorithm": "ecdsa", "profiles": map[string]any{"only": map[string]any{"description": "only", "validityPeriod": int(a.life.Seconds())}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(a.dir, "conf.json"), conf)
	a.log, a.exited = newText(), make(chan struct{})
	a.cmd = exec.Command(built.program(t), "-config", filepath.Join(a.dir, "conf.json"), "-dnsserver", a.names, "-strict")
	a.cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	a.cmd.Stdout, a.cmd.Stderr = a.log, a.log
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd, exited := a.cmd, a.exited
	go func() { cmd.Wait(); close(exited) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-exited })
	within, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for _, l := range []string{a.address, a.manage} {
		for {
			conn, err := net.Dial("tcp", l)
			if err == nil {
				conn.Close()
				break
			}
			select {
			case <-a.exited:
				t.Fatalf("pebble has ended:\n%s", a.log)
			case <-within.Done():
				t.Fatal(err)
			case <-time.After(10 * time.Millisecond): // until it listens
			}
		}
	}
}

func (a *authority) down() {
	a.cmd.Process.Kill()
	<-a.exited
}

// client trusts what this authority gives, and reaches ours whatever the name.
func (a *authority) client(t *testing.T, ours string) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	text, err := os.ReadFile(a.root)
	if err != nil {
		t.Fatal(err)
	}
	pool.AppendCertsFromPEM(text)
	manage := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	res, err := manage.Get("https://" + a.manage + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	root, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	if !pool.AppendCertsFromPEM(root) {
		t.Fatalf("no root: %s", root)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", ours)
		}}}
}

// resolver answers every name with 127.0.0.1 (DNS over TCP, RFC 7766): the authority looks where the name leads.
func resolver(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	answer := func(conn net.Conn) {
		defer conn.Close()
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		q := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, q); err != nil || len(q) < 17 {
			return
		}
		end := 12 + bytes.IndexByte(q[12:], 0) + 5 // name, type, class
		out := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end]...)
		if binary.BigEndian.Uint16(q[end-4:]) == 1 { // A
			out[7] = 1
			out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
		}
		conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...))
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answer(conn)
		}
	}()
	return l.Addr().String()
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
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
