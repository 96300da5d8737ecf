package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

type backupCmd struct {
	Create  backupCreateCmd  `cmd:"" default:"withargs" help:"Write a backup to a new file, also while the server runs."`
	Restore backupRestoreCmd `cmd:"" help:"Fill the empty database of the configuration from a backup."`
}

type backupCreateCmd struct {
	File string `arg:"" help:"The new file."`
}

func (c *backupCreateCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		err := b.Backup(w.ctx, c.File)
		if errors.Is(err, fs.ErrExist) {
			return usage(c.File+" is there already", "name a new file; a backup is never written over another")
		}
		if err != nil {
			return err
		}
		return w.done(map[string]any{"backup": c.File}, "%s: written. It cannot be used without the key file %s: keep a copy of that, in another place.", c.File, b.Config.KeyFile)
	})
}

type backupRestoreCmd struct {
	File         string `arg:"" help:"The backup."`
	KeepSessions bool   `help:"Sign nobody out. What ended since the backup was made lives again, stolen sessions and killed keys among it."`
}

func (c *backupRestoreCmd) Run(w *world) error {
	settings, err := loadConfig(w.config, config.LoadBeside)
	if err != nil {
		return err
	}
	if _, err := os.Stat(c.File); errors.Is(err, fs.ErrNotExist) {
		return usage("there is no backup "+c.File, "exeunt backup FILE writes one")
	}
	err = server.Restore(w.ctx, settings, c.File, c.KeepSessions, operator(), slog.New(slog.NewTextHandler(w.errOut, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if errors.Is(err, idp.ErrNotEmpty) || errors.Is(err, fs.ErrExist) {
		return hint(err, "restore into a new, empty database: move the old one away, or name another in "+w.config)
	}
	if errors.Is(err, server.ErrNoBackup) {
		return hint(err, "name a file that exeunt backup FILE has written; nothing was changed")
	}
	if err != nil {
		return err
	}
	if c.KeepSessions {
		return w.done(map[string]any{"restored": c.File, "kept_sessions": true}, "%s: restored, with its sessions. What ended since it was written lives again.", c.File)
	}
	return w.done(map[string]any{"restored": c.File, "kept_sessions": false}, "%s: restored. Everybody is signed out, and all keys are new.", c.File)
}

type migrateCmd struct {
	To string `required:"" help:"The configuration file with the new database." placeholder:"FILE"`
}

func (c *migrateCmd) Run(w *world) error {
	to, err := loadConfig(c.To, config.LoadBeside)
	if err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		if to.Database() == b.Config.Database() {
			return usage(c.To+" names the database that is to be moved, "+to.Database(), "name a new, empty one in "+c.To)
		}
		err := b.Migrate(w.ctx, to)
		if errors.Is(err, idp.ErrNotEmpty) {
			return hint(err, "name a new, empty database in "+c.To)
		}
		if err != nil {
			return fmt.Errorf("nothing was moved: %w", err)
		}
		return w.done(map[string]any{"database": to.Database()}, "moved to %s. Start the servers with %s; %s is no longer used.", to.Database(), c.To, b.Config.Database())
	})
}
