package sqlite

import (
	"errors"
	"runtime"
	"sync"
	"testing"

	"exeunt.dev/internal/idp"
)

// Who shares a snapshot with one that fails, panics or never returns has its own answer all the same, and the connection comes back.
func TestLooksShareASnapshot(t *testing.T) {
	s := testStore(t)
	a, _ := addPerson(t, s, "carol")
	failed := errors.New("failed")
	for _, shared := range []bool{true, false} {
		leader, leads := s.looks.board()
		if !leads {
			t.Fatal("somebody waits already")
		}
		var all sync.WaitGroup
		look := func(f func(idp.View) error, want error) {
			all.Go(func() {
				if err := s.Look(t.Context(), f); !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			})
		}
		right := func(v idp.View) error {
			row, err := v.Account(a.ID)
			if row.Username != "carol" {
				t.Error("another's answer:", row)
			}
			return err
		}
		for range 3 {
			look(right, nil)
			look(func(idp.View) error { return failed }, failed)
			look(func(v idp.View) error { _, err := v.Account("nobody"); return err }, idp.ErrNotFound)
			all.Go(func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was another's")
					}
				}()
				s.Look(t.Context(), func(idp.View) error { panic("at the disco") })
			})
			all.Go(func() { s.Look(t.Context(), func(idp.View) error { runtime.Goexit(); return nil }) })
		}
		for s.boarded() < mostLooks {
			runtime.Gosched()
		}
		look(right, nil) // no room: it leads another one
		s.looks.depart(leader)
		var c *conn
		if shared {
			var err error
			if c, err = s.beginRead(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s.pass(leader, c)
		all.Wait()
		for len(s.readers.slots) > 0 {
			runtime.Gosched()
		}
	}
	if err := s.Look(t.Context(), func(v idp.View) error { _, err := v.Account(a.ID); return err }); err != nil {
		t.Error("afterwards:", err)
	}
}

func (s *Store) boarded() int {
	s.looks.mu.Lock()
	defer s.looks.mu.Unlock()
	return s.looks.n
}
