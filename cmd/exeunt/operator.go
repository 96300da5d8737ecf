package main

import (
	"errors"
	"fmt"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
)

type operatorCmd struct {
	Add    operatorAddCmd    `cmd:"" help:"Give a person a role in the console, or another one."`
	List   operatorListCmd   `cmd:"" help:"List operators."`
	Remove operatorRemoveCmd `cmd:"" help:"Take a person's role away."`
}

type operatorAddCmd struct {
	person
	needed
	Role string `help:"viewer (reads), support (ends sessions, unlocks, resends) or admin (everything)." enum:"viewer,support,admin" required:"" placeholder:"ROLE"`
}

func (c *operatorAddCmd) Run(w *world) error {
	by, err := c.by()
	if err != nil {
		return err
	}
	return c.with(w, func(b *server.Base, a idp.Account) error {
		err := b.Store.Update(w.ctx, func(tx idp.Tx) error {
			if err := operate.Give(tx, a.ID, idp.Role(c.Role), by); err != nil {
				return err
			}
			return tx.Record(idp.Event{Kind: idp.EventRoleGiven, Account: a.ID, Actor: by.Actor, Why: by.Reason, Data: map[string]string{"role": c.Role}})
		})
		if errors.Is(err, operate.ErrDeleted) {
			return deleted(&a)
		}
		if err != nil {
			return err
		}
		return w.done(map[string]any{"username": a.Username, "role": c.Role}, "%s: %s from now on, at %s/admin", a.Username, c.Role, b.Config.Issuer)
	})
}

type operatorListCmd struct{}

func (c *operatorListCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		out := w.list("USERNAME", "ROLE", "GIVEN BY", "AT", "WHY")
		err := every(w, b, operate.Operators, func(o *operate.Operator) string { return string(o.Subject) }, func(o *operate.Operator) error {
			return out.add(o, o.Username, string(o.Role), string(o.GivenBy), moment(o.GivenAt), o.Why)
		})
		if err != nil {
			return err
		}
		return out.print("there is none; exeunt operator add NAME --role admin --reason TEXT makes the first one")
	})
}

type operatorRemoveCmd struct {
	person
	needed
}

func (c *operatorRemoveCmd) Run(w *world) error {
	by, err := c.by()
	if err != nil {
		return err
	}
	return c.with(w, func(b *server.Base, a idp.Account) error {
		err := b.Store.Update(w.ctx, func(tx idp.Tx) error {
			if err := operate.Take(tx, a.ID); err != nil {
				return err
			}
			return tx.Record(idp.Event{Kind: idp.EventRoleTaken, Account: a.ID, Actor: by.Actor, Why: by.Reason})
		})
		if errors.Is(err, idp.ErrNotFound) {
			return idp.Advise(fmt.Errorf("%s is no operator", a.Username), "exeunt operator list shows who is")
		}
		if err != nil {
			return err
		}
		return w.done(map[string]any{"username": a.Username, "removed": true}, "%s: no operator any more", a.Username)
	})
}
