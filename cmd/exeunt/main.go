// Command exeunt is an OpenID Provider built around signing people out.
//
// Run exeunt --help for its commands, exeunt demo to see it work.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
	"exeunt.dev/ledger"
	"github.com/alecthomas/kong"
)

type commands struct {
	File string `name:"config" short:"c" help:"The configuration file. Default: exeunt.yaml." default:"exeunt.yaml" env:"EXEUNT_CONFIG" placeholder:"FILE"`
	JSON bool   `help:"Print JSON."`

	Serve    serveCmd    `cmd:"" help:"Run the server."`
	Demo     demoCmd     `cmd:"" help:"Run Exeunt with two websites and an API, to try out."`
	Config   configCmd   `cmd:"" help:"The configuration."`
	Account  accountCmd  `cmd:"" help:"People."`
	Client   clientCmd   `cmd:"" help:"Apps and APIs."`
	Session  sessionCmd  `cmd:"" help:"Where people are signed in."`
	Key      keyCmd      `cmd:"" help:"Signing keys."`
	Ledger   ledgerCmd   `cmd:"" help:"What has ended."`
	Receipt  receiptCmd  `cmd:"" help:"What each sign-out reached."`
	Delivery deliveryCmd `cmd:"" help:"What apps are still to be told."`
	Status   statusCmd   `cmd:"" help:"How things stand: sessions alive, what is owed, what was given up."`
	Audit    auditCmd    `cmd:"" help:"What happened: sign-ins, failures, changes, operators' acts."`
	Provider providerCmd `cmd:"" help:"Where people may come from: other sites that sign them in."`
	Backup   backupCmd   `cmd:"" help:"Write a backup: exeunt backup FILE. Restore one: exeunt backup restore FILE."`
	Migrate  migrateCmd  `cmd:"" help:"Move everything to another database, with sessions alive."`
	Operator operatorCmd `cmd:"" help:"Who may use the console."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it was tried and did not work
	exitUsage  = 2 // nothing was tried: the command line or the configuration is wrong
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// world is what a command may touch.
type world struct {
	ctx    context.Context
	in     io.Reader
	out    io.Writer
	errOut io.Writer
	config string // the configuration file
	json   bool
	forget func() // ctx ends by a signal once; after this the next one ends the process
}

// exit carries the code that kong asks for when it has printed help.
type exit int

func run(args []string, in io.Reader, out, errOut io.Writer) (code int) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	defer func() {
		if p := recover(); p != nil {
			asked, ok := p.(exit)
			if !ok {
				panic(p)
			}
			code = int(asked)
		}
	}()
	var cli commands
	parser := grammar(&cli, out, errOut)
	command, err := parser.Parse(behindDashes(byHabit(args), flags(parser.Model.Node, map[string]bool{})))
	if err != nil {
		complain(errOut, idp.Advise(err, usageOf(err)))
		return exitUsage
	}
	err = command.Run(&world{ctx, in, out, errOut, cli.File, cli.JSON, stop})
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, new(*usageError)), errors.As(err, new(*config.Error)), errors.As(err, new(*idp.InvalidError)):
		complain(errOut, err)
		return exitUsage
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		err = errors.New("interrupted")
	}
	complain(errOut, err)
	return exitFailed
}

func grammar(cli *commands, out, errOut io.Writer) *kong.Kong {
	parser, err := kong.New(cli, kong.Name("exeunt"), kong.Description("An OpenID Provider built around signing people out."),
		kong.Writers(out, errOut), kong.Exit(func(code int) { panic(exit(code)) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(lengthOfTime)),
		kong.Vars{"kinds": operate.EventKindList()})
	if err != nil {
		panic(err) // the commands above are wrong
	}
	return parser
}

// lengthOfTime is written as in the configuration.
func lengthOfTime(c *kong.DecodeContext, to reflect.Value) error {
	var text string
	if err := c.Scan.PopValueInto("length of time", &text); err != nil {
		return err
	}
	d, err := config.Duration(text)
	if err != nil {
		return fmt.Errorf("%q is no length of time; write for example 30s, 5m, 12h or 14d", text)
	}
	to.SetInt(int64(d))
	return nil
}

// usageOf says how the command is written that kong could not make sense of.
func usageOf(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil {
		for _, at := range slices.Backward(wrong.Context.Path) {
			switch n := at.Command; {
			case n == nil:
			case n.Leaf():
				return "write exeunt " + n.Summary() + "; exeunt " + n.Path() + " --help says more"
			default:
				return "exeunt " + n.Path() + " --help says what there is"
			}
		}
	}
	return "exeunt --help says what there is"
}

// usageError is a command line that cannot be meant.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usage(text, advice string) error { return idp.Advise(&usageError{text}, advice) }

// errSilent is a failure that has been shown already.
var errSilent = errors.New("failed")

func complain(w io.Writer, err error) {
	if errors.Is(err, errSilent) {
		return
	}
	text, advice := err.Error(), ""
	var wise interface{ Advice() string }
	var invalid *idp.InvalidError
	var missing *server.MissingKeyError
	var address *server.AddressError
	switch {
	case errors.As(err, &wise) && wise.Advice() != "":
		advice = wise.Advice()
	case errors.As(err, &invalid):
		text = plain(invalid.Sentence)
	case errors.As(err, &missing):
		advice = "restore the key file from your backup; without it nothing that was signed can be read, and a new database is needed"
	case errors.As(err, &address):
		advice = "is the server running already? " + address.Key + " in the configuration names the address"
	case errors.Is(err, idp.ErrClock):
		advice = "nothing was changed; set the clock of this machine right. Ending something works meanwhile, but for a new password"
	case errors.Is(err, idp.ErrUnavailable):
		advice = "nothing was changed; does the database run, is its disk full, is its file in use, damaged or not writable?"
	case errors.Is(err, idp.ErrUnknown):
		advice = "it may have been done; run the command again to be sure"
	}
	fmt.Fprintf(w, "exeunt: %s\n", text)
	if advice != "" {
		fmt.Fprintf(w, "hint: %s\n", advice)
	}
}

// plain is a sentence for people as part of a message.
func plain(sentence string) string {
	if len(sentence) > 1 && sentence[0] >= 'A' && sentence[0] <= 'Z' {
		sentence = strings.ToLower(sentence[:1]) + sentence[1:]
	}
	return strings.TrimSuffix(sentence, ".")
}

// plainState is a refusal of a verb as a message.
func plainState(err error) error {
	var state *operate.StateError
	if errors.As(err, &state) {
		return errors.New(plain(state.Sentence))
	}
	return err
}

// behindDashes puts names and receipts' ids that begin with a dash, as one in 64 does, behind "--", lest they be taken for flags. A flag
// that looks like a name is a flag.
func behindDashes(args []string, flags map[string]bool) []string {
	var out, names []string
	for i, a := range args {
		if a == "--" {
			return append(append(append(out, "--"), names...), args[i+1:]...)
		}
		_, name := ledger.ParseName(a)
		_, receipt := idp.ReceiptID(a).Ended()
		if (name == nil || receipt) && strings.HasPrefix(a, "-") && !flags[a] {
			names = append(names, a)
		} else {
			out = append(out, a)
		}
	}
	if names == nil {
		return out
	}
	return append(append(out, "--"), names...)
}

// flags are all that the commands know.
func flags(n *kong.Node, out map[string]bool) map[string]bool {
	for _, f := range n.Flags {
		out["--"+f.Name], out["--no-"+f.Name] = true, true
	}
	for _, c := range n.Children {
		flags(c, out)
	}
	return out
}

// byHabit understands what other programs are asked.
func byHabit(args []string) []string {
	switch {
	case len(args) > 0 && args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case len(args) == 1 && args[0] == "--version":
		return []string{"version"}
	}
	return args
}
