package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"time"

	"exeunt.dev/internal/config"
	"golang.org/x/crypto/acme/autocert"
)

// secure is how this server speaks TLS itself; nil: not at all, a proxy does, or nobody needs to.
func secure(c config.Config, log *slog.Logger) (*tls.Config, error) {
	if c.TLS == (config.TLS{}) {
		return nil, nil
	}
	u, err := url.Parse(c.Issuer)
	if err != nil {
		return nil, err
	}
	if c.TLS.ACME {
		if err := privateFolder(c.TLS.Cache); err != nil {
			return nil, fmt.Errorf("tls.acme.cache cannot be used: %w", err)
		}
		// For the issuer's host only: anybody can send any name, and each would cost an order (and soon the right to more).
		// The proof is TLS-ALPN-01 (RFC 8737), on the same listener: no second port is needed.
		m := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(u.Hostname()), Cache: autocert.DirCache(c.TLS.Cache), Email: c.TLS.Email}
		out := m.TLSConfig()
		out.MinVersion = tls.VersionTLS12
		return out, nil
	}
	files := &certificate{cert: c.TLS.CertFile, key: c.TLS.KeyFile, host: u.Hostname(), log: log}
	if _, err := files.get(nil); err != nil {
		return nil, fmt.Errorf("certificate cannot be used: %w", err)
	}
	return &tls.Config{GetCertificate: files.get, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}, nil
}

// privateFolder makes a folder for private keys, or refuses one in which others can write: who can put a file there can
// have this server serve with a key of theirs.
func privateFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if others := info.Mode().Perm() & 0o022; others != 0 {
		return fmt.Errorf("others can write in %s (mode %04o): chmod 700 it", path, info.Mode().Perm())
	}
	return nil
}

// certificate reads its files again when they change, so that a renewal needs no restart.
type certificate struct {
	cert, key string
	host      string // of the issuer
	log       *slog.Logger

	mu      sync.Mutex
	loaded  *tls.Certificate
	changed time.Time // of the file that is loaded
	said    string    // the last complaint, which is made once
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.cert)
	if err == nil && c.loaded != nil && info.ModTime().Equal(c.changed) {
		return c.loaded, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(c.cert, c.key)
	}
	if err == nil {
		c.loaded, c.changed, c.said = &pair, info.ModTime(), ""
		c.look()
		return c.loaded, nil
	}
	if c.loaded == nil {
		return nil, err
	}
	// Half written, or wrong: the one before serves on.
	if c.said != err.Error() {
		c.said = err.Error()
		c.log.Warn("the certificate's files have changed and cannot be used; the one before serves on", "error", err)
	}
	return c.loaded, nil
}

// look warns of a certificate that browsers will refuse. A proxy in front may think otherwise, so it is served.
func (c *certificate) look() {
	leaf := c.loaded.Leaf
	if err := leaf.VerifyHostname(c.host); err != nil {
		c.log.Warn("the certificate is not for the issuer's host", "host", c.host, "error", err)
	}
	if now := time.Now(); now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		c.log.Warn("the certificate is not valid now", "from", leaf.NotBefore, "until", leaf.NotAfter)
	}
}
