package main

import (
	"log/slog"
	"runtime/debug"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/server"
)

type serveCmd struct {
	Config string `help:"The configuration file." default:"exeunt.yaml" env:"EXEUNT_CONFIG" placeholder:"FILE"`
}

func (c *serveCmd) Run(w *world) error {
	settings, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(w.errOut, &slog.HandlerOptions{Level: settings.LogLevel}))
	s, err := server.New(w.ctx, settings, log)
	if err != nil {
		return err
	}
	return s.Run(w.ctx)
}

type configCmd struct {
	Example struct {
		exampleCmd
	} `cmd:"" help:"Print a commented configuration that works as it is."`
}

type exampleCmd struct{}

func (exampleCmd) Run(w *world) error {
	_, err := w.out.Write([]byte(config.Example()))
	return err
}

type versionCmd struct {
	JSON bool `help:"Print JSON."`
}

func (c *versionCmd) Run(w *world) error {
	version, goVersion := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version, goVersion = info.Main.Version, info.GoVersion
	}
	o := opened{JSON: c.JSON}
	return o.done(w, map[string]any{"version": version, "go": goVersion}, "exeunt %s (%s)", version, goVersion)
}
