package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

func noRow(int, []any) error { return nil }
func done() error            { return nil }

// moved says how the database refuses to be opened.
func moved(t *testing.T, path string) *idp.MovedError {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err == nil {
		s.Close()
		return nil
	}
	var m *idp.MovedError
	if !errors.As(err, &m) || !errors.Is(err, idp.ErrUnavailable) {
		t.Fatal(err)
	}
	return m
}

func reopened(t *testing.T, path string) *Store {
	t.Helper()
	s, err := OpenWith(t.Context(), path, Options{Opening: verbs.Opening{Moved: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestHandOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := reopened(t, path)
	addPerson(t, s, "alice")
	lineage := headOf(t, s).Lineage

	// What fails leaves it as it was.
	wrong := errors.New("wrong")
	if err := s.HandOver(t.Context(), "there", func(int, []any) error { return wrong }, done); !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	if err := reopened(t, path).HandOver(t.Context(), "there", noRow, func() error { return wrong }); !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	if m := moved(t, path); m != nil {
		t.Fatal(m)
	}

	// Of what nobody knows the end of, nobody uses the old one either. Only the same move goes on.
	if err := reopened(t, path).HandOver(t.Context(), "there", noRow, func() error { return idp.ErrUnknown }); !errors.Is(err, idp.ErrUnknown) {
		t.Fatal(err)
	}
	if m := moved(t, path); m == nil || m.Done || m.To != "there" || m.Lineage != lineage {
		t.Fatal(m)
	}
	if err := reopened(t, path).HandOver(t.Context(), "elsewhere", noRow, done); !errors.As(err, new(*idp.MovedError)) {
		t.Fatal(err)
	}
	if err := reopened(t, path).HandOver(t.Context(), "there", noRow, func() error { return wrong }); !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	if m := moved(t, path); m == nil || m.Done {
		t.Fatal("an error took away a mark that was there before: ", m)
	}

	people := 0
	var kept []byte
	if err := reopened(t, path).HandOver(t.Context(), "there", func(table int, values []any) error {
		switch verbs.Tables()[table].Name {
		case "account":
			people++
		case "counter":
			kept = values[1].([]byte)
		}
		return nil
	}, done); err != nil {
		t.Fatal(err)
	}
	if people != 1 || string(kept) != string(lineage[:]) {
		t.Errorf("handed over %d people, and lineage %x of %x", people, kept, lineage)
	}
	if m := moved(t, path); m == nil || !m.Done || m.To != "there" {
		t.Error(m)
	}
	if err := reopened(t, path).HandOver(t.Context(), "there", noRow, done); !errors.As(err, new(*idp.MovedError)) {
		t.Error("moved twice: ", err)
	}

	// The file alone says so.
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copied")
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if m := moved(t, copied); m == nil || !m.Done {
		t.Error(m)
	}
}

func headOf(t *testing.T, s *Store) (h idp.Head) {
	t.Helper()
	if err := s.View(t.Context(), func(v idp.View) (err error) { h, err = v.Head(); return err }); err != nil {
		t.Fatal(err)
	}
	return h
}

// Whoever has the file open keeps it from being moved; whoever comes while it is, waits in vain; and whoever had no connection open is
// refused afterwards, in what it only reads, too.
func TestHandOverAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	running := reopened(t, path)
	if err := reopened(t, path).HandOver(t.Context(), "there", noRow, done); !errors.Is(err, idp.ErrInUse) {
		t.Fatal("beside a server: ", err)
	}
	addPerson(t, running, "alice")
	// After a fault a server has no connection.
	running.moved = false
	running.writer.c.close()
	running.writer.c = nil
	running.readers.close()
	running.readers = newReaders(running.dialReader)
	if err := reopened(t, path).HandOver(t.Context(), "there", noRow, func() error {
		if s, err := OpenWith(t.Context(), path, Options{Opening: verbs.Opening{Moved: true}}); err == nil {
			s.Close()
			t.Error("opened while it is handed over")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	nothing := func(v idp.View) error { _, err := v.Accounts(idp.Page{Limit: 1}); return err }
	if err := running.View(t.Context(), nothing); !errors.As(err, new(*idp.MovedError)) {
		t.Error("a server that had no connection reads: ", err)
	}
	if err := running.Update(context.Background(), func(idp.Tx) error { return nil }); !errors.As(err, new(*idp.MovedError)) {
		t.Error("a server that had no connection writes: ", err)
	}
}

// Settled, a file needs none beside it.
func TestSettle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := reopened(t, path)
	addPerson(t, s, "alice")
	other := reopened(t, path)
	if err := s.Settle(); !errors.Is(err, idp.ErrInUse) {
		t.Error("beside another: ", err)
	}
	if err := other.Settle(); err != nil {
		t.Fatal(err)
	}
	if all, _ := filepath.Glob(path + "*"); len(all) != 1 {
		t.Error(all)
	}
}
