package rp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	mostWatchers = 1000 // pages of this replica; others ask now and then
	watchEvery   = time.Second
	watchFor     = 5 * time.Minute // then the browser asks anew by itself
	watchWrite   = 10 * time.Second
)

// state says whether this browser is signed in, so that pages can keep their sign-in link true: once as JSON, or as a stream
// of events that tells when it changes. It is no use of the session: an open page does not keep anybody signed in.
func (s *Site) state(w http.ResponseWriter, r *http.Request) {
	in, err := s.signedIn(r)
	if err != nil {
		s.fail(r.Context(), "a session could not be read", err)
		s.broken(w, http.StatusServiceUnavailable)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		s.watch(w, r, in)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(stateText(in))
}

func stateText(in bool) []byte {
	b, _ := json.Marshal(map[string]bool{"signed_in": in}) // cannot fail
	return b
}

func (s *Site) signedIn(r *http.Request) (bool, error) {
	id := s.sessionHash(r)
	if id == (Hash{}) {
		return false, nil
	}
	_, err := s.store.FindSession(r.Context(), id, s.now())
	if errors.Is(err, ErrNone) {
		return false, nil
	}
	return err == nil, err
}

// watch asks the store, and not this process, because the session may be ended by another replica. The stream is about the
// session of the cookie that it began with.
func (s *Site) watch(w http.ResponseWriter, r *http.Request, in bool) {
	select {
	case s.watchers <- struct{}{}:
		defer func() { <-s.watchers }()
	default:
		s.broken(w, http.StatusServiceUnavailable)
		return
	}
	c := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	tell := func(in bool) bool {
		_ = c.SetWriteDeadline(time.Now().Add(watchWrite)) // not every server can
		_, err := fmt.Fprintf(w, "retry: 30000\ndata: %s\n\n", stateText(in))
		return err == nil && c.Flush() == nil
	}
	ctx, stop := context.WithTimeout(r.Context(), watchFor)
	defer stop()
	for ok := tell(in); ok && in && ctx.Err() == nil; {
		session, leave := s.Watch(ctx, Visitor{session: s.sessionHash(r)})
		<-session.Done()
		leave()
		// A store that does not answer is no sign-out.
		if errors.Is(context.Cause(session), ErrEnded) {
			in = false
			tell(in)
		}
	}
}
