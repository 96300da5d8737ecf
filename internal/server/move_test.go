package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
	"exeunt.dev/internal/store/pgtest"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/store/verbs"
	"exeunt.dev/ledger"
)

var quiet = slog.New(slog.DiscardHandler)

// people makes a database with some, and returns it with another configuration.
func people(t *testing.T, n int) (from, to config.Config) {
	t.Helper()
	from = settings(t, t.TempDir())
	to = from
	to.Data = filepath.Join(t.TempDir(), "there")
	b, err := server.Open(t.Context(), from, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Store.Update(t.Context(), func(tx idp.Tx) error {
		for i := range n {
			if err := tx.InsertAccount(idp.Account{ID: idp.AccountID(ledger.NewName().String()), Username: fmt.Sprint("person", i), State: idp.AccountActive}, ledger.NewName()); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return from, to
}

func count(t *testing.T, c config.Config) (n int) {
	t.Helper()
	b, err := server.Open(t.Context(), c, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Store.View(t.Context(), func(v idp.View) error {
		for p := (idp.Page{Limit: 1000}); ; {
			some, err := v.Accounts(p)
			if n += len(some); err != nil || len(some) < p.Limit {
				return err
			}
			p.After = some[len(some)-1].Username
		}
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// interrupted leaves the old database as a move does that is killed: with all rows over there, or with none.
func interrupted(t *testing.T, from, to config.Config, all bool) {
	t.Helper()
	old, err := sqlite.Open(t.Context(), from.Data)
	if err != nil {
		t.Fatal(err)
	}
	var table []int
	var rows [][]any
	if err := old.HandOver(t.Context(), to.Data, func(i int, values []any) error {
		table, rows = append(table, i), append(rows, values)
		return nil
	}, func() error { return idp.ErrUnknown }); !errors.Is(err, idp.ErrUnknown) {
		t.Fatal(err)
	}
	fresh, err := sqlite.Open(t.Context(), to.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if !all {
		return
	}
	if err := fresh.Import(t.Context(), func(row func(int, []any) error) error {
		for i := range rows {
			if err := row(table[i], rows[i]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A move that was interrupted, before the new database had its rows or after, is finished by another one; until then nobody uses the old one.
// What has been done in the new one meanwhile stays.
func TestMigrateInterrupted(t *testing.T) {
	for _, all := range []bool{false, true} {
		from, to := people(t, 3)
		interrupted(t, from, to, all)
		var moved *idp.MovedError
		if _, err := server.Open(t.Context(), from, quiet); !errors.As(err, &moved) || moved.Done {
			t.Fatal(err)
		}
		want := 3
		if all {
			want = 4
			b, err := server.Open(t.Context(), to, quiet)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Store.Update(t.Context(), func(tx idp.Tx) error {
				return tx.InsertAccount(idp.Account{ID: "late", Username: "late", State: idp.AccountActive}, ledger.NewName())
			}); err != nil {
				t.Fatal(err)
			}
			b.Close()
		}
		elsewhere := to
		elsewhere.Data = filepath.Join(t.TempDir(), "elsewhere")
		if err := server.Migrate(t.Context(), from, elsewhere); !errors.As(err, &moved) {
			t.Error("moved elsewhere: ", err)
		}
		if err := server.Migrate(t.Context(), from, to); err != nil {
			t.Fatal(err)
		}
		if n := count(t, to); n != want {
			t.Errorf("%d people there, not %d", n, want)
		}
		if _, err := server.Open(t.Context(), from, quiet); !errors.As(err, &moved) || !moved.Done {
			t.Error(err)
		}
	}
}

// A move that fails leaves the old database as it was, however many rows it has.
func TestMigrateFails(t *testing.T) {
	from, to := people(t, 3000)
	other, _ := people(t, 1)
	to.Data = other.Data
	if err := server.Migrate(t.Context(), from, to); !errors.Is(err, idp.ErrNotEmpty) {
		t.Error(err)
	}
	to.Data = filepath.Join(t.TempDir(), "there")
	if n := count(t, from); n != 3000 {
		t.Errorf("%d people are left", n)
	}
	if err := server.Migrate(t.Context(), from, to); err != nil {
		t.Error(err)
	}
	if n := count(t, to); n != 3000 {
		t.Errorf("%d people were moved", n)
	}
}

// On Postgres, too, a restored database is there with everybody signed out, or not at all: all rows come from one transaction.
func TestRestoreAtOnce(t *testing.T) {
	if pgtest.Find() == "" {
		t.Skip("Postgres is not installed")
	}
	pg, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.Remove)
	from, to := people(t, 3)
	saved := filepath.Join(t.TempDir(), "saved")
	if err := server.Backup(t.Context(), from, saved); err != nil {
		t.Fatal(err)
	}
	to.Postgres.URL = pg.Database(t)
	t.Setenv("TMPDIR", t.TempDir())
	if err := server.Restore(t.Context(), to, saved, false, idp.ActorOperator("test"), "", quiet); err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), to.Postgres.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	var transactions, ended int
	if err := c.QueryRow(t.Context(), "SELECT count(DISTINCT x), (SELECT count(*) FROM ending) FROM (SELECT xmin::text AS x FROM account UNION SELECT xmin::text FROM ending) a").Scan(&transactions, &ended); err != nil {
		t.Fatal(err)
	}
	if transactions != 1 || ended < 2 {
		t.Errorf("%d transactions, %d endings", transactions, ended)
	}
	if left, _ := filepath.Glob(saved + "*"); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := server.Restore(t.Context(), to, saved, false, idp.ActorOperator("test"), "", quiet); !errors.Is(err, idp.ErrNotEmpty) {
		t.Error("restored over it: ", err)
	}
	if left, _ := filepath.Glob(saved + "*"); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A backup is there when all of it is on the disk. Here its log has room, and what is made of that has not.
func TestBackupFullDisk(t *testing.T) {
	from, _ := people(t, 3000)
	i, err := os.Stat(from.Data)
	if err != nil {
		t.Fatal(err)
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=%d", i.Size()*2)); err != nil {
		t.Skipf("a small disk needs root: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	if err := server.Backup(t.Context(), from, filepath.Join(disk, "saved")); !errors.Is(err, idp.ErrUnavailable) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(disk); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A look at the database makes nothing, and does not bring an older one up to date.
func TestCheckDatabase(t *testing.T) {
	from, to := people(t, 1)
	for c, want := range map[*config.Config]string{&from: server.DatabaseReady, &to: server.DatabaseNew} {
		if got, err := server.CheckDatabase(t.Context(), *c); err != nil || got != want {
			t.Errorf("%s: %q %v", c.Data, got, err)
		}
	}
	if left, _ := filepath.Glob(to.Data + "*"); len(left) != 0 {
		t.Errorf("made: %v", left)
	}
	if err := os.WriteFile(to.Data+"-wal", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := server.CheckDatabase(t.Context(), to); err == nil {
		t.Errorf("the log of another database is there: %q", got)
	}
	if err := os.Remove(to.Data + "-wal"); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.OpenWith(t.Context(), to.Data, sqlite.Options{Opening: verbs.Opening{There: true}}); !errors.Is(err, idp.ErrNoDatabase) {
		t.Error(err)
	}
}
