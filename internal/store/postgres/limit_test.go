package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Every connection, the listener's configuration included, has limits to statements, to waiting for locks and to idle transactions, and a
// statement that is over its limit costs its caller an error and no more.
func TestLimits(t *testing.T) {
	s := open(t, server.Database(t))
	c, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"statement_timeout": "5s", "lock_timeout": "4s", "idle_in_transaction_session_timeout": "1500ms", "enable_seqscan": "off"} {
		var got string
		if err := c.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q: %v", name, got, err)
		}
		if at := s.pool.Config().ConnConfig.RuntimeParams[name]; at != want {
			t.Errorf("%s of a listener would be %q", name, at)
		}
	}
	c.Release()
	err = s.Update(t.Context(), func(itx idp.Tx) error {
		e := itx.(*tx).e
		if _, err := e.Write("SET LOCAL statement_timeout = '10ms'"); err != nil {
			return err
		}
		_, err := e.Write("SELECT pg_sleep(60)")
		return err
	})
	if !errors.Is(err, idp.ErrUnavailable) {
		t.Error("a statement over its limit:", err)
	}
	if err := s.View(t.Context(), func(v idp.View) error { _, err := v.Head(); return err }); err != nil {
		t.Error("afterwards:", err)
	}
}

// A transaction that stood still was thrown out and came to nothing: it runs again, also if what it says next is COMMIT. What reads on one
// snapshot runs once, and is told.
func TestStoodStill(t *testing.T) {
	s := open(t, server.Database(t))
	ahead := time.Duration(0) // a busy machine stands still, too
	stands := s.clock.mono()
	s.clock.mono = func() time.Duration { return stands + ahead }
	thrownOut := func(e *engine) {
		t.Helper()
		if _, err := e.c.Exec(t.Context(), "SET LOCAL idle_in_transaction_session_timeout = '1ms'"); err != nil {
			t.Fatal(err)
		}
		for there := true; there; time.Sleep(time.Millisecond) {
			if err := s.aside.QueryRow(t.Context(), "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = $1)", e.c.PgConn().PID()).Scan(&there); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, last := range []bool{false, true} {
		runs, name := 0, ledger.NewName()
		err := s.Update(t.Context(), func(itx idp.Tx) error {
			runs++
			if _, err := itx.Head(); err != nil {
				return err
			}
			if runs == 1 && !last {
				thrownOut(itx.(*tx).e)
				if _, err := itx.Head(); err == nil {
					t.Error("it was not thrown out")
				}
				return nil // it has forgotten the error
			}
			receipt := idp.Receipt{ID: idp.NewReceiptID(name), Cause: idp.CauseRevoked, Selector: idp.SelectToken, ToldAt: idp.NobodyToTell}
			if err := itx.Append(receipt, []idp.Ending{{Name: name, What: idp.WhatToken, Receipt: receipt.ID}}); err != nil {
				return err
			}
			if runs == 1 {
				thrownOut(itx.(*tx).e)
			}
			return nil
		})
		if err != nil || runs != 2 {
			t.Errorf("last %t: %d runs: %v", last, runs, err)
		}
		if err := s.View(t.Context(), func(v idp.View) error {
			over, err := v.Ended(name)
			if len(over) != 1 {
				t.Error("it has not ended")
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	// Whoever stood still for long, or whose caller has gone, does nothing late.
	late := ledger.NewName()
	end := func(after func(*engine)) func(idp.Tx) error {
		return func(itx idp.Tx) error {
			if _, err := itx.Head(); err != nil {
				return err
			}
			after(itx.(*tx).e)
			receipt := idp.Receipt{ID: idp.NewReceiptID(late), Cause: idp.CauseRevoked, Selector: idp.SelectToken, ToldAt: idp.NobodyToTell}
			return itx.Append(receipt, []idp.Ending{{Name: late, What: idp.WhatToken, Receipt: receipt.ID}})
		}
	}
	if err := s.Update(t.Context(), end(func(e *engine) { thrownOut(e); ahead = 2 * moment })); !errors.Is(err, idp.ErrUnavailable) {
		t.Error("after a long standstill:", err)
	}
	gone, hangUp := context.WithCancel(t.Context())
	if err := s.Update(gone, end(func(e *engine) { thrownOut(e); time.AfterFunc(hearing/4, hangUp) })); !errors.Is(err, context.Canceled) {
		t.Error("after its caller hung up:", err)
	}
	if err := s.View(t.Context(), func(v idp.View) error {
		over, err := v.Ended(late)
		if len(over) > 0 {
			t.Error("it was done late")
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	runs := 0
	err := s.View(t.Context(), func(v idp.View) error {
		runs++
		if _, err := v.Head(); err != nil {
			return err
		}
		thrownOut(v.(*view).e)
		_, err := v.Head()
		return err
	})
	if !errors.Is(err, idp.ErrUnavailable) || runs != 1 {
		t.Errorf("a reading: %d runs: %v", runs, err)
	}
}

// A node takes no more connections than it is told to; who finds none free waits, as long as he cares to.
func TestConnectionsAreLimited(t *testing.T) {
	s, err := Open(t.Context(), server.Database(t), Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 {
		c, err := s.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Release()
	}
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	ran := false
	err = s.Update(ctx, func(idp.Tx) error { ran = true; return nil })
	if ran || !errors.Is(err, context.DeadlineExceeded) {
		t.Error("a third connection:", ran, err)
	}
	if n := s.pool.Stat().TotalConns(); n > 2 {
		t.Errorf("%d connections", n)
	}
}
