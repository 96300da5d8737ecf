package audit_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"exeunt.dev/internal/audit"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/ledger"
)

func open(t *testing.T) (idp.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "exeunt.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, path
}

func record(t *testing.T, s idp.Store, n int) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx idp.Tx) error {
		for i := range n {
			if err := tx.Record(idp.Event{Kind: idp.EventSignIn, Account: "alice", Why: fmt.Sprint(i), Data: map[string]string{"methods": "pwd"}}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Whatever is changed in a sealed row, taken out, put in another order or cut off is found, and where; what the whole-table forger leaves
// consistent is found by a head that was kept elsewhere.
func TestPromise_ChainShowsChange(t *testing.T) {
	for name, c := range map[string]struct {
		change string
		at     uint64
		head   bool // found by the kept head only
	}{
		"a text":           {"UPDATE event SET why = 'other' WHERE number = 600", 600, false},
		"a fact":           {`UPDATE event SET data = '{"methods":"otp"}' WHERE number = 1`, 1, false},
		"an account":       {"UPDATE event SET account = '' WHERE number = 2", 2, false},
		"a time":           {"UPDATE event SET at = at - 1 WHERE number = 700", 700, false},
		"moved letters":    {"UPDATE event SET account = 'alic', actor = 'e' || actor WHERE number = 9", 9, false},
		"one taken out":    {"DELETE FROM event WHERE number = 501", 501, false},
		"the first ones":   {"DELETE FROM event WHERE number < 5", 1, false},
		"the last one":     {"DELETE FROM event WHERE number = 700", 700, false},
		"the last, hidden": {"DELETE FROM event WHERE number > 698; UPDATE audit SET number = 698, hash = (SELECT hash FROM event WHERE number = 698)", 699, true},
		"a new beginning":  {"UPDATE audit SET first = 401, before = (SELECT hash FROM event WHERE number = 400); DELETE FROM event WHERE number < 401", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, path := open(t)
			record(t, s, 700)
			l := audit.New(s, 0, slog.New(slog.DiscardHandler))
			if err := l.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
			v, err := audit.Verify(t.Context(), s, nil)
			if err != nil || v.Head.Number != 700 || v.First != 1 || v.Open != 0 {
				t.Fatalf("untouched: %+v %v", v, err)
			}
			kept, err := audit.ParseHead(v.Head.String())
			if err != nil || kept != v.Head {
				t.Fatal(kept, err)
			}
			if v, err := audit.Verify(t.Context(), s, &kept); err != nil || !v.Kept {
				t.Fatal("the head is in the chain:", v, err)
			}
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec(c.change); err != nil {
				t.Fatal(err)
			}
			var broken *audit.BrokenError
			_, err = audit.Verify(t.Context(), s, nil)
			if c.head {
				if err != nil {
					t.Fatal("consistent in itself, but found:", err)
				}
				v, err = audit.Verify(t.Context(), s, &kept)
			}
			if c.at == 0 { // a later beginning is what the sweep makes, too: the chain still ends where it did
				if err != nil || v.First != 401 || !v.Kept {
					t.Errorf("%+v %v", v, err)
				}
				return
			}
			if !errors.As(err, &broken) || broken.Number != c.at {
				t.Errorf("found %v, want a break at %d", err, c.at)
			}
		})
	}
}

// A chain that was made anew after a change, whole and consistent, is not the one that the kept head is of.
func TestKeptHeadShowsForgedChain(t *testing.T) {
	s, path := open(t)
	record(t, s, 20)
	l := audit.New(s, 0, slog.New(slog.DiscardHandler))
	if err := l.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := audit.Verify(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	kept := v.Head
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE event SET number = NULL, hash = NULL; UPDATE event SET why = 'forged' WHERE why = '3'; UPDATE audit SET number = 0, hash = zeroblob(32)"); err != nil {
		t.Fatal(err)
	}
	if err := l.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Verify(t.Context(), s, nil); err != nil {
		t.Fatal("the forged chain is consistent:", err)
	}
	var broken *audit.BrokenError
	if _, err := audit.Verify(t.Context(), s, &kept); !errors.As(err, &broken) || broken.Number != 20 {
		t.Error("the kept head does not show it:", err)
	}
}

// What strangers can cause without end is bounded, counted where it is left out, and never waits.
func TestFailuresAreBounded(t *testing.T) {
	s, _ := open(t)
	l := audit.New(s, time.Hour, slog.New(slog.DiscardHandler))
	for range 200 {
		l.Failed(idp.Event{Kind: idp.EventSignInFailed, Account: "alice", Actor: "stranger"})
	}
	for range 600 {
		l.Failed(idp.Event{Kind: idp.EventSignInFailed, Actor: "stranger"})
	}
	l.Failed(idp.Event{Kind: idp.EventSignInFailed, Account: "bob", Actor: "stranger", Data: map[string]string{"what": "its own"}})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	l.Run(ctx)
	count, left, what := map[idp.AccountID]int{}, "", ""
	if err := s.View(t.Context(), func(v idp.View) error {
		all, err := v.Events(idp.EventFilter{Kind: idp.EventSignInFailed}, idp.Page{Limit: 1000})
		for _, e := range all {
			count[e.Account]++
			left = strings.TrimSpace(left + " " + e.Data["left_out"])
			what += e.Data["what"]
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if count["alice"] != 30 || count[""] != 500 || count["bob"] != 1 || left != "100 170" || what != "its own" {
		t.Errorf("kept %v, left out %q, with what %q", count, left, what)
	}
}

// Who ended what, and why, is in the chain, too: a receipt that was changed or taken out is found.
func TestPromise_ChainCoversReceipts(t *testing.T) {
	for name, change := range map[string]string{
		"":           "",
		"an actor":   "UPDATE receipt SET actor = 'rule:expiry' WHERE number = 3",
		"a reason":   "UPDATE receipt SET reason = '' WHERE number = 1",
		"taken out":  "DELETE FROM receipt WHERE number = 1005",
		"the last":   "DELETE FROM receipt WHERE number = 1010",
		"told since": "UPDATE receipt SET told_at = 5, cleared = 1, fan_ending = 1",
	} {
		t.Run(name, func(t *testing.T) {
			s, path := open(t)
			for first := 0; first < 1010; first += 101 {
				if err := s.Update(t.Context(), func(tx idp.Tx) error {
					for range 101 {
						if _, err := door.EndIn(tx, idp.EndToken(ledger.NewName()), idp.Cause{Kind: idp.CauseRevoked, Actor: "operator:ann", Reason: "leaked"}); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			l := audit.New(s, 0, slog.New(slog.DiscardHandler))
			for range 2 { // the second finds nothing to do
				if err := errors.Join(l.SealLedger(t.Context()), l.Seal(t.Context())); err != nil {
					t.Fatal(err)
				}
			}
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec(change); err != nil {
				t.Fatal(err)
			}
			v, err := audit.Verify(t.Context(), s, nil)
			if name == "" || name == "told since" {
				if err != nil || v.Receipt != 1010 || v.Head.Number != 2 {
					t.Errorf("untouched: %+v %v", v, err)
				}
				return
			}
			var broken *audit.BrokenError
			if !errors.As(err, &broken) || !strings.Contains(err.Error(), "receipts") {
				t.Errorf("not found: %+v %v", v, err)
			}
		})
	}
}
