package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
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

// filter is what was chosen, as read understands it.
func (f *deliveryFilter) filter(w *world, b *server.Base, read func(v idp.View, client, state string) (idp.DeliveryFilter, error)) (out idp.DeliveryFilter, err error) {
	err = b.Store.View(w.ctx, func(v idp.View) (err error) { out, err = read(v, f.Client, f.State); return err })
	var invalid *idp.InvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Field == "client_id":
		return out, idp.Advise(fmt.Errorf("there is no client %q", f.Client), "exeunt client list --all shows which there are and were")
	case errors.As(err, &invalid):
		return out, usage(plain(invalid.Sentence), "leave --state out for all")
	}
	return out, err
}

type deliveryListCmd struct{ deliveryFilter }

func (c *deliveryListCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		filter, err := c.filter(w, b, operate.Filter)
		if err != nil {
			return err
		}
		more := "" // before the list: what is worked out meanwhile is in it
		if filter.State == idp.Owed || filter.State == "" && !filter.Dead {
			if more, err = working(w, b); err != nil {
				return err
			}
		}
		out := w.list("ID", "CLIENT", "STATE", "SINCE", "ATTEMPTS", "NEXT", "WHY")
		err = every(w, b, func(v idp.View, p idp.Page) ([]idp.Delivery, error) { return v.Deliveries(filter, p) }, func(d *idp.Delivery) string { return d.ID().String() }, func(d *idp.Delivery) error {
			return out.add(operate.ShowDelivery(d), d.ID().String(), string(d.Client), string(d.State), stamp(d.CreatedAt), strconv.Itoa(d.Attempts), stamp(d.Due), d.Error)
		})
		if err != nil {
			return err
		}
		switch {
		case more != "" && len(out.rows) > 1:
			fmt.Fprintln(w.errOut, "note: "+more)
		case more != "":
			return out.print(more)
		case c.Client != "" || c.State != "":
			return out.print("there is no such delivery")
		}
		return out.print("nothing is owed, and nothing was given up")
	})
}

// working says how many sign-outs there are whose deliveries are not known yet; "" if none.
func working(w *world, b *server.Base) (string, error) {
	var n int64
	err := b.Store.View(w.ctx, func(v idp.View) (err error) { n, err = v.Owed(); return err })
	switch n {
	case 0:
		return "", err
	case 1:
		return "1 sign-out is still being worked out: what it owes is not in this list yet", err
	}
	return fmt.Sprintf("%d sign-outs are still being worked out: what they owe is not in this list yet", n), err
}

type oneDelivery struct {
	ID string `arg:"" help:"The delivery's id, as delivery list shows it."`
}

func (o *oneDelivery) wrong(err error) error {
	var invalid *idp.InvalidError
	switch {
	case errors.As(err, &invalid):
		return idp.Advise(errors.New(strconv.Quote(o.ID)+" is no delivery's id"), "exeunt delivery list shows which there are")
	case errors.Is(err, idp.ErrNotFound):
		return idp.Advise(fmt.Errorf("there is no delivery %s", o.ID), "exeunt delivery list shows what is owed; exeunt receipt show what was told")
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
		var view operate.Delivery
		err = b.Store.View(w.ctx, func(v idp.View) (err error) {
			if d, err = v.Delivery(id); err == nil {
				view, err = operate.ReadDelivery(v, &d)
			}
			return err
		})
		if err != nil {
			return c.wrong(err)
		}
		answer := ""
		if d.Status != 0 {
			answer = strconv.Itoa(d.Status)
		}
		return w.show(view, filled([]string{"id", c.ID}, []string{"client", string(d.Client)}, []string{"to", view.URI}, []string{"state", string(d.State)}, []string{"sub", string(d.Account)},
			[]string{"since", stamp(d.CreatedAt)}, []string{"sent again", stamp(d.Since)}, []string{"attempts", strconv.Itoa(d.Attempts)}, []string{"last attempt", stamp(d.AttemptedAt)},
			[]string{"next attempt", stamp(d.Due)}, []string{"confirmed", stamp(d.ConfirmedAt)}, []string{"last answer", answer}, []string{"why", d.Error})...)
	})
}

