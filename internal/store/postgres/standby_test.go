package postgres

import (
	"bytes"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/pgtest"
	"exeunt.dev/internal/store/storetest"
	"exeunt.dev/internal/store/verbs"
)

// R: a COMMIT that waits for its synchronous standby is not made to happen without it when a node gives up: nobody reads what a failover would lose.
func TestStandbyAway(t *testing.T) {
	pg, err := pgtest.Start("wal_level=replica")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.Remove)
	standby, err := pg.Follow("hot_standby=on")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Remove)
	address := pg.Database(t)
	s := open(t, address)
	session := storetest.Sessions(t, s, 1)[0]
	if err := pg.Set("synchronous_standby_names", "*"); err != nil {
		t.Fatal(err)
	}
	waits := func() (n int) {
		c, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(t.Context())
		if err := c.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	standby.Kill()
	d := door.New(s, nil)
	if _, err := d.End(t.Context(), idp.EndSession(session), idp.Cause{Kind: idp.CauseSignOut, Request: "one"}); !errors.Is(err, idp.ErrUnknown) {
		t.Fatal("without the standby:", err)
	}
	for range 20 { // a request to cancel would be there by now
		time.Sleep(50 * time.Millisecond)
		if waits() == 0 {
			t.Fatal("the commit waits no more")
		}
	}
	if r, err := d.Again(t.Context(), "", "one"); !errors.Is(err, idp.ErrNotFound) {
		t.Error("what is not replicated is read:", r.ID, err)
	}
}

// A COMMIT to which the server answers that the connection is over may have happened.
func TestImport_FatalAtCommit(t *testing.T) {
	var armed atomic.Bool
	l := between(t, func(in, out net.Conn) {
		var deaf atomic.Bool
		go func() {
			defer in.Close()
			defer out.Close()
			b := make([]byte, 1<<16)
			for {
				n, err := out.Read(b)
				if err != nil {
					return
				}
				if deaf.Load() && bytes.Contains(b[:n], []byte("COMMIT\x00")) {
					said := "SFATAL\x00VFATAL\x00C08P01\x00Mserver conn crashed?\x00\x00"
					in.Write(append([]byte{'E', 0, 0, 0, byte(len(said) + 4)}, said...))
					return
				}
				in.Write(b[:n])
			}
		}()
		defer out.Close()
		b := make([]byte, 1<<16)
		for {
			n, err := in.Read(b)
			if err != nil {
				return
			}
			if bytes.Contains(b[:n], []byte("commit\x00")) && armed.CompareAndSwap(true, false) {
				deaf.Store(true)
			}
			out.Write(b[:n])
		}
	})
	database := server.Database(t)
	from := open(t, server.Database(t))
	to := open(t, by(l, database))
	armed.Store(true)
	if err := to.Import(t.Context(), func(row func(int, []any) error) error { return from.Export(t.Context(), row) }); !errors.Is(err, idp.ErrUnknown) || armed.Load() {
		t.Error(err)
	}
}

// A node that has to migrate waits for who reads a table without making others wait behind it.
func TestMigrateBehindReader(t *testing.T) {
	address := server.Database(t)
	open(t, address).Close()
	connect := func() *pgx.Conn {
		c, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close(t.Context()) })
		return c
	}
	run := func(c *pgx.Conn, sql string) {
		t.Helper()
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(sql, err)
		}
	}
	backup, other := connect(), connect()
	// Version 9 again: the tenth step replaces an index of deliveries.
	run(other, "DELETE FROM migration WHERE number >= 10")
	run(other, "DROP TABLE setting")
	run(backup, "BEGIN")
	run(backup, "SELECT count(*) FROM delivery")
	opened := make(chan error, 1)
	go func() {
		s, err := Open(t.Context(), address, Options{})
		if err == nil {
			s.Close()
		}
		opened <- err
	}()
	run(other, "SET lock_timeout = '4s'")
	for range 10 {
		run(other, "SELECT count(*) FROM delivery")
		time.Sleep(100 * time.Millisecond)
	}
	select {
	case err := <-opened:
		t.Fatal("migrated beneath a reader:", err)
	default:
	}
	run(backup, "COMMIT")
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	steps, err := verbs.Steps(schema)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := applied(t.Context(), other, steps); done != len(steps) {
		t.Error(done, err)
	}
}
