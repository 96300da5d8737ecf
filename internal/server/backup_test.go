package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"exeunt.dev/internal/store/sqlite"
)

// What somebody else makes under a name while a file is written that is to have it stays as it is, and nothing is left behind.
func TestMadeMeanwhile(t *testing.T) {
	for name, meanwhile := range map[string]func(path string) error{
		"file":     func(path string) error { return os.WriteFile(path, []byte("theirs"), 0o600) },
		"log":      func(path string) error { return os.WriteFile(path+"-wal", []byte("theirs"), 0o600) },
		"the same": func(path string) error { return newFile(t.Context(), path, func(*sqlite.Store) error { return nil }) },
	} {
		folder := t.TempDir()
		path := filepath.Join(folder, "db")
		err := newFile(t.Context(), path, func(*sqlite.Store) error { return meanwhile(path) })
		if err == nil || name != "log" && !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(folder); len(left) != 1 {
			t.Errorf("%s: left behind: %v", name, left)
		}
		switch text, err := os.ReadFile(path); name {
		case "file":
			if string(text) != "theirs" {
				t.Error("replaced")
			}
		case "the same":
			s, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
		default:
			if !errors.Is(err, fs.ErrNotExist) {
				t.Error("made beside somebody's log")
			}
		}
	}
}

// Where there are no links a name is taken by a rename that replaces nothing.
func TestRenameNew(t *testing.T) {
	folder := t.TempDir()
	part, path := filepath.Join(folder, "part"), filepath.Join(folder, "path")
	if err := os.WriteFile(part, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := renameNew(part, path); err != nil {
		t.Skip(err) // nor that
	}
	if err := os.WriteFile(part, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := renameNew(part, path); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
}
