package sqlite

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// readers is the pool of reading connections: as many as can work at a time, opened when first needed.
type readers struct {
	dial  func() (*conn, error)
	slots chan struct{}

	mu     sync.Mutex
	idle   []*conn // the last one back is the first out: its cache is warm
	closed bool
}

func newReaders(dial func() (*conn, error)) *readers {
	return &readers{dial: dial, slots: make(chan struct{}, max(8, 2*runtime.GOMAXPROCS(0)))}
}

func (r *readers) get(ctx context.Context) (*conn, error) {
	select {
	case r.slots <- struct{}{}:
	default:
		select {
		case r.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		<-r.slots
		return nil, errClosed
	}
	if n := len(r.idle); n > 0 {
		c := r.idle[n-1]
		r.idle = r.idle[:n-1]
		r.mu.Unlock()
		return c, nil
	}
	r.mu.Unlock()
	c, err := r.dial()
	if err != nil {
		<-r.slots
	}
	return c, err
}

// put takes a connection back; a broken one is closed.
func (r *readers) put(c *conn) {
	r.mu.Lock()
	keep := !r.closed && c.fatal == nil
	if keep {
		r.idle = append(r.idle, c)
	}
	r.mu.Unlock()
	if !keep {
		c.close()
	}
	<-r.slots
}

func (r *readers) close() {
	r.mu.Lock()
	idle := r.idle
	r.idle, r.closed = nil, true
	r.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}

var errClosed = fmt.Errorf("%w: the store is closed", idp.ErrUnavailable)

const (
	sqlBegin    = `BEGIN`
	sqlRollback = `ROLLBACK`
)

// View runs f on one snapshot. BEGIN takes none yet: SQLite takes it at the first read, which comes later still.
func (s *Store) View(ctx context.Context, f func(idp.View) error) error {
	return s.read(ctx, func(c *conn) error {
		if _, err := c.exec(sqlBegin); err != nil {
			return err
		}
		e := &engine{c: c}
		defer func() {
			e.c = nil // a view that escaped its closure must not read from a connection that is another's by now
			if _, err := c.exec(sqlRollback); err != nil && c.fatal == nil {
				c.fatal = err
			}
		}()
		return f(&view{View: verbs.View{E: e, Cache: s.clients}, clock: s.clock})
	})
}

// read lends f a reading connection.
func (s *Store) read(ctx context.Context, f func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.file.there(); err != nil {
		return err
	}
	c, err := s.readers.get(ctx)
	if err != nil {
		return err
	}
	defer s.readers.put(c)
	return f(c)
}
