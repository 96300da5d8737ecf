package rp

import (
	"context"
	"errors"
	"time"
)

// ErrEnded is the cause of a context whose session has ended.
var ErrEnded = errors.New("rp: the session has ended")

// watchTrust is how long what goes on is let go on while the store does not answer: nobody knows then whether its session has ended.
const watchTrust = 10 * time.Second

// Watch gives a context that is cancelled when the visitor's session ends, wherever that is done: for streams, sockets and long
// work. [Site.Require] does that for the requests that it lets in; Watch is for what goes on after their handlers, and for pages
// for everybody. The cause ([context.Cause]) is ErrEnded, or ErrStore if the store has not answered for ten seconds.
//
// The store is asked every second, the first time after one: what is over sooner costs nothing. To be watched is no use of the
// session. The caller must call the function that comes back.
func (s *Site) Watch(ctx context.Context, v Visitor) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	asked := time.Now()
	begin := time.AfterFunc(watchEvery, func() { cancel(s.awaitEnd(ctx, v.session, asked)) })
	return ctx, func() {
		begin.Stop()
		cancel(context.Canceled)
	}
}

// awaitEnd returns when a session has ended, when ctx has, or when nothing has been heard of the session for too long since it was
// last asked for with success.
func (s *Site) awaitEnd(ctx context.Context, id Hash, heard time.Time) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		asked := time.Now()
		err := within(ctx, heard.Add(watchTrust), func(ctx context.Context) error {
			_, err := s.store.FindSession(ctx, id, s.now())
			return err
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrNone):
			return ErrEnded
		case err == nil:
			heard = asked
		case time.Since(heard) >= watchTrust:
			s.fail(ctx, "a stream was cut, because its session could not be read", err)
			return ErrStore
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
