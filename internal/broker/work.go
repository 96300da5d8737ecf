package broker

import (
	"context"
	"sync"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/upstream"
	"exeunt.dev/provider"
)

const (
	pollEvery   = time.Second
	batch       = 16
	leaseFor    = idp.Time(30_000) // a call and the writing of its outcome, with room
	giveUpAfter = idp.Time(7 * 24 * 3600 * 1000)
	settleTime  = 2 * time.Second
)

// Run takes back what is owed to providers until ctx ends. Every node may run it: a duty is leased, and falls due again if its node
// dies.
func (b *Broker) Run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var busy sync.Map // of providers at work: one that hangs keeps no other waiting
	var all sync.WaitGroup
	defer all.Wait()
	for {
		due, err := b.due(ctx)
		if err != nil && ctx.Err() == nil {
			b.Log.Error("what is owed to providers could not be read", "error", err)
		}
		for _, name := range due {
			if _, working := busy.LoadOrStore(name, true); working {
				continue
			}
			all.Go(func() {
				defer busy.Delete(name)
				b.work(ctx, name)
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		case <-tick.C:
		}
	}
}

func (b *Broker) due(ctx context.Context) (out []string, err error) {
	now, err := b.Store.Now()
	if err != nil {
		return nil, err
	}
	err = b.Store.Look(ctx, func(v idp.View) (err error) { out, err = v.RevocationsDue(now); return err })
	return out, err
}

// work attempts what is due at one provider.
func (b *Broker) work(ctx context.Context, name string) {
	var duties []idp.Revocation
	err := b.Store.Update(ctx, func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		duties, err = tx.LeaseRevocations(name, now, now+leaseFor, batch)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			b.Log.Error("what is owed to a provider could not be leased", "provider", name, "error", err)
		}
		return
	}
	var all sync.WaitGroup
	for _, d := range duties {
		all.Go(func() { b.attempt(ctx, d) })
	}
	all.Wait()
}

// attempt asks the provider once and writes what came of it. What could not be written is tried again after the lease: revoking
// twice does no harm.
func (b *Broker) attempt(ctx context.Context, d idp.Revocation) {
	v := b.forget(ctx, d)
	now, _ := b.Store.Now()
	d.Error = v.Why
	switch {
	case v.Done:
		d.State, d.SettledAt, d.Error = idp.Confirmed, now, ""
	case !v.Again:
		d.State, d.SettledAt = idp.Refused, now
	default:
		d.Due = now.Add(upstream.Pause(d.Attempts, v))
		if d.Due > d.CreatedAt+giveUpAfter {
			d.State, d.SettledAt = idp.OutOfTime, now
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	err := b.Store.Update(ctx, func(tx idp.Tx) error { _, err := tx.SettleRevocation(d); return err })
	if err != nil {
		b.Log.Error("the outcome of a revocation could not be written", "provider", d.Provider, "error", err)
		return
	}
	b.Log.Info("revocation", "provider", d.Provider, "state", string(d.State), "attempts", d.Attempts, "why", d.Error)
}

func (b *Broker) forget(ctx context.Context, d idp.Revocation) provider.Verdict {
	s := b.ups[d.Provider]
	if s == nil {
		return provider.Verdict{Again: true, Why: "the provider is not configured any more"}
	}
	t, err := b.openTokens(d.IdentityKey, d.Tokens)
	if err != nil {
		return provider.Verdict{Again: true, Why: "the tokens cannot be opened with this key file"}
	}
	v, _ := s.Forget(ctx, t, d.Subject) // the verdict says it without a host or a path
	return v
}
