package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/acme/autocert"
)

func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	c := s.base.Config
	var secure *tls.Config
	switch {
	case c.TLS.ACME:
		u, err := url.Parse(c.Issuer)
		if err != nil {
			return nil, err
		}
		m := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(u.Hostname()), Cache: autocert.DirCache(c.TLS.Cache), Email: c.TLS.Email}
		secure = m.TLSConfig()
	case c.TLS.CertFile != "":
		files := &certificate{cert: c.TLS.CertFile, key: c.TLS.KeyFile}
		if _, err := files.get(nil); err != nil {
			return nil, fmt.Errorf("certificate cannot be used: %w", err)
		}
		secure = &tls.Config{GetCertificate: files.get, NextProtos: []string{"h2", "http/1.1"}}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil || secure == nil {
		return l, err
	}
	secure.MinVersion = tls.VersionTLS12
	return tls.NewListener(l, secure), nil
}

// certificate reads its files again when they change, so that a renewal needs no restart.
type certificate struct {
	cert, key string
	mu        sync.Mutex
	loaded    *tls.Certificate
	changed   time.Time
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
	switch {
	case err == nil:
		c.loaded, c.changed = &pair, info.ModTime()
	case c.loaded != nil: // half written: the old one serves on
		return c.loaded, nil
	}
	return c.loaded, err
}
