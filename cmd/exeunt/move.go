package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

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
	settings, err := w.settings()
	if err != nil {
		return err
	}
	err = server.Backup(w.ctx, settings, c.File)
	switch {
	case errors.Is(err, fs.ErrExist):
		return usage(c.File+" is there already", "name a new file; a backup is never written over another")
	case errors.Is(err, fs.ErrNotExist):
		return usage("there is no folder "+filepath.Dir(c.File), "make it, or name a file in another one")
	case errors.Is(err, idp.ErrNoDatabase):
		return idp.Advise(err, "there is nothing to save; "+w.config+" names the database")
	case err != nil:
		return err
	}
	return w.done(map[string]any{"backup": c.File}, "%s: written. It cannot be used without the key file %s: keep a copy of that, in another place.", c.File, settings.KeyFile)
}

type backupRestoreCmd struct {
	reason
	File         string `arg:"" help:"The backup."`
	KeepSessions bool   `help:"Sign nobody out. What ended since the backup was made lives again, stolen sessions and killed keys among it."`
}

func (c *backupRestoreCmd) Run(w *world) error {
	by, err := c.by()
	if err != nil {
		return err
	}
	settings, err := w.settings()
	if err != nil {
		return err
	}
	if _, err := os.Stat(c.File); errors.Is(err, fs.ErrNotExist) {
		return usage("there is no backup "+c.File, "exeunt backup FILE writes one")
	}
	err = server.Restore(w.ctx, settings, c.File, c.KeepSessions, by.Actor, by.Reason, slog.New(slog.NewTextHandler(w.errOut, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if errors.Is(err, idp.ErrNotEmpty) || errors.Is(err, fs.ErrExist) {
		return idp.Advise(err, "restore into a new, empty database: move the old one away, or name another in "+w.config)
	}
	if errors.Is(err, server.ErrNoBackup) {
		return idp.Advise(err, "name a file that exeunt backup FILE has written; nothing was changed")
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
	to, err := loadConfig("--to", c.To, config.LoadBeside)
	if err != nil {
		return err
	}
	from, err := w.settings()
	if err != nil {
		return err
	}
	if to.Database() == from.Database() {
		return usage(c.To+" names the database that is to be moved, "+to.Database(), "name a new, empty one in "+c.To)
	}
	err = server.Migrate(w.ctx, from, to)
	switch {
	case errors.Is(err, idp.ErrNotEmpty):
		return idp.Advise(fmt.Errorf("nothing was moved: %w", err), "name a new, empty database in "+c.To)
	case errors.Is(err, idp.ErrNoDatabase):
		return idp.Advise(err, "there is nothing to move; "+w.config+" names the database")
	case errors.Is(err, idp.ErrInUse):
		return idp.Advise(fmt.Errorf("nothing was moved: %w", err), "stop the server, wait for the command, and try again")
	case err != nil:
		return err
	}
	return w.done(map[string]any{"database": to.Database()}, "moved to %s. Start the servers with %s; %s is no longer used.", to.Database(), c.To, from.Database())
}
