package main

import (
	"errors"
	"fmt"
	"slices"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
	"exeunt.dev/ledger"
)

type keyCmd struct {
	List   keyListCmd   `cmd:"" help:"List signing keys."`
	Rotate keyRotateCmd `cmd:"" help:"Sign with the next key from now on; nobody is signed out."`
	Kill   keyKillCmd   `cmd:"" help:"End everything that a key has signed, for ever."`
}

type keyListCmd struct{}

func (c *keyListCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		var all []idp.Key
		var killed []idp.Name
		err := b.Store.View(w.ctx, func(v idp.View) (err error) {
			if all, err = v.Keys(); err != nil {
				return err
			}
			kids := make([]idp.Name, len(all))
			for i, k := range all {
				kids[i] = k.Kid
			}
			killed, err = v.Ended(kids...)
			return err
		})
		if err != nil {
			return err
		}
		out := w.list("KID", "USE", "ALG", "STATE", "CREATED", "RETIRED")
		for _, k := range all {
			state := string(k.State)
			if slices.Contains(killed, k.Kid) {
				state = "killed"
			}
			line := map[string]any{"kid": k.Kid, "use": k.Use, "alg": k.Alg, "state": state, "created_at": stamp(k.CreatedAt), "retired_at": stamp(k.RetiredAt)}
			if err := out.add(line, k.Kid.String(), string(k.Use), k.Alg, state, stamp(k.CreatedAt), stamp(k.RetiredAt)); err != nil {
				return err
			}
		}
		return out.print()
	})
}

type keyRotateCmd struct {
	Use string `arg:"" optional:"" help:"Of which tokens: access, id or all (the default)." enum:"access,id,all" default:"all"`
}

func (c *keyRotateCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		for _, use := range []idp.KeyUse{idp.UseAccess, idp.UseID} {
			if c.Use != "all" && c.Use != string(use) {
				continue
			}
			if err := b.Ring.Rotate(w.ctx, use); err != nil {
				return err
			}
		}
		return w.done(map[string]any{"rotated": c.Use}, "rotated: %s. What was signed before stays good; exeunt key kill KID ends it.", c.Use)
	})
}

type keyKillCmd struct {
	reason
	Kid string `arg:"" help:"The key's kid, as key list shows it."`
}

func (c *keyKillCmd) Run(w *world) error {
	why, err := c.cause(idp.CauseKeyKilled)
	if err != nil {
		return err
	}
	kid, err := ledger.ParseName(c.Kid)
	if err != nil {
		return usage(fmt.Sprintf("%q is not a kid", c.Kid), "exeunt key list shows them")
	}
	return w.with(func(b *server.Base) error {
		r, err := b.Ring.Kill(w.ctx, kid, why)
		if errors.Is(err, idp.ErrNotFound) {
			return hint(fmt.Errorf("there is no key %s", kid), "exeunt key list shows which there are")
		}
		if err != nil {
			return err
		}
		return w.ended(b, r, c.Kid, "killed", nil)
	})
}
