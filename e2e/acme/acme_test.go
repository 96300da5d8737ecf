package acme_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/server"
)

// node is a server with a configuration file.
type node struct {
	dir, listen string
	log         *text
	stop        func()
}

func newNode(t *testing.T) *node {
	return &node{dir: t.TempDir(), listen: freeAddress(t)}
}

func (n *node) up(t *testing.T, host string, ca *authority) {
	t.Helper()
	file := filepath.Join(n.dir, "exeunt.yaml")
	write(t, file, fmt.Appendf(nil, "issuer: https://%s\nlisten: %s\ntls:\n  acme:\n    cache: acme\n    email: who@example.com\n    directory: %s\n    root_file: %s\n", host, n.listen, ca.directory(), ca.root))
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	n.log = newText()
	s, err := server.New(t.Context(), c, slog.New(slog.NewTextHandler(n.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	n.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(n.stop)
}

// served asks a page over a connection of its own and returns the certificate's number and key.
func served(t *testing.T, client *http.Client, host string) (serial, key string) {
	t.Helper()
	res, err := client.Get("https://" + host + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || res.ProtoMajor != 2 {
		t.Errorf("%s %s", res.Proto, res.Status)
	}
	leaf := res.TLS.PeerCertificates[0]
	return leaf.SerialNumber.String(), string(leaf.RawSubjectPublicKeyInfo)
}

const obtained = "the certificate was obtained"

// A first start, strangers with other names, and a restart while the authority is away.
func TestCertificateFromAnAuthority(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	ca := newAuthority(t, n.listen, 90*24*time.Hour)
	ca.up(t)
	n.up(t, "id.example.com", ca)
	n.log.wait(t, obtained, 1)
	client := ca.client(t, n.listen)
	first, _ := served(t, client, "id.example.com")

	asked := ca.log.String()
	for _, c := range []*tls.Config{
		{ServerName: "other.example.com"}, {ServerName: "www.id.example.com"}, {ServerName: "example.com"}, {ServerName: "localhost"}, {},
		{ServerName: "id.example.com", NextProtos: []string{"acme-tls/1"}},    // the proof is over
		{ServerName: "other.example.com", NextProtos: []string{"acme-tls/1"}}, // nobody asked for it
	} {
		c.InsecureSkipVerify = true
		if conn, err := tls.Dial("tcp", n.listen, c); err == nil {
			conn.Close()
			t.Errorf("%q %v is served", c.ServerName, c.NextProtos)
		}
	}
	if now := ca.log.String(); now != asked {
		t.Errorf("a stranger made the server ask the authority: %s", now[len(asked):])
	}
	files := 0
	if err := filepath.WalkDir(filepath.Join(n.dir, "acme"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o700)
		if !d.IsDir() {
			want, files = 0o600, files+1
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %04o", path, info.Mode().Perm())
		}
		return nil
	}); err != nil || files != 2 {
		t.Errorf("the cache has %d files (account and certificate are 2): %v", files, err)
	}

	n.stop()
	ca.down()
	n.up(t, "id.example.com", ca)
	if again, _ := served(t, client, "id.example.com"); again != first {
		t.Error("a restart serves another certificate")
	}
	if strings.Contains(n.log.String(), "level=ERROR") || strings.Contains(n.log.String(), "level=WARN") {
		t.Errorf("an authority that nobody needs is missed:\n%s", n.log)
	}
}

// A certificate is renewed while people use it, with a new key, and outlives an authority that has gone.
func TestRenewal(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	ca := newAuthority(t, n.listen, 15*time.Second)
	ca.up(t)
	n.up(t, "id.example.com", ca)
	n.log.wait(t, obtained, 1)
	client := ca.client(t, n.listen)
	seen, keys := map[string]bool{}, map[string]bool{}
	until, tick := time.Now().Add(time.Minute), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for len(seen) < 2 && time.Now().Before(until) { // each one must work, across the renewal
		<-tick.C
		serial, key := served(t, client, "id.example.com")
		seen[serial], keys[key] = true, true
	}
	if len(seen) != 2 || len(keys) != 2 {
		t.Fatalf("%d certificates, %d keys:\n%s", len(seen), len(keys), n.log)
	}
	ca.down()
	const said = "could not be renewed; the one before serves on"
	n.log.wait(t, said, 1)
	if last, _ := served(t, client, "id.example.com"); !seen[last] {
		t.Error("another certificate")
	}
	// A restart, with what is cached due and nobody to ask: it serves, and says what is wrong once.
	n.stop()
	n.up(t, "id.example.com", ca)
	n.log.wait(t, said, 1)
	served(t, client, "id.example.com")
	if c := n.log.count("could not be renewed"); c != 1 {
		t.Errorf("said %d times:\n%s", c, n.log)
	}
	if !strings.Contains(n.log.String(), "connection refused") {
		t.Errorf("it is not said why:\n%s", n.log)
	}
}

// Nothing cached and nobody to ask: the server runs, says so once, and has its certificate soon after the authority is back.
func TestAuthorityAwayAtTheFirstStart(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	ca := newAuthority(t, n.listen, time.Hour)
	n.up(t, "id.example.com", ca)
	const said = "there is no certificate, and none could be had"
	n.log.wait(t, said, 1)
	for range 20 {
		if conn, err := tls.Dial("tcp", n.listen, &tls.Config{ServerName: "id.example.com", InsecureSkipVerify: true}); err == nil {
			conn.Close()
			t.Error("something is served")
		}
	}
	ca.up(t)
	n.log.wait(t, obtained, 1)
	served(t, ca.client(t, n.listen), "id.example.com")
	if c := n.log.count(said); c != 1 || !strings.Contains(n.log.String(), "connection refused") || !strings.Contains(n.log.String(), ca.directory()) {
		t.Errorf("said %d times:\n%s", c, n.log)
	}
}

// What the authority says about a refusal reaches the operator, and it is not asked again at once.
func TestAuthorityRefuses(t *testing.T) {
	for _, c := range []struct{ name, host, says, again string }{
		{"a name it does not serve", "blocked.example.com", "rejectedIdentifier", "1m0s"},
		{"a name that leads elsewhere", "elsewhere.example.com", "Failed to connect to", "1m0s"},
		{"an authority that is another", "impostor.example.com", "unknown authority", "5s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			looks := n.listen
			if c.host == "elsewhere.example.com" {
				looks = freeAddress(t) // nobody is there
			}
			ca := newAuthority(t, looks, time.Hour)
			ca.up(t)
			if c.host == "impostor.example.com" {
				ca.root = newAuthority(t, looks, time.Hour).root
			}
			n.up(t, c.host, ca)
			n.log.wait(t, "none could be had", 1)
			if said := n.log.String(); !strings.Contains(said, c.says) || !strings.Contains(said, "again_in="+c.again) {
				t.Errorf("%s", said)
			}
			if conn, err := tls.Dial("tcp", n.listen, &tls.Config{ServerName: c.host, InsecureSkipVerify: true}); err == nil {
				conn.Close()
				t.Error("something is served")
			}
			if _, err := os.Stat(filepath.Join(n.dir, "acme", strings.ReplaceAll(ca.address, ":", "_"), c.host+".cert.pem")); err == nil {
				t.Error("something was cached")
			}
		})
	}
}
