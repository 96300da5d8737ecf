package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
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

var errLost = fmt.Errorf("%w: the disk does not answer", idp.ErrUnavailable)

func (d *faulty) commit(do func() error) error {
	if d.before.Add(-1) >= 0 {
		return errLost
	}
	err := do()
	if d.after.Add(-1) >= 0 {
		return errLost
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
