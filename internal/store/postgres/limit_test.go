package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
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
