package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/server"
)

type serveCmd struct{}

func (serveCmd) Run(w *world) error {
	settings, err := loadConfig("--config", w.config, config.Load)
	if err != nil {
		return err
	}
	if err := server.Check(settings); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300) // what lives is small beside what a request leaves behind: memory is cheaper than collecting it so often
	}
	log := slog.New(slog.NewJSONHandler(w.errOut, &slog.HandlerOptions{Level: settings.LogLevel}))
	s, err := server.New(w.ctx, settings, log)
	if err != nil {
		return err
	}
	defer time.AfterFunc(2*time.Second, debug.FreeOSMemory).Stop() // what the start has left behind would lie there until the first collection
	// Stopping may take as long as drain and the requests under way; who cannot wait sends the signal again.
	defer context.AfterFunc(w.ctx, w.forget)()
	return s.Run(w.ctx)
}

type configCmd struct {
	Example exampleCmd `cmd:"" help:"Print a commented configuration that works as it is."`
	Check   checkCmd   `cmd:"" help:"Say whether the configuration can be used."`
	Agree   agreeCmd   `cmd:"" help:"Make this configuration's issuer, lifetimes and the like those of all nodes, which then are to be restarted with it."`
}

type exampleCmd struct{}

func (exampleCmd) Run(w *world) error {
	_, err := w.out.Write([]byte(config.Example()))
	return err
}

type checkCmd struct {
	Database bool `default:"true" negatable:"" help:"Look at the database, too. It is not changed, and none is made."`
}

func (cmd checkCmd) Run(w *world) error {
	c, err := loadConfig("--config", w.config, config.Load)
	if err != nil {
		return err
	}
	if err := server.Check(c); err != nil {
		return err
	}
	state := "unchecked"
	if cmd.Database {
		if state, err = server.CheckDatabase(w.ctx, c); err != nil {
			return err
		}
	}
	return w.done(map[string]any{"ok": true, "issuer": c.Issuer, "database": state}, "%s: can be used, for issuer %s\ndatabase %s: %s", w.config, c.Issuer, c.Database(), map[string]string{
		"unchecked":          "not looked at",
		server.DatabaseReady: "can be used, and the key file fits",
		server.DatabaseNew:   "empty, or not there; the first start makes what is missing",
		server.DatabaseOlder: "of an older version; the next start brings it up to date",
	}[state])
}

type versionCmd struct{}

func (versionCmd) Run(w *world) error {
	version, goVersion := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version, goVersion = info.Main.Version, info.GoVersion
	}
	return w.done(map[string]any{"version": version, "go": goVersion}, "exeunt %s (%s)", version, goVersion)
}
