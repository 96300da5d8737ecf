package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
)

// write makes a certificate for this machine, self-signed, and returns it.
func write(t *testing.T, cert, key string, serial int64) *x509.Certificate {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{key: {Type: "EC PRIVATE KEY", Bytes: private}, cert: {Type: "CERTIFICATE", Bytes: der}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
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
	first := write(t, c.TLS.CertFile, c.TLS.KeyFile, 1)
	start(t, c)
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
	later := time.Now().Add(2 * time.Second)
	second := write(t, c.TLS.CertFile, c.TLS.KeyFile, 2)
	if err := os.Chtimes(c.TLS.CertFile, later, later); err != nil {
		t.Fatal(err)
	}
	if n := serial(trusting(first, second)); n != 2 {
		t.Errorf("after the renewal: certificate %d", n)
	}
	if err := os.WriteFile(c.TLS.CertFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := serial(trusting(first, second)); n != 2 {
		t.Errorf("while the next one is being written: certificate %d", n)
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

// Behind a proxy that is named: a real one, in front of a real server.
func TestBehindProxy(t *testing.T) {
	c := settings(t, t.TempDir())
	c.Issuer = "https://id.example.com"
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	start(t, c)
	target, err := url.Parse("http://" + c.Listen)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy := &http.Server{Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.SetXForwarded()
		r.Out.Header.Set("X-Forwarded-Proto", "https")
	}}}
	go proxy.Serve(l)
	t.Cleanup(func() { proxy.Close() })
	res, err := http.Get("http://" + l.Addr().String() + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(body), `"issuer":"https://id.example.com"`) || strings.Contains(string(body), "127.0.0.1") {
		t.Errorf("the issuer as people see it: %s", body)
	}
	if res.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS")
	}
}
