package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/store/postgres"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/store/verbs"
	"exeunt.dev/internal/weak"
)

// Base is what everything rests on: the database, and the key file that belongs to it.
type Base struct {
	Config config.Config
	Store  idp.Store
	Vault  *keys.Vault
	Ring   *keys.Ring
	rules  *weak.Rules // for new passwords
}

// Open opens database and keys, making what a first start needs. Commands use it beside a running server.
func Open(ctx context.Context, c config.Config, log *slog.Logger) (*Base, error) {
	return open(ctx, c, log, func(*Base, context.Context) error { return nil })
}

// open asks may before it makes anything but the tables and the key file.
func open(ctx context.Context, c config.Config, log *slog.Logger, may func(*Base, context.Context) error) (*Base, error) {
	store, err := openNamed(ctx, c, verbs.Opening{})
	if err != nil {
		return nil, err
	}
	b := &Base{Config: c, Store: store}
	if err := b.open(ctx, log, may); err != nil {
		store.Close()
		return nil, err
	}
	return b, nil
}

func openStore(ctx context.Context, c config.Config, o verbs.Opening) (idp.Store, error) {
	if c.Postgres.URL != "" {
		return postgres.Open(ctx, c.Postgres.URL, postgres.Options{Connections: c.Postgres.Connections, Opening: o})
	}
	return sqlite.OpenWith(ctx, c.Data, sqlite.Options{Opening: o})
}

// openNamed is openStore with an error that names the database.
func openNamed(ctx context.Context, c config.Config, o verbs.Opening) (idp.Store, error) {
	s, err := openStore(ctx, c, o)
	if err != nil {
		return nil, fmt.Errorf("database %s cannot be used: %w", c.Database(), err)
	}
	return s, nil
}

// Close closes the database.
func (b *Base) Close() error { return b.Store.Close() }

// ReceiptAddress is the address of a receipt, for who ended something: it can be read there for a while.
func (b *Base) ReceiptAddress(id idp.ReceiptID) string {
	return b.browser(b.Store, nil).ReceiptAddress(id)
}

func (b *Base) browser(store idp.Store, d *door.Door) *browser.Browser {
	return browser.New(store, d, b.Config.Policy, b.Config.Issuer, browser.Names(b.Config.Cookies), b.Vault.Derive("csrf", 32))
}

// Door is a door that wakes nobody: a server that runs beside finds out by itself.
func (b *Base) Door() *door.Door { return door.New(b.Store, nil) }

func (b *Base) open(ctx context.Context, log *slog.Logger, may func(*Base, context.Context) error) (err error) {
	if b.Vault, err = b.vault(ctx, log); err != nil {
		return err
	}
	if err := may(b, ctx); err != nil {
		return err
	}
	if s, ok := b.Store.(interface{ BelieveNews(key []byte) }); ok {
		s.BelieveNews(b.Vault.Derive("news", 32))
	}
	if b.rules, err = rules(b.Config); err != nil {
		return err
	}
	if err := b.lifeCap(ctx); err != nil {
		return err
	}
	b.Ring, err = keys.Open(ctx, b.Store, b.Vault, b.Config.Algs)
	return err
}

// MissingKeyError says that a database has keys and the file that decrypts them is gone.
type MissingKeyError struct{ KeyFile, Data string }

func (e *MissingKeyError) Error() string {
	return fmt.Sprintf("key file %s is missing, and the database %s holds signing keys that only it can decrypt", e.KeyFile, e.Data)
}

func (b *Base) vault(ctx context.Context, log *slog.Logger) (*keys.Vault, error) {
	v, err := keys.OpenVault(b.Config.KeyFile)
	if err == nil {
		return v, nil
	}
	if !errors.Is(err, keys.ErrNoKeyFile) {
		return nil, b.Config.Refuse("key_file", err.Error(), "") // which says what to do
	}
	var rows []idp.Key
	if err := b.Store.View(ctx, func(v idp.View) (err error) { rows, err = v.Keys(); return err }); err != nil {
		return nil, err
	}
	if len(rows) > 0 {
		return nil, fmt.Errorf("%s: key_file: %w", b.Config.Where("key_file"), &MissingKeyError{b.Config.KeyFile, b.Config.Database()})
	}
	v, err = keys.CreateVault(b.Config.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("key file cannot be made: %w", err)
	}
	log.Warn("made a new key file: keep a copy of it, apart from the database's backup; without it the database cannot be used", "key_file", b.Config.KeyFile)
	return v, nil
}

// lifeCap makes room for the longest token that may be minted, before any is. A command goes by what the nodes have agreed on.
func (b *Base) lifeCap(ctx context.Context) error {
	var longest time.Duration
	var now int64
	err := b.Store.View(ctx, func(v idp.View) (err error) {
		if now, err = v.LifeCap(); err == nil {
			longest, err = b.AccessLife(v)
		}
		return err
	})
	want := capFor(longest)
	if err != nil || want == now {
		return err
	}
	return b.Store.Update(ctx, func(tx idp.Tx) error { return tx.SetLifeCap(want) })
}

// AccessLife is how long access tokens live at most: as the nodes have agreed, else by this configuration.
func (b *Base) AccessLife(v idp.View) (time.Duration, error) {
	agreed, err := v.Settings()
	if err != nil {
		return 0, err
	}
	if d, err := config.Duration(agreed["lifetimes.access_token"]); err == nil {
		return d, nil
	}
	return b.Config.Policy.AccessLife, nil
}

// capFor is the life cap for tokens of a life.
func capFor(life time.Duration) int64 { return int64(life.Seconds()) + 1 }
