package acme

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
)

// Options of a manager. Host and Cache must be there.
type Options struct {
	Host      string // whom the certificate is for, in ASCII
	Cache     string // a folder for the account's key, the certificate and its key
	Email     string // for the authority; "": none
	Directory string // of the authority; "": Let's Encrypt
	RootFile  string // PEM: whom the authority's own address must come from; "": whom the system trusts
	Log       *slog.Logger
}

// Manager holds one certificate.
type Manager struct {
	Options
	folder string // below Cache, for this authority: another's certificates are not taken for its own
	http   *http.Client

	account *ecdsa.PrivateKey // nil: not made yet. Run's
	said    string            // the last complaint. Run's
	saidAt  time.Time

	serving atomic.Pointer[tls.Certificate]
	proof   atomic.Pointer[tls.Certificate] // while the authority asks
}

// New reads what is cached. It asks nobody.
func New(o Options) (*Manager, error) {
	o.Host = strings.ToLower(o.Host)
	if o.Directory == "" {
		o.Directory = acme.LetsEncryptURL
	}
	u, err := url.Parse(o.Directory)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("directory %q is not an https address", o.Directory)
	}
	var roots *x509.CertPool
	if o.RootFile != "" {
		text, err := os.ReadFile(o.RootFile)
		if err != nil {
			return nil, fmt.Errorf("root_file cannot be read: %w", err)
		}
		if roots = x509.NewCertPool(); !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("root_file %s has no certificate in it", o.RootFile)
		}
	}
	// The operator chose whom to call, so this is not the outbound client: an authority of his own is on an inner network, and
	// the only way to a public one may be the proxy of the environment.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	m := &Manager{Options: o, folder: filepath.Join(o.Cache, strings.ReplaceAll(u.Host, ":", "_")), http: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
	if err := m.open(); err != nil {
		return nil, fmt.Errorf("cache cannot be used: %w", err)
	}
	return m, nil
}

// Config is for a listener.
func (m *Manager) Config() *tls.Config {
	return &tls.Config{GetCertificate: m.get, NextProtos: []string{"h2", "http/1.1", acme.ALPNProto}, MinVersion: tls.VersionTLS12}
}

func (m *Manager) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if !strings.EqualFold(hello.ServerName, m.Host) {
		return nil, errors.New("not the name of this server")
	}
	from := &m.serving
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) { // RFC 8737 section 3: this and nothing else
		from = &m.proof
	}
	if c := from.Load(); c != nil {
		return c, nil
	}
	return nil, errors.New("no certificate yet")
}

// Run gets the certificate and renews it, until ctx ends.
func (m *Manager) Run(ctx context.Context) {
	defer m.http.CloseIdleConnections()
	failures := 0
	for ctx.Err() == nil {
		next := m.due()
		if time.Now().Before(next) {
			m.sleep(ctx, next)
			continue
		}
		err := m.renew(ctx)
		if err == nil && time.Now().Before(m.due()) {
			failures, m.said = 0, ""
			continue
		}
		if err == nil {
			err = errors.New("the new certificate is due already: is this machine's clock right?")
		}
		if ctx.Err() != nil {
			return
		}
		wait := again(err, failures)
		failures++
		m.complain(err, wait)
		m.sleep(ctx, time.Now().Round(0).Add(wait))
	}
}

// sleep goes by the wall clock and looks at it every hour: a machine that was suspended must notice.
func (m *Manager) sleep(ctx context.Context, until time.Time) {
	for wait := time.Until(until); wait > 0; wait = time.Until(until) {
		timer := time.NewTimer(min(wait, time.Hour))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// due is when to ask: with a third of its life left, which is what authorities advise and leaves time for them to be away.
func (m *Manager) due() time.Time {
	c := m.serving.Load()
	if c == nil {
		return time.Time{}
	}
	return c.Leaf.NotAfter.Add(-c.Leaf.NotAfter.Sub(c.Leaf.NotBefore) / 3)
}

const (
	awayFirst, awayMost = 5 * time.Second, 10 * time.Minute
	noFirst, noMost     = time.Minute, time.Hour
)

// again is when to ask after a failure. To find nobody costs nothing; what an authority refuses counts against a limit
// (Let's Encrypt: five an hour for a name).
func again(err error, failures int) time.Duration {
	first, most := noFirst, noMost
	var away *url.Error
	var problem *acme.Error
	if errors.As(err, &away) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &problem) && problem.StatusCode >= 500 {
		first, most = awayFirst, awayMost
	}
	wait := min(first<<min(failures, 10), most)
	if problem != nil {
		if asked, limited := acme.RateLimit(problem); limited {
			wait = max(wait, min(asked, 24*time.Hour))
		}
	}
	return wait
}

// complain says what is wrong when it is new, and once a day.
func (m *Manager) complain(err error, wait time.Duration) {
	if err.Error() == m.said && time.Since(m.saidAt) < 24*time.Hour {
		return
	}
	m.said, m.saidAt = err.Error(), time.Now()
	log := m.Log.With("host", m.Host, "directory", m.Directory, "error", err, "again_in", wait.String())
	switch c := m.serving.Load(); {
	case c == nil:
		log.Error("there is no certificate, and none could be had: nobody can reach this server until then")
	case time.Now().After(c.Leaf.NotAfter):
		log.Error("the certificate has expired and could not be renewed: browsers refuse it", "until", c.Leaf.NotAfter)
	default:
		log.Warn("the certificate could not be renewed; the one before serves on", "until", c.Leaf.NotAfter)
	}
}
