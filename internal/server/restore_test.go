package server_test

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/ledger"
)

// outdate takes the last migration away.
func outdate(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err == nil {
		defer db.Close()
		_, err = db.Exec("PRAGMA journal_mode = DELETE; DROP TABLE setting; DELETE FROM migration WHERE number = 11")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// An older database is not brought up to date by a backup of it, since its servers would be refused; nor is a backup by what is restored from it.
func TestBackupOlder(t *testing.T) {
	from, to := people(t, 3)
	saved := filepath.Join(t.TempDir(), "saved")
	if err := server.Backup(t.Context(), from, saved); err != nil {
		t.Fatal(err)
	}
	outdate(t, from.Data)
	var advised interface{ Advice() string }
	if err := server.Backup(t.Context(), from, saved+"2"); !errors.Is(err, idp.ErrOlder) || !errors.As(err, &advised) {
		t.Error(err)
	}
	if state, err := server.CheckDatabase(t.Context(), from); state != server.DatabaseOlder {
		t.Error("after a backup: ", state, err)
	}
	outdate(t, saved)
	sum := func() [32]byte {
		text, err := os.ReadFile(saved)
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(text)
	}
	before := sum()
	if err := os.Chmod(saved, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(saved), 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Dir(saved), 0o700) })
	if err := server.Restore(t.Context(), to, saved, false, idp.ActorOperator("test"), "", quiet); err != nil {
		t.Fatal(err)
	}
	if sum() != before {
		t.Error("the backup was changed")
	}
	if left, _ := os.ReadDir(filepath.Dir(saved)); len(left) != 1 {
		t.Errorf("beside the backup: %v", left)
	}
	if left, _ := filepath.Glob(to.Data + ".*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if n := count(t, to); n != 3 {
		t.Errorf("%d people", n)
	}
}

// What the log beside a database holds is restored, too.
func TestRestoreWithLog(t *testing.T) {
	from, to := people(t, 3)
	s, err := sqlite.Open(t.Context(), from.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Update(t.Context(), func(tx idp.Tx) error {
		return tx.InsertAccount(idp.Account{ID: "late", Username: "late", State: idp.AccountActive}, ledger.NewName())
	}); err != nil {
		t.Fatal(err)
	}
	if err := server.Restore(t.Context(), to, from.Data, false, idp.ActorOperator("test"), "", quiet); err != nil {
		t.Fatal(err)
	}
	if n := count(t, to); n != 4 {
		t.Errorf("%d people", n)
	}
}

// Since a backup was made tokens may have been minted that live longer than it knows of: after a restore that keeps them endings are held as
// long as a configuration may say.
func TestRestoreKeepsLongTokens(t *testing.T) {
	from, to := people(t, 1)
	saved := filepath.Join(t.TempDir(), "saved")
	if err := server.Backup(t.Context(), from, saved); err != nil {
		t.Fatal(err)
	}
	if err := server.Restore(t.Context(), to, saved, true, idp.ActorOperator("test"), "", quiet); err != nil {
		t.Fatal(err)
	}
	b, err := server.Open(t.Context(), to, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := door.New(b.Store, nil).End(t.Context(), idp.EndRealm(), idp.Cause{Kind: idp.CauseRealmEnded, Actor: idp.ActorOperator("test")}); err != nil {
		t.Fatal(err)
	}
	const day = idp.Time(24 * time.Hour / time.Millisecond)
	if err := b.Store.View(t.Context(), func(v idp.View) error {
		h, err := v.Head()
		if err != nil {
			return err
		}
		held, _, err := v.Entries(h.Time+day, 0, h.Number, 10) // for a guard that is new by then
		if err != nil || len(held) != 1 {
			t.Errorf("held: %v %v", held, err)
		}
		if n, err := v.LifeCap(); err != nil || n != 301 {
			t.Errorf("may be minted for %d %v", n, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
