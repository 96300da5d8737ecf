package main

import (
	"errors"
	"fmt"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
)

// act does one thing to a person, and records it.
func (p *person) act(w *world, b *server.Base, a *idp.Account, kind idp.EventKind, why string, data map[string]string, do func(idp.Tx) error) error {
	err := b.Store.Update(w.ctx, func(tx idp.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		e := idp.Event{Kind: kind, Actor: operator(), Account: a.ID, Why: why, Data: data}
		return errors.Join(tx.Record(e), b.Tell(tx, e))
	})
	if errors.Is(err, operate.ErrDeleted) {
		return deleted(a)
	}
	return plainState(err)
}

// ends ends all that a person has. done is what is printed, with more beside it.
func (p *person) ends(w *world, r *reason, kind idp.EventKind, data map[string]string, done string, more map[string]any, verb func(idp.Tx, idp.AccountID, operate.By) (idp.Receipt, error)) error {
	by, err := r.by()
	if err != nil {
		return err
	}
	return p.with(w, func(b *server.Base, a idp.Account) error {
		var receipt idp.Receipt
		err := p.act(w, b, &a, kind, r.Reason, data, func(tx idp.Tx) (err error) {
			receipt, err = verb(tx, a.ID, by)
			return err
		})
		if err != nil {
			return err
		}
		if err := w.ended(b, receipt, a.Username, done, more); err != nil || w.json || a.State != idp.AccountLocked || kind == idp.EventAccountClosed {
			return err
		}
		_, err = fmt.Fprintf(w.out, "%s is locked; exeunt account unlock %s lets in again\n", a.Username, a.Username)
		return err
	})
}

func did(word string) map[string]string { return map[string]string{"act": word} }

type accountEndCmd struct {
	person
	reason
}

func (c *accountEndCmd) Run(w *world) error {
	return c.ends(w, &c.reason, idp.EventOperator, did("ended"), "signed out everywhere", nil, operate.SignOut)
}

type accountDeleteCmd struct {
	person
	reason
	Yes bool `help:"Do it; there is no way back."`
}

func (c *accountDeleteCmd) Run(w *world) error {
	if !c.Yes {
		return usage("deleting a person cannot be undone", "add --yes; exeunt account lock keeps a way back")
	}
	return c.ends(w, &c.reason, idp.EventAccountClosed, did("deleted"), "deleted", nil, operate.Delete)
}

type accountPasswordCmd struct {
	person
	secret
	reason
}

func (c *accountPasswordCmd) Run(w *world) error {
	if _, err := c.by(); err != nil {
		return err
	}
	password, err := c.read(w)
	if err != nil {
		return err
	}
	hash := ""
	err = c.with(w, func(b *server.Base, a idp.Account) (err error) {
		hash, err = b.Passwords(b.Store).Hash(w.ctx, password, a.Names()...)
		return err
	})
	if err != nil {
		return err
	}
	done, more := "new password", map[string]any{}
	if c.Generate {
		done, more["password"] = done+": "+password, password
	}
	return c.ends(w, &c.reason, idp.EventPasswordReset, nil, done, more, func(tx idp.Tx, id idp.AccountID, by operate.By) (idp.Receipt, error) {
		return operate.SetPassword(tx, id, hash, by)
	})
}

type accountDisableCmd struct {
	person
	reason
}

func (c *accountDisableCmd) Run(w *world) error {
	return c.ends(w, &c.reason, idp.EventDisabled, did("disabled"), "disabled", nil, operate.Disable)
}

type accountEnableCmd struct {
	person
	reason
}

func (c *accountEnableCmd) Run(w *world) error {
	return c.opens(w, &c.reason, "enabled", operate.Enable)
}

type accountUnlockCmd struct {
	person
	reason
}

func (c *accountUnlockCmd) Run(w *world) error {
	return c.opens(w, &c.reason, "unlocked", operate.Unlock)
}

// opens lets a person in again.
func (p *person) opens(w *world, r *reason, word string, verb func(idp.Tx, idp.AccountID) error) error {
	if _, err := r.by(); err != nil {
		return err
	}
	return p.with(w, func(b *server.Base, a idp.Account) error {
		if a.State == idp.AccountDeleted {
			return deleted(&a)
		}
		if err := p.act(w, b, &a, idp.EventUnlocked, r.Reason, did(word), func(tx idp.Tx) error { return verb(tx, a.ID) }); err != nil {
			return err
		}
		return w.done(map[string]any{"username": a.Username, word: true}, "%s: %s; nothing that ended comes back", a.Username, word)
	})
}
