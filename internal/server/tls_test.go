package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/server"
)

// issue makes a certificate, self-signed, and returns it with its key and itself as PEM.
func issue(t *testing.T, serial int64, names ...string) (cert *x509.Certificate, keyPEM, certPEM []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: names[0]}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return cert, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func put(t *testing.T, path string, parts ...[]byte) {
	t.Helper()
	if err := os.WriteFile(path, bytes.Join(parts, nil), 0o600); err != nil {
		t.Fatal(err)
	}
}

func trusting(certs ...*x509.Certificate) *http.Client {
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
}

// The certificate comes from files, and a renewed one is served without a restart; a half-written one is not.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	c := settings(t, dir)
	c.Issuer = "https://" + c.Listen
	c.TLS = config.TLS{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	first, key, pem1 := issue(t, 1, "localhost")
	put(t, c.TLS.KeyFile, key)
	put(t, c.TLS.CertFile, pem1)
	log := &lines{}
	start(t, c, log)
	serial := func(client *http.Client) int64 {
		t.Helper()
		res, err := client.Get(c.Issuer + "/.well-known/openid-configuration")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != 200 || res.Header.Get("Strict-Transport-Security") == "" || res.TLS.Version < tls.VersionTLS12 {
			t.Errorf("%s %v", res.Status, res.Header)
		}
		return res.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	if n := serial(trusting(first)); n != 1 {
		t.Errorf("certificate %d", n)
	}
	// A renewal is two files, and a handshake may come between the two.
	second, key, pem2 := issue(t, 2, "localhost")
	put(t, c.TLS.CertFile, pem2)
	later := time.Now().Add(2 * time.Second)
	if err := os.Chtimes(c.TLS.CertFile, later, later); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if n := serial(trusting(first, second)); n != 1 {
			t.Errorf("between the two files: certificate %d", n)
		}
	}
	if n := log.count("cannot be used; the one before serves on"); n != 1 {
		t.Errorf("that the new files do not fit is said %d times", n)
	}
	put(t, c.TLS.KeyFile, key)
	if n := serial(trusting(first, second)); n != 2 {
		t.Errorf("after the renewal: certificate %d", n)
	}
	for _, broken := range []func() error{
		func() error { return os.WriteFile(c.TLS.CertFile, []byte("half"), 0o600) },
		func() error { return os.Remove(c.TLS.CertFile) },
	} {
		if err := broken(); err != nil {
			t.Fatal(err)
		}
		if n := serial(trusting(first, second)); n != 2 {
			t.Errorf("while the next one is being written: certificate %d", n)
		}
	}
	// The session's cookie is bound to this host and to https.
	client := trusting(first, second)
	res, err := client.Get(c.Issuer + "/csrf_token/")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if all := strings.Join(res.Header.Values("Set-Cookie"), "\n"); !strings.Contains(all, "__Host-exeunt-browser=") || !strings.Contains(all, "Secure") || !strings.Contains(all, "HttpOnly") {
		t.Errorf("cookies: %s", all)
	}
}

// Nothing to serve with, or nothing that browsers take.
func TestCertificateAtStart(t *testing.T) {
	dir := t.TempDir()
	c := settings(t, dir)
	c.Issuer = "https://id.example.com"
	c.TLS = config.TLS{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	if _, err := server.New(t.Context(), c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "certificate cannot be used") {
		t.Errorf("no certificate: %v", err)
	}
	_, key, cert := issue(t, 1, "another.example.com")
	_, other, _ := issue(t, 1, "id.example.com")
	put(t, c.TLS.CertFile, cert)
	put(t, c.TLS.KeyFile, other)
	if _, err := server.New(t.Context(), c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "certificate cannot be used") {
		t.Errorf("another's key: %v", err)
	}
	put(t, c.TLS.KeyFile, key)
	log := &lines{}
	start(t, c, log)
	if log.count("not for the issuer's host") != 1 {
		t.Error("nobody is told that the certificate is for another host")
	}
}

// By ACME, with what is cached: for the issuer's host and no other, and nothing is asked of an authority. e2e/acme has one.
func TestACME(t *testing.T) {
	dir := t.TempDir()
	c := settings(t, dir)
	c.Issuer = "https://id.example.com"
	c.TLS = config.TLS{ACME: true, Cache: filepath.Join(dir, "acme")}
	cached := filepath.Join(c.TLS.Cache, "acme-v02.api.letsencrypt.org")
	if err := os.MkdirAll(cached, 0o700); err != nil {
		t.Fatal(err)
	}
	cert, key, pem := issue(t, 7, "id.example.com")
	put(t, filepath.Join(cached, "id.example.com.cert.pem"), key, pem)
	_, key, pem = issue(t, 8, "other.example.com")
	put(t, filepath.Join(cached, "other.example.com.cert.pem"), key, pem)
	log := &lines{}
	start(t, c, log)
	shake := func(name string, protocols ...string) (*tls.ConnectionState, error) {
		conn, err := tls.Dial("tcp", c.Listen, &tls.Config{ServerName: name, NextProtos: protocols, InsecureSkipVerify: true}) // what is served is looked at below
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		s := conn.ConnectionState()
		return &s, nil
	}
	for _, name := range []string{"id.example.com", "ID.Example.COM"} {
		if s, err := shake(name, "h2"); err != nil || s.PeerCertificates[0].SerialNumber.Int64() != 7 || s.NegotiatedProtocol != "h2" {
			t.Errorf("the issuer's host: %v", err)
		}
	}
	for _, name := range []string{"other.example.com", "evil.id.example.com", "localhost", "../account", ""} {
		if _, err := shake(name, "h2"); err == nil {
			t.Errorf("%s is served", name)
		}
	}
	if _, err := shake("id.example.com", "acme-tls/1"); err == nil {
		t.Error("an authority's question is answered that nobody asked for")
	}
	if _, err := tls.Dial("tcp", c.Listen, &tls.Config{RootCAs: trusting(cert).Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "id.example.com", MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if log.count(`"level":"WARN"`)+log.count(`"level":"ERROR"`) != 1 { // the new key file
		t.Errorf("complaints: %s", log)
	}
}

// Whoever can write there can have this server serve with a key of theirs.
func TestACMECacheOfOthers(t *testing.T) {
	dir := t.TempDir()
	c := settings(t, dir)
	c.Issuer = "https://id.example.com"
	c.TLS = config.TLS{ACME: true, Cache: filepath.Join(dir, "acme")}
	if err := os.Mkdir(c.TLS.Cache, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(c.TLS.Cache, 0o777); err != nil {
		t.Fatal(err)
	}
	discard := slog.New(slog.DiscardHandler)
	if _, err := server.New(t.Context(), c, discard); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("a folder that everybody can write in: %v", err)
	}
	if err := os.Chmod(c.TLS.Cache, 0o700); err != nil {
		t.Fatal(err)
	}
	// An account's key that cannot be read is not replaced.
	account := filepath.Join(c.TLS.Cache, "acme-v02.api.letsencrypt.org", "account.pem")
	if err := os.Mkdir(filepath.Dir(account), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, account, []byte("torn"))
	if _, err := server.New(t.Context(), c, discard); err == nil || !strings.Contains(err.Error(), "holds no key") {
		t.Errorf("a torn account key: %v", err)
	}
	c.TLS.Cache, c.TLS.RootFile = filepath.Join(dir, "acme2"), account
	if _, err := server.New(t.Context(), c, discard); err == nil || !strings.Contains(err.Error(), "root_file") {
		t.Errorf("a root without a certificate: %v", err)
	}
}
