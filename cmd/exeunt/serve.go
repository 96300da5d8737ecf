package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/server"
)

type serveCmd struct{}

func (serveCmd) Run(r *run) error {
	c, err := config.Load(r.conf)
	if err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	l, err := net.Listen("tcp", c.Listen) // first: a second server on the same address must not touch the keys
	if err != nil {
		return &hinted{err, "is another server on that address? change listen in " + r.conf}
	}
	s, err := server.New(r.ctx, c, log)
	if err != nil {
		l.Close()
		return err
	}
	log.Info("serving", "issuer", c.Issuer, "listen", l.Addr().String())
	return s.Run(r.ctx, l)
}

type confCmd struct {
	Example confExample `cmd:"" help:"Print a commented configuration that works."`
	Check   confCheck   `cmd:"" help:"Check the configuration file."`
}

type confExample struct{}

func (confExample) Run(r *run) error {
	_, err := io.WriteString(r.out, config.Example())
	return err
}

type confCheck struct{}

func (confCheck) Run(r *run) error {
	c, err := config.Load(r.conf)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.out, "%s is right: issuer %s\n", r.conf, c.Issuer)
	return err
}
