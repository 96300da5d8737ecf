package main

import (
	"errors"
	"fmt"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
)

// act does one thing to an app, and records it.
func (a *app) act(w *world, b *server.Base, kind idp.EventKind, why string, data map[string]string, do func(idp.Tx) error) error {
	err := b.Store.Update(w.ctx, func(tx idp.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		return tx.Record(idp.Event{Kind: kind, Actor: operator(), Client: idp.ClientID(a.ID), Why: why, Data: data})
	})
	if errors.Is(err, operate.ErrDeleted) {
		return idp.Advise(fmt.Errorf("%s was deleted", a.ID), "a deleted app is gone for good; add another one with an id of its own")
	}
	return plainState(a.missing(err))
}

type clientChangeCmd struct {
	app
	settings
	reason
}

func (c *clientChangeCmd) Run(w *world) error {
	fields := c.fields()
	if len(fields) == 0 {
		return usage("nothing is to be changed", "exeunt client change --help says what there is")
	}
	if _, err := c.by(); err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		var row idp.Client
		data := map[string]string{}
		err := c.act(w, b, idp.EventClientChanged, c.Reason, data, func(tx idp.Tx) error {
			next, changed, err := operate.Change(tx, idp.ClientID(c.ID), fields, b.Config.Algs)
			row, data["fields"] = next, strings.Join(changed, " ")
			return err
		})
		if err != nil {
			return wrongField(err)
		}
		if err := w.done(map[string]any{"client_id": row.ID, "changed": true}, "%s: changed", row.ID); err != nil {
			return err
		}
		return w.notes(b, &row, fields)
	})
}

type clientSecretCmd struct {
	Rotate clientRotateCmd `cmd:"" help:"Make a new secret; the old one stays good for a while."`
	EndOld clientEndOldCmd `cmd:"" name:"end-old" help:"End the old secret now."`
}

type clientRotateCmd struct {
	app
	reason
	Overlap string `help:"How long the old secret stays good, 0 for not at all." default:"24h" placeholder:"TIME"`
}

func (c *clientRotateCmd) Run(w *world) error {
	overlap, err := operate.Overlap(c.Overlap)
	if err != nil {
		return wrongField(err)
	}
	if _, err := c.by(); err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		var secret string
		var row idp.Client
		err := c.act(w, b, idp.EventSecretRotated, c.Reason, map[string]string{"overlap": overlap.String()}, func(tx idp.Tx) (err error) {
			secret, row, err = operate.Rotate(tx, idp.ClientID(c.ID), overlap)
			return err
		})
		if err != nil {
			return err
		}
		out, text := map[string]any{"client_id": row.ID}, "client_id: %s\nThe old secret is good for nothing any more."
		args := []any{row.ID}
		if overlap > 0 {
			out["old_secret_until"] = stamp(row.OldSecretUntil)
			text = "client_id: %s\nThe old secret is good until %s; exeunt client secret end-old ends it before."
			args = append(args, stamp(row.OldSecretUntil))
		}
		return w.secret(out, secret, text, args...)
	})
}

type clientEndOldCmd struct {
	app
	reason
}

func (c *clientEndOldCmd) Run(w *world) error {
	if _, err := c.by(); err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		err := c.act(w, b, idp.EventClientChanged, c.Reason, map[string]string{"act": "old-secret-ended"}, func(tx idp.Tx) error {
			_, err := operate.EndOldSecret(tx, idp.ClientID(c.ID))
			return err
		})
		if err != nil {
			return err
		}
		return w.done(map[string]any{"client_id": c.ID, "old_secret_ended": true}, "%s: the old secret is good for nothing any more", c.ID)
	})
}

// ends ends all that an app has.
func (a *app) ends(w *world, r *reason, word string, verb func(idp.Tx, idp.ClientID, operate.By) (idp.Receipt, error)) error {
	by, err := r.by()
	if err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		var receipt idp.Receipt
		err := a.act(w, b, idp.EventClientChanged, r.Reason, map[string]string{"act": word}, func(tx idp.Tx) (err error) {
			receipt, err = verb(tx, idp.ClientID(a.ID), by)
			return err
		})
		if err != nil {
			return err
		}
		return w.ended(b, receipt, a.ID, word, nil)
	})
}

type clientEndCmd struct {
	app
	reason
}

func (c *clientEndCmd) Run(w *world) error { return c.ends(w, &c.reason, "ended", operate.EndClient) }

type clientDisableCmd struct {
	app
	reason
}

func (c *clientDisableCmd) Run(w *world) error {
	return c.ends(w, &c.reason, "disabled", operate.DisableClient)
}

type clientDeleteCmd struct {
	app
	reason
	Yes bool `help:"Do it; there is no way back."`
}

func (c *clientDeleteCmd) Run(w *world) error {
	if !c.Yes {
		return usage("deleting an app cannot be undone", "add --yes; exeunt client disable keeps a way back")
	}
	return c.ends(w, &c.reason, "deleted", operate.DeleteClient)
}

type clientEnableCmd struct {
	app
	reason
}

func (c *clientEnableCmd) Run(w *world) error {
	if _, err := c.by(); err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		err := c.act(w, b, idp.EventClientChanged, c.Reason, map[string]string{"act": "enabled"}, func(tx idp.Tx) error {
			return operate.EnableClient(tx, idp.ClientID(c.ID))
		})
		if err != nil {
			return err
		}
		return w.done(map[string]any{"client_id": c.ID, "enabled": true}, "%s: enabled; nothing that ended comes back", c.ID)
	})
}
