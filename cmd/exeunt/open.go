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
	"path/filepath"
	"syscall"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

// loadConfig reads the configuration that a flag names.
func loadConfig(flag, path string, load func(string) (config.Config, error)) (config.Config, error) {
	c, err := load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, usage("there is no configuration "+path, "exeunt config example > "+path+" makes one; "+flag+" names another")
	}
	if errors.As(err, new(*fs.PathError)) {
		return c, usage("the configuration cannot be read: "+err.Error(), flag+" names a file that may be read")
	}
	if err != nil {
		return c, err
	}
	return c, rootMakes(&c, path)
}

// rootMakes refuses to make the database or the key file as root in somebody else's folder: the server, who is that somebody, could not open it.
func rootMakes(c *config.Config, path string) error {
	made := []string{c.KeyFile}
	if c.Postgres.URL == "" {
		made = append(made, c.Data)
	}
	for _, file := range made {
		if _, err := os.Lstat(file); os.Geteuid() != 0 || !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		folder, err := os.Stat(filepath.Dir(file))
		if err != nil {
			continue
		}
		if s, ok := folder.Sys().(*syscall.Stat_t); ok && s.Uid != 0 {
			owner := fmt.Sprint("#", s.Uid)
			if u, err := user.LookupId(fmt.Sprint(s.Uid)); err == nil {
				owner = u.Username
			}
			return usage(fmt.Sprintf("%s is not there, and made by root it could not be opened by %s, whose folder that is", file, owner),
				fmt.Sprintf("run it as that user: runuser -u %s -- exeunt --config %s …", owner, path))
		}
	}
	return nil
}

// settings are the configuration for a command beside the server.
func (w *world) settings() (config.Config, error) {
	return loadConfig("--config", w.config, config.LoadBeside)
}

// open opens the database of the configuration, also while a server runs on it.
func (w *world) open() (*server.Base, error) {
	c, err := w.settings()
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
		address := b.ReceiptAddress(r.ID)
		out["receipt"] = address
		after = fmt.Sprintf("receipt: %s\nIt can be opened for %.0f minutes; exeunt receipt show and this address shows it later, too.", address, browser.ReceiptLife.Minutes())
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