// filled leaves out what there is not.
func filled(fields ...[]string) [][]string {
	return slices.DeleteFunc(fields, func(f []string) bool { return f[1] == "" })
}

// change does an act to one delivery.
func change(w *world, b *server.Base, id idp.DeliveryID, word, why string, act func(idp.Tx, idp.DeliveryID) (idp.Delivery, error)) (d idp.Delivery, err error) {
	err = b.Store.Update(w.ctx, func(tx idp.Tx) (err error) {
		if d, err = act(tx, id); err != nil {
			return err
		}
		return acted(tx, &d, word, why)
	})
	return d, err
}

func acted(tx idp.Tx, d *idp.Delivery, word, why string) error {
	e := operate.Acted(d, word)
	e.Actor, e.Why = operator(), why
	return tx.Record(e)
}

type deliveryResendCmd struct {
	ID  string `arg:"" optional:"" help:"The delivery's id; or choose with --client, --state or --all."`
	All bool   `help:"All that were given up, refused or ran out of time."`
	deliveryFilter
	reason
}

func (c *deliveryResendCmd) Run(w *world) error {
	many := c.All || c.Client != "" || c.State != ""
	switch {
	case c.ID == "" && !many:
		return usage("which delivery?", "name one by its id, or choose some with --client, --state or --all")
	case c.ID != "" && many:
		return usage("one delivery, or many?", "leave out the id "+c.ID+", or --all, --client and --state")
	}
	if _, err := c.by(); err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		n := 1
		var err error
		if many {
			n, err = c.many(w, b)
		} else {
			err = c.one(w, b)
		}
		if err != nil && many && n > 0 {
			return fmt.Errorf("%d are owed again, and the rest is not: %w", n, err)
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return w.done(map[string]any{"owed_again": 0}, "nothing to send again: what is owed is sent anyway, and what was refused by an app that cannot be told any more stays so (exeunt delivery list says which)")
		}
		return w.done(map[string]any{"owed_again": n}, "%d owed again: a running server sends at once, and within 5 minutes to an app that did not answer lately (the console asks it at once)", n)
	})
}

func (c *deliveryResendCmd) many(w *world, b *server.Base) (int, error) {
	filter, err := c.filter(w, b, operate.DeadFilter)
	if err != nil {
		return 0, err
	}
	resent, err := operate.ResendAll(w.ctx, b.Store, filter, 0, func(tx idp.Tx, again []idp.Delivery) error {
		for i := range again {
			if err := acted(tx, &again[i], operate.ActResent, c.Reason); err != nil {
				return err
			}
		}
		return nil
	})
	return resent.N, err
}

func (c *deliveryResendCmd) one(w *world, b *server.Base) error {
	one := oneDelivery{c.ID}
	id, err := idp.ParseDeliveryID(c.ID)
	if err == nil {
		_, err = change(w, b, id, operate.ActResent, c.Reason, operate.Resend)
	}
	var state *operate.StateError
	switch {
	case errors.As(err, &state):
		return idp.Advise(fmt.Errorf("%s cannot be sent again: %s", c.ID, plain(state.Sentence)), "exeunt delivery show "+c.ID+" says more")
	case err != nil:
		return one.wrong(err)
	}
	return nil
}

type deliveryGiveUpCmd struct {
	oneDelivery
	reason
}

func (c *deliveryGiveUpCmd) Run(w *world) error {
	if _, err := c.by(); err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		id, err := idp.ParseDeliveryID(c.ID)
		if err != nil {
			return c.wrong(err)
		}
		given, err := change(w, b, id, operate.ActGivenUp, c.Reason, operate.GiveUp)
		if errors.Is(err, idp.ErrConflict) {
			return idp.Advise(fmt.Errorf("%s is not owed", c.ID), "exeunt delivery show "+c.ID+" says what became of it")
		}
		if err != nil {
			return c.wrong(err)
		}
		if given.State == idp.Confirmed {
			return w.done(map[string]any{"given_up": true}, "%s: attempted no more; its app had confirmed it", c.ID)
		}
		return w.done(map[string]any{"given_up": true}, "%s: given up; its app keeps what it has", c.ID)
	})
}
