package feed

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/ledger"
)

// slowly is a store whose ledger takes its time to be read.
type slowly struct {
	idp.Store
	reading, goOn chan struct{}
}

func (s *slowly) View(ctx context.Context, do func(idp.View) error) error {
	return s.Store.View(ctx, func(v idp.View) error { return do(slowView{v, s}) })
}

type slowView struct {
	idp.View
	s *slowly
}

func (v slowView) Entries(now idp.Time, after, to uint64, limit int) ([]idp.Entry, uint64, error) {
	v.s.reading <- struct{}{}
	<-v.s.goOn
	return v.View.Entries(now, after, to, 2) // in several pieces
}

// A guard waits for so long and comes again. What was begun for the first is there for the second: else a ledger that takes longer to be
// read than guards wait would never be had by any.
func TestSnapshot_IsMadeWhoeverGivesUp(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const ends = 7
	for range ends {
		if _, err := door.New(db, nil).End(t.Context(), idp.EndToken(ledger.NewName()), idp.Cause{Kind: idp.CauseRevoked}); err != nil {
			t.Fatal(err)
		}
	}
	s := &snapshots{store: &slowly{Store: db, reading: make(chan struct{}, ends), goOn: make(chan struct{})}}
	var head idp.Head
	if err := db.View(t.Context(), func(v idp.View) (err error) { head, err = v.Head(); return err }); err != nil {
		t.Fatal(err)
	}
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { _, err := s.get(impatient, head); left <- err }()
	<-s.store.(*slowly).reading
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Error("who gave up got", err)
	}
	s.mu.Lock()
	m := s.last
	s.mu.Unlock()
	close(s.store.(*slowly).goOn)
	<-m.done
	r, err := ledger.NewSnapshotReader(bytes.NewReader(m.bytes))
	if err != nil || r.Head() != head {
		t.Fatal(m.err, err)
	}
	if all, err := r.Next(nil, 2*ends); len(all) != ends {
		t.Errorf("%d of %d entries: %v", len(all), ends, err)
	}
}

// A snapshot that was made, or begun, of one history is not given to who asks in another; and one that becomes another while it is read
// is none.
func TestSnapshot_OfAnotherHistory(t *testing.T) {
	w := newSlowWorld(t, time.Second, maxLag)
	w.grow(5)
	head := w.head()
	s := &snapshots{store: w.store}
	asks := func(ctx context.Context, now idp.Head) (got idp.Head) {
		b, err := s.get(ctx, now)
		if err == nil {
			var r *ledger.SnapshotReader
			if r, err = ledger.NewSnapshotReader(bytes.NewReader(b)); err == nil {
				got = r.Head()
			}
		}
		if err != nil {
			t.Error(err)
		}
		return got
	}
	of := func(now idp.Head) idp.Head { return asks(t.Context(), now) }
	is := func(store changed) (now idp.Head) {
		s.store = store
		if err := store.View(t.Context(), func(v idp.View) (err error) { now, err = v.Head(); return err }); err != nil {
			t.Fatal(err)
		}
		return now
	}
	if got := of(head); got != head {
		t.Fatalf("%+v, not %+v", got, head)
	}
	if now := is(changed{Store: w.store, number: head.Number - 2}); of(now) != now {
		t.Error("numbers went back, and the snapshot of before is given")
	}
	if now := is(changed{Store: w.store, lineage: ledger.NewLineage()}); of(now) != now {
		t.Error("another lineage, and the snapshot of before is given")
	}

	for _, c := range []struct {
		name  string
		piece int // of three, in which it becomes another
		first error
	}{{"in the middle", 1, idp.ErrUnavailable}, {"at the end", 3, nil}} {
		slow := &slowly{Store: w.store, reading: make(chan struct{}, 9), goOn: make(chan struct{})}
		s = &snapshots{store: slow}
		first, second := make(chan error, 1), make(chan idp.Head, 1)
		go func() { _, err := s.get(t.Context(), head); first <- err }()
		for range c.piece - 1 {
			<-slow.reading
			slow.goOn <- struct{}{}
		}
		<-slow.reading
		next := changed{Store: w.store, lineage: ledger.NewLineage()}
		now := head
		now.Lineage = next.lineage
		slow.Store = next // who reads now has the old one in hand
		if c.first == nil {
			ctx := waits(t)
			go func() { second <- asks(ctx, now) }()
			<-ctx.begun
		}
		close(slow.goOn)
		if err := <-first; !errors.Is(err, c.first) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.first == nil {
			if got := <-second; got.Lineage != now.Lineage {
				t.Errorf("%s: a snapshot that was begun before is given", c.name)
			}
		}
	}
}
