package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
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

// Backup writes one to a new file, also while servers run. It is useless without the key file, which is not in it, but has to be there.
func Backup(ctx context.Context, c config.Config, path string) error {
	if i, err := os.Stat(filepath.Dir(path)); err != nil {
		return err
	} else if !i.IsDir() {
		return fmt.Errorf("%s is no folder", filepath.Dir(path))
	}
	if err := vacant(path); err != nil {
		return err
	}
	from, err := openNamed(ctx, c, verbs.Opening{There: true, AsItIs: true})
	if errors.Is(err, idp.ErrOlder) {
		return idp.Advise(err, "start the server of this version first, which brings it up to date, or make the backup with the program that wrote it; nothing was changed")
	}
	if err != nil {
		return err
	}
	defer from.Close()
	if err := fits(ctx, from, c.KeyFile, c.Database()); err != nil {
		return err
	}
	return newFile(ctx, path, func(to *sqlite.Store) error { return copyRows(ctx, from, to, false) })
}

func vacant(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, os.ErrExist)
	}
	return sqlite.Vacant(path)
}

// newFile fills a new SQLite file, which appears under its name when it is whole, if nothing else has appeared there meanwhile.
func newFile(ctx context.Context, path string, fill func(*sqlite.Store) error) error {
	if err := vacant(path); err != nil {
		return err
	}
	room, err := roomBeside(path, ".part-")
	if err != nil {
		return err
	}
	part := filepath.Join(room, "part")
	if err = write(ctx, part, fill); err == nil {
		err = takeName(part, path)
	}
	return errors.Join(err, os.RemoveAll(room), keys.SyncFolder(filepath.Dir(path)))
}

// roomBeside makes a folder for one run, on the filesystem of a file that is to be made.
func roomBeside(path, name string) (string, error) {
	folder := filepath.Dir(path)
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		folder, err = os.MkdirTemp(folder, filepath.Base(path)+name)
	}
	if err != nil {
		return "", idp.Advise(fmt.Errorf("%w: %w", idp.ErrUnavailable, err), "let this user write in the folder, or name another")
	}
	return folder, nil
}

func write(ctx context.Context, part string, fill func(*sqlite.Store) error) error {
	to, err := sqlite.Open(ctx, part)
	if err != nil {
		return err
	}
	if err := fill(to); err != nil {
		return errors.Join(err, to.Close())
	}
	return to.Settle() // what lies beside it would stay behind
}

// takeName gives a file its name. A server may have begun a database there since the name was vacant, which is neither replaced nor are its logs taken over.
func takeName(part, path string) error {
	if err := vacant(path); err != nil {
		return err
	}
	err := os.Link(part, path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a filesystem without links
		err = renameNew(part, path)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s was made meanwhile: %w", path, fs.ErrExist)
	case err != nil:
		return idp.Advise(fmt.Errorf("%s cannot be made without the risk of replacing what somebody else makes there: %w", path, err), "name a file on another filesystem")
	}
	return nil
}

// Restore fills the configured database, which must be empty, from a backup, or from a SQLite file that was moved. Guards see by the new lineage
// that history has changed. What ended after the backup was made would live again: so everything ends with the realm, and every key in the
// backup is killed, since one that was killed later lives in it. keep leaves both out, and takes that risk. Nothing is written to the backup, or
// beside it: an older one is brought up to date in a copy. Who did it and why is an event of the new database.
func Restore(ctx context.Context, c config.Config, backup string, keep bool, by idp.Actor, why string, log *slog.Logger) error {
	// Opened, an empty file becomes a database.
	if i, err := os.Stat(backup); err != nil {
		return fmt.Errorf("backup: %w", err)
	} else if i.Size() == 0 || !i.Mode().IsRegular() {
		return fmt.Errorf("%s %w", backup, ErrNoBackup)
	}
	var room string
	var err error
	if c.Postgres.URL != "" {
		room, err = os.MkdirTemp("", "exeunt-restore-")
	} else if err = vacant(c.Data); err == nil {
		room, err = roomBeside(c.Data, ".restore-")
	}
	if err != nil {
		return fmt.Errorf("restore into %s: %w", c.Database(), err)
	}
	if err := restore(ctx, c, backup, room, keep, by, why); err != nil {
		return errors.Join(err, os.RemoveAll(room))
	}
	if err := os.RemoveAll(room); err != nil {
		return err
	}
	b, err := Open(ctx, c, log) // makes keys to sign with
	if err != nil {
		return err
	}
	return b.Close()
}

