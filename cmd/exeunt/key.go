package main

import (
	"errors"
	"fmt"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
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
		return out.print("there is no key")
	})
}

type keyRotateCmd struct {
	reason
	Use string `arg:"" optional:"" help:"What they sign: access (tokens), id (ID and logout tokens), receipt, or all (the default)." enum:"access,id,receipt,all" default:"all"`
	Now bool   `help:"Also less than five minutes after the last time: apps that do not have the next key yet refuse what it signs until they look."`
}

func (c *keyRotateCmd) Run(w *world) error {
	uses, err := operate.Uses(c.Use)
	if err != nil {
		return err
	}
	if _, err := c.by(); err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		err := w.turn(b, idp.Event{Kind: idp.EventKeyRotated, Why: c.Reason, Data: map[string]string{"use": c.Use}}, func(tx idp.Tx) error { return operate.RotateKeys(tx, uses, c.Now) })
		if errors.Is(err, operate.ErrYoung) {
			return idp.Advise(err, "--now does it all the same; exeunt key kill KID is for a key that was stolen")
		}
		if err != nil {
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
	by, err := c.by()
	if err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		var r idp.Receipt
		err := w.turn(b, idp.Event{Kind: idp.EventOperator, Why: c.Reason, Data: map[string]string{"act": "key-killed", "kid": c.Kid}}, func(tx idp.Tx) (err error) {
			r, err = operate.KillKey(tx, c.Kid, by)
			return err
		})
		if errors.Is(err, idp.ErrNotFound) {
			return idp.Advise(fmt.Errorf("there is no key %s", c.Kid), "exeunt key list shows which there are")
		}
		if err != nil {
			return err
		}
		return w.ended(b, r, c.Kid, "killed", nil)
	})
}

// turn does something to keys and records it, and makes what is missing then.
func (w *world) turn(b *server.Base, e idp.Event, do func(idp.Tx) error) error {
	e.Actor = operator()
	err := b.Store.Update(w.ctx, func(tx idp.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		return tx.Record(e)
	})
	if err != nil {
		return err
	}
	return b.Ring.Refill(w.ctx)
}
