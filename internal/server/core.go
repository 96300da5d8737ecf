package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/store/sqlite"
)

// Core is the store with its keys and its door.
type Core struct {
	Config config.Config
	Store  *sqlite.Store
	Vault  *keys.Vault
	Ring   *keys.Ring
	Door   *door.Door
}

// OpenCore opens the database and the key file. committed is for the door.
//
// The key file is made once, with the database. If the database has keys and the file is missing, that is refused: a new
// one could not read them, and would sign everybody's tokens anew.
func OpenCore(ctx context.Context, c config.Config, log *slog.Logger, committed func()) (*Core, error) {
	store, err := sqlite.Open(ctx, c.Database)
	if err != nil {
		return nil, err
	}
	core := &Core{Config: c, Store: store, Door: door.New(store, committed)}
	if err := core.unlock(ctx, log); err != nil {
		store.Close()
		return nil, err
	}
	return core, nil
}

func (c *Core) unlock(ctx context.Context, log *slog.Logger) (err error) {
	var rows []idp.Key
	err = c.Store.View(ctx, func(v idp.View) (err error) {
		rows, err = v.Keys()
		return err
	})
	if err != nil {
		return err
	}
	c.Vault, err = keys.OpenVault(c.Config.KeyFile)
	if errors.Is(err, keys.ErrNoKeyFile) {
		if len(rows) > 0 {
			return fmt.Errorf("%w, and the database %s was made with one: put it back from your backup; it is never made anew for an old database", err, c.Config.Database)
		}
		if c.Vault, err = keys.CreateVault(c.Config.KeyFile); err == nil {
			log.Info("made the key file: back it up, apart from the database", "path", c.Config.KeyFile)
		}
	}
	if err != nil {
		return err
	}
	if c.Ring, err = keys.Open(ctx, c.Store, c.Vault, c.Config.SigningAlgs); err != nil {
		return err
	}
	return c.raise(ctx)
}

// raise makes room in life_cap for the longest access token, before any is minted, or lowers it (the store keeps the old one
// until it has passed).
func (c *Core) raise(ctx context.Context) error {
	want := int64(c.Config.Lifetimes.Access.Seconds()) + 1
	var have int64
	err := c.Store.View(ctx, func(v idp.View) (err error) {
		have, err = v.LifeCap()
		return err
	})
	if err != nil || have == want {
		return err
	}
	return c.Store.Update(ctx, func(tx idp.Tx) error { return tx.SetLifeCap(want) })
}

// Close closes the store.
func (c *Core) Close() error { return c.Store.Close() }
