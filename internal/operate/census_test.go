package operate

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/ledger"
)

func openStore(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// signedIn makes a person with n sessions.
func signedIn(t *testing.T, s idp.Store, n int) (p idp.AccountID) {
	t.Helper()
	p = idp.AccountID(ledger.NewName().String())
	err := s.Update(t.Context(), func(tx idp.Tx) error {
		if err := tx.InsertAccount(idp.Account{ID: p, Username: string(p), State: idp.AccountActive}, ledger.NewName()); err != nil {
			return err
		}
		e, err := tx.Epochs(p, "")
		if err != nil {
			return err
		}
		now, err := tx.Mint()
		for range n {
			if err == nil {
				err = tx.InsertSession(idp.Session{Name: ledger.NewName(), Ref: ledger.NewName().String(), Account: p, Realm: e.Realm, Epoch: e.Account,
					Cookie: idp.HashOf(idp.NewSecret(32)), CreatedAt: now, AuthTime: now, ExpiresAt: now + 3_600_000, Idle: time.Hour})
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Few sessions are counted for who asks. Many are counted beside, and who asks is told what is known, and when it was counted.
func TestCensus(t *testing.T) {
	s := openStore(t)
	c := NewCensus(s, slog.New(slog.DiscardHandler))
	ask := func() (out *Alive) {
		t.Helper()
		if err := s.View(t.Context(), func(v idp.View) (err error) {
			now, _ := s.Now()
			out, err = c.Alive(v, now)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	signedIn(t, s, 3)
	if a := ask(); a == nil || a.N != 3 || a.Beside || a.At.IsZero() || len(c.asked) != 0 {
		t.Fatal("three:", a)
	}
	p := signedIn(t, s, fewRows)
	if a := ask(); a != nil || len(c.asked) != 1 {
		t.Fatal("many, when nobody has counted:", a)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { c.Run(ctx); close(done) }()
	var first *Alive
	for limit := time.Now().Add(time.Minute); first == nil && time.Now().Before(limit); time.Sleep(time.Millisecond) {
		first = ask()
	}
	stop()
	<-done
	if first == nil || first.N != fewRows+3 || !first.Beside || first.At.IsZero() {
		t.Fatal("many, when they were counted:", first)
	}
	if _, err := door.New(s, nil).End(t.Context(), idp.EndAccount(p, idp.AccountActive), idp.Cause{Kind: idp.CauseEverywhere, Actor: "test:it"}); err != nil {
		t.Fatal(err)
	}
	if a := ask(); *a != *first {
		t.Error("who asks before they are counted again is told another number:", a)
	}
	if _, err := c.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := ask(); a.N != 3 || a.At.Before(first.At) {
		t.Error("when all but three have ended:", a)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Count(stopped); err == nil {
		t.Error("a count that could not be made is no error")
	}
	if a := ask(); a == nil || a.N != 3 {
		t.Error("a count that could not be made has taken the last one away:", a)
	}
}

// An hour says the same while it goes on, when a part of it is kept, and when it is over.
func TestOverviewHours(t *testing.T) {
	s := openStore(t)
	l := &Looker{Guards: func() []Guard { return nil }, Census: NewCensus(s, slog.New(slog.DiscardHandler))}
	record := func(n int) {
		t.Helper()
		if err := s.Update(t.Context(), func(tx idp.Tx) error {
			for range n {
				if err := tx.Record(idp.Event{Kind: idp.EventSignIn}); err != nil {
					return err
				}
			}
			return tx.Record(idp.Event{Kind: idp.EventSignInFailed})
		}); err != nil {
			t.Fatal(err)
		}
	}
	p := signedIn(t, s, 1)
	if _, err := door.New(s, nil).End(t.Context(), idp.EndAccount(p, idp.AccountActive), idp.Cause{Kind: idp.CauseEverywhere, Actor: "test:it"}); err != nil {
		t.Fatal(err)
	}
	look := func(what string, now idp.Time, in, failed int64, ended uint64) {
		t.Helper()
		if err := s.View(t.Context(), func(v idp.View) error {
			o, err := l.Look(v, now)
			if err != nil {
				return err
			}
			var i, f int64
			var e uint64
			for n, h := range o.Hours {
				if i, f, e = i+h.SignIns.N, f+h.Failed.N, e+h.Ended; n > 0 && h.From.Sub(o.Hours[n-1].From) != time.Hour {
					t.Error(what, "the hours do not follow each other:", o.Hours)
				}
			}
			if len(o.Hours) != shown || i != in || f != failed || e != ended {
				t.Errorf("%s: %d hours, %d sign-ins, %d failures, %d endings; want %d, %d, %d", what, len(o.Hours), i, f, e, in, failed, ended)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	record(3)
	now, _ := s.Now()
	look("at first", now, 3, 1, 1)
	record(2)
	now, _ = s.Now()
	look("a moment later", now, 5, 2, 1)
	look("when a part is kept", now+4*late, 5, 2, 1)
	look("and once more", now+4*late+1, 5, 2, 1)
	look("just when the hour is over", now-now%hour+hour+1, 5, 2, 1)
	look("when it is kept", now+hour+2*late, 5, 2, 1)
	look("late in the day", now+20*hour, 5, 2, 1)
	look("the day after", now+30*hour, 0, 0, 0)
}
