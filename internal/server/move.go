package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/store/verbs"
	"exeunt.dev/ledger"
)

// A backup is a SQLite database with all rows of one snapshot, whatever database they come from.

// Backup writes one to a new file, also while servers run. It is useless without the key file, which is not in it.
func (b *Base) Backup(ctx context.Context, path string) error {
	return newFile(ctx, path, func(to *sqlite.Store) error {
		return to.Import(ctx, func(row func(int, []any) error) error { return b.movable().Export(ctx, row) })
	})
}

// Both databases can be moved.
func (b *Base) movable() idp.Movable { return b.Store.(idp.Movable) }

// newFile fills a new SQLite file, which appears under its name when it is whole.
func newFile(ctx context.Context, path string, fill func(*sqlite.Store) error) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, os.ErrExist)
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	defer func() {
		if err != nil {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				os.Remove(part + suffix)
			}
		}
	}()
	to, err := sqlite.Open(ctx, part)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(to), to.Close()); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// Restore fills the configured database, which must be empty, from a backup. Guards see by the new lineage that history has
// changed. What ended after the backup was made would live again: so everything ends with the realm, and every key in the
// backup is killed, since one that was killed later lives in it. keep leaves both out, and takes that risk.
func Restore(ctx context.Context, c config.Config, backup string, keep bool, by idp.Actor, log *slog.Logger) error {
	// Opened, an empty file becomes a database.
	if i, err := os.Stat(backup); err != nil {
		return fmt.Errorf("backup: %w", err)
	} else if i.Size() == 0 || !i.Mode().IsRegular() {
		return fmt.Errorf("%s %w", backup, ErrNoBackup)
	}
	from, err := sqlite.Open(ctx, backup)
	if err != nil {
		return fmt.Errorf("backup %s cannot be used: %w", backup, err)
	}
	defer from.Close()
	// Without the key file that belongs to the backup nothing is written: what was would stand in the way of the next try.
	if err := fits(ctx, from, c.KeyFile, backup); err != nil {
		return err
	}
	fill := func(to idp.Store) error {
		if err := copyRows(ctx, from, to, true); err != nil {
			return err
		}
		if keep {
			return nil
		}
		return endAll(ctx, to, by)
	}
	if c.Postgres.URL == "" {
		err = newFile(ctx, c.Data, func(to *sqlite.Store) error { return fill(to) })
	} else {
		var to idp.Store
		if to, err = openStore(ctx, c); err == nil {
			err = errors.Join(fill(to), to.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("restore into %s: %w", c.Database(), err)
	}
	b, err := Open(ctx, c, log) // makes keys to sign with
	if err != nil {
		return err
	}
	return b.Close()
}

// ErrNoBackup is a file that Backup did not write, or not whole.
var ErrNoBackup = errors.New("is no backup of Exeunt")

// fits says whether a key file decrypts the signing keys of a backup.
func fits(ctx context.Context, from idp.Store, keyFile, backup string) error {
	var rows []idp.Key
	if err := from.View(ctx, func(v idp.View) (err error) { rows, err = v.Keys(); return err }); err != nil {
		return err
	}
	if len(rows) == 0 { // every server has some
		return fmt.Errorf("%s %w", backup, ErrNoBackup)
	}
	vault, err := keys.OpenVault(keyFile)
	if errors.Is(err, keys.ErrNoKeyFile) {
		return &MissingKeyError{keyFile, backup}
	}
	for _, row := range rows {
		if err == nil {
			_, err = vault.Open(row.Private, row.Kid.String())
		}
	}
	if err != nil {
		return fmt.Errorf("the signing keys in %s and key file %s: %w", backup, keyFile, err)
	}
	return nil
}

func copyRows(ctx context.Context, from, to idp.Store, newLineage bool) error {
	return to.(idp.Movable).Import(ctx, func(row func(int, []any) error) error {
		return from.(idp.Movable).Export(ctx, func(table int, values []any) error {
			if newLineage {
				relineage(table, values)
			}
			return row(table, values)
		})
	})
}

func relineage(table int, values []any) {
	t := verbs.Tables()[table]
	if t.Name == "counter" {
		l := ledger.NewLineage()
		values[slices.Index(t.Columns, "lineage")] = l[:]
	}
}

// endAll ends the realm and every key.
func endAll(ctx context.Context, store idp.Store, by idp.Actor) error {
	var keys []idp.Key
	if err := store.View(ctx, func(v idp.View) (err error) { keys, err = v.Keys(); return err }); err != nil {
		return err
	}
	d := door.New(store, nil)
	const why = "restored from a backup"
	if _, err := d.End(ctx, idp.EndRealm(), idp.Cause{Kind: idp.CauseRealmEnded, Actor: by, Reason: why}); err != nil {
		return err
	}
	for _, k := range keys {
		if _, err := d.End(ctx, idp.EndKey(k.Kid), idp.Cause{Kind: idp.CauseKeyKilled, Actor: by, Reason: why}); err != nil {
			return err
		}
	}
	return nil
}

// Migrate moves everything to the database of another configuration, which must be empty: sessions live on, the ledger goes
// on. The old database cannot be used afterwards; a server that still runs on it acknowledges nothing more. A SQLite file
// is renamed to NAME.moved.
func (b *Base) Migrate(ctx context.Context, c config.Config) error {
	if c.Issuer != b.Config.Issuer {
		return fmt.Errorf("the issuers differ (%s, %s): tokens and apps know only the one", b.Config.Issuer, c.Issuer)
	}
	to, err := openStore(ctx, c)
	if err != nil {
		return fmt.Errorf("database %s cannot be used: %w", c.Database(), err)
	}
	defer to.Close()
	// The rows are handed over in one transaction of the old database that ends only after the new one has them all.
	type line struct {
		table  int
		values []any
	}
	rows, taken := make(chan line, 1000), make(chan error, 1)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		taken <- to.(idp.Movable).Import(ctx, func(row func(int, []any) error) error {
			for l := range rows {
				if err := row(l.table, l.values); err != nil {
					stop()
					return err
				}
			}
			return ctx.Err()
		})
	}()
	closed := false
	finish := func() error {
		if !closed {
			closed = true
			close(rows)
		}
		return <-taken
	}
	err = b.movable().HandOver(ctx, func(table int, values []any) error {
		select {
		case rows <- line{table, values}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}, finish)
	if err != nil {
		if !closed {
			stop()
			err = errors.Join(err, finish())
		}
		return err
	}
	if b.Config.Postgres.URL == "" {
		return os.Rename(b.Config.Data, b.Config.Data+".moved")
	}
	return nil
}
