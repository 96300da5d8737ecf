package delivery

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/outbound"
	"exeunt.dev/internal/token"
)

const (
	// pollEvery is how often the database is asked for what is owed or due: what other processes ended, what has failed before, and
	// what a dead process had leased.
	pollEvery = 250 * time.Millisecond
	// leaseFor outlives any call with its settlement.
	leaseFor = 30 * time.Second
)

// Options of a worker. The zero value but for TryFor is right for tests of one.
type Options struct {
	TryFor time.Duration // how long a delivery is attempted
	Log    *slog.Logger
	// Alone says that no other process delivers from this database, so that what is leased when this one starts was leased by one that
	// is dead: it is due at once, not when the lease ends.
	Alone   bool
	Observe func(idp.ClientID, idp.DeliveryState) // called with what came of each attempt; nil: nobody asks
}

// Delivery is one node's worker.
type Delivery struct {
	store   idp.Store
	tokens  *token.Issuer
	calls   *outbound.Client
	options Options
	gates   gates
	wake    chan struct{}
	room    chan struct{} // something is due: more than there was room for, and a call has ended, or what an operator resends
	more    atomic.Bool
	sending sync.WaitGroup
	buried  time.Time // when [Delivery.bury] was called last

	mu       sync.Mutex
	settled  chan struct{}  // closed and replaced when something was settled
	outcomes []idp.Delivery // to be settled
	settling bool           // somebody is at it
}

// New makes a worker; Run works.
func New(store idp.Store, tokens *token.Issuer, calls *outbound.Client, o Options) *Delivery {
	if o.Observe == nil {
		o.Observe = func(idp.ClientID, idp.DeliveryState) {}
	}
	return &Delivery{store: store, tokens: tokens, calls: calls, options: o, gates: newGates(), wake: make(chan struct{}, 1), room: make(chan struct{}, 1), settled: make(chan struct{})}
}

// Wake says that something may be owed. It never blocks.
func (d *Delivery) Wake() {
	select {
	case d.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Due says that something may be due at once. It never blocks.
func (d *Delivery) Due() {
	select {
	case d.room <- struct{}{}:
	default:
	}
}

// Ask is Due for who knows better: apps that did not answer lately are asked at once, too.
func (d *Delivery) Ask() {
	d.gates.open()
	d.Due()
}

// Run works until ctx ends, and returns once the calls under way are settled or, after a grace, given up: they are due again later.
func (d *Delivery) Run(ctx context.Context) {
	calls, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if d.options.Alone {
		if err := d.takeOver(ctx); err != nil && ctx.Err() == nil {
			d.options.Log.Warn("what was under way when the server died is sent when its leases end", "error", err)
		}
	}
	tick := time.NewTicker(pollEvery*3/4 + rand.N(pollEvery/4))
	defer tick.Stop()
	for ctx.Err() == nil {
		var err error
		select {
		case <-ctx.Done():
		case <-d.wake:
			err = d.fanOut(ctx, calls)
		case <-d.room:
			err = d.work(ctx, calls)
		case <-tick.C:
			err = d.look(ctx, calls)
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, idp.ErrUnavailable) {
			d.options.Log.Error("deliveries", "error", err)
		}
	}
	done := make(chan struct{})
	go func() { d.sending.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(stopWithin):
		stop()
		<-done
	}
}

// takeOver frees what a dead process had leased.
func (d *Delivery) takeOver(ctx context.Context) error {
	now, _ := d.store.Now()
	return d.store.Update(ctx, func(tx idp.Tx) error {
		_, err := tx.FreeLeases(now, leaseFor)
		return err
	})
}

// stopWithin is how long calls under way may take when the worker stops.
const stopWithin = 6 * time.Second

// look finds what nobody has woken this worker for.
func (d *Delivery) look(ctx, calls context.Context) error {
	owed := int64(0)
	if err := d.store.View(ctx, func(v idp.View) (err error) { owed, err = v.Owed(); return err }); err != nil {
		return err
	}
	if owed > 0 {
		if err := d.fanOut(ctx, calls); err != nil {
			return err
		}
	}
	return d.work(ctx, calls)
}

// Await waits until the apps among those to be awaited have confirmed what a receipt owes them, or are found to be not reachable now,
// or ctx ends.
func (d *Delivery) Await(ctx context.Context, id idp.ReceiptID, awaited func(idp.ClientID) bool) {
	for {
		news := d.news()
		if d.told(ctx, id, awaited) {
			return
		}
		again := time.NewTimer(pollEvery / 5) // another node may be at it
		select {
		case <-ctx.Done():
			again.Stop()
			return
		case <-news:
		case <-again.C:
		}
		again.Stop()
	}
}

func (d *Delivery) told(ctx context.Context, id idp.ReceiptID, awaited func(idp.ClientID) bool) bool {
	done := false
	err := d.store.View(ctx, func(v idp.View) error {
		r, err := v.Receipt(id)
		if err != nil || r.ToldAt == 0 {
			return err
		}
		all, err := v.ToldOf(r.Number)
		done = err == nil
		for _, t := range all {
			if t.State != idp.Owed || t.Attempts > 1 || t.Error != "" || !awaited(t.Client) {
				continue
			}
			c, err := v.Client(t.Client)
			if err != nil {
				return err
			}
			done = done && !d.gates.busy(wayOf(&c))
		}
		return err
	})
	return done || err != nil
}

func (d *Delivery) news() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settled
}

func (d *Delivery) announce() {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.settled)
	d.settled = make(chan struct{})
}
