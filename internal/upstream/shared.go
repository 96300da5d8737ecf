package upstream

import (
	"context"
	"sync"
	"time"
)

// again is the least time between two questions to a provider whose answer was no help, so that strangers' requests cannot
// be turned into a flood.
const again = 2 * time.Second

// shared is something that is fetched from a provider and used by many: one question at a time, whoever waits gets its
// answer, and a question goes on when the one who asked it has left.
type shared[T any] struct {
	fetch   func(context.Context) (T, error)
	timeout time.Duration

	mu     sync.Mutex
	value  T
	got    time.Time // when value came; zero: never
	err    error     // of the last question
	asked  time.Time // when it ended
	asking chan struct{}
}

// held is what is there, and since when; zero: nothing.
func (s *shared[T]) held() (T, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value, s.got
}

// get gives what is not older than most. If that cannot be had, it gives what is not older than limit, else the error.
func (s *shared[T]) get(ctx context.Context, most, limit time.Duration) (T, error) {
	value, got := s.held()
	if !got.IsZero() && time.Since(got) < most {
		return value, nil
	}
	err := s.renew(ctx)
	value, got = s.held()
	if !got.IsZero() && time.Since(got) < limit {
		return value, nil
	}
	if err == nil {
		err = context.DeadlineExceeded
	}
	var none T
	return none, err
}

// renew asks, or joins the question under way, or says how the last one went if that was a moment ago.
func (s *shared[T]) renew(ctx context.Context) error {
	s.mu.Lock()
	if s.asking == nil {
		if !s.asked.IsZero() && time.Since(s.asked) < again {
			defer s.mu.Unlock()
			return s.err
		}
		s.asking = make(chan struct{})
		go s.ask(context.WithoutCancel(ctx), s.asking)
	}
	done := s.asking
	s.mu.Unlock()
	select {
	case <-done:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *shared[T]) ask(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	value, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.asked, s.asking = err, time.Now(), nil
	if err == nil {
		s.value, s.got = value, s.asked
	}
	close(done)
}
