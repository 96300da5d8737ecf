package main

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"exeunt.dev/e2e/faults/api/talk"
	"exeunt.dev/guard"
)

// trial is one token that is tried, as requests and as a stream.
type trial struct {
	of      *api
	raw     string
	request *http.Request
	mu      sync.Mutex
	now     talk.Token
}

func newTrial(a *api, raw string) *trial {
	r, err := http.NewRequest("GET", "/", nil)
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer "+raw)
	return &trial{of: a, raw: raw, request: r, now: talk.Token{Answers: map[int]int{}}}
}

// answer is what a request got.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }
func (a *answer) WriteHeader(status int)      { a.status = status }

// once makes one request. It counts as of the moment before it: a request that begins too late must be refused.
func (t *trial) once() {
	a := answer{header: http.Header{}}
	begun := talk.Now()
	t.of.handler.ServeHTTP(&a, t.request)
	answered := talk.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Answers[a.status]++
	if a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "" {
		t.now.Answers[0]++
	}
	if n := len(t.now.Turns); n == 0 || t.now.Turns[n-1].Status != a.status {
		t.now.Turns = append(t.now.Turns, talk.Turn{At: begun, Answered: answered, Status: a.status})
	}
	if a.status == http.StatusOK {
		t.now.Admitted = max(t.now.Admitted, begun)
	}
}

func (t *trial) check(pause time.Duration) {
	for t.of.ctx.Err() == nil {
		t.once()
		if pause > 0 {
			time.Sleep(pause)
		}
	}
}

// stream keeps a stream open whenever the token is good, and notes when it was cut.
func (t *trial) stream() {
	for ; t.of.ctx.Err() == nil; time.Sleep(2 * time.Millisecond) {
		tok, err := t.of.g.Check(t.raw)
		if err != nil {
			if errors.Is(err, guard.ErrEnded) {
				return
			}
			continue
		}
		ctx, stop := t.of.g.Watch(t.of.ctx, tok)
		if errors.Is(context.Cause(ctx), guard.ErrStale) {
			stop()
			continue // it was not begun
		}
		t.open(true)
		<-ctx.Done()
		t.open(false)
		if errors.Is(context.Cause(ctx), context.Canceled) {
			stop()
			return
		}
		stop()
	}
}

func (t *trial) open(is bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Open = is
	if !is {
		t.now.Cut, t.now.Cuts = talk.Now(), t.now.Cuts+1
	}
}

func (t *trial) report() talk.Token {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.now
	out.Answers = map[int]int{}
	for status, n := range t.now.Answers {
		out.Answers[status] = n
	}
	out.Turns = append([]talk.Turn(nil), t.now.Turns...)
	return out
}
