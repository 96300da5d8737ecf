package main

import (
	"errors"
	"fmt"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
)

type accountLockCmd struct {
	person
	reason
	Kind idp.LockKind  `enum:"operator,password-known,lost-device" default:"operator" help:"What opens it again: operator (exeunt account unlock only), password-known (also a new password by mail), lost-device (also time)."`
	For  time.Duration `help:"With --kind lost-device: for how long, up to 720h. Without it: as long as a token may live, and a minute." placeholder:"TIME"`
}

func (c *accountLockCmd) Run(w *world) error {
	if c.For != 0 && (c.Kind != idp.LockDevice || c.For < 0 || c.For > idp.LockLongest) {
		return usage("--for is a time up to 720h, for --kind lost-device", "the other kinds do not open by themselves")
	}
	by, err := c.by()
	if err != nil {
		return err
	}
	return c.with(w, func(b *server.Base, a idp.Account) error {
		var receipt idp.Receipt
		var lock idp.Lock
		data := did("locked")
		err := c.act(w, b, &a, idp.EventLocked, c.Reason, data, func(tx idp.Tx) (err error) {
			receipt, lock, err = operate.Lock(tx, a.ID, c.Kind, c.For, by)
			data["kind"] = string(lock.Kind)
			if receipt.ID == "" {
				data["was"] = "locked"
			}
			return err
		})
		if err != nil {
			return err
		}
		more := map[string]any{"kind": lock.Kind}
		until := ""
		if lock.OpensAt != 0 {
			more["opens_at"], until = stamp(lock.OpensAt), " until "+stamp(lock.OpensAt)
			if lock.Kind != idp.LockDevice {
				until = ", and no letter opens it before " + stamp(lock.OpensAt)
			}
		}
		if err := w.ended(b, receipt, a.Username, "locked"+until, more); err != nil || w.json || receipt.ID != "" {
			return err
		}
		_, err = fmt.Fprintf(w.out, "%s was locked already, and is locked at least as strongly now\n", a.Username)
		return err
	})
}

// lockOf says in words what a locked account waits for.
func lockOf(w *world, b *server.Base, a *idp.Account) (words string, err error) {
	if a.State != idp.AccountLocked {
		return "", nil
	}
	now, _ := b.Store.Now()
	err = b.Store.View(w.ctx, func(v idp.View) error {
		l, err := v.Lock(a.ID)
		switch {
		case errors.Is(err, idp.ErrNotFound):
			words = string(idp.LockOperator)
			return nil
		case l.Over(now):
			words = "over: opens at the next sign-in"
		case l.Kind == idp.LockDevice:
			words = string(l.Kind) + ", opens by itself at " + stamp(l.OpensAt)
		default:
			words = string(l.Kind)
		}
		return err
	})
	return words, err
}
