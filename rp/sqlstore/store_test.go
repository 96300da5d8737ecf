package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/store/pgtest"
	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
	"exeunt.dev/rp/sqlstore"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

// pg is the Postgres that the tests run on; nil: on SQLite.
var pg *pgtest.Server

func TestMain(m *testing.M) { pgtest.Both(m, &pg) }

func database(t *testing.T) (*sql.DB, sqlstore.Dialect) {
	t.Helper()
	driver, at, d := "sqlite", "file:"+filepath.Join(t.TempDir(), "site.db"), sqlstore.SQLite
	if pg != nil {
		driver, at, d = "pgx", pg.Database(t), sqlstore.Postgres
	}
	db, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, d
}

func TestContract(t *testing.T) {
	rptest.Store(t, func(t *testing.T) rp.Store {
		db, d := database(t)
		s, err := sqlstore.Open(t.Context(), db, d)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// Replicas start together on an empty database, and again on a full one.
func TestOpenTogether(t *testing.T) {
	db, d := database(t)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if _, err := sqlstore.Open(t.Context(), db, d); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, err := sqlstore.Open(t.Context(), db, 0); err == nil {
		t.Error("no dialect is taken")
	}
}

// A call ends with its context while somebody else holds the database, and does nothing later.
func TestHeldDatabase(t *testing.T) {
	db, d := database(t)
	s, err := sqlstore.Open(t.Context(), db, d)
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	hold, release := []string{"BEGIN IMMEDIATE"}, "ROLLBACK"
	if d == sqlstore.Postgres {
		hold = []string{"BEGIN", "LOCK TABLE rp_session IN ACCESS EXCLUSIVE MODE"}
	}
	for _, q := range hold {
		if _, err := c.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	n := rp.Session{ID: rp.Hash{1}, User: "alice", Idle: now.Add(time.Hour), Ends: now.Add(time.Hour)}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.CreateSession(ctx, n, rp.Hash{}, nil); err == nil {
		t.Fatal("written under somebody's lock")
	}
	if waited := time.Since(now); waited > time.Minute {
		t.Error("waited for", waited)
	}
	if _, err := c.ExecContext(t.Context(), release); err != nil {
		t.Fatal(err)
	}
	if _, err := s.FindSession(t.Context(), n.ID, now); err != rp.ErrNone {
		t.Error("written after all:", err)
	}
	if err := s.CreateSession(t.Context(), n, rp.Hash{}, nil); err != nil {
		t.Error(err)
	}
}

// A database that is gone says so: never that there is no such session, and never that something was done.
func TestGoneDatabase(t *testing.T) {
	db, d := database(t)
	s, err := sqlstore.Open(t.Context(), db, d)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	n := rp.Session{ID: rp.Hash{1}, User: "alice", Idle: now.Add(time.Hour), Ends: now.Add(time.Hour)}
	if err := s.CreateSession(t.Context(), n, rp.Hash{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	_, find := s.FindSession(ctx, n.ID, now)
	_, live := s.LiveSessions(ctx, []rp.Hash{n.ID}, now)
	_, take := s.TakeAttempt(ctx, rp.Hash{}, rp.Hash{}, now)
	_, end := s.End(ctx, rp.Ending{Session: n.ID, Now: now})
	_, token := s.FindToken(ctx, n.ID, "p", now)
	_, lease := s.LeaseDuties(ctx, "p", 1, now, now)
	_, list := s.ListDuties(ctx, "", 1)
	for what, err := range map[string]error{
		"FindSession": find, "LiveSessions": live, "TakeAttempt": take, "End": end, "FindToken": token, "LeaseDuties": lease, "ListDuties": list,
		"PutAttempt": s.PutAttempt(ctx, rp.Attempt{}), "PostAttempt": s.PostAttempt(ctx, rp.Hash{}, nil, now), "TrimAttempts": s.TrimAttempts(ctx, 1),
		"CreateSession": s.CreateSession(ctx, n, rp.Hash{}, nil), "TouchSession": s.TouchSession(ctx, n.ID, now, now), "PutToken": s.PutToken(ctx, rp.Token{}, nil, now),
		"SettleDuty": s.SettleDuty(ctx, rp.Duty{}), "Sweep": s.Sweep(ctx, now, now),
	} {
		if err == nil || errors.Is(err, rp.ErrNone) || errors.Is(err, rp.ErrOvertaken) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A duty's token is destroyed with its last attempt, and with its time, in the database itself.
func TestSettledTokensAreDestroyed(t *testing.T) {
	db, d := database(t)
	s, err := sqlstore.Open(t.Context(), db, d)
	if err != nil {
		t.Fatal(err)
	}
	now := time.UnixMilli(1_800_000_000_000)
	for i := range 4 {
		n := rp.Session{ID: rp.Hash{byte(i + 1)}, User: "alice", Idle: now.Add(time.Hour), Ends: now.Add(time.Hour)}
		k := rp.Token{Provider: "p", Subject: string(rune('a' + i)), User: "alice", Session: n.ID, Sealed: []byte("sealed"), Revocable: true, Created: now}
		if err := s.CreateSession(t.Context(), n, rp.Hash{}, &k); err != nil {
			t.Fatal(err)
		}
	}
	out, err := s.End(t.Context(), rp.Ending{User: "alice", RevokeUser: "alice", Revoke: []string{"p"}, Now: now, Lease: now, GiveUp: now.Add(time.Hour)})
	if err != nil || len(out.Duties) != 4 {
		t.Fatal(out, err)
	}
	kept := func() (n int) {
		t.Helper()
		if err := db.QueryRow(`SELECT (SELECT count(*) FROM rp_duty WHERE sealed IS NOT NULL) + (SELECT count(*) FROM rp_token)`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i, c := range []struct {
		state rp.DutyState
		left  int
	}{{rp.Owed, 4}, {rp.Revoked, 3}, {rp.GivenUp, 2}} {
		duty := out.Duties[i]
		duty.State, duty.Next = c.state, now
		if err := s.SettleDuty(t.Context(), duty); err != nil || kept() != c.left {
			t.Error(c.state, kept(), err)
		}
	}
	if err := s.Sweep(t.Context(), now.Add(time.Hour), now); err != nil || kept() != 0 {
		t.Error("after its time:", kept(), err)
	}
}
