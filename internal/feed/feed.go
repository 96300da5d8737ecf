package feed

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Feed is the room.
type Feed struct {
	Store idp.Store
	Poll  time.Duration // how often to look for what others wrote; 0: 50 ms

	mu      sync.Mutex
	news    chan struct{} // closed and replaced when the ledger has grown
	known   uint64
	wake    chan struct{}
	readers atomic.Int64
	ended   chan struct{}
}

// New returns the feed of a store.
func New(store idp.Store) *Feed {
	return &Feed{Store: store, Poll: 50 * time.Millisecond, news: make(chan struct{}), wake: make(chan struct{}, 1), ended: make(chan struct{})}
}

// Wake says that this node has committed: the feed looks at once.
func (f *Feed) Wake() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Readers is how many guards hold the tail open.
func (f *Feed) Readers() int64 { return f.readers.Load() }

// Run follows the ledger until ctx ends, then closes the tails. grown is called after the ledger has grown.
func (f *Feed) Run(ctx context.Context, grown func(context.Context)) {
	defer close(f.ended)
	tick := time.NewTicker(f.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-f.wake:
		}
		head, err := f.head(ctx)
		if err != nil {
			continue // guards notice by their beats
		}
		f.mu.Lock()
		news := head.Number != f.known
		if news {
			f.known = head.Number
			close(f.news)
			f.news = make(chan struct{})
		}
		f.mu.Unlock()
		if news && grown != nil {
			grown(ctx)
		}
	}
}

func (f *Feed) head(ctx context.Context) (h idp.Head, err error) {
	err = f.Store.View(ctx, func(v idp.View) (err error) {
		h, err = v.Head()
		return err
	})
	return h, err
}

// Mount adds the room's paths.
func (f *Feed) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /ledger", f.guarded(f.tail))
	mux.HandleFunc("GET /ledger/snapshot", f.guarded(f.snapshot))
	mux.HandleFunc("POST /ledger/beat", f.guarded(f.beat))
}

// guarded lets clients of kind api pass.
func (f *Feed) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		user, password, ok := r.BasicAuth()
		id, err1 := url.QueryUnescape(user)
		secret, err2 := url.QueryUnescape(password)
		var c idp.Client
		err := idp.ErrNotFound
		if ok && err1 == nil && err2 == nil {
			err = f.Store.View(r.Context(), func(v idp.View) (err error) {
				c, err = v.Client(idp.ClientID(id))
				return err
			})
		}
		given := idp.HashOf(secret)
		switch {
		case err != nil && !errors.Is(err, idp.ErrNotFound):
			edge.Unavailable(w)
		case err != nil || c.Disabled || c.Secret.IsZero() || subtle.ConstantTimeCompare(given[:], c.Secret[:]) != 1:
			w.Header().Set("WWW-Authenticate", `Basic realm="exeunt"`)
			edge.OAuthError(w, http.StatusUnauthorized, "invalid_client", "The feed is for clients of kind api.")
		case c.Kind != idp.KindAPI:
			edge.OAuthError(w, http.StatusForbidden, "unauthorized_client", "The feed is for clients of kind api.")
		default:
			next(w, r)
		}
	}
}

// beat answers with a head that was read after the question came.
func (f *Feed) beat(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1024))
	if err != nil {
		edge.OAuthError(w, http.StatusBadRequest, "invalid_request", "The question could not be read.")
		return
	}
	q, err := ledger.ParseQuestion(body)
	if err != nil || r.Header.Get("Content-Type") != ledger.TypeBeat {
		edge.OAuthError(w, http.StatusBadRequest, "invalid_request", "This is not a beat's question.")
		return
	}
	a := ledger.Answer{Nonce: q.Nonce}
	err = f.Store.View(r.Context(), func(v idp.View) error {
		if a.Head, err = v.Head(); err != nil {
			return err
		}
		// The row's time stands still while nothing ends; a guard that slept would hold exp against an old one.
		now, _ := f.Store.Now()
		a.Head.Time = max(a.Head.Time, now)
		if q.Lineage != a.Head.Lineage {
			a.Snapshot = true
			return nil
		}
		if q.After >= a.Head.Number {
			return nil
		}
		if a.Entries, err = v.EntriesAfter(q.After, ledger.MaxEntries); err != nil {
			return err
		}
		a.First = q.After + 1
		a.More = q.After+uint64(len(a.Entries)) < a.Head.Number
		return nil
	})
	if err != nil {
		edge.Unavailable(w)
		return
	}
	out, err := ledger.AppendAnswer(nil, a)
	if err != nil {
		edge.Unavailable(w)
		return
	}
	w.Header().Set("Content-Type", ledger.TypeBeat)
	w.Write(out)
}

