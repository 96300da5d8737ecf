package main

import (
	"errors"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
)

// act does one thing to a person, and records it.
func (p *person) act(w *world, b *server.Base, a *idp.Account, kind idp.EventKind, why, word string, do func(idp.Tx) error) error {
	err := b.Store.Update(w.ctx, func(tx idp.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		return tx.Record(idp.Event{Kind: kind, Actor: operator(), Account: a.ID, Why: why, Data: map[string]string{"act": word}})
	})
	if errors.Is(err, operate.ErrDeleted) {
		return deleted(a)
	}
	return plainState(err)
}

type accountDisableCmd struct {
	person
	reason
}

func (c *accountDisableCmd) Run(w *world) error {
	if _, err := c.cause(idp.CauseDisable); err != nil {
		return err
	}
	return c.with(w, func(b *server.Base, a idp.Account) error {
		by := operate.By{Actor: operator(), Reason: c.Reason, Request: idp.NewSecret(16)}
		var receipt idp.Receipt
		err := c.act(w, b, &a, idp.EventDisabled, c.Reason, "disabled", func(tx idp.Tx) (err error) {
			receipt, err = operate.Disable(tx, a.ID, by)
			return err
		})
		if err != nil {
			return err
		}
		return w.ended(b, receipt, a.Username, "disabled", nil)
	})
}

type accountEnableCmd struct {
	person
	reason
}

func (c *accountEnableCmd) Run(w *world) error {
	if _, err := c.cause(""); err != nil {
		return err
	}
	return c.with(w, func(b *server.Base, a idp.Account) error {
		err := c.act(w, b, &a, idp.EventUnlocked, c.Reason, "enabled", func(tx idp.Tx) error { return operate.Enable(tx, a.ID) })
		if err != nil {
			return err
		}
		return w.done(map[string]any{"username": a.Username, "enabled": true}, "%s: enabled; nothing that ended comes back", a.Username)
	})
}
