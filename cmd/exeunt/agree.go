package main

import (
	"fmt"

	"exeunt.dev/internal/server"
)

type agreeCmd struct{ reason }

func (c *agreeCmd) Run(w *world) error {
	by, err := c.by()
	if err != nil {
		return err
	}
	settings, err := w.settings()
	if err != nil {
		return err
	}
	if settings.Postgres.URL == "" {
		return usage("the nodes of a Postgres have settings to agree on; the database of this configuration is a file, "+settings.Data+", of one server",
			"write the configuration and restart the server, which goes by it")
	}
	return w.with(func(b *server.Base) error {
		changes, err := b.Agree(w.ctx, by.Actor, by.Reason)
		if err != nil {
			return err
		}
		if w.json {
			out := map[string]any{}
			for _, c := range changes {
				out[c.Key] = map[string]string{"from": c.From, "to": c.To}
			}
			return printJSON(w.out, map[string]any{"changed": out})
		}
		for _, c := range changes {
			was := c.From
			if was == "" {
				was = "not agreed on"
			}
			fmt.Fprintf(w.out, "%s: %s (was %s)\n", c.Key, c.To, was)
		}
		if len(changes) == 0 {
			return w.done(nil, "nothing differs from what the nodes have agreed on")
		}
		return w.done(nil, "restart the nodes one after the other: those that run go on with what they began with")
	})
}
