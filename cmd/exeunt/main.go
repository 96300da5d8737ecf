// Command exeunt is the server that signs people out, and the commands around it. A file for each verb.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
	"github.com/alecthomas/kong"
)

type cli struct {
	Config string `short:"c" help:"Configuration file." default:"exeunt.yaml" type:"path"`
	JSON   bool   `help:"Print JSON."`

	Demo    demoCmd    `cmd:"" help:"Show the main job: Exeunt, two websites and an API on this machine."`
	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Conf    confCmd    `cmd:"" name:"config" help:"Configuration: example, check."`
	Account accountCmd `cmd:"" help:"People: add, list, show, lock, unlock, password, end, delete."`
	Client  clientCmd  `cmd:"" help:"Apps and APIs: add, list, show, end."`
	Session sessionCmd `cmd:"" help:"Sessions: list, end."`
	Key     keyCmd     `cmd:"" help:"Signing keys: list, rotate, kill."`
	Ledger  ledgerCmd  `cmd:"" help:"The ledger: tail."`
}

// run is what a verb needs.
type run struct {
	ctx  context.Context
	out  io.Writer
	json bool
	conf string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs a command line: 0 done, 1 refused or failed, 2 a wrong command line.
func execute(ctx context.Context, args []string, out, errs io.Writer) (code int) {
	var c cli
	exit := -1
	parser, err := kong.New(&c, kong.Name("exeunt"), kong.Description("Exeunt signs people out: of one app, one device, everywhere, and every API refuses at once."),
		kong.Writers(out, errs), kong.Exit(func(n int) { exit = n; panic(exitEarly{}) }), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(errs, "exeunt:", err)
		return 2
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(exitEarly); !ok {
				panic(p)
			}
			code = exit
		}
	}()
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(errs, "exeunt:", err)
		fmt.Fprintln(errs, "hint: exeunt --help")
		return 2
	}
	if err := parsed.Run(&run{ctx, out, c.JSON, c.Config}); err != nil {
		complain(errs, err)
		return 1
	}
	return 0
}

type exitEarly struct{}

// hinted is an error with a sentence on what to do.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

func complain(w io.Writer, err error) {
	fmt.Fprintln(w, "exeunt:", err)
	var h *hinted
	switch {
	case errors.As(err, &h):
		fmt.Fprintln(w, "hint:", h.hint)
	case errors.Is(err, idp.ErrUnavailable):
		fmt.Fprintln(w, "hint: nothing was changed; is the disk full, or the database on a disk that is gone?")
	case errors.Is(err, os.ErrPermission):
		fmt.Fprintln(w, "hint: run it as the user that the server runs as")
	}
}

// core opens the database of the configuration, beside a running server or without one.
func (r *run) core() (*server.Core, error) {
	c, err := config.Load(r.conf)
	if err != nil {
		return nil, err
	}
	return server.OpenCore(r.ctx, c, slog.New(slog.DiscardHandler), nil)
}

// with runs f on the core.
func (r *run) with(f func(*server.Core) error) error {
	c, err := r.core()
	if err != nil {
		return err
	}
	return errors.Join(f(c), c.Close())
}

// print prints v as JSON, or lets text write lines for people.
func (r *run) print(v any, text func(io.Writer)) error {
	if !r.json {
		text(r.out)
		return nil
	}
	e := json.NewEncoder(r.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// cause is an operator's.
func cause(kind idp.CauseKind, reason string) idp.Cause {
	name := os.Getenv("USER")
	if name == "" {
		name = "command"
	}
	return idp.Cause{Kind: kind, Actor: idp.ActorOperator(name), Reason: reason}
}

// ended prints the receipt of an end.
func (r *run) ended(what string, receipt idp.Receipt) error {
	out := map[string]string{"ended": what, "receipt": string(receipt.ID)}
	return r.print(out, func(w io.Writer) {
		if receipt.ID == "" {
			fmt.Fprintf(w, "%s: nothing was alive\n", what)
			return
		}
		fmt.Fprintf(w, "%s: ended, receipt %s\n", what, receipt.ID)
	})
}

// view reads.
func view(c *server.Core, r *run, f func(idp.View) error) error { return c.Store.View(r.ctx, f) }

func when(t idp.Time) string {
	if t == 0 {
		return "-"
	}
	return t.Time().UTC().Format("2006-01-02T15:04:05Z")
}