func restore(ctx context.Context, c config.Config, backup, room string, keep bool, by idp.Actor, why string) error {
	own := filepath.Join(room, "backup")
	if err := copyDatabase(backup, own); err != nil {
		return fmt.Errorf("backup %s cannot be used: %w", backup, err)
	}
	from, err := sqlite.OpenWith(ctx, own, sqlite.Options{Opening: verbs.Opening{There: true, Moved: true}})
	if errors.Is(err, sqlite.ErrForeign) || errors.Is(err, idp.ErrNoDatabase) {
		return fmt.Errorf("%s %w", backup, ErrNoBackup)
	}
	if err != nil {
		return fmt.Errorf("backup %s cannot be used: %w", backup, err)
	}
	defer from.Close()
	// Without the key file that belongs to the backup nothing is written: what was would stand in the way of the next try.
	if err := fits(ctx, from, c.KeyFile, backup); errors.Is(err, errNoKeys) {
		return fmt.Errorf("%s %w", backup, ErrNoBackup)
	} else if err != nil {
		return err
	}
	if err := refill(ctx, c, from, filepath.Join(room, "whole"), keep, by, why); err != nil {
		return fmt.Errorf("restore into %s: %w", c.Database(), err)
	}
	return nil
}

// copyDatabase copies a SQLite file with what a program that was killed has left beside it.
func copyDatabase(from, to string) error {
	look := func() (seen string) {
		for _, suffix := range parts {
			if i, err := os.Stat(from + suffix); err == nil {
				seen += fmt.Sprintln(suffix, i.Size(), i.ModTime().UnixNano())
			}
		}
		return seen
	}
	before := look()
	for _, suffix := range parts {
		if err := copyFile(from+suffix, to+suffix); err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	if look() != before { // the copies may be of two moments
		return idp.Advise(idp.ErrInUse, "name a backup of it, which exeunt backup writes")
	}
	return nil
}

var parts = []string{"", "-wal", "-journal"}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// refill makes everything in a new file, so that a database whose sessions have not ended yet is nowhere to be seen. For Postgres that file is
// called whole, and goes again.
func refill(ctx context.Context, c config.Config, from idp.Store, whole string, keep bool, by idp.Actor, why string) error {
	fill := func(to *sqlite.Store) error {
		if err := copyRows(ctx, from, to, true); err != nil {
			return err
		}
		restored := idp.Event{Kind: idp.EventOperator, Actor: by, Why: why, Data: map[string]string{"act": "restored", "sessions": "ended"}}
		var err error
		if keep {
			restored.Data["sessions"] = "kept"
			err = holdLong(ctx, to)
		} else {
			err = endAll(ctx, to, by)
		}
		if err != nil {
			return err
		}
		return to.Update(ctx, func(tx idp.Tx) error { return tx.Record(restored) })
	}
	if c.Postgres.URL == "" {
		return newFile(ctx, c.Data, fill)
	}
	to, err := openStore(ctx, c, verbs.Opening{})
	if err != nil {
		return err
	}
	defer to.Close()
	if err := write(ctx, whole, fill); err != nil {
		return err
	}
	made, err := sqlite.Open(ctx, whole)
	if err != nil {
		return err
	}
	return errors.Join(copyRows(ctx, made, to, false), made.Close())
}

// ErrNoBackup is a file that Backup did not write, or not whole.
var ErrNoBackup = errors.New("is no backup of Exeunt")

var errNoKeys = errors.New("no server has ever run on it")

// fits says whether a key file decrypts the signing keys of a database.
func fits(ctx context.Context, from idp.Store, keyFile, name string) error {
	var rows []idp.Key
	if err := from.View(ctx, func(v idp.View) (err error) { rows, err = v.Keys(); return err }); err != nil {
		return err
	}
	if len(rows) == 0 { // every server has some
		return fmt.Errorf("database %s: %w", name, errNoKeys)
	}
	vault, err := keys.OpenVault(keyFile)
	if errors.Is(err, keys.ErrNoKeyFile) {
		return &MissingKeyError{keyFile, name}
	}
	if err == nil {
		err = vault.Opens(rows)
	}
	if err != nil {
		return idp.Advise(fmt.Errorf("the signing keys in %s and key file %s: %w", name, keyFile, err), "put the key file that belongs to this database in its place; nothing was changed")
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

// holdLong has endings held until the longest token is over that may have been minted so far: since the backup was made a longer life may have been
// configured than it knows of.
func holdLong(ctx context.Context, store idp.Store) error {
	return store.Update(ctx, func(tx idp.Tx) error {
		known, err := tx.LifeCap()
		if err != nil {
			return err
		}
		if err := tx.SetLifeCap(capFor(config.LongestAccessLife)); err != nil {
			return err
		}
		return tx.SetLifeCap(known)
	})
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
