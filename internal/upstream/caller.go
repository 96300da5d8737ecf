package upstream

import (
	"bytes"
	"crypto/x509"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"exeunt.dev/internal/outbound"
	"exeunt.dev/provider"
)

// caller is how providers are called: no redirects, no proxy of the environment, 64 KiB answers. Hosts that the website's
// owner wrote down may have any address; hosts that a provider named in its discovery document only public ones.
type caller struct {
	written, named *outbound.Client
	hosts          map[string]bool
}

func newCaller(p provider.Provider, roots *x509.CertPool, timeout time.Duration) *http.Client {
	all := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	c := &caller{
		written: outbound.New(outbound.Options{Allow: all, Roots: roots, Timeout: timeout}),
		named:   outbound.New(outbound.Options{Roots: roots, Timeout: timeout}),
		hosts:   map[string]bool{},
	}
	e := p.Endpoints
	for _, at := range []string{p.Issuer, e.Authorize, e.Token, e.Profile, e.EndSession, e.Revoke} {
		if u, err := url.Parse(at); err == nil {
			c.hosts[u.Hostname()] = true
		}
	}
	for _, h := range p.Hosts {
		c.hosts[h] = true
	}
	// What RoundTrip does not follow, the client must not either.
	return &http.Client{Transport: c, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// RoundTrip refuses what is not https, loopback apart, whoever named it: tokens and secrets are in these calls.
func (c *caller) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := provider.Safe(r.URL.String()); err != nil {
		return nil, err
	}
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	client := c.named
	if c.hosts[r.URL.Hostname()] {
		client = c.written
	}
	a, err := client.Do(r.Context(), outbound.Request{Method: r.Method, URL: r.URL.String(), Header: r.Header, Body: body})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(a.Status), StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body)), ContentLength: int64(len(a.Body)), Request: r,
	}, nil
}
