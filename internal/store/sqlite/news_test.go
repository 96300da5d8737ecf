package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/store/storetest"
	"exeunt.dev/ledger"
)

// Who follows has heard of an ending before it is acknowledged, of all of them once and in order, and of nothing that did not happen.
func TestFollow(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "exeunt.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	names := storetest.Sessions(t, s, 1000)
	var mu sync.Mutex
	var heard []idp.News
	ctx, stop := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() {
		s.Follow(ctx, func(n idp.News) {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, n)
		})
	})
	d := door.New(s, nil)
	knows := func(n idp.Name) bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.ContainsFunc(heard, func(o idp.News) bool {
			return slices.ContainsFunc(o.Entries, func(e idp.Entry) bool { return e.Name == n })
		})
	}
	for following := false; !following; names = names[1:] {
		if _, err := d.End(ctx, idp.EndSession(names[0]), idp.Cause{Kind: idp.CauseSignOut, Actor: "test:it"}); err != nil {
			t.Fatal(err)
		}
		following = knows(names[0])
	}
	var callers sync.WaitGroup
	for _, n := range names[len(names)-200:] {
		callers.Go(func() {
			if _, err := d.End(ctx, idp.EndSession(n), idp.Cause{Kind: idp.CauseSignOut, Actor: "test:it"}); err != nil || !knows(n) {
				t.Errorf("heard of it: %t, %v", knows(n), err)
			}
		})
		callers.Go(func() {
			no := errors.New("no")
			if err := s.Update(ctx, func(tx idp.Tx) error {
				_, err := door.EndIn(tx, idp.Selector{Kind: idp.SelectToken, Name: ledger.NewName()}, idp.Cause{Kind: idp.CauseRevoked, Actor: "test:it"})
				return errors.Join(err, no)
			}); !errors.Is(err, no) {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if err := s.View(ctx, func(v idp.View) error {
		head, err := v.Head()
		if err != nil {
			return err
		}
		first := heard[0].First
		all, err := v.EntriesAfter(first-1, 1000)
		var told []idp.Entry
		for _, n := range heard {
			if n.Lineage != head.Lineage || n.Time == 0 || n.First != first+uint64(len(told)) {
				t.Errorf("%d entries from %d on, after %d", len(n.Entries), n.First, first+uint64(len(told))-1)
			}
			told = append(told, n.Entries...)
		}
		if last := first + uint64(len(told)) - 1; !slices.Equal(told, all) || last != head.Number {
			t.Errorf("told %d entries of %d, the last is number %d of %d", len(told), len(all), last, head.Number)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	before := len(heard)
	if err := s.Update(ctx, func(tx idp.Tx) error {
		var many []idp.Ending
		for range ledger.MaxEntries + 1 {
			many = append(many, idp.Ending{Name: ledger.NewName(), What: idp.WhatToken})
		}
		return tx.Append(idp.Receipt{ID: idp.NewReceiptID(many[0].Name), Cause: idp.CauseRevoked, Selector: idp.SelectToken}, many)
	}); err != nil {
		t.Fatal(err)
	}
	if len(heard) != before+1 || len(heard[before].Entries) != 0 {
		t.Errorf("of more than a frame holds: %d news", len(heard)-before)
	}
	stop()
	following.Wait()
	if _, err := d.End(t.Context(), idp.EndSession(storetest.Sessions(t, s, 1)[0]), idp.Cause{Kind: idp.CauseSignOut, Actor: "test:it"}); err != nil || len(heard) != before+1 {
		t.Error("told after the end:", err)
	}
}
