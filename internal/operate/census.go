package operate

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"exeunt.dev/internal/idp"
)

// Alive is how many sessions live, of everybody.
type Alive struct {
	N      int64     `json:"n"`
	At     time.Time `json:"counted_at"`
	Beside bool      `json:"-"` // they were not counted for who asks, but some time before
}

// Census counts the sessions that live. Few are counted for who asks. More are counted beside, by one goroutine, only if somebody has asked,
// and seldom enough that it costs next to nothing: nobody waits for it.
type Census struct {
	store idp.Store
	log   *slog.Logger
	asked chan struct{}

	mu   sync.Mutex
	last *Alive
}

const (
	fewRows = 1000            // are counted within a page's time
	rests   = 20              // times as long as it counted
	atLeast = 5 * time.Second // it rests
)

// NewCensus needs Run.
func NewCensus(store idp.Store, log *slog.Logger) *Census {
	return &Census{store: store, log: log, asked: make(chan struct{}, 1)}
}

// Alive is what is known at once; nil: they are many, and counted for the first time.
func (c *Census) Alive(v idp.View, now idp.Time) (*Alive, error) {
	n, counted, err := v.SessionsAlive(now, fewRows)
	if err != nil || counted {
		return &Alive{N: n, At: now.Time()}, err
	}
	c.mu.Lock()
	last := c.last
	c.mu.Unlock()
	select {
	case c.asked <- struct{}{}:
	default:
	}
	return last, nil
}

// Run counts whenever somebody has asked, until ctx ends.
func (c *Census) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.asked:
		}
		begin := time.Now()
		if _, err := c.Count(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("live sessions could not be counted", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(rests*time.Since(begin), atLeast)):
		}
	}
}

// Count counts them, however many there are, and keeps what it counts; if it cannot, what it last counted stays, with its time.
func (c *Census) Count(ctx context.Context) (*Alive, error) {
	now, _ := c.store.Now()
	out := &Alive{At: now.Time(), Beside: true}
	err := c.store.View(ctx, func(v idp.View) (err error) {
		out.N, _, err = v.SessionsAlive(now, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = out
	return out, nil
}
