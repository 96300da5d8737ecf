package delivery

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/outbound"
	"exeunt.dev/internal/token"
)

const (
	waitFirst    = time.Second
	waitLonger   = time.Hour
	leasesAtOnce = 64 // of one app, in one transaction
)

// work leases what is due and sends it. An app whose host does not answer is passed over without a look at its rows.
func (d *Delivery) work(ctx, calls context.Context) error {
	d.more.Store(false)
	now, _ := d.store.Now()
	type app struct {
		client idp.Client
		host   string
	}
	var apps []app
	err := d.store.View(ctx, func(v idp.View) error {
		backlogs, err := v.Backlogs(now)
		apps = apps[:0]
		for _, b := range backlogs {
			c, err := v.Client(b.Client)
			if err != nil && !errors.Is(err, idp.ErrNotFound) {
				return err
			}
			c.ID = b.Client
			host := hostOf(c.BackchannelLogoutURI)
			if d.gates.room(host) > 0 {
				apps = append(apps, app{c, host})
			} else if d.gates.busy(host) {
				d.more.Store(true)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, a := range apps {
		room := min(d.gates.room(a.host), leasesAtOnce) // another app of this host may have taken it
		if room <= 0 {
			continue
		}
		var leased []idp.Delivery
		if err := d.store.Update(ctx, func(tx idp.Tx) (err error) {
			leased, err = tx.LeaseDeliveries(a.client.ID, now, now.Add(leaseFor), room)
			return err
		}); err != nil {
			return err
		}
		for _, l := range leased {
			d.send(calls, letter{l, a.client, a.host})
		}
		if len(leased) == room {
			d.more.Store(true) // there may be more than there was room for
		}
	}
	return nil
}

// send makes one attempt, beside the others, and settles it.
func (d *Delivery) send(ctx context.Context, l letter) {
	d.gates.begin(l.host)
	d.sending.Go(func() {
		answered := d.attempt(ctx, &l)
		d.gates.end(l.host, answered)
		if ctx.Err() != nil {
			return // not settled: the lease ends, and it is due again
		}
		err := d.settle(ctx, l.Delivery)
		if answered && d.more.Load() {
			d.Due()
		}
		if err != nil {
			d.options.Log.Warn("a delivery could not be settled, and will be sent again", "delivery", l.ID().String(), "client", string(l.Client), "error", err)
		}
	})
}

// attempt sends, and writes into the letter what came of it. It says whether the host is alive.
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
		if l.ConfirmedAt != 0 {
			l.State = idp.Confirmed // it was the second time
		}
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
	over := l.CreatedAt.Add(d.options.TryFor)
	if now >= over {
		l.State, l.Due = idp.OutOfTime, 0
		if l.ConfirmedAt != 0 {
			l.State = idp.Confirmed
		}
		return
	}
	wait = max(wait, jitter(grown(waitFirst, l.Attempts-1, waitLonger)))
	l.Due = min(now.Add(wait), over)
}

// settle writes what came of an attempt.
func (d *Delivery) settle(ctx context.Context, row idp.Delivery) error {
	err := d.store.Update(ctx, func(tx idp.Tx) error {
		_, err := tx.SettleDelivery(row)
		return err
	})
	if err != nil {
		return err
	}
	d.announce()
	d.options.Observe(row.Client, row.State)
	if row.State.Dead() {
		d.options.Log.Warn("an app was not told of a sign-out, and will not be", "delivery", row.ID().String(), "client", string(row.Client), "state", string(row.State),
			"attempts", row.Attempts, "status", row.Status, "why", row.Error)
	}
	return nil
}
