package feed

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

const (
	// maxLag is how many entries a reader may be behind the chain before it is cut off: 4 MiB.
	maxLag = 1 << 18
	// writeWithin is how long one frame may take to leave.
	writeWithin = 10 * time.Second
	// pingEvery is below the interval: so must the silence be that a guard sees.
	pingEvery = ledger.PingInterval * 2 / 3
)

func (f *Feed) tail(w http.ResponseWriter, r *http.Request) {
	asked, err := tailQuery(r)
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	// The place in the chain is taken before the database is read, so that nothing falls between the two.
	at := f.end.Load()
	head, err := f.heads.read(r.Context())
	if err != nil || at == nil {
		if err == nil {
			err = idp.ErrUnavailable // Run has not read the ledger yet
		}
		down(w, r, err)
		return
	}
	if asked.Lineage != head.Lineage || at.lineage != head.Lineage || asked.After > head.Number {
		edge.OAuthError(w, ledger.StatusTakeSnapshot, "take_snapshot", "This ledger cannot be continued from there: take a snapshot.")
		return
	}
	f.readers.Add(1)
	defer f.readers.Add(-1)
	w.Header().Set("Content-Type", ledger.TypeTail)
	w.Header().Set("X-Accel-Buffering", "no") // proxies that know it do not hold frames back
	t := &tailWriter{feed: f, w: w, out: http.NewResponseController(w), sent: asked.After}
	t.reached.Store(t.sent)
	f.crowd.enter(t, who(r))
	defer f.crowd.leave(t)
	_ = t.out.SetReadDeadline(time.Time{}) // the server's own is for requests that end
	if !t.write(ledger.AppendHello(nil, asked)) || !t.catchUp(r.Context(), head) {
		return
	}
	t.follow(r, at)
}

func tailQuery(r *http.Request) (ledger.Hello, error) {
	q, err := edge.Query(r)
	if err != nil {
		return ledger.Hello{}, err
	}
	after, err1 := strconv.ParseUint(q.Get(ledger.ParamAfter), 10, 63)
	lineage, err2 := ledger.ParseLineage(q.Get(ledger.ParamLineage))
	if err1 != nil || err2 != nil {
		return ledger.Hello{}, &edge.Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: "after (a number) and lineage are needed."}
	}
	return ledger.Hello{Lineage: lineage, After: after}, nil
}

// tailWriter is one reader's end of the tail.
type tailWriter struct {
	feed *Feed
	w    http.ResponseWriter
	out  *http.ResponseController
	sent uint64 // the last number that was written

	reached atomic.Uint64 // the last number that has left, for operators
}

func (t *tailWriter) write(frame []byte) bool {
	// A server that cannot set deadlines has its own; the error says only that.
	_ = t.out.SetWriteDeadline(time.Now().Add(t.feed.within))
	// An HTTP/2 stream is reset when its deadline passes, written to or not.
	defer t.out.SetWriteDeadline(time.Time{})
	if _, err := t.w.Write(frame); err != nil {
		return false
	}
	if t.out.Flush() != nil {
		return false
	}
	t.reached.Store(t.sent)
	return true
}

// catchUp sends from the database what was committed when the request arrived.
func (t *tailWriter) catchUp(ctx context.Context, head idp.Head) bool {
	for t.sent < head.Number {
		entries, err := t.feed.entries(ctx, t.sent, head.Number)
		if err != nil {
			return false
		}
		if !t.write(ledger.AppendBatch(nil, ledger.Batch{First: t.sent + 1, Time: head.Time, Entries: entries})) {
			return false
		}
		t.sent += uint64(len(entries))
		t.reached.Store(t.sent)
	}
	return true
}

// follow walks along the chain until the reader goes, is too slow, may no longer read, or the feed stops.
func (t *tailWriter) follow(r *http.Request, at *link) {
	ping := time.NewTicker(t.feed.ping)
	defer ping.Stop()
	for {
		select {
		case <-at.over:
			at = at.next
			if at == nil || t.feed.end.Load().last > at.last+t.feed.lag || !t.pass(at) {
				return
			}
		case <-ping.C:
			// A client that was ended meanwhile does not go on reading.
			if t.feed.authenticate(r.Context(), r) != nil || !t.write(ledger.AppendPing(nil)) {
				return
			}
		case <-r.Context().Done():
			return
		case <-t.feed.stopped:
			return
		}
	}
}

// pass sends one link's frame, or the part of it that catchUp did not send.
func (t *tailWriter) pass(at *link) bool {
	frame := at.frame
	switch {
	case at.last <= t.sent:
		return true
	case at.batch.First <= t.sent:
		rest := at.batch
		rest.Entries = rest.Entries[t.sent+1-rest.First:]
		rest.First = t.sent + 1
		frame = ledger.AppendBatch(nil, rest)
	}
	t.sent = at.last
	return t.write(frame)
}

// entries reads some of the entries after+1 to last, at least one. A gap is an error, never a shorter list.
func (f *Feed) entries(ctx context.Context, after, last uint64) (entries []idp.Entry, err error) {
	want := int(min(last-after, ledger.MaxEntries))
	err = f.store.View(ctx, func(v idp.View) (err error) {
		entries, err = v.EntriesAfter(after, want)
		return err
	})
	if err == nil && len(entries) != want {
		err = idp.ErrUnavailable
	}
	return entries, err
}
