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

// BenchmarkDoorEnd64 ends sessions from 64 callers: durable ends a second at the door.
func BenchmarkDoorEnd64(b *testing.B) {
	s := testStore(b)
	a, e := addPerson(b, s, "bench")
	names := addSessions(b, s, a, e, b.N)
	d := door.New(s, nil)
	work := make(chan idp.Name, b.N)
	for _, n := range names {
		work <- n
	}
	close(work)
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for n := range work {
				if _, err := d.End(context.Background(), idp.EndSession(n), idp.Cause{Kind: idp.CauseSignOut}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ends/s")
}

// BenchmarkLiveness is what introspection asks: a client and nine names.
func BenchmarkLiveness(b *testing.B) {
	s := testStore(b)
	err := s.Update(context.Background(), func(tx idp.Tx) error {
		return tx.InsertClient(idp.Client{ID: "app", RedirectURIs: []string{"https://a.example/cb"}}, ledger.NewName())
	})
	if err != nil {
		b.Fatal(err)
	}
	var names []idp.Name
	for range 9 {
		names = append(names, ledger.NewName())
	}
	b.ReportAllocs()
	for b.Loop() {
		err := s.View(context.Background(), func(v idp.View) error {
			if _, err := v.Client("app"); err != nil {
				return err
			}
			return idp.Live(v, names...)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGroupCommitRows64 is what the door is measured against: bare rows, by the same group commit, of the same shape.
func BenchmarkGroupCommitRows64(b *testing.B) {
	s := testStore(b)
	work := make(chan idp.Name, b.N)
	for range b.N {
		work <- ledger.NewName()
	}
	close(work)
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for n := range work {
				err := s.Update(context.Background(), func(t idp.Tx) error {
					_, err := t.(*tx).engine.Write(`INSERT INTO pending VALUES (?, 'row', NULL, '', NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, 0)`, n)
					return err
				})
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkEverywhere1vs10000 interleaves ends of persons with one session and with 10,000.
func BenchmarkEverywhere1vs10000(b *testing.B) {
	s := testStore(b)
	d := door.New(s, nil)
	few, e := addPerson(b, s, "few")
	addSessions(b, s, few, e, 1)
	many, e := addPerson(b, s, "many")
	addSessions(b, s, many, e, 10000)
	var took [2]time.Duration
	b.ResetTimer()
	for range b.N {
		for i, a := range []idp.AccountID{few.ID, many.ID} {
			start := time.Now()
			if _, err := d.End(context.Background(), idp.EndAccount(a, idp.AccountActive), idp.Cause{Kind: idp.CauseEverywhere}); err != nil {
				b.Fatal(err)
			}
			took[i] += time.Since(start)
		}
	}
	b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
}
