package sqlite

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
)

// An end never unlocks: "everywhere" on a locked account and an end of a disabled client find nothing alive and give no epoch.
func TestEndDoesNotUnlock(t *testing.T) {
	s := testStore(t)
	a, _ := addPerson(t, s, "carol")
	d := door.New(s, nil)
	end := func(sel idp.Selector, kind idp.CauseKind) idp.Receipt {
		t.Helper()
		r, err := d.End(t.Context(), sel, idp.Cause{Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	epoch := func() (e idp.Epochs) {
		t.Helper()
		err := s.View(t.Context(), func(v idp.View) (err error) {
			e, err = v.Epochs(a.ID, "")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if end(idp.EndAccount(a.ID, idp.AccountLocked), idp.CauseLock).ID == "" {
		t.Fatal("the first lock has no receipt")
	}
	if r := end(idp.EndAccount(a.ID, idp.AccountActive), idp.CauseEverywhere); r.ID != "" || !epoch().Account.IsZero() {
		t.Error("signing out a locked account unlocks it")
	}
	if err := d.Unlock(t.Context(), a.ID); err != nil || epoch().Account.IsZero() {
		t.Error("unlock:", err)
	}
	if err := d.Unlock(t.Context(), a.ID); !errors.Is(err, idp.ErrConflict) {
		t.Error("unlocking an active account:", err)
	}
	end(idp.EndAccount(a.ID, idp.AccountDeleted), idp.CauseDelete)
	end(idp.EndAccount(a.ID, idp.AccountLocked), idp.CauseLock)
	if err := d.Unlock(t.Context(), a.ID); !errors.Is(err, idp.ErrConflict) {
		t.Error("a deleted account comes back:", err)
	}
}

// What a flight has read of a session for those who foresaw it does not outlive a neighbour's change of the row: a session whose end was put
// off in the same flight has not reached it, and its tokens are refused for as long as they might live.
func TestForeseenSessionChanges(t *testing.T) {
	s := testStore(t)
	a, e := addPerson(t, s, "dora")
	name := addSessions(t, s, a, e, 1)[0]
	now, _ := s.Now()
	row := idp.Session{Name: name, Cookie: idp.HashOf("first"), AuthTime: now, ExpiresAt: now - 1, Idle: time.Hour}
	renew := func(tx idp.Tx) error { return tx.RenewSession(row) }
	if err := s.Update(t.Context(), renew); err != nil {
		t.Fatal(err)
	}

	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		s.Update(t.Context(), func(idp.Tx) error { close(entered); <-leave; return nil })
	})
	<-entered // whoever comes now waits, and flies together
	queued := func(n int) {
		for s.writer.waiting() < n {
			runtime.Gosched()
		}
	}
	row.ExpiresAt = now + 1e8
	wg.Go(func() {
		if err := s.Update(t.Context(), renew); err != nil {
			t.Error(err)
		}
	})
	queued(1)
	wg.Go(func() {
		if _, err := door.New(s, nil).End(t.Context(), idp.EndSession(name), idp.Cause{Kind: idp.CauseExpiry}); err != nil {
			t.Error(err)
		}
	})
	queued(2)
	close(leave)
	wg.Wait()

	err := s.View(t.Context(), func(v idp.View) error {
		head, err := v.Head()
		if err != nil {
			return err
		}
		endings, err := v.EntriesAfter(0, 10)
		if len(endings) != 1 || endings[0].Name != name || int64(endings[0].Until) <= int64(head.Time)/1000+1 {
			t.Errorf("at %d the ledger has %v", head.Time, endings)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
