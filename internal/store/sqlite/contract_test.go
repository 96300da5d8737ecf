package sqlite

import (
	"path/filepath"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Opened {
		path := filepath.Join(t.TempDir(), "exeunt.db")
		open := func(t *testing.T) idp.Store {
			s, err := Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return s
		}
		first := open(t)
		return storetest.Opened{Store: first, Second: open, Reopen: func(t *testing.T) idp.Store {
			first.Close()
			return open(t)
		}}
	})
}
