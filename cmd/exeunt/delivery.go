package main

import (
	"errors"
	"fmt"
	"strconv"

	"exeunt.dev/internal/admin"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

type deliveryCmd struct {
	List   deliveryListCmd   `cmd:"" help:"List what apps are still to be told, and what they will not be told any more."`
	Show   deliveryShowCmd   `cmd:"" help:"Show one delivery."`
	Resend deliveryResendCmd `cmd:"" help:"Tell an app again, now and for as long as at first."`
	GiveUp deliveryGiveUpCmd `cmd:"" help:"Do not try to tell an app any more."`
}

type deliveryFilter struct {
	Client string `help:"Of this app only." placeholder:"ID"`
	State  string `help:"owed, dead (any of the rest), refused, out-of-time or given-up." placeholder:"STATE"`
}

// every calls each for all that match.
func (f *deliveryFilter) every(w *world, b *server.Base, each func(*idp.Delivery) error) error {
	filter, err := admin.Filter(f.Client, f.State)
	if err != nil {
		return usage(err.Error(), "leave --state out for all")
	}
	return every(w, b, func(v idp.View, p idp.Page) ([]idp.Delivery, error) { return v.Deliveries(filter, p) },
		func(d *idp.Delivery) string { return d.ID().String() }, each)
}

type deliveryListCmd struct{ deliveryFilter }

func (c *deliveryListCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		out := w.list("ID", "CLIENT", "STATE", "SINCE", "ATTEMPTS", "NEXT", "WHY")
		err := c.every(w, b, func(d *idp.Delivery) error {
			return out.add(admin.Show(d), d.ID().String(), string(d.Client), string(d.State), stamp(d.CreatedAt), strconv.Itoa(d.Attempts), stamp(d.Due), d.Error)
		})
		if err != nil {
			return err
		}
		if !w.json && len(out.rows) == 1 {
			return w.done(nil, "nothing is owed, and nothing was given up")
		}
		return out.print()
	})
}

type oneDelivery struct {
	ID string `arg:"" help:"The delivery's id, as delivery list shows it."`
}

func (o *oneDelivery) wrong(err error) error {
	var invalid *idp.InvalidError
	switch {
	case errors.As(err, &invalid):
		return usage(strconv.Quote(o.ID)+" is no delivery's id", "exeunt delivery list shows which there are")
	case errors.Is(err, idp.ErrNotFound):
		return hint(fmt.Errorf("there is no delivery %s", o.ID), "exeunt delivery list shows what is owed; exeunt receipt show what was told")
	}
	return err
}

type deliveryShowCmd struct{ oneDelivery }

func (c *deliveryShowCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		id, err := idp.ParseDeliveryID(c.ID)
		if err != nil {
			return c.wrong(err)
		}
		var d idp.Delivery
		if err := b.Store.View(w.ctx, func(v idp.View) (err error) { d, err = v.Delivery(id); return err }); err != nil {
			return c.wrong(err)
		}
		return w.show(admin.Show(&d), []string{"id", c.ID}, []string{"client", string(d.Client)}, []string{"state", string(d.State)}, []string{"sub", string(d.Account)},
			[]string{"since", stamp(d.CreatedAt)}, []string{"attempts", strconv.Itoa(d.Attempts)}, []string{"last attempt", stamp(d.AttemptedAt)},
			[]string{"next attempt", stamp(d.Due)}, []string{"confirmed", stamp(d.ConfirmedAt)}, []string{"last answer", strconv.Itoa(d.Status)}, []string{"why", d.Error})
	})
}

// change does an act to deliveries, each in a transaction of its own.
func change(w *world, b *server.Base, ids []idp.DeliveryID, act func(idp.Tx, idp.DeliveryID, idp.Time) (bool, error)) (n int, err error) {
	for _, id := range ids {
		err := b.Store.Update(w.ctx, func(tx idp.Tx) error {
			_, err := admin.Change(tx, id, act)
			return err
		})
		switch {
		case err == nil:
			n++
		case errors.Is(err, idp.ErrConflict) && len(ids) > 1:
			// It has changed since it was listed.
		default:
			return n, err
		}
	}
	return n, nil
}

type deliveryResendCmd struct {
	ID  string `arg:"" optional:"" help:"The delivery's id; or choose with --client, --state or --all."`
	All bool   `help:"All that were given up, refused or ran out of time."`
	deliveryFilter
}

func (c *deliveryResendCmd) Run(w *world) error {
	many := c.All || c.Client != "" || c.State != ""
	if (c.ID == "") != many {
		return usage("which delivery?", "name one by its id, or choose some with --client, --state or --all")
	}
	one := oneDelivery{c.ID}
	return w.with(func(b *server.Base) error {
		var ids []idp.DeliveryID
		if many {
			if c.State == "" {
				c.State = "dead"
			}
			if err := c.every(w, b, func(d *idp.Delivery) error { ids = append(ids, d.ID()); return nil }); err != nil {
				return err
			}
		} else {
			id, err := idp.ParseDeliveryID(c.ID)
			if err != nil {
				return one.wrong(err)
			}
			ids = []idp.DeliveryID{id}
		}
		n, err := change(w, b, ids, idp.Tx.SendAgain)
		if errors.Is(err, idp.ErrConflict) {
			return hint(fmt.Errorf("%s was confirmed by its app, or its app has no back channel", c.ID), "exeunt delivery show "+c.ID+" says which")
		}
		if err != nil {
			return one.wrong(err)
		}
		return w.done(map[string]any{"owed_again": n}, "%d owed again: a running server sends at once", n)
	})
}

type deliveryGiveUpCmd struct{ oneDelivery }

func (c *deliveryGiveUpCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		id, err := idp.ParseDeliveryID(c.ID)
		if err != nil {
			return c.wrong(err)
		}
		_, err = change(w, b, []idp.DeliveryID{id}, func(tx idp.Tx, id idp.DeliveryID, _ idp.Time) (bool, error) { return tx.GiveUp(id) })
		if errors.Is(err, idp.ErrConflict) {
			return hint(fmt.Errorf("%s is not owed", c.ID), "exeunt delivery show "+c.ID+" says what became of it")
		}
		if err != nil {
			return c.wrong(err)
		}
		return w.done(map[string]any{"given_up": true}, "%s: given up; its app keeps what it has", c.ID)
	})
}
