package fill_test

import (
	"path/filepath"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/fill"
	"exeunt.dev/internal/store/pgtest"
	"exeunt.dev/internal/store/postgres"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/ledger"
)

// What was filled is what the program reads: every row, by each of its indexes.
func TestFill(t *testing.T) {
	const n = 1000
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "db")
		open := func() idp.Store { return must(sqlite.Open(t.Context(), path))(t) }
		filled(t, n, open, func(tables []fill.Table) error { return fill.SQLite(path, tables...) })
	})
	t.Run("postgres", func(t *testing.T) {
		if testing.Short() || pgtest.Find() == "" {
			t.Skip("Postgres is not installed, or not for the inner loop")
		}
		pg := must(pgtest.Start())(t)
		defer pg.Remove()
		at := pg.Database(t)
		open := func() idp.Store { return must(postgres.Open(t.Context(), at, postgres.Options{}))(t) }
		filled(t, n, open, func(tables []fill.Table) error { return fill.Postgres(t.Context(), at, tables...) })
	})
}

func filled(t *testing.T, n int, open func() idp.Store, write func([]fill.Table) error) {
	s := open()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	now := idp.Time(time.Now().UnixMilli())
	epoch, name := ledger.NewName(), "tab\tback\\slash\nline 'quoted'"
	tables := append(fill.Ends("books", 1, n, now-1000, now, time.Hour), fill.Table{Name: "account", Anew: true, Number: 1, Rows: func(yield func([]any) bool) {
		yield([]any{idp.AccountID("a"), "folded", "Folded", "", name, "", true, string(idp.AccountActive), epoch, now, 0})
	}})
	if err := write(tables); err != nil {
		t.Fatal(err)
	}
	s = open()
	defer s.Close()
	err := s.View(t.Context(), func(v idp.View) error {
		all, err := v.Endings(0, 2*n)
		if err != nil || len(all) != n {
			t.Fatalf("%d endings: %v", len(all), err)
		}
		for i, e := range all[:20] {
			if e.Number != uint64(i+1) || e.What != idp.WhatToken || e.At <= now-1000 || e.At > now {
				t.Fatalf("%+v", e)
			}
			r, err := v.Receipt(e.Receipt)
			if err != nil || r.Number != e.Number || r.Actor != idp.ActorClient("books") || !r.Request.IsZero() || r.ToldAt != idp.NobodyToTell {
				t.Fatalf("%+v: %v", r, err)
			}
		}
		if over, err := v.Ended(all[n-1].Name, epoch); len(over) != 1 || err != nil {
			t.Error(over, err)
		}
		who, err := v.AccountByUsername("FOLDED")
		if who.Name != name || !who.EmailVerified {
			t.Errorf("%+v", who)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
