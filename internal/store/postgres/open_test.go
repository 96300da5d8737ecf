package postgres

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// Whoever cannot get in learns why, and what to do. Nothing is made by a look.
func TestUnreachable(t *testing.T) {
	good := server.Database(t)
	c, err := pgx.Connect(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	hba := filepath.Join(server.Dir, "pg_hba.conf")
	text, err := os.ReadFile(hba)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hba, append([]byte("host all locked 127.0.0.1/32 scram-sha-256\n"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	var database string
	if err := c.QueryRow(t.Context(), "SELECT current_database()").Scan(&database); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"SELECT pg_reload_conf()", "DROP ROLE IF EXISTS locked", "DROP ROLE IF EXISTS poor", "CREATE ROLE locked LOGIN PASSWORD 'secret'", "CREATE ROLE poor LOGIN"} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ from, to, said, advice string }{
		{good[strings.LastIndex(good, ":"):], ":1/" + database + "?sslmode=disable", "nobody listens", "port"},
		{"127.0.0.1", "nowhere.invalid", `no machine called "nowhere.invalid"`, "machine's name"},
		{"/" + database, "/nodatabase", "no such database", "CREATE DATABASE"},
		{"exeunt@", "nobody@", "does not let this role in", "user and password"},
		{"exeunt@", "locked:wrong@", "does not let this role in", "user and password"},
		{"exeunt@", "poor@", "42501", "ALTER DATABASE"},
		{"sslmode=disable", "sslmode=require", "does not speak TLS", "ssl"},
	} {
		s, err := Open(t.Context(), strings.Replace(good, tt.from, tt.to, 1), Options{})
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", tt.to)
			continue
		}
		var wise interface{ Advice() string }
		if !errors.Is(err, idp.ErrUnavailable) || !strings.Contains(err.Error(), tt.said) || !errors.As(err, &wise) || !strings.Contains(wise.Advice(), tt.advice) {
			t.Errorf("%s: %v (%v)", tt.to, err, wise)
		}
		if strings.Contains(err.Error(), "wrong") {
			t.Errorf("the password is in it: %v", err)
		}
	}
	if _, err := Open(t.Context(), good, Options{Opening: verbs.Opening{There: true, AsItIs: true}}); !errors.Is(err, idp.ErrNoDatabase) {
		t.Error(err)
	}
	var tables int
	if err := c.QueryRow(t.Context(), "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'").Scan(&tables); err != nil || tables != 0 {
		t.Errorf("a look made %d tables: %v", tables, err)
	}
	open(t, good)
	if _, err := c.Exec(t.Context(), "DELETE FROM migration WHERE number > 9"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), good, Options{Opening: verbs.Opening{AsItIs: true}}); !errors.Is(err, idp.ErrOlder) {
		t.Error(err)
	}
}
