package main

import (
	"errors"
	"fmt"
	"log/slog"
	"syscall"

	"exeunt.dev/internal/demo"
	"exeunt.dev/internal/idp"
)

type demoCmd struct {
	Check bool   `help:"Do the whole main job over HTTP, print what happened, and end: 0 if all was as it should be, else 1."`
	Data  string `help:"Keep the data in this folder: with --port, people stay signed in at everything. Default: a temporary one." placeholder:"DIR"`
	Port  int    `help:"The first of six ports. Default: any that are free." placeholder:"N"`
}

func (c *demoCmd) Run(w *world) error {
	if c.Port < 0 || c.Port > 65530 {
		return usage(fmt.Sprintf("there is no port %d with five more behind it", c.Port), "choose one from 1024 to 65530")
	}
	d, err := demo.Start(w.ctx, demo.Options{Data: c.Data, Port: c.Port, Log: slog.New(slog.NewTextHandler(w.errOut, &slog.HandlerOptions{Level: slog.LevelError}))})
	if errors.Is(err, syscall.EADDRINUSE) {
		err = idp.Advise(err, "does a demo run already? Another --port N takes N to N+5; without --port any free ones are taken")
	}
	if err != nil {
		return err
	}
	return errors.Join(c.run(w, d), d.Close())
}

func (c *demoCmd) run(w *world, d *demo.Demo) error {
	switch {
	case w.json:
		if err := printJSON(w.out, d.Info); err != nil {
			return err
		}
	case !c.Check:
		welcome(w, d, c.Data)
	}
	if !c.Check {
		<-w.ctx.Done()
		return nil
	}
	results := d.Check(w.ctx)
	if err := w.ctx.Err(); err != nil {
		return err // and no verdict
	}
	if err := c.report(w, results); err != nil {
		return err
	}
	if demo.Failed(results) {
		return errSilent
	}
	return nil
}

// report prints results as a table, or a line of JSON each.
func (c *demoCmd) report(w *world, results []demo.Result) error {
	if !w.json {
		return demo.Print(w.out, results)
	}
	for _, r := range results {
		if err := printJSON(w.out, r); err != nil {
			return err
		}
	}
	return nil
}

func welcome(w *world, d *demo.Demo, data string) {
	i := d.Info
	fmt.Fprintf(w.out, "Start here:   %s\n\n", i.Start)
	fmt.Fprintf(w.out, "Books:        %s\nNews:         %s\n", i.Apps["books"], i.Apps["news"])
	fmt.Fprintf(w.out, "Single page:  %s\nNative app:   %s login\n              (in the folder of the source; get /orders or logout instead of login does the rest)\n", i.SinglePage, i.Native)
	fmt.Fprintf(w.out, "Orders (API): %s\nExeunt:       %s/account\nConsole:      %s/admin\n\n", i.API, i.Issuer, i.Issuer)
	fmt.Fprintf(w.out, "Sign in as    %s with password %s\nor as         %s with password %s\n", i.Username, i.Password, i.SecondUsername, i.SecondPassword)
	fmt.Fprintf(w.out, "At the console: %s with password %s\n\n", i.AdminUsername, i.AdminPassword)
	if data != "" {
		fmt.Fprintf(w.out, "Ctrl-C ends it; the data stays in %s.\n", data)
		return
	}
	fmt.Fprintln(w.out, "Ctrl-C ends it and leaves nothing behind.")
}
