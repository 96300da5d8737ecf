package main

import (
	"fmt"
	"log/slog"

	"exeunt.dev/internal/demo"
)

type demoCmd struct {
	Check bool   `help:"Do the whole main job over HTTP, print what happened, and end: 0 if all was as it should be, else 1."`
	Data  string `help:"Keep the data in this folder. Default: a temporary one." placeholder:"DIR"`
	Port  int    `help:"The first of five ports. Default: any that are free." placeholder:"N"`
}

func (c *demoCmd) Run(w *world) error {
	if c.Port < 0 || c.Port > 65531 {
		return usage(fmt.Sprintf("there is no port %d with four more behind it", c.Port), "choose one from 1024 to 65531")
	}
	d, err := demo.Start(w.ctx, demo.Options{Data: c.Data, Port: c.Port, Log: slog.New(slog.NewTextHandler(w.errOut, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		if c.Port != 0 {
			err = hint(err, "another --port, or none, may be free")
		}
		return err
	}
	if w.json {
		if err := printJSON(w.out, d.Info); err != nil {
			d.Close()
			return err
		}
	}
	if c.Check {
		return c.check(w, d)
	}
	if !w.json {
		welcome(w, d)
	}
	<-w.ctx.Done()
	return d.Close()
}

func (c *demoCmd) check(w *world, d *demo.Demo) error {
	defer d.Close()
	results := d.Check(w.ctx)
	if err := demo.Print(w.out, results); err != nil {
		return err
	}
	if demo.Failed(results) {
		return errSilent
	}
	return nil
}

func welcome(w *world, d *demo.Demo) {
	i := d.Info
	fmt.Fprintf(w.out, "Start here:   %s\n", i.Start)
	fmt.Fprintf(w.out, "Books:        %s\nNews:         %s\n", i.Apps["books"], i.Apps["news"])
	fmt.Fprintf(w.out, "Orders (API): %s\nExeunt:       %s/account\n\n", i.API, i.Issuer)
	fmt.Fprintf(w.out, "Sign in as    %s with password %s\nor as         %s with password %s\n\nCtrl-C ends it and leaves nothing behind.\n", i.Username, i.Password, i.SecondUsername, i.SecondPassword)
}
