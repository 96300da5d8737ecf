package delivery

import (
	"context"
	"errors"
	"slices"

	"exeunt.dev/internal/idp"
)

const (
	fanOutsAtOnce = 64
	rowsAtOnce    = 256 // in one transaction, so that it never holds the writer for long
)

// letter is a delivery with its address.
type letter struct {
	idp.Delivery
	client idp.Client
	way    way
}

// fanOut turns what receipts owe into deliveries, one batch of them, and sends what it has leased. While there is more it wakes itself:
// what is due meanwhile gets its turn.
func (d *Delivery) fanOut(ctx, calls context.Context) error {
	var b batch
	now, _ := d.store.Now() // a clock that has jumped gives a time to go on with
	if err := d.store.Update(ctx, func(tx idp.Tx) error {
		b = batch{tx: tx, gates: d.gates.look(), now: now, left: rowsAtOnce, owed: map[idp.DeliveryID]bool{}, apps: map[idp.ClientID]idp.Client{}}
		return b.run()
	}); err != nil {
		return err
	}
	if b.crowded {
		d.more.Store(true)
	}
	for _, l := range b.leased {
		d.send(calls, l)
	}
	if b.more {
		d.Wake()
	}
	return nil
}

// batch is one transaction's part of the fan-outs.
type batch struct {
	tx      idp.Tx
	gates   view
	now     idp.Time
	left    int
	more    bool                        // something is still owed that this batch saw
	owed    map[idp.DeliveryID]bool     // written by this batch
	apps    map[idp.ClientID]idp.Client // as they were when this batch first asked; zero: there is none
	leased  []letter
	crowded bool // there was no room for all that could be sent
}

func (b *batch) run() error {
	all, err := b.tx.FanOuts(fanOutsAtOnce)
	if err != nil {
		return err
	}
	b.more = len(all) == fanOutsAtOnce
	// A long one that has begun lets those pass that are new: a person's sign-out does not wait for that of a million.
	slices.SortStableFunc(all, func(x, y idp.FanOut) int {
		switch {
		case begun(x) == begun(y):
			return 0
		case begun(y):
			return -1
		}
		return 1
	})
	for _, f := range all {
		if err := b.one(f); err != nil {
			return err
		}
		if b.left <= 0 {
			b.more = true
			return nil
		}
	}
	return nil
}

// one goes on with one fan-out until it is done or the batch is full.
func (b *batch) one(f idp.FanOut) error {
	resumed := begun(f)
	for f.At.Ending < len(f.Endings) {
		limit := b.left
		found, err := b.tx.Participants(f, limit)
		if err != nil {
			return err
		}
		if err := b.meet(found); err != nil {
			return err
		}
		for _, p := range found {
			if err := b.owe(f, p, resumed); err != nil {
				return err
			}
			f.At.Account, f.At.Grant = p.Account, p.Grant
		}
		if b.left -= len(found); len(found) == limit {
			return b.tx.MoveFanOut(f.Number, f.At, 0)
		}
		f.At = idp.FanPlace{Ending: f.At.Ending + 1}
	}
	return b.tx.MoveFanOut(f.Number, f.At, b.now)
}

// meet asks for the apps that are new to this batch, all at once.
func (b *batch) meet(found []idp.Participant) error {
	var strangers []idp.ClientID
	for _, p := range found {
		if _, asked := b.apps[p.Client]; !asked {
			b.apps[p.Client] = idp.Client{}
			strangers = append(strangers, p.Client)
		}
	}
	if len(strangers) == 1 { // one alone may be known without a question
		c, err := b.tx.Client(strangers[0])
		if err == nil {
			b.apps[c.ID] = c
		} else if errors.Is(err, idp.ErrNotFound) {
			err = nil
		}
		return err
	}
	apps, err := b.tx.ClientsNamed(strangers)
	for _, c := range apps {
		b.apps[c.ID] = c
	}
	return err
}

func begun(f idp.FanOut) bool { return f.At != idp.FanPlace{} }

// owe writes the delivery of a participant, leased if it can be sent at once. Grants that an app knows by one sid are one delivery;
// where an earlier batch may have written it, that is asked.
func (b *batch) owe(f idp.FanOut, p idp.Participant, resumed bool) error {
	id := idp.DeliveryID{Receipt: f.Number, Sid: p.Sid}
	if p.Sid.IsZero() || b.owed[id] {
		return nil // no sid: an offline grant whose family is gone, and the app has nothing left by it
	}
	b.owed[id] = true
	if resumed {
		if _, err := b.tx.Delivery(id); !errors.Is(err, idp.ErrNotFound) {
			return err
		}
	}
	c := b.apps[p.Client]
	row := idp.Delivery{Receipt: f.Number, Sid: p.Sid, Client: p.Client, Account: p.Account, State: idp.Unreachable, CreatedAt: b.now}
	if c.BackchannelLogoutURI == "" {
		return b.tx.InsertDelivery(row)
	}
	row.State, row.Due = idp.Owed, b.now
	// One that is pending yet (the realm ended) may be redeemed while this is written.
	row.Again = p.RedeemedAt == 0 || f.EndedAt-p.RedeemedAt < idp.Time(idp.AgainWithin.Milliseconds())
	l := letter{row, c, wayOf(&c)}
	if b.gates.room(l.way) > 0 {
		b.gates.take(l.way, 1)
		l.Due, l.Attempts, l.AttemptedAt = b.now.Add(leaseFor), 1, b.now
		b.leased = append(b.leased, l)
	} else if b.gates.gates.busy(l.way) {
		b.crowded = true
	}
	return b.tx.InsertDelivery(l.Delivery)
}
