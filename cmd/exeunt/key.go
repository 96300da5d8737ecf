package main

import (
	"errors"
	"fmt"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
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
		var all []operate.Key
		if err := b.Store.View(w.ctx, func(v idp.View) (err error) { all, err = operate.Keys(v); return err }); err != nil {
			return err
		}
		out := w.list("KID", "USE", "ALG", "STATE", "CREATED", "RETIRED")
		for _, k := range all {
			retired := ""
			if k.Retired != nil {
				retired = moment(*k.Retired)
			}
			if err := out.add(k, k.Kid, string(k.Use), k.Alg, k.State, moment(k.Created), retired); err != nil {
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
		if err := w.record(b, idp.Event{Kind: idp.EventKeyRotated, Data: map[string]string{"use": c.Use}}); err != nil {
			return err
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
		return hint(fmt.Errorf("%q is not a kid", c.Kid), "exeunt key list shows which there are")
	}
	return w.with(func(b *server.Base) error {
		r, err := b.Ring.Kill(w.ctx, kid, why)
		if errors.Is(err, idp.ErrNotFound) {
			return hint(fmt.Errorf("there is no key %s", kid), "exeunt key list shows which there are")
		}
		if err == nil {
			err = w.record(b, idp.Event{Kind: idp.EventOperator, Why: c.Reason, Data: map[string]string{"act": "key-killed", "kid": c.Kid}})
		}
		if err != nil {
			return err
		}
		return w.ended(b, r, c.Kid, "killed", nil)
	})
}

// record keeps what was done to keys, which have transactions of their own.
func (w *world) record(b *server.Base, e idp.Event) error {
	e.Actor = operator()
	return b.Store.Update(w.ctx, func(tx idp.Tx) error { return tx.Record(e) })
}