func (f *Feed) snapshot(w http.ResponseWriter, r *http.Request) {
	var head idp.Head
	var entries []idp.Entry
	err := f.Store.View(r.Context(), func(v idp.View) (err error) {
		if head, err = v.Head(); err != nil {
			return err
		}
		return v.Entries(head.Time, func(e idp.Entry) error {
			entries = append(entries, e)
			return nil
		})
	})
	var out []byte
	if err == nil {
		out, err = ledger.AppendSnapshot(make([]byte, 0, ledger.SnapshotSize(len(entries))), head, entries)
	}
	if err != nil {
		edge.Unavailable(w)
		return
	}
	w.Header().Set("Content-Type", ledger.TypeSnapshot)
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	w.Write(out)
}

// slow is how long a reader may take for one frame before it is cut off; it resumes by number.
const slow = 5 * time.Second

func (f *Feed) tail(w http.ResponseWriter, r *http.Request) {
	after, err1 := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
	lineage, err2 := ledger.ParseLineage(r.URL.Query().Get("lineage"))
	if err1 != nil || err2 != nil {
		edge.OAuthError(w, http.StatusBadRequest, "invalid_request", "after must be a number and lineage a lineage.")
		return
	}
	head, err := f.head(r.Context())
	if err != nil {
		edge.Unavailable(w)
		return
	}
	if lineage != head.Lineage || after > head.Number {
		edge.OAuthError(w, http.StatusGone, "gone", "Take a snapshot.")
		return
	}
	f.readers.Add(1)
	defer f.readers.Add(-1)
	w.Header().Set("Content-Type", ledger.TypeTail)
	w.Header().Set("X-Accel-Buffering", "no")
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Time{}) // the server's limit for reading a request would end the stream
	send := func(b []byte) bool {
		control.SetWriteDeadline(time.Now().Add(slow)) // not every writer can: then the client's own timeout does
		_, err := w.Write(b)
		return err == nil && control.Flush() == nil
	}
	frame := ledger.AppendHello(nil, ledger.Hello{Lineage: lineage, After: after})
	ping := time.NewTicker(ledger.PingInterval)
	defer ping.Stop()
	for send(frame) {
		f.mu.Lock()
		news := f.news
		f.mu.Unlock()
		batch, err := f.next(r.Context(), lineage, after)
		if err != nil {
			return
		}
		if len(batch.Entries) > 0 {
			frame, after = ledger.AppendBatch(frame[:0], batch), batch.Last()
			continue
		}
		select {
		case <-news:
			frame = frame[:0]
		case <-ping.C:
			frame = ledger.AppendPing(frame[:0])
		case <-r.Context().Done():
			return
		case <-f.ended:
			return
		}
	}
}

var errLineage = errors.New("another lineage")

func (f *Feed) next(ctx context.Context, lineage ledger.Lineage, after uint64) (b ledger.Batch, err error) {
	err = f.Store.View(ctx, func(v idp.View) error {
		head, err := v.Head()
		if err != nil {
			return err
		}
		if head.Lineage != lineage {
			return errLineage
		}
		b.First, b.Time = after+1, head.Time
		b.Entries, err = v.EntriesAfter(after, ledger.MaxEntries)
		return err
	})
	return b, err
}
