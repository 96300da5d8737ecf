package proxy

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// Link is a TCP proxy that leads to one of its targets in turn, to the next one if that refuses.
type Link struct {
	// Stalled: nothing is passed on, and nothing breaks.
	Stalled atomic.Bool

	l       net.Listener
	targets atomic.Pointer[[]string]
	turn    atomic.Uint64
	era     atomic.Pointer[chan struct{}] // closed when all connections are to break
	delay   atomic.Int64                  // of each byte, either way
	rate    atomic.Int64                  // bytes a second from the target; 0: no limit
}

// NewLink listens on a port of its own and leads nowhere yet.
func NewLink() (*Link, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &Link{l: l}
	era := make(chan struct{})
	f.era.Store(&era)
	f.targets.Store(&[]string{})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(c)
		}
	}()
	return f, nil
}

// Port is where it listens on 127.0.0.1.
func (f *Link) Port() int { return f.l.Addr().(*net.TCPAddr).Port }

// URL is the same for HTTP.
func (f *Link) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", f.Port()) }

// Close refuses new connections and breaks the others.
func (f *Link) Close() {
	f.l.Close()
	f.Aim()
}

// Aim changes where new connections lead, and breaks the others. Without a target the line is cut: who connects is let in and
// then dropped.
func (f *Link) Aim(to ...string) {
	f.targets.Store(&to)
	next := make(chan struct{})
	close(*f.era.Swap(&next))
}

// Lead changes where new connections lead, and lets the others be.
func (f *Link) Lead(to ...string) { f.targets.Store(&to) }

// Delay lets each byte arrive so much later, either way.
func (f *Link) Delay(d time.Duration) { f.delay.Store(int64(d)) }

// Rate lets no more than so many bytes a second through to whoever connected; 0 lifts the limit.
func (f *Link) Rate(bytes int) { f.rate.Store(int64(bytes)) }

func (f *Link) serve(in net.Conn) {
	defer in.Close()
	era, targets := *f.era.Load(), *f.targets.Load()
	for range targets {
		out, err := net.Dial("tcp", targets[f.turn.Add(1)%uint64(len(targets))])
		if err != nil {
			continue
		}
		defer out.Close()
		over := make(chan struct{})
		defer close(over)
		done := make(chan struct{}, 2)
		go func() { f.pass(in, out, nil, over); done <- struct{}{} }()
		go func() { f.pass(out, in, &f.rate, over); done <- struct{}{} }()
		select {
		case <-done:
		case <-era:
		}
		return
	}
}

// piece is what was read at once.
type piece struct {
	bytes []byte
	due   time.Time
}

// pass reads and writes side by side, so that a delay does not throttle.
func (f *Link) pass(from, to net.Conn, rate *atomic.Int64, over <-chan struct{}) {
	pieces := make(chan piece, 64)
	go func() {
		defer close(pieces)
		for {
			buffer := make([]byte, 16<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				select {
				case pieces <- piece{buffer[:n], time.Now().Add(time.Duration(f.delay.Load()))}:
				case <-over:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		if !f.held(time.Until(p.due), over) || !f.write(to, p.bytes, rate, over) {
			return
		}
	}
	f.held(0, over) // an end is not passed on over a stalled line either
}

// held waits for so long, and for as long as the line is stalled. It says whether the connection is still there.
func (f *Link) held(d time.Duration, over <-chan struct{}) bool {
	for d > 0 || f.Stalled.Load() {
		select {
		case <-over:
			return false
		case <-time.After(max(d, 5*time.Millisecond)):
			d = 0
		}
	}
	return true
}

// write throttles by writing little at a time.
func (f *Link) write(to net.Conn, b []byte, rate *atomic.Int64, over <-chan struct{}) bool {
	for len(b) > 0 {
		n := len(b)
		if rate != nil {
			if limit := rate.Load(); limit > 0 {
				n = min(n, max(int(limit/50), 1))
				if !f.held(time.Duration(n)*time.Second/time.Duration(limit), over) {
					return false
				}
			}
		}
		if _, err := to.Write(b[:n]); err != nil {
			return false
		}
		b = b[n:]
	}
	return true
}
