package feed

import (
	"context"
	"io"
	"mime"
	"net/http"
	"sync"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

func (f *Feed) beat(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != ledger.TypeBeat {
		edge.OAuthError(w, http.StatusBadRequest, "invalid_request", "A question has the content type "+ledger.TypeBeat+".")
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, ledger.QuestionSize+1))
	if err != nil {
		edge.OAuthError(w, http.StatusBadRequest, "invalid_request", "The question could not be read.")
		return
	}
	q, err := ledger.ParseQuestion(body)
	if err != nil {
		edge.OAuthError(w, http.StatusBadRequest, "invalid_request", "This is not a question of version 1.")
		return
	}
	f.crowd.asks(who(r))
	a, err := f.answer(r.Context(), q)
	if err != nil {
		down(w, r, err)
		return
	}
	b, err := ledger.AppendAnswer(nil, a)
	if err != nil {
		down(w, r, err)
		return
	}
	w.Header().Set("Content-Type", ledger.TypeBeat)
	w.Write(b)
}

func (f *Feed) answer(ctx context.Context, q ledger.Question) (ledger.Answer, error) {
	head, err := f.heads.read(ctx)
	if err != nil {
		return ledger.Answer{}, err
	}
	// The row's time stands still while nothing ends; a guard that slept would hold exp against an old one.
	now, _ := f.store.Now()
	head.Time = max(head.Time, now)
	a := ledger.Answer{Nonce: q.Nonce, Head: head}
	switch {
	case q.Lineage != head.Lineage:
		a.Snapshot = true
	case q.After < head.Number:
		if a.Entries, err = f.entries(ctx, q.After, head.Number); err != nil {
			return ledger.Answer{}, err
		}
		a.First = q.After + 1
		a.More = q.After+uint64(len(a.Entries)) < head.Number
	}
	return a, nil
}

// heads reads the counter row, once for all who wait.
//
// R: a node vouches only for what it read: whoever asks joins a read that has not begun.
type heads struct {
	store   idp.Store
	mu      sync.Mutex
	running bool
	next    *headRead // joined by askers, not begun
}

type headRead struct {
	done chan struct{}
	head idp.Head
	err  error
}

func (h *heads) read(ctx context.Context) (idp.Head, error) {
	h.mu.Lock()
	if h.next == nil {
		h.next = &headRead{done: make(chan struct{})}
	}
	mine := h.next
	if !h.running {
		h.running = true
		go h.run()
	}
	h.mu.Unlock()
	select {
	case <-mine.done:
		return mine.head, mine.err
	case <-ctx.Done():
		return idp.Head{}, ctx.Err()
	}
}

func (h *heads) run() {
	for {
		h.mu.Lock()
		now := h.next
		h.next = nil
		if now == nil {
			h.running = false
			h.mu.Unlock()
			return
		}
		h.mu.Unlock()
		// Nobody's context: the read belongs to all who joined it.
		now.err = h.store.View(context.Background(), func(v idp.View) (err error) {
			now.head, err = v.Head()
			return err
		})
		close(now.done)
	}
}
