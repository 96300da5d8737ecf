package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"time"

	"exeunt.dev/internal/acme"
	"exeunt.dev/internal/config"
)

// secure is how this server speaks TLS itself; nil: not at all, a proxy does, or nobody needs to.
func (s *Server) secure(c config.Config) (*tls.Config, error) {
	if c.TLS == (config.TLS{}) {
		return nil, nil
	}
	u, err := url.Parse(c.Issuer)
	if err != nil {
		return nil, err
	}
	if c.TLS.ACME {
		if s.acme, err = acme.New(acme.Options{Host: u.Hostname(), Cache: c.TLS.Cache, Email: c.TLS.Email, Directory: c.TLS.Directory, RootFile: c.TLS.RootFile, Log: s.log}); err != nil {
			return nil, fmt.Errorf("tls.acme: %w", err)
		}
		return s.acme.Config(), nil
	}
	files := &certificate{cert: c.TLS.CertFile, key: c.TLS.KeyFile, host: u.Hostname(), log: s.log}
	if _, err := files.get(nil); err != nil {
		return nil, fmt.Errorf("certificate cannot be used: %w", err)
	}
	return &tls.Config{GetCertificate: files.get, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}, nil
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
