package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/pgtest"
)

// setting is what a connection of the store runs with.
func setting(t *testing.T, s *Store, name string) (value string) {
	t.Helper()
	if err := s.pool.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// A node that runs acknowledges nothing that may be forgotten, whatever is set beneath it: its connections, old and new, wait for their
// commits as at its start. What cannot be set for a connection it looks for in each new one: a failover may have led elsewhere.
func TestSettingsChangedBeneathNode(t *testing.T) {
	pg, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.Remove)
	address := pg.Database(t)
	s := open(t, address)
	stranger, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close(context.Background())
	set := func(name, value string) {
		t.Helper()
		if err := pg.Set(name, value); err != nil {
			t.Fatal(err)
		}
		got := ""
		for limit := time.Now().Add(time.Minute); got != value; time.Sleep(5 * time.Millisecond) {
			if err := stranger.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || time.Now().After(limit) {
				t.Fatal(name, got, err)
			}
		}
	}
	set("synchronous_commit", "off")
	if got := setting(t, s, "synchronous_commit"); got != "on" {
		t.Error("a connection from before:", got)
	}
	s.pool.Reset()
	if got := setting(t, s, "synchronous_commit"); got != "on" {
		t.Error("a new connection:", got)
	}
	if _, err := Open(t.Context(), address, Options{}); !errors.Is(err, ErrForgetful) {
		t.Error("a new node:", err)
	}
	set("synchronous_commit", "on")
	// More than on is the operator's choice.
	if _, err := stranger.Exec(t.Context(), "ALTER DATABASE "+stranger.Config().Database+" SET synchronous_commit = remote_apply"); err != nil {
		t.Fatal(err)
	}
	if got := setting(t, open(t, address), "synchronous_commit"); got != "remote_apply" {
		t.Error("remote_apply is", got)
	}
	for _, name := range []string{"fsync", "full_page_writes"} {
		set(name, "off")
		s.pool.Reset()
		err := s.View(t.Context(), func(v idp.View) error { _, err := v.Head(); return err })
		if !errors.Is(err, idp.ErrUnavailable) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is off: %v", name, err)
		}
		set(name, "on")
		if err := s.View(t.Context(), func(v idp.View) error { _, err := v.Head(); return err }); err != nil {
			t.Error("afterwards:", err)
		}
	}
}
