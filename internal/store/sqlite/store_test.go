package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

func testStore(t testing.TB) *Store {
	t.Helper()
	s, err := Open(context.Background(), filepath.Join(t.TempDir(), "exeunt.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func addPerson(t testing.TB, s *Store, username string) (idp.Account, idp.Epochs) {
	t.Helper()
	a := idp.Account{ID: idp.AccountID(ledger.NewName().String()), Username: username, State: idp.AccountActive}
	var e idp.Epochs
	err := s.Update(context.Background(), func(tx idp.Tx) error {
		if err := tx.InsertAccount(a, ledger.NewName()); err != nil {
			return err
		}
		var err error
		e, err = tx.Epochs(a.ID, "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, e
}

func addSessions(t testing.TB, s *Store, a idp.Account, e idp.Epochs, n int) []idp.Name {
	t.Helper()
	var names []idp.Name
	now, _ := s.Now()
	err := s.Update(context.Background(), func(tx idp.Tx) error {
		names = names[:0]
		for range n {
			name := ledger.NewName()
			if err := tx.InsertSession(idp.Session{Name: name, Ref: ledger.NewName().String(), Account: a.ID, Realm: e.Realm, Epoch: e.Account,
				Cookie: idp.HashOf(idp.NewSecret(32)), CreatedAt: now, AuthTime: now, LastSeen: now, ExpiresAt: now + 1e8, Idle: time.Hour}); err != nil {
				return err
			}
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestEndAndLive(t *testing.T) {
	s := testStore(t)
	a, e := addPerson(t, s, "Alice")
	names := addSessions(t, s, a, e, 3)
	d := door.New(s, nil)
	r, err := d.End(t.Context(), idp.EndSession(names[0]), idp.Cause{Kind: idp.CauseSignOut, Request: "x"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.End(t.Context(), idp.EndSession(names[0]), idp.Cause{Kind: idp.CauseSignOut, Request: "y"})
	if err != nil || again.ID != r.ID {
		t.Fatal("ending an ended thing gives the first receipt:", err, again.ID, r.ID)
	}
	err = s.View(t.Context(), func(v idp.View) error {
		if err := idp.Live(v, names[0], names[1]); !errors.Is(err, idp.ErrEnded) {
			t.Error("ended session lives:", err)
		}
		if err := idp.Live(v, names[1], names[2], e.Account, e.Realm); err != nil {
			t.Error("others ended too:", err)
		}
		live, err := v.Sessions(a.ID, e.Realm, e.Account, idp.Page{Limit: 10})
		if err != nil || len(live) != 2 {
			t.Error("list:", len(live), err)
		}
		head, err := v.Head()
		if err != nil || head.Number != 1 {
			t.Error("head:", head, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// S4: a member that fails or panics takes none of its neighbours with it.
func TestMembersAreApart(t *testing.T) {
	s := testStore(t)
	a, e := addPerson(t, s, "bob")
	names := addSessions(t, s, a, e, 20)
	boom := errors.New("boom")
	var wg sync.WaitGroup
	for i, n := range names {
		wg.Go(func() {
			defer func() {
				if p := recover(); (p != nil) != (i == 7) {
					t.Errorf("member %d: panic %v", i, p)
				}
			}()
			err := s.Update(context.Background(), func(tx idp.Tx) error {
				if _, err := door.EndIn(tx, idp.EndSession(n), idp.Cause{Kind: idp.CauseSignOut}); err != nil {
					return err
				}
				switch i {
				case 7:
					panic("seven")
				case 11:
					return boom
				}
				return nil
			})
			if (err != nil) != (i == 11) {
				t.Errorf("member %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	err := s.View(t.Context(), func(v idp.View) error {
		for i, n := range names {
			ended := errors.Is(idp.Live(v, n), idp.ErrEnded)
			if ended != (i != 7 && i != 11) {
				t.Errorf("session %d ended: %v", i, ended)
			}
		}
		head, err := v.Head()
		if head.Number != 18 {
			t.Errorf("numbers have gaps: head %d", head.Number)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
