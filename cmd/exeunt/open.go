package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/user"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

func loadConfig(path string, load func(string) (config.Config, error)) (config.Config, error) {
	c, err := load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, usage("there is no configuration "+path, "exeunt config example > "+path+" makes one; --config names another")
	}
	if errors.As(err, new(*fs.PathError)) {
		return c, usage("the configuration cannot be read: "+err.Error(), "--config names a file that may be read")
	}
	return c, err
}

// open opens the database of the configuration, also while a server runs on it.
func (w *world) open() (*server.Base, error) {
	c, err := loadConfig(w.config, config.LoadBeside)
	if err != nil {
		return nil, err
	}
	return server.Open(w.ctx, c, slog.New(slog.NewTextHandler(w.errOut, &slog.HandlerOptions{Level: slog.LevelWarn})))
}

// with opens the database for one act.
func (w *world) with(act func(*server.Base) error) error {
	b, err := w.open()
	if err != nil {
		return err
	}
	defer b.Close()
	return act(b)
}

// operator is who the ledger says it was.
func operator() idp.Actor {
	if u, err := user.Current(); err == nil {
		return idp.ActorOperator(u.Username)
	}
	return idp.ActorOperator(fmt.Sprintf("uid-%d", os.Getuid()))
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// done prints what an act came to: a sentence, or JSON.
func (w *world) done(v map[string]any, format string, args ...any) error {
	if w.json {
		return printJSON(w.out, v)
	}
	_, err := fmt.Fprintf(w.out, format+"\n", args...)
	return err
}

// ended prints what an act that ends something came to: what was done to whom, and the receipt. more goes into the JSON.
func (w *world) ended(b *server.Base, r idp.Receipt, whom, done string, more map[string]any) error {
	out := map[string]any{"ended": r.ID != ""}
	maps.Copy(out, more)
	after := "nothing was alive that could end"
	if r.ID != "" {
		address := b.Config.Issuer + "/signout/" + string(r.ID)
		out["receipt"] = address
		after = "receipt: " + address
	}
	return w.done(out, "%s: %s\n%s", whom, done, after)
}

func stamp(t idp.Time) string {
	if t == 0 {
		return ""
	}
	return moment(t.Time())
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
