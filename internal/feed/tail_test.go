package feed

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

func names(n int) []idp.Entry {
	out := make([]idp.Entry, n)
	for i := range out {
		out[i] = idp.Entry{Name: ledger.NewName(), Until: ledger.Forever}
	}
	return out
}

// What catchUp has sent already is not sent again by the chain, not even the part of a frame: to its reader that would be a gap.
func TestChainGoesOnWhereTheDatabaseEnded(t *testing.T) {
	lineage, entries := ledger.NewLineage(), names(6)
	batch := func(first, last uint64) *link {
		l := newLink(lineage, last)
		l.batch = ledger.Batch{First: first, Time: 1, Entries: entries[first-1 : last]}
		l.frame = ledger.AppendBatch(nil, l.batch)
		return l
	}
	for sent := uint64(0); sent <= 6; sent++ {
		w := httptest.NewRecorder()
		from := ledger.Hello{Lineage: lineage, After: sent}
		tail := &tailWriter{feed: New(nil, nil), w: w, out: http.NewResponseController(w), sent: sent}
		for _, l := range []*link{batch(1, 2), batch(3, 5), batch(6, 6)} {
			if !tail.pass(l) {
				t.Fatal("not written")
			}
		}
		r, err := ledger.NewTailReader(bytes.NewReader(append(ledger.AppendHello(nil, from), w.Body.Bytes()...)), from)
		if err != nil {
			t.Fatal(err)
		}
		for n := sent; n < 6; {
			b, err := r.Next()
			if err != nil {
				t.Fatalf("after %d: %v", sent, err)
			}
			for _, e := range b.Entries {
				if e != entries[n] {
					t.Fatalf("after %d: number %d is another", sent, n+1)
				}
				n++
			}
		}
	}
}

// during is a store in which something happens between a read and its answer, once.
type during struct {
	idp.Store
	happens atomic.Pointer[func()]
}

func (d *during) View(ctx context.Context, do func(idp.View) error) error {
	err := d.Store.View(ctx, do)
	if f := d.happens.Swap(nil); f != nil {
		(*f)()
	}
	return err
}

// What is committed between the read of the head and the first wait is neither in what the database is asked for nor after the end of
// the chain of that moment: the place in the chain is taken first.
func TestNothingFallsBetweenDatabaseAndChain(t *testing.T) {
	w := newSlowWorld(t, 10*time.Second, maxLag)
	d := &during{Store: w.store}
	w.feed.heads.store = d
	between := func() {
		want := w.head().Number + 3
		w.grow(3)
		for w.feed.end.Load().last < want {
			<-w.grown
		}
	}
	d.happens.Store(&between)
	r := w.open("orders", false)
	n := 0
	for n < 3 {
		b, err := r.Next()
		if err != nil {
			t.Fatalf("%d of 3: %v", n, err)
		}
		if len(b.Entries) == 0 {
			t.Fatalf("a ping, and %d of 3", n)
		}
		n += len(b.Entries)
	}
}

// changed is a ledger that is seen otherwise.
type changed struct {
	idp.Store
	number  uint64         // of the head; 0: as it is
	lineage ledger.Lineage // zero: as it is
	lose    int            // entries of each answer
}

func (c changed) View(ctx context.Context, do func(idp.View) error) error {
	return c.Store.View(ctx, func(v idp.View) error { return do(changedView{v, c}) })
}

type changedView struct {
	idp.View
	c changed
}

func (v changedView) Head() (idp.Head, error) {
	head, err := v.View.Head()
	if v.c.number > 0 {
		head.Number = v.c.number
	}
	if !v.c.lineage.IsZero() {
		head.Lineage = v.c.lineage
	}
	return head, err
}

func (v changedView) Tail(after uint64, limit int) (idp.Head, []idp.Entry, error) {
	head, entries, err := v.View.Tail(after, limit)
	if v.c.number > 0 {
		head.Number, entries = v.c.number, nil
	}
	return head, entries, err
}

func (v changedView) EntriesAfter(after uint64, limit int) ([]idp.Entry, error) {
	entries, err := v.View.EntriesAfter(after, limit)
	return entries[:max(len(entries)-v.c.lose, 0)], err
}

// A ledger whose numbers have gone back beneath a running node is another history, although it says the same lineage: nobody is told
// to go on.
func TestNumbersThatWentBack(t *testing.T) {
	w := newSlowWorld(t, time.Second, maxLag)
	w.grow(5)
	f := New(w.store, nil)
	f.follow(t.Context())
	end := f.end.Load()
	f.store = changed{Store: w.store, number: end.last - 2}
	f.follow(t.Context())
	select {
	case <-end.over:
	default:
		t.Fatal("who follows goes on")
	}
	if next := f.end.Load(); end.next != nil || next.last != end.last-2 {
		t.Errorf("%d after %d", next.last, end.last)
	}
}

// An answer has as much as fits, and says that there is more. One that lacks entries is none.
func TestBeatBringsWhatFits(t *testing.T) {
	w := newSlowWorld(t, time.Second, maxLag)
	h := w.head()
	w.grow(ledger.MaxEntries + 5)
	q := ledger.Question{Nonce: ledger.NewNonce(), Lineage: h.Lineage, After: h.Number}
	a, err := w.feed.answer(t.Context(), q)
	if err != nil || !a.More || len(a.Entries) != ledger.MaxEntries || a.First != q.After+1 {
		t.Fatalf("%d entries from %d, more: %v, %v", len(a.Entries), a.First, a.More, err)
	}
	q.After += ledger.MaxEntries
	if a, err = w.feed.answer(t.Context(), q); err != nil || a.More || len(a.Entries) != 5 {
		t.Errorf("%d entries, more: %v, %v", len(a.Entries), a.More, err)
	}
	w.feed.store = changed{Store: w.store, lose: 1}
	if a, err = w.feed.answer(t.Context(), q); !errors.Is(err, idp.ErrUnavailable) {
		t.Errorf("%d of 5 entries: %v", len(a.Entries), err)
	}
}

// waiting is a context that says when somebody has begun to wait for it.
type waiting struct {
	context.Context
	begun chan struct{}
	once  sync.Once
}

func (w *waiting) Done() <-chan struct{} {
	w.once.Do(func() { close(w.begun) })
	return w.Context.Done()
}

func waits(t *testing.T) *waiting { return &waiting{Context: t.Context(), begun: make(chan struct{})} }

// R: a node vouches only for what it read: who asks while a read is under way gets the next one, for this one may have seen less.
func TestNobodyJoinsAReadThatHasBegun(t *testing.T) {
	w := newSlowWorld(t, time.Second, maxLag)
	d := &during{Store: w.store}
	read, goOn := make(chan struct{}), make(chan struct{})
	hold := func() { close(read); <-goOn }
	d.happens.Store(&hold)
	h := heads{store: d}
	first := make(chan idp.Head, 1)
	go func() {
		head, err := h.read(t.Context())
		if err != nil {
			t.Error(err)
		}
		first <- head
	}()
	<-read
	w.grow(1)
	ctx, second := waits(t), make(chan idp.Head, 1)
	go func() {
		head, err := h.read(ctx)
		if err != nil {
			t.Error(err)
		}
		second <- head
	}()
	<-ctx.begun
	close(goOn)
	if before, after := <-first, <-second; after.Number != before.Number+1 {
		t.Errorf("asked after number %d was committed, and told of %d", before.Number+1, after.Number)
	}
}
