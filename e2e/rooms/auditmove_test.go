package rooms_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"exeunt.dev/internal/audit"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

// A backup carries events and their chain: what is restored verifies against a head that was kept before, and the chain goes on.
func TestAuditLogMoves(t *testing.T) {
	n := start(t)
	p := n.alice()
	p.post("/account/sessions/others/end", fields(p.get("/account").body))
	n.stop() // seals no more
	log := slog.New(slog.DiscardHandler)
	before, err := server.Open(t.Context(), n.config, log)
	if err != nil {
		t.Fatal(err)
	}
	seal := func(b *server.Base) audit.Verdict {
		t.Helper()
		l := audit.New(b.Store, 0, log)
		if err := l.SealLedger(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		v, err := audit.Verify(t.Context(), b.Store, nil)
		if err != nil || v.Open != 0 || v.Head.Number < 2 || v.Receipt == 0 {
			t.Fatalf("%+v %v", v, err)
		}
		return v
	}
	kept := seal(before).Head
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := server.Backup(t.Context(), n.config, file); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Issuer, c.KeyFile, c.Data = n.config.Issuer, n.config.KeyFile, filepath.Join(t.TempDir(), "restored.db")
	if pg != nil {
		c.Postgres.URL = pg.Database(t)
	}
	if err := server.Restore(t.Context(), c, file, false, idp.ActorOperator("test"), "", log); err != nil {
		t.Fatal(err)
	}
	after, err := server.Open(t.Context(), c, log)
	if err != nil {
		t.Fatal(err)
	}
	v, err := audit.Verify(t.Context(), after.Store, &kept)
	if err != nil || !v.Kept || v.Head != kept {
		t.Errorf("restored: %+v %v", v, err)
	}
	if err := after.Store.Update(t.Context(), func(tx idp.Tx) error {
		return tx.Record(idp.Event{Kind: idp.EventOperator, Actor: idp.ActorOperator("test")})
	}); err != nil {
		t.Fatal(err)
	}
	if next := seal(after); next.Head.Number != kept.Number+3 || next.Receipt <= v.Receipt { // the event, that of the restoring, and the end of the realm
		t.Errorf("the chain goes on to %+v behind %+v", next, v)
	}
	if err := before.Close(); err != nil {
		t.Error(err)
	}
	if err := after.Close(); err != nil {
		t.Error(err)
	}
	n.stop = func() {}
}
