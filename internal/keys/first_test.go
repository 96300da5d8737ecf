package keys_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/store/sqlite"
)

// between runs something before its second transaction.
type between struct {
	idp.Store
	n  int
	do func()
}

func (b *between) Update(ctx context.Context, f func(idp.Tx) error) error {
	if b.n++; b.n == 2 {
		b.do()
	}
	return b.Store.Update(ctx, f)
}

// Of two first nodes with key files of their own one is refused, and leaves nothing that the other cannot open.
func TestTwoFirstKeyFiles(t *testing.T) {
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	open := func(s idp.Store, file string) error {
		vault, err := keys.CreateVault(filepath.Join(dir, file))
		if err == nil {
			_, err = keys.Open(t.Context(), s, vault, []string{"ES256"})
		}
		return err
	}
	var second error
	if err := open(&between{Store: store, do: func() { second = open(store, "second") }}, "first"); err != nil {
		t.Error(err)
	}
	if second == nil || !strings.Contains(second.Error(), "cannot be decrypted with this key file") {
		t.Error("the second:", second)
	}
}
