package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"exeunt.dev/internal/store/pgtest"
)

// Commands that mean something only where nodes share a Postgres.
func TestCommandsOnPostgres(t *testing.T) {
	if pgtest.Find() == "" {
		t.Skip("Postgres is not installed")
	}
	pg, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.Remove)
	url := pg.Database(t)
	testscript.Run(t, testscript.Params{Dir: "testdata/postgres", Setup: func(e *testscript.Env) error {
		text := "issuer: http://localhost:8080\npostgres:\n  url: " + url + "\n"
		if err := os.WriteFile(filepath.Join(e.WorkDir, "exeunt.yaml"), []byte(text), 0o600); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(e.WorkDir, "other.yaml"), []byte(text+"lifetimes:\n  session: 12h\n"), 0o600)
	}})
}
