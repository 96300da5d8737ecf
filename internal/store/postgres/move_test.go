package postgres

import (
	"context"
	"errors"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
	"exeunt.dev/ledger"
)

func noRow(int, []any) error { return nil }

// Nodes that run while their database is moved are refused, in what they read too, and go on if it comes to nothing. Nothing that they
// acknowledge is missing there.
func TestHandOver(t *testing.T) {
	address := server.Database(t)
	node := open(t, address)
	mover := func() *Store {
		s, err := Open(t.Context(), address, Options{Opening: verbs.Opening{Moved: true}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	asks := func() error {
		return node.View(t.Context(), func(v idp.View) error { _, err := v.Ended(ledger.NewName()); return err })
	}
	looks := func() error {
		return node.Look(t.Context(), func(v idp.View) error { _, err := v.Ended(ledger.NewName()); return err })
	}
	ends := func() error {
		_, err := door.New(node, nil).End(context.Background(), idp.EndRealm(), idp.Cause{Kind: idp.CauseRealmEnded, Actor: idp.ActorOperator("test")})
		return err
	}
	alive := func() {
		t.Helper()
		for name, f := range map[string]func() error{"ask": asks, "look": looks, "end": ends} {
			if err := f(); err != nil {
				t.Error(name, err)
			}
		}
	}
	refused := func() {
		t.Helper()
		for name, f := range map[string]func() error{"ask": asks, "look": looks, "end": ends} {
			if err := f(); !errors.Is(err, idp.ErrUnavailable) {
				t.Error(name, err)
			}
		}
	}
	alive()
	wrong := errors.New("wrong")
	if err := mover().HandOver(t.Context(), "there", func(int, []any) error { return wrong }, func() error { return nil }); !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	alive()
	if err := mover().HandOver(t.Context(), "there", noRow, func() error { return wrong }); !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	alive()

	endings, number := 0, uint64(0)
	second := mover()
	third := mover()
	err := third.HandOver(t.Context(), "there", func(table int, values []any) error {
		switch verbs.Tables()[table].Name {
		case "ending":
			endings++
		case "counter":
			number = uint64(values[2].(int64))
			if l := values[1].([]byte); len(l) != len(ledger.Lineage{}) {
				t.Errorf("the mark moves along: %q", l)
			}
		}
		return nil
	}, func() error {
		if err := second.HandOver(t.Context(), "there", noRow, func() error { return nil }); !errors.Is(err, idp.ErrInUse) {
			t.Error("moved by two at once: ", err)
		}
		return idp.ErrUnknown
	})
	if !errors.Is(err, idp.ErrUnknown) || endings == 0 || uint64(endings) != number {
		t.Fatalf("%d endings, number %d: %v", endings, number, err)
	}
	refused()
	var m *idp.MovedError
	if _, err := Open(t.Context(), address, Options{}); !errors.As(err, &m) || m.Done || m.To != "there" {
		t.Fatal(err)
	}
	if err := mover().HandOver(t.Context(), "elsewhere", noRow, func() error { return nil }); !errors.As(err, &m) {
		t.Fatal(err)
	}
	if err := mover().HandOver(t.Context(), "there", noRow, func() error { return wrong }); !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	refused()
	again := 0
	if err := mover().HandOver(t.Context(), "there", func(table int, _ []any) error {
		if verbs.Tables()[table].Name == "ending" {
			again++
		}
		return nil
	}, func() error { return nil }); err != nil || again != endings {
		t.Fatalf("%d endings, then %d: %v", endings, again, err)
	}
	refused()
	if _, err := Open(t.Context(), address, Options{}); !errors.As(err, &m) || !m.Done || m.To != "there" {
		t.Fatal(err)
	}
}
