package faults

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// told is one logout token as an app got it.
type told struct {
	claims
	answered bool // with 200
}

// claims are what these tests read in tokens; that they are signed is the business of others.
type claims struct {
	Sid, Jti string
	Aud      any
}

func (c *claims) read(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return fmt.Errorf("no token: %q", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	return json.Unmarshal(payload, c)
}

// ear is an app that is told of sign-outs, always at the same address.
type ear struct {
	t       *testing.T
	id      string
	address string

	mu     sync.Mutex
	stop   func() // of what listens now
	got    []told
	answer func(w http.ResponseWriter, r *http.Request, c claims) // nil: 200
	heard  chan told                                              // nil: nobody waits
}

// newEar makes an app that is well.
func newEar(t *testing.T, id string) *ear {
	e := &ear{t: t, id: id, address: "127.0.0.1:0", stop: func() {}}
	e.well(nil)
	t.Cleanup(func() { e.gone() })
	return e
}

func (e *ear) url() string { return "http://" + e.address + "/backchannel" }

// gone lets the app's machine refuse connections.
func (e *ear) gone() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stop()
	e.stop = func() {}
}

func (e *ear) listen() net.Listener {
	e.gone()
	l, err := net.Listen("tcp", e.address)
	if err != nil {
		e.t.Fatal(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.address = l.Addr().String()
	return l
}

// well lets it answer; nil: 200.
func (e *ear) well(answer func(http.ResponseWriter, *http.Request, claims)) {
	l := e.listen()
	server := &http.Server{Handler: e}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer, e.stop = answer, func() { server.Close(); l.Close() } // the server may not have begun with l
	go server.Serve(l)
}

// deaf lets it accept connections and read nothing.
func (e *ear) deaf() {
	l := e.listen()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stop = func() { l.Close() }
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
}

func (e *ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c claims
	if err := c.read(r.PostFormValue("logout_token")); err != nil || c.Aud != e.id || c.Sid == "" || c.Jti == "" {
		e.t.Errorf("%s was sent %+v: %v", e.id, c, err)
	}
	seen := &seen{ResponseWriter: w}
	e.mu.Lock()
	answer, heard := e.answer, e.heard
	n := len(e.got)
	e.got = append(e.got, told{claims: c})
	e.mu.Unlock()
	if heard != nil {
		heard <- told{claims: c}
	}
	if answer == nil {
		seen.WriteHeader(http.StatusOK)
	} else {
		answer(seen, r, c)
	}
	e.mu.Lock()
	e.got[n].answered = seen.status == http.StatusOK
	e.mu.Unlock()
}

// seen notes what was answered.
type seen struct {
	http.ResponseWriter
	status int
}

func (s *seen) WriteHeader(code int) {
	s.status = code
	s.ResponseWriter.WriteHeader(code)
}

func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// of lists what it was told of one session, by the sid it knows.
func (e *ear) of(sid string) (out []told) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, g := range e.got {
		if g.Sid == sid {
			out = append(out, g)
		}
	}
	return out
}

// all counts by sid how often it was told, and how often it has answered that it is done.
func (e *ear) all() (sent, done map[string]int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	sent, done = map[string]int{}, map[string]int{}
	for _, g := range e.got {
		sent[g.Sid]++
		if g.answered {
			done[g.Sid]++
		}
	}
	return sent, done
}
