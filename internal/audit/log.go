package audit

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strconv"
	"sync"
	"time"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

// How many failed sign-ins are kept: so many at once, and then one in each interval. docs/operations.md states them.
const (
	failedBurst, failedEvery   = 1000, time.Second // of all
	personBurst, personEvery   = 30, time.Minute   // of one account
	unknownBurst, unknownEvery = 500, 10 * time.Second
)

const (
	sealEvery  = time.Second
	sweepEvery = time.Minute
	batch      = 500
	waiting    = 1024 // failures that are not written yet

	writeWithin = 5 * time.Second
)

// Log is the log of one node.
type Log struct {
	store idp.Store
	keep  time.Duration
	log   *slog.Logger

	all, person, unknown *edge.Limiter
	failed               chan idp.Event

	mu   sync.Mutex
	left int // failures that were not kept since the last that was
}

// New makes the log. keep is for how long; 0: for ever.
func New(store idp.Store, keep time.Duration, log *slog.Logger) *Log {
	return &Log{
		store: store, keep: keep, log: log, failed: make(chan idp.Event, waiting),
		all: edge.NewLimiter(failedEvery, failedBurst, 1), person: edge.NewLimiter(personEvery, personBurst, 100_000), unknown: edge.NewLimiter(unknownEvery, unknownBurst, 1),
	}
}

// Failed records an act of somebody who could not prove who they are. It never waits, and takes the same time whether there is such an
// account or not; past the bound the event is only counted, and the next one that is kept says how many were left out (Data: left_out).
func (l *Log) Failed(e idp.Event) {
	who := l.person
	if e.Account == "" {
		who = l.unknown
	}
	mine, _ := who.Allow(string(e.Account))
	ok := false
	if mine {
		ok, _ = l.all.Allow("")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if ok {
		if l.left > 0 {
			data := map[string]string{"left_out": strconv.Itoa(l.left)}
			maps.Copy(data, e.Data)
			e.Data = data
		}
		select {
		case l.failed <- e:
			l.left = 0
			return
		default:
		}
	}
	l.left++
}

// Run works until ctx ends and what waits is written.
func (l *Log) Run(ctx context.Context) {
	seal, sweep := time.NewTicker(sealEvery), time.NewTicker(sweepEvery)
	defer seal.Stop()
	defer sweep.Stop()
	bad := false // an error is said once, until it works again
	for {
		var err error
		select {
		case <-ctx.Done():
			for len(l.failed) > 0 && err == nil {
				err = l.write(ctx, <-l.failed)
			}
			return
		case e := <-l.failed:
			err = l.write(ctx, e)
		case <-seal.C:
			err = l.Seal(ctx)
		case <-sweep.C:
			err = errors.Join(l.SealLedger(ctx), l.Sweep(ctx))
		}
		if err != nil && ctx.Err() == nil && !bad {
			l.log.Error("audit log", "error", err)
		}
		bad = err != nil
	}
}

// write records a failure and all that wait behind it.
func (l *Log) write(ctx context.Context, first idp.Event) error {
	all := []idp.Event{first}
	for len(all) < batch {
		select {
		case e := <-l.failed:
			all = append(all, e)
			continue
		default:
		}
		break
	}
	within, stop := context.WithTimeout(context.WithoutCancel(ctx), writeWithin)
	defer stop()
	err := l.store.Update(within, func(tx idp.Tx) error {
		for _, e := range all {
			if err := tx.Record(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		l.mu.Lock()
		l.left += len(all)
		l.mu.Unlock()
	}
	return err
}

// Seal chains what is not sealed yet.
func (l *Log) Seal(ctx context.Context) error {
	for {
		open := int64(0)
		if err := l.store.Look(ctx, func(v idp.View) (err error) { open, err = v.OpenEvents(); return err }); err != nil || open == 0 {
			return err
		}
		n := 0
		if err := l.store.Update(ctx, func(tx idp.Tx) (err error) { n, err = tx.SealEvents(batch); return err }); err != nil || n < batch {
			return err
		}
	}
}

// Sweep deletes what is older than is to be kept.
func (l *Log) Sweep(ctx context.Context) error {
	if l.keep <= 0 {
		return nil
	}
	now, err := l.store.Now()
	if err != nil {
		return nil // while the clock is wrong nothing is taken for old
	}
	for {
		n := 0
		if err := l.store.Update(ctx, func(tx idp.Tx) (err error) {
			n, err = tx.SweepEvents(now.Add(-l.keep), batch)
			return err
		}); err != nil || n < batch {
			return err
		}
	}
}
