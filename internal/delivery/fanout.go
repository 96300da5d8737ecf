package delivery

import (
	"context"
	"errors"

	"exeunt.dev/internal/idp"
)

const (
	fanOutsAtOnce = 64
	rowsAtOnce    = 512 // in one transaction, so that it never holds the writer for long
)

// letter is a delivery with its address.
type letter struct {
	idp.Delivery
	client idp.Client
	host   string
}

// fanOut turns what receipts owe into deliveries until nothing is left, and sends what it has leased.
func (d *Delivery) fanOut(ctx, calls context.Context) error {
	for {
		var b batch
		now, _ := d.store.Now() // a clock that has jumped gives a time to go on with
		if err := d.store.Update(ctx, func(tx idp.Tx) error {
			b = batch{tx: tx, gates: d.gates.look(), now: now, left: rowsAtOnce}
			return b.run()
		}); err != nil {
			return err
		}
		for _, l := range b.leased {
			d.send(calls, l)
		}
		if !b.more {
			return nil
		}
	}
}

// batch is one transaction's part of the fan-outs.
type batch struct {
	tx     idp.Tx
	gates  view
	now    idp.Time
	left   int
	more   bool // something is still owed that this batch saw
	leased []letter
}

func (b *batch) run() error {
	all, err := b.tx.FanOuts(fanOutsAtOnce)
	if err != nil {
		return err
	}
	b.more = len(all) == fanOutsAtOnce
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
	for f.At.Ending < len(f.Endings) {
		limit := b.left
		found, err := b.tx.Participants(f, limit)
		if err != nil {
			return err
		}
		for _, p := range found {
			if err := b.owe(f, p); err != nil {
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

// owe writes the delivery of a participant, leased if it can be sent at once.
func (b *batch) owe(f idp.FanOut, p idp.Participant) error {
	if p.Sid.IsZero() {
		return nil // an offline grant whose family is gone: the app has nothing left by it
	}
	c, err := b.tx.Client(p.Client)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return err
	}
	row := idp.Delivery{Receipt: f.Number, Sid: p.Sid, Client: p.Client, Account: p.Account, State: idp.Unreachable, CreatedAt: b.now}
	if err != nil || c.BackchannelLogoutURI == "" {
		return b.tx.InsertDelivery(row)
	}
	row.State, row.Due = idp.Owed, b.now
	// One that is pending yet (the realm ended) may be redeemed while this is written.
	row.Again = p.RedeemedAt == 0 || f.Receipt.At-p.RedeemedAt < idp.Time(idp.AgainWithin.Milliseconds())
	l := letter{row, c, hostOf(c.BackchannelLogoutURI)}
	if b.gates.take(l.host) {
		l.Due, l.Attempts, l.AttemptedAt = b.now.Add(leaseFor), 1, b.now
		b.leased = append(b.leased, l)
	}
	return b.tx.InsertDelivery(l.Delivery)
}
