package feed

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// pollEvery is how often the counter row is read when nobody wakes the feed: that is how entries written by other
// processes arrive.
const pollEvery = 50 * time.Millisecond

// maxHeard is how many news may wait. More than that are read.
const maxHeard = 64

// Feed is the room of the guards.
type Feed struct {
	store    idp.Store
	heads    heads
	snapshot snapshots
	wake     chan struct{}
	heard    chan idp.News
	stopped  chan struct{}
	end      atomic.Pointer[link] // of the chain of frames
	readers  atomic.Int64
	crowd    crowd
	grown    func([]idp.Entry)
	lag      uint64        // a reader further behind is cut off
	within   time.Duration // and so is one that takes longer for a frame
	ping     time.Duration // between two looks at who reads, with a ping each
}

// New returns a feed. grown, if not nil, is called by Run with what it has seen the ledger grow by; nil: with what nobody can say,
// for the ledger is another one. It must not block.
func New(store idp.Store, grown func([]idp.Entry)) *Feed {
	if grown == nil {
		grown = func([]idp.Entry) {}
	}
	f := &Feed{store: store, wake: make(chan struct{}, 1), heard: make(chan idp.News, maxHeard), stopped: make(chan struct{}), grown: grown, lag: maxLag, within: writeWithin, ping: pingEvery}
	f.heads.store = store
	f.snapshot.store = store
	return f
}

// Mount adds the room's paths.
func (f *Feed) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET "+ledger.PathTail, f.forAPIs(f.tail))
	mux.HandleFunc("GET "+ledger.PathSnapshot, f.forAPIs(f.takeSnapshot))
	mux.HandleFunc("POST "+ledger.PathBeat, f.forAPIs(f.beat))
}

// Wake says that this process may have grown the ledger. It never blocks; the door calls it after commits.
func (f *Feed) Wake() {
	select {
	case f.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Heard takes what another has committed. It never blocks, and believes what it is told: the store has proved it.
func (f *Feed) Heard(n idp.News) {
	if len(n.Entries) > 0 {
		select {
		case f.heard <- n:
			return
		default:
		}
	}
	f.Wake()
}

// Readers is how many tails are open: the guards that are connected.
func (f *Feed) Readers() int64 { return f.readers.Load() }

// Run follows the ledger until ctx ends; then every tail ends too. It may be called once.
func (f *Feed) Run(ctx context.Context) {
	defer close(f.stopped)
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		f.follow(ctx)
		for fits := true; fits; {
			select {
			case <-ctx.Done():
				return
			case n := <-f.heard:
				fits = f.take(n)
				continue
			case <-f.wake:
			case <-poll.C:
			}
			fits = false
		}
	}
}

// take appends news to the chain if they are what comes next. Those that are known already are nothing new; after any others the
// ledger is to be read: false.
func (f *Feed) take(n idp.News) bool {
	end := f.end.Load()
	switch {
	case end == nil || n.Lineage != end.lineage || n.First > end.last+1:
		return false
	case n.First == end.last+1:
		f.grow(end, n.Time, n.Entries)
		return true
	}
	return n.First+uint64(len(n.Entries))-1 <= end.last
}

// grow appends the entries that follow the chain's end.
func (f *Feed) grow(end *link, at idp.Time, entries []idp.Entry) {
	next := newLink(end.lineage, end.last+uint64(len(entries)))
	next.batch = ledger.Batch{First: end.last + 1, Time: at, Entries: entries}
	next.frame = ledger.AppendBatch(nil, next.batch)
	f.end.Store(next)
	end.finish(next)
	f.grown(entries)
}

// follow appends what is new to the chain. An error is nothing to act on here: tails prove nothing, and beats read for
// themselves.
func (f *Feed) follow(ctx context.Context) {
	for ctx.Err() == nil {
		end := f.end.Load()
		var head idp.Head
		var entries []idp.Entry
		err := f.store.View(ctx, func(v idp.View) (err error) {
			if end == nil {
				head, err = v.Head()
				return err
			}
			head, entries, err = v.Tail(end.last, ledger.MaxEntries)
			return err
		})
		switch {
		case err != nil:
			return
		case end == nil:
			f.end.Store(newLink(head.Lineage, head.Number))
			return
		case head.Lineage != end.lineage || head.Number < end.last:
			// Another history: whoever follows the old one must ask again.
			f.end.Store(newLink(head.Lineage, head.Number))
			end.finish(nil)
			f.grown(nil)
			return
		case len(entries) == 0:
			return
		}
		f.grow(end, head.Time, entries)
	}
}

// link is one frame in the chain that readers walk along; what all have passed is garbage.
type link struct {
	lineage ledger.Lineage
	last    uint64
	batch   ledger.Batch
	frame   []byte

	over chan struct{} // closed once next is known
	next *link         // nil: the chain ends here
}

func newLink(l ledger.Lineage, last uint64) *link {
	return &link{lineage: l, last: last, over: make(chan struct{})}
}

func (l *link) finish(next *link) {
	l.next = next
	close(l.over)
}
