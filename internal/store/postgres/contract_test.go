package postgres

import (
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/pgtest"
	"exeunt.dev/internal/store/storetest"
)

var server *pgtest.Server

func TestMain(m *testing.M) { pgtest.Main(m, &server) }

func open(t testing.TB, address string) *Store {
	t.Helper()
	s, err := Open(t.Context(), address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Opened {
		address := server.Database(t)
		first := open(t, address)
		another := func(t *testing.T) idp.Store { return open(t, address) }
		return storetest.Opened{Store: first, Second: another, Reopen: func(t *testing.T) idp.Store {
			first.Close()
			return another(t)
		}}
	})
}
