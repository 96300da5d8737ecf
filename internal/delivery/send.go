package delivery

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/outbound"
	"exeunt.dev/internal/token"
)

const (
	waitFirst     = time.Second
	waitLonger    = time.Hour
	buryEvery     = 5 * time.Second
	leasesAtOnce  = 64 // of one app, in one transaction
	settledAtOnce = 64
)

// work leases what is due and sends it. An app that does not answer is passed over without a look at its rows.
func (d *Delivery) work(ctx, calls context.Context) error {
	d.more.Store(false)
	now, _ := d.store.Now()
	type app struct {
		client idp.Client
		way    way
	}
	var apps []app
	var dead []idp.ClientID
	err := d.store.View(ctx, func(v idp.View) error {
		backlogs, err := v.Backlogs(now)
		apps, dead = apps[:0], dead[:0]
		for _, b := range backlogs {
			c, err := v.Client(b.Client)
			if err != nil && !errors.Is(err, idp.ErrNotFound) {
				return err
			}
			c.ID = b.Client
			switch w := wayOf(&c); {
			case d.gates.room(w) > 0:
				apps = append(apps, app{c, w})
			case d.gates.busy(w):
				d.more.Store(true)
			default:
				dead = append(dead, c.ID)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(dead) > 0 && time.Since(d.buried) > buryEvery {
		d.buried = time.Now()
		for _, app := range dead {
			if err := d.bury(ctx, app); err != nil {
				return err
			}
		}
	}
	rand.Shuffle(len(apps), func(i, j int) { apps[i], apps[j] = apps[j], apps[i] }) // the room goes to each in turn
	if len(apps) == 0 {
		return nil
	}
	var leased []letter
	crowded := false
	if err := d.store.Update(ctx, func(tx idp.Tx) error {
		leased, crowded = leased[:0], false
		room, left := d.gates.look(), rowsAtOnce
		for _, a := range apps {
			// Asked again: apps on one host share its room, and all apps the room that there is altogether.
			most := min(room.room(a.way), leasesAtOnce, left)
			if most <= 0 {
				crowded = true
				continue
			}
			rows, err := tx.LeaseDeliveries(a.client.ID, now, now.Add(leaseFor), most)
			if err != nil {
				return err
			}
			for _, row := range rows {
				leased = append(leased, letter{row, a.client, a.way})
			}
			room.take(a.way, len(rows))
			left -= len(rows)
			crowded = crowded || len(rows) == most // there may be more than there was room for
		}
		return nil
	}); err != nil {
		return err
	}
	if crowded {
		d.more.Store(true)
	}
	for _, l := range leased {
		d.send(calls, l)
	}
	return nil
}

// send makes one attempt, beside the others, and settles it.
func (d *Delivery) send(ctx context.Context, l letter) {
	began := d.gates.begin(l.way)
	d.sending.Go(func() {
		answered := d.attempt(ctx, &l)
		d.gates.end(l.way, began, answered)
		if ctx.Err() != nil {
			return // not settled: the lease ends, and it is due again
		}
		d.options.Observe(l.Client, l.State)
		d.settle(ctx, l.Delivery)
		if answered && d.more.Load() {
			d.Due()
		}
	})
}

// attempt sends, and writes into the letter what came of it. It says whether the app is alive.
func (d *Delivery) attempt(ctx context.Context, l *letter) bool {
	if l.client.BackchannelLogoutURI == "" {
		l.State, l.Due, l.Error = idp.Refused, 0, "the app has no backchannel_logout_uri any more"
		return true
	}
	now, _ := d.store.Now()
	say := token.Logout{Subject: l.Account, Client: l.Client, Sid: l.Sid, IssuedAt: now, Alg: l.client.IDTokenAlg}
	if l.client.BackchannelSidOnly {
		say.Subject = ""
	}
	raw, err := d.tokens.Logout(say)
	if err != nil {
		d.later(l, 0, "no logout token could be signed")
		return true
	}
	a, err := d.calls.Do(ctx, outbound.Request{
		URL: l.client.BackchannelLogoutURI, Body: []byte(url.Values{"logout_token": {raw}}.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
	})
	v := read(a, err)
	l.Status, l.Error = v.status, v.words
	switch v.state {
	case idp.Confirmed:
		d.confirmed(l)
	case idp.Refused:
		l.State, l.Due = idp.Refused, 0
	default:
		d.later(l, v.wait, v.words)
	}
	return v.answered
}

func (d *Delivery) confirmed(l *letter) {
	now, _ := d.store.Now()
	l.State, l.Due, l.Error = idp.Confirmed, 0, ""
	if l.ConfirmedAt == 0 {
		l.ConfirmedAt = now
	}
	if l.Again {
		l.Again, l.Due = false, now.Add(idp.AgainAfter)
	}
}

// later makes the delivery due again, after a wait that grows, or ends it if its time is over.
func (d *Delivery) later(l *letter, wait time.Duration, words string) {
	l.Error = words
	now, _ := d.store.Now()
	over := d.over(l.Delivery)
	if now >= over {
		l.State, l.Due = idp.OutOfTime, 0
		return
	}
	wait = max(wait, jitter(grown(waitFirst, l.Attempts-1, waitLonger)))
	l.Due = min(now.Add(wait), over)
}

// over is when a delivery's time is.
func (d *Delivery) over(row idp.Delivery) idp.Time {
	return max(row.CreatedAt, row.Since).Add(d.options.TryFor)
}

// bury ends what is owed to an app that does not answer and whose time is over: its turn to be attempted may not come for long.
func (d *Delivery) bury(ctx context.Context, app idp.ClientID) error {
	now, _ := d.store.Now()
	for after := ""; ; {
		var page, over []idp.Delivery
		if err := d.store.View(ctx, func(v idp.View) (err error) {
			page, err = v.Deliveries(idp.DeliveryFilter{Client: app, State: idp.Owed}, idp.Page{After: after, Limit: rowsAtOnce})
			return err
		}); err != nil || len(page) == 0 {
			return err
		}
		for _, row := range page {
			if row.Due <= now && d.over(row) <= now { // not leased
				row.State, row.Due = idp.OutOfTime, 0
				row.Error = cmp.Or(row.Error, "the app did not answer")
				over = append(over, row)
			}
		}
		if len(over) > 0 {
			if err := d.write(ctx, over); err != nil {
				return err
			}
		}
		last := page[len(page)-1]
		if len(page) < rowsAtOnce || last.CreatedAt.Add(d.options.TryFor) > now {
			return nil
		}
		after = last.ID().String()
	}
}

// settle writes what came of an attempt. What comes while others are written is written with the next, by who is at it: many apps
// that answer at once cost a few commits.
func (d *Delivery) settle(ctx context.Context, row idp.Delivery) {
	d.mu.Lock()
	d.outcomes = append(d.outcomes, row)
	at := d.settling
	d.settling = true
	d.mu.Unlock()
	if at {
		return
	}
	for {
		d.mu.Lock()
		n := min(len(d.outcomes), settledAtOnce)
		rows := d.outcomes[:n:n]
		d.outcomes = d.outcomes[n:]
		d.settling = n > 0
		d.mu.Unlock()
		if n == 0 {
			return
		}
		if err := d.write(ctx, rows); err == nil {
			continue
		}
		for i := range rows { // one that cannot be written takes no others with it
			if err := d.write(ctx, rows[i:i+1]); err != nil {
				d.options.Log.Warn("a delivery could not be settled, and will be sent again", "delivery", rows[i].ID().String(), "client", string(rows[i].Client), "error", err)
			}
		}
	}
}

func (d *Delivery) write(ctx context.Context, rows []idp.Delivery) error {
	var settled []bool
	slices.SortFunc(rows, func(a, b idp.Delivery) int { return cmp.Or(cmp.Compare(a.Receipt, b.Receipt), a.Sid.Compare(b.Sid)) }) // one order of locks
	if err := d.store.Update(ctx, func(tx idp.Tx) (err error) {
		settled, err = tx.SettleDeliveries(rows)
		return err
	}); err != nil {
		return err
	}
	d.announce()
	for i, row := range rows {
		if settled[i] && row.State.Dead() {
			d.options.Log.Warn("an app was not told of a sign-out, and will not be", "delivery", row.ID().String(), "client", string(row.Client), "state", string(row.State),
				"attempts", row.Attempts, "status", row.Status, "why", row.Error)
		}
	}
	return nil
}
