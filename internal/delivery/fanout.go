package delivery

import (
	"context"
	"errors"
	"time"

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
	host   string
}

// fanOut turns what receipts owe into deliveries until nothing is left, and sends what it has leased. What else is due does not wait
// for the end of a long one.
func (d *Delivery) fanOut(ctx, calls context.Context) error {
	for worked := time.Now(); ; {
		var b batch
		now, _ := d.store.Now() // a clock that has jumped gives a time to go on with
		if err := d.store.Update(ctx, func(tx idp.Tx) error {
			b = batch{tx: tx, gates: d.gates.look(), now: now}
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
		if !b.more {
			return nil
		}
		if time.Since(worked) > pollEvery {
			if err := d.work(ctx, calls); err != nil {
				return err
			}
			worked = time.Now()
		}
	}
}

// batch is one transaction's part of the fan-outs.
type batch struct {
	tx      idp.Tx
	gates   view
	now     idp.Time
	more    bool // something is still owed that this batch saw
	leased  []letter
	crowded bool // there was no room for all that could be sent
}

// run gives each fan-out its share of the batch: a sign-out does not wait until the thousands that an operator has signed out before
// are all written down.
func (b *batch) run() error {
	all, err := b.tx.FanOuts(fanOutsAtOnce)
	if err != nil {
		return err
	}
	b.more = len(all) == fanOutsAtOnce
	for _, f := range all {
		if err := b.one(f, rowsAtOnce/len(all)); err != nil {
			return err
		}
	}
	return nil
}

// one goes on with one fan-out until it is done or its share is used up.
func (b *batch) one(f idp.FanOut, share int) error {
	for f.At.Ending < len(f.Endings) {
		found, err := b.tx.Participants(f, share)
		if err != nil {
			return err
		}
		for _, p := range found {
			if err := b.owe(f, p); err != nil {
				return err
			}
			f.At.Account, f.At.Grant = p.Account, p.Grant
		}
		if share -= len(found); share == 0 {
			b.more = true
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
	} else if b.gates.gates.busy(l.host) {
		b.crowded = true
	}
	return b.tx.InsertDelivery(l.Delivery)
}
