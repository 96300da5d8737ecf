package sqlite

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/idp"
)

// maxJoin bounds how many members share a commit, so that one slow commit does not hold everybody.
const maxJoin = 256

// member is one call of Update: a closure that waits for its turn in a flight.
type member struct {
	ctx   context.Context
	f     func(idp.Tx) error
	asks  idp.Foresight
	state atomic.Int32
	done  chan struct{}

	// Set by the writer before done is closed.
	err      error
	panicked any  // to be raised again in the caller's goroutine
	exited   bool // the closure called runtime.Goexit
	wrote    bool // it left something to be committed
}

// States of a member.
const (
	waiting int32 = iota
	taken
	cancelled
)

// take is the turn: from here on the caller waits for the result, whatever its context does.
func (m *member) take() bool {
	if m.state.Load() == taken {
		return true // a second try
	}
	return m.ctx.Err() == nil && m.state.CompareAndSwap(waiting, taken)
}

// writer owns the writing connection.
type writer struct {
	store *Store
	wake  chan struct{}
	ended chan struct{}

	mu     sync.Mutex
	queue  []*member
	closed bool

	// The goroutine's own.
	c        *conn     // nil after a fault: opened again at the next flight
	flying   []*member // whose commit is being made
	turn     *member   // whose closure runs now
	redo     []*member // what is to fly after these
	answered int       // how many the last flights have answered, who may be back at once
}

func newWriter(s *Store, c *conn) *writer {
	w := &writer{store: s, c: c, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go w.loop()
	return w
}

// Update runs f in one transaction, which may share its commit with others.
func (s *Store) Update(ctx context.Context, f func(idp.Tx) error) error {
	return s.update(&member{ctx: ctx, f: f, done: make(chan struct{})})
}

// Join is Update: the writer joins all that wait, and asks at once for the sessions and the names that they foresee.
func (s *Store) Join(ctx context.Context, asks idp.Foresight, f func(idp.Tx) error) error {
	return s.update(&member{ctx: ctx, f: f, asks: asks, done: make(chan struct{})})
}

// Decide looks in the flight that does: the writer's connection knows its pages, where a reader's forgets them with each commit.
func (s *Store) Decide(ctx context.Context, look func(idp.View) (*idp.Foresight, error), do func(idp.Tx) error) error {
	return s.Update(ctx, func(t idp.Tx) error {
		asks, err := look(t)
		if err != nil || asks == nil {
			return err
		}
		return do(t)
	})
}

func (s *Store) update(m *member) error {
	if err := s.writer.enqueue(m); err != nil {
		return err
	}
	select {
	case <-m.done:
	case <-m.ctx.Done():
		if m.state.CompareAndSwap(waiting, cancelled) {
			return m.ctx.Err()
		}
		<-m.done
	}
	switch {
	case m.panicked != nil:
		panic(m.panicked)
	case m.exited:
		runtime.Goexit()
	}
	return m.err
}

func (w *writer) enqueue(m *member) error {
	if err := m.ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errClosed
	}
	w.queue = append(w.queue, m)
	if len(w.queue) == 1 {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// close lets the queue run dry.
func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.wake)
	}
	w.mu.Unlock()
	<-w.ended
}

// loop flies until the store is closed. A closure that calls runtime.Goexit (a test's FailNow does) takes this
// goroutine with it; then another one goes on.
func (w *writer) loop() {
	finished := false
	defer func() {
		if !finished {
			w.exited()
			go w.loop()
			return
		}
		if w.c != nil {
			w.c.close()
		}
		close(w.ended)
	}()
	redo := w.redo
	w.redo = nil
	w.flyAlone(redo)
	for {
		_, open := <-w.wake
		for {
			batch := w.gather()
			if len(batch) == 0 {
				break
			}
			for len(batch) > 0 {
				n := min(len(batch), maxJoin)
				w.redo = batch[n:]
				w.fly(batch[:n:n])
				w.answered += n
				batch = batch[n:]
			}
		}
		if !open {
			finished = true
			return
		}
	}
}

// quiet is how long nobody may have come before a flight leaves: less than one member's turn costs.
const quiet = 40 * time.Microsecond

// gather takes the queue. Those whom the last flight has just answered get a moment to come back first: a flight for all of
// them costs one sync, as one for half of them would. A caller that is alone waits for nobody.
func (w *writer) gather() []*member {
	n := w.waiting()
	for all, since := min(n+w.answered, maxJoin), time.Now(); n > 0 && n < all && time.Since(since) < quiet; {
		runtime.Gosched()
		if more := w.waiting(); more > n {
			n, since = more, time.Now()
		}
	}
	w.answered = 0
	return w.takeQueue()
}

func (w *writer) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

func (w *writer) takeQueue() []*member {
	w.mu.Lock()
	defer w.mu.Unlock()
	q := w.queue
	w.queue = nil
	return q
}
