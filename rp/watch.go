package rp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrEnded is the cause of a context whose session has ended.
var ErrEnded = errors.New("rp: the session has ended")

const (
	// watchTrust is how long what goes on is let go on while the store does not answer: nobody knows then whether its session has ended.
	watchTrust = 10 * time.Second
	// mostAsked is how many sessions the store is asked for at once.
	mostAsked = 500
)

// Watch gives a context that is cancelled when the visitor's session ends, wherever that is done: for streams, sockets and long
// work. [Site.Require] does that for the requests that it lets in; Watch is for what goes on after their handlers, and for pages
// for everybody. The cause ([context.Cause]) is ErrEnded, or ErrStore if the store has not answered for ten seconds.
//
// The store is asked every second, for all sessions together, and for none that is watched for less than one. To be watched is no
// use of the session. The caller must call the function that comes back.
func (s *Site) Watch(ctx context.Context, v Visitor) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watched{ctx: ctx, cancel: cancel, id: v.session, heard: time.Now()}
	begin := time.AfterFunc(watchEvery, func() { s.add(w) })
	return ctx, func() {
		begin.Stop()
		cancel(context.Canceled)
	}
}

// watched is a session that somebody waits on.
type watched struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	id     Hash
	heard  time.Time // when it was last asked for with success
}

// watches are all that are watched in this process.
type watches struct {
	mu  sync.Mutex
	all []*watched
	on  bool // they are asked for
}

func (s *Site) add(w *watched) {
	s.watches.mu.Lock()
	defer s.watches.mu.Unlock()
	s.watches.all = append(s.watches.all, w)
	if !s.watches.on {
		s.watches.on = true
		go s.askAll()
	}
}

// left gives those that still go on. After none, nobody asks until there is one.
func (w *watches) left() []*watched {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = slices.DeleteFunc(w.all, func(one *watched) bool { return one.ctx.Err() != nil })
	w.on = len(w.all) > 0
	return slices.Clone(w.all)
}

// askAll asks for all that are watched, and again after a second.
func (s *Site) askAll() {
	all := s.watches.left()
	if len(all) == 0 {
		return
	}
	for some := range slices.Chunk(all, mostAsked) {
		s.ask(some)
	}
	time.AfterFunc(watchEvery, s.askAll)
}

// ask cancels those whose sessions have ended, and those of which nothing has been heard for too long.
func (s *Site) ask(some []*watched) {
	asked, longest := time.Now(), some[0].heard
	ids := make([]Hash, len(some))
	for i, w := range some {
		ids[i] = w.id
		if w.heard.Before(longest) {
			longest = w.heard
		}
	}
	found := make(chan []Hash, 1)
	err := within(context.Background(), longest.Add(watchTrust), func(ctx context.Context) error {
		live, err := s.store.LiveSessions(ctx, ids, s.now())
		found <- live
		return err
	})
	if err != nil {
		cut := false
		for _, w := range some {
			if time.Since(w.heard) >= watchTrust {
				w.cancel(ErrStore)
				cut = true
			}
		}
		if cut {
			s.fail(context.Background(), "streams were cut, because their sessions could not be read", err)
		}
		return
	}
	live := map[Hash]bool{}
	for _, id := range <-found {
		live[id] = true
	}
	for _, w := range some {
		w.heard = asked
		if !live[w.id] {
			w.cancel(ErrEnded)
		}
	}
}
