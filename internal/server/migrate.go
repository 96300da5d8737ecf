package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// Migrate moves everything to the database of another configuration, which must be empty: sessions live on, the ledger goes on. The old
// database is marked, and nobody can use it afterwards. Interrupted at any instant, it is finished by another call. No server may run on a SQLite
// file meanwhile: idp.ErrInUse.
func Migrate(ctx context.Context, c, to config.Config) error {
	if to.Issuer != c.Issuer {
		return to.Refuse("issuer", fmt.Sprintf("the other configuration has %s: tokens, apps and passkeys know only that one", c.Issuer), "write the same in both")
	}
	name, err := nameOf(to)
	if err != nil {
		return err
	}
	from, err := openNamed(ctx, c, verbs.Opening{There: true, Moved: true})
	if err != nil {
		return err
	}
	defer from.Close()
	var before *idp.MovedError
	if err := from.View(ctx, func(v idp.View) error { _, err := v.Head(); return err }); err != nil && !errors.As(err, &before) {
		return err
	}
	if before != nil && !before.Resumes(name) {
		return fmt.Errorf("database %s: %w", c.Database(), before)
	}
	if err := fits(ctx, from, to.KeyFile, c.Database()); err != nil {
		return idp.Advise(fmt.Errorf("%s: key_file: %w", to.Where("key_file"), err), "the key file moves along: name the same one, or a copy of it; nothing was moved")
	}
	into, err := openNamed(ctx, to, verbs.Opening{})
	if err != nil {
		return err
	}
	defer into.Close()
	if before != nil {
		var there idp.Head
		if err := into.View(ctx, func(v idp.View) (err error) { there, err = v.Head(); return err }); err != nil {
			return err
		}
		if there.Lineage == before.Lineage { // it was interrupted when all was there
			return from.(idp.Movable).HandOver(ctx, name, func(int, []any) error { return nil }, func() error { return nil })
		}
	}
	return handOver(ctx, from, into, name)
}

// nameOf is what a moved database calls the other one.
func nameOf(c config.Config) (string, error) {
	if c.Postgres.URL != "" {
		return c.Database(), nil
	}
	return filepath.Abs(c.Data)
}

// handOver runs in one transaction of the new database, within the old one's last.
func handOver(ctx context.Context, from, to idp.Store, name string) error {
	type line struct {
		table  int
		values []any
	}
	rows, taken := make(chan line, 1000), make(chan error, 1)
	importing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		err := to.(idp.Movable).Import(importing, func(row func(int, []any) error) error {
			for l := range rows {
				if err := row(l.table, l.values); err != nil {
					return err
				}
			}
			return importing.Err()
		})
		stop(err)
		taken <- err
	}()
	closed := false
	finish := func() error {
		closed = true
		close(rows)
		return <-taken
	}
	err := from.(idp.Movable).HandOver(ctx, name, func(table int, values []any) error {
		select {
		case rows <- line{table, values}:
			return nil
		case <-importing.Done():
			return context.Cause(importing)
		}
	}, finish)
	if !closed {
		stop(err)
		finish() // err says why
	}
	return err
}
