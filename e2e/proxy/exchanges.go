package proxy

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// Exchange is one request that was read to its end, and whoever asked.
type Exchange struct {
	*http.Request
	Body []byte
	Who  string // the first part of the path, which the target does not see

	target string
	ctx    context.Context
	conns  []net.Conn
}

// Rule decides what the client gets for an exchange: bytes of an answer from its status line on. The end of the reader is the end of
// the connection; nil ends it at once.
type Rule func(*Exchange) io.Reader

// Exchanges is an HTTP proxy with one exchange a connection. Clients ask at URL()+"/"+who, whatever who may be.
type Exchanges struct {
	l      net.Listener
	target string
	rule   atomic.Pointer[Rule]
}

// NewExchanges leads to a target, by a rule.
func NewExchanges(target string, rule Rule) (*Exchanges, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Exchanges{l: l, target: target}
	p.Rule(rule)
	go http.Serve(l, p)
	return p, nil
}

// Rule changes the rule for exchanges that begin from now on.
func (p *Exchanges) Rule(r Rule) { p.rule.Store(&r) }

// URL is where it listens.
func (p *Exchanges) URL() string { return "http://" + p.l.Addr().String() }

// Close refuses new connections.
func (p *Exchanges) Close() { p.l.Close() }

// ServeHTTP is for net/http.
func (p *Exchanges) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := &Exchange{Request: r, target: p.target}
	var err error
	if e.Body, err = io.ReadAll(r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	who, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	e.Who, r.URL.Path = who, "/"+rest
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	// The request's own context does not end with a connection that was taken over.
	ctx, gone := context.WithCancel(context.Background())
	defer gone()
	e.ctx = ctx
	go func() { io.Copy(io.Discard, buffered); gone() }()
	defer func() {
		for _, c := range e.conns {
			c.Close()
		}
	}()
	if answer := (*p.rule.Load())(e); answer != nil {
		io.Copy(conn, answer)
	}
}

// Gone is closed when the client has hung up.
func (e *Exchange) Gone() <-chan struct{} { return e.ctx.Done() }

// Real asks the target and gives its answer as it comes. A target that cannot be reached has an empty one.
func (e *Exchange) Real() io.Reader {
	conn, err := net.Dial("tcp", e.target)
	if err != nil {
		return strings.NewReader("")
	}
	e.conns = append(e.conns, conn)
	context.AfterFunc(e.ctx, func() { conn.Close() })
	out := e.Request.Clone(context.Background())
	out.URL.Scheme, out.URL.Host, out.RequestURI = "http", e.target, ""
	out.Body, out.ContentLength, out.Close = io.NopCloser(bytes.NewReader(e.Body)), int64(len(e.Body)), true
	if err := out.Write(conn); err != nil {
		return strings.NewReader("")
	}
	return conn
}
