package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"zombiezen.com/go/sqlite"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
	"exeunt.dev/ledger"
)

func openWith(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := OpenWith(t.Context(), filepath.Join(t.TempDir(), "exeunt.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func endToken(t *testing.T, s *Store) (e idp.Ending) {
	t.Helper()
	r, err := door.New(s, nil).End(t.Context(), idp.EndToken(ledger.NewName()), idp.Cause{Kind: idp.CauseRevoked})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(t.Context(), func(v idp.View) error {
		list, err := v.EndingsOf(r.ID)
		e = list[0]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// faulty fails COMMIT: before it is done, or after, so that only its answer is lost.
type faulty struct {
	before, after atomic.Int32 // how many to fail
}

func (d *faulty) commit(c *conn) error {
	lost := sqlite.ResultIOErr.ToError()
	if d.before.Add(-1) >= 0 {
		return c.seen(lost)
	}
	err := commit(c)
	if d.after.Add(-1) >= 0 {
		return c.seen(lost)
	}
	return err
}

// COMMIT failed, and COMMIT done but its answer lost: a retry at the door comes out the same, once.
func TestLostCommit(t *testing.T) {
	for name, lose := range map[string]func(*faulty){
		"failed":    func(d *faulty) { d.before.Store(1) },
		"persisted": func(d *faulty) { d.after.Store(1) },
	} {
		t.Run(name, func(t *testing.T) {
			d := &faulty{}
			s := openWith(t, Options{commit: d.commit})
			cause, token := idp.Cause{Kind: idp.CauseRevoked, Request: "once"}, ledger.NewName()
			lose(d)
			err := s.Update(t.Context(), func(tx idp.Tx) error { _, err := door.EndIn(tx, idp.EndToken(token), cause); return err })
			if !errors.Is(err, idp.ErrUnknown) {
				t.Fatal("the outcome is not known, but:", err)
			}
			r, err := door.New(s, nil).End(t.Context(), idp.EndToken(token), cause)
			if err != nil {
				t.Fatal(err)
			}
			lose(d)
			again, err := door.New(s, nil).End(t.Context(), idp.EndToken(ledger.NewName()), idp.Cause{Kind: idp.CauseRevoked})
			if err != nil || again.ID == "" {
				t.Error("the door did not ask again:", err)
			}
			err = s.View(t.Context(), func(v idp.View) error {
				h, err := v.Head()
				if h.Number != 2 {
					t.Error("endings written twice or lost: head", h.Number)
				}
				first, err2 := v.ReceiptOfEnding(token)
				if first.ID != r.ID {
					t.Error("another receipt")
				}
				return errors.Join(err, err2)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDiskFull(t *testing.T) {
	s := openWith(t, Options{})
	before := endToken(t, s)
	full := func(itx idp.Tx) error {
		tx := itx.(*tx)
		if _, err := tx.engine.c.exec(`PRAGMA max_page_count = 1`); err != nil { // SQLite sets it to what is used already
			return err
		}
		tx.InsertPending(idp.Pending{ID: idp.HashOf("big"), Data: []byte(strings.Repeat("x", 1<<20))}) // whose error the closure forgets
		return nil
	}
	if err := s.Update(t.Context(), full); !errors.Is(err, idp.ErrUnavailable) {
		t.Error("disk full, forgotten by the closure:", err)
	}
	if after := endToken(t, s); after.Number != before.Number+1 {
		t.Error("the ledger goes on at", after.Number)
	}
}

func TestFileGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exeunt.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if i, _ := os.Stat(path); i.Mode().Perm() != 0o600 {
		t.Error("mode", i.Mode())
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := door.New(s, nil).End(t.Context(), idp.EndToken(ledger.NewName()), idp.Cause{}); !errors.Is(err, idp.ErrUnavailable) {
		t.Error("ended in a file that nobody can find:", err)
	}
	if err := s.View(t.Context(), func(idp.View) error { return nil }); !errors.Is(err, idp.ErrUnavailable) {
		t.Error("read from a file that nobody can find:", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("an empty database was made in its place")
	}
}

func TestMigrations(t *testing.T) {
	for want, change := range map[error]string{
		ErrTooNew:  `INSERT INTO migration VALUES (99, x'00')`,
		ErrChanged: `UPDATE migration SET checksum = x'00'`,
		ErrForeign: `DROP TABLE migration`,
	} {
		path := filepath.Join(t.TempDir(), "exeunt.db")
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.dialWriter()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.script(change); err != nil {
			t.Fatal(err)
		}
		c.close()
		s.Close()
		if _, err := Open(t.Context(), path); !errors.Is(err, want) {
			t.Errorf("%s: %v", change, err)
		}
	}
}

// What a statement could not do is not left out of a transaction whose closure forgets it: a driver without memory says no more than that
// the statement is wrong.
func TestForgottenError(t *testing.T) {
	s := openWith(t, Options{})
	for name, forget := range map[string]func(*tx) error{
		"a wrong statement":  func(tx *tx) error { _, err := tx.engine.Write(`INSERT INTO nowhere VALUES (1)`); return err },
		"too few arguments":  func(tx *tx) error { _, err := tx.engine.Write(`DELETE FROM pending WHERE id = ?`); return err },
		"no argument for it": func(tx *tx) error { _, err := tx.engine.Write(`DELETE FROM pending WHERE id = ?`, 1.5); return err },
	} {
		id := idp.HashOf(name)
		err := s.Update(t.Context(), func(itx idp.Tx) error {
			tx := itx.(*tx)
			if err := tx.InsertPending(idp.Pending{ID: id, Kind: idp.PendingPosted}); err != nil {
				return err
			}
			if forget(tx) == nil {
				t.Error(name, "works")
			}
			return nil
		})
		if err == nil {
			t.Error(name, "is forgotten")
		}
		if err := s.View(t.Context(), func(v idp.View) error { _, err := v.Pending(id); return err }); !errors.Is(err, idp.ErrNotFound) {
			t.Error(name, "leaves half a transaction:", err)
		}
	}
}

// A column that a statement does not ask for is no zero value: a session would have no epoch.
func TestColumnTooMany(t *testing.T) {
	c, err := openWith(t, Options{}).dialWriter()
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	defer func() {
		if recover() == nil {
			t.Error("it is read")
		}
		if n, err := c.one(`SELECT 1`, func(verbs.Row) {}); !n || err != nil {
			t.Error("the connection is of no use any more:", err)
		}
	}()
	c.one(`SELECT 1`, func(r verbs.Row) { r.Int(); r.Name() })
}

// What a statement was given is gone when it has run, and a value that is longer than what it is read into is none.
func TestNothingStaysBound(t *testing.T) {
	c, err := openWith(t, Options{}).dialWriter()
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if _, err := c.one(`SELECT ?`, func(verbs.Row) {}, "secret"); err != nil {
		t.Fatal(err)
	}
	s := c.stmts[`SELECT ?`]
	if _, err := s.Step(); err != nil || s.ColumnType(0) != sqlite.TypeNull {
		t.Error("it is still there:", s.ColumnType(0), err)
	}
	if _, err := c.one(`SELECT zeroblob(13)`, func(r verbs.Row) { r.Name() }); !errors.Is(err, verbs.ErrRow) {
		t.Error("a name of 13 bytes:", err)
	}
}
