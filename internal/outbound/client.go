package outbound

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

const (
	mostBody   = 64 << 10
	mostHeader = 16 << 10
)

// Options of a client. The zero value is the strictest: the public Internet by https.
type Options struct {
	Allow    []netip.Prefix // networks that are not public and may be called, also without TLS
	Roots    *x509.CertPool // whom certificates must come from; nil: the system's
	Resolver Resolver       // nil: the system's
	Timeout  time.Duration  // of a whole call, answer included; 0: 5 s
	PerHost  int            // connections to one host and port, each for https and http; 0: 16
	// Watch is told that a call to a host begins, and gives what is told how it ended: a status, or why there is none. nil: nobody.
	Watch func(ctx context.Context, host string) func(status int, failed Kind)
}

// Client makes calls. It may be used by any number of goroutines.
type Client struct {
	timeout time.Duration
	watch   func(ctx context.Context, host string) func(status int, failed Kind)
	// One pool each, so that no call is served by a connection that its own rules would not have made.
	https, http *http.Transport
}

// Request is one call.
type Request struct {
	Method string // "": GET without a body, POST with one
	URL    string // absolute, http or https, without user and password
	Header http.Header
	Body   []byte
}

// Answer is what came back, whatever its status, redirects and interim answers apart.
type Answer struct {
	Status     int
	Header     http.Header
	Body       []byte
	RetryAfter time.Duration // 0: not said
}

// New makes a client. It dials nothing.
func New(o Options) *Client {
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.PerHost = cmp.Or(o.PerHost, 16)
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	allow := normal(o.Allow)
	conf := &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	pool := func(p policy, secure bool) *http.Transport {
		t := &http.Transport{
			Proxy:                  nil, // not the environment's: it would connect where we do not look
			DisableCompression:     true,
			MaxConnsPerHost:        o.PerHost,
			MaxIdleConnsPerHost:    o.PerHost, // many apps are told in bursts
			MaxIdleConns:           256,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: mostHeader,
			Protocols:              new(http.Protocols),
			HTTP2:                  &http.HTTP2Config{WriteByteTimeout: o.Timeout}, // a write is part of no call's time
		}
		t.Protocols.SetHTTP1(true)
		t.Protocols.SetHTTP2(secure)
		none := &dialer{resolver: o.Resolver, timeout: o.Timeout}
		t.DialContext, t.DialTLSContext = none.dial, none.dial
		if secure {
			t.DialTLSContext = (&dialer{p, o.Resolver, o.Timeout, conf}).dial
		} else {
			t.DialContext = (&dialer{p, o.Resolver, o.Timeout, nil}).dial
		}
		return t
	}
	return &Client{
		timeout: o.Timeout,
		watch:   o.Watch,
		https:   pool(policy{public: true, allow: allow}, true),
		http:    pool(policy{allow: allow}, false),
	}
}

// Close closes idle connections.
func (c *Client) Close() {
	for _, t := range []*http.Transport{c.https, c.http} {
		t.CloseIdleConnections()
	}
}

// Do makes one call and reads its answer. An error is an [*Error].
func (c *Client) Do(ctx context.Context, r Request) (Answer, error) {
	if c.watch == nil {
		return c.do(ctx, r)
	}
	ended := c.watch(ctx, hostOf(r.URL))
	a, err := c.do(ctx, r)
	ended(a.Status, KindOf(err))
	return a, err
}

func (c *Client) do(ctx context.Context, r Request) (Answer, error) {
	call, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := build(call, r)
	if err != nil {
		return Answer{}, &Error{Kind: BadRequest, Host: hostOf(r.URL), cause: err}
	}
	host := req.URL.Hostname()
	pool := c.https
	if req.URL.Scheme == "http" {
		pool = c.http
	}
	// A transport by itself follows nothing and keeps no cookies.
	res, err := pool.RoundTrip(req)
	if err != nil {
		return Answer{}, fail(ctx, call, host, err)
	}
	if kind := unread(res.StatusCode); kind != "" {
		go res.Body.Close()
		return Answer{}, &Error{Kind: kind, Host: host, Status: res.StatusCode}
	}
	wait := retryAfter(res.Header.Get("Retry-After"), time.Now())
	body, err := read(call, res.Body)
	switch {
	case len(body) > mostBody:
		return Answer{}, &Error{Kind: TooLarge, Host: host, Status: res.StatusCode, RetryAfter: wait}
	case err != nil:
		return Answer{}, fail(ctx, call, host, err)
	}
	return Answer{res.StatusCode, res.Header, body, wait}, nil
}

// unread is why an answer's body is not even looked at, or "". That of a 101 is the connection itself, which no timeout reaches.
func unread(status int) Kind {
	switch {
	case status < 200:
		return Interim
	case status >= 300 && status < 400:
		return Redirect
	}
	return ""
}

// read reads a body until it is too large, and closes it. It ends with ctx whatever the body does: to read or to close one of HTTP/2
// may write to the connection, which takes as long as the host likes.
func read(ctx context.Context, body io.ReadCloser) ([]byte, error) {
	type outcome struct {
		body []byte
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		all, err := io.ReadAll(io.LimitReader(body, mostBody+1))
		done <- outcome{all, err}
		body.Close()
	}()
	select {
	case o := <-done:
		return o.body, o.err
	case <-ctx.Done():
		go body.Close() // ends the reading too, of any body but a stuck one
		return nil, ctx.Err()
	}
}

func build(ctx context.Context, r Request) (*http.Request, error) {
	u, err := url.Parse(r.URL)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "", u.Opaque != "":
		return nil, errors.New("not an absolute http or https address")
	case u.User != nil:
		return nil, errors.New("an address with a user in it")
	}
	method := r.Method
	if method == "" && r.Body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	req.Header.Set("User-Agent", "exeunt")
	return req, nil
}

func hostOf(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "?"
}
