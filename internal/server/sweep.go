package server

import (
	"context"
	"time"

	"exeunt.dev/internal/idp"
)

// sweepEvery is how soon an expiry gets its ending, so that apps are told. Checks do not wait for it.
const (
	sweepEvery = 20 * time.Second
	sweepBatch = 500
)

// sweep writes the endings of what has expired and removes what nobody asks for any more.
func (s *Server) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := s.Store.Now()
		if err != nil {
			continue // the clock has leapt: nobody is signed out for that
		}
		if err := s.sweepOnce(ctx, now); err != nil && ctx.Err() == nil {
			s.log.Error("sweep", "error", err)
		}
	}
}

func (s *Server) sweepOnce(ctx context.Context, now idp.Time) error {
	var expired []idp.Session
	err := s.Store.View(ctx, func(v idp.View) (err error) {
		expired, err = v.ExpiredSessions(now, sweepBatch)
		return err
	})
	if err != nil {
		return err
	}
	for _, x := range expired {
		if _, err := s.Door.End(ctx, idp.EndSession(x.Name), idp.Cause{Kind: idp.CauseExpiry, Actor: idp.ActorRule("expiry")}); err != nil {
			return err
		}
	}
	return s.Store.Update(ctx, func(tx idp.Tx) error {
		_, err := tx.Sweep(now, sweepBatch)
		return err
	})
}

// keysEvery is how often keys are looked at by the clock: a rotation by a command writes no ending.
const keysEvery = time.Second

// ledgerGrew is told by the feed, which must not be held up.
func (s *Server) ledgerGrew() {
	select {
	case s.grown <- struct{}{}:
	default:
	}
}

// watchKeys loads the keys again, so that what another process rotated or killed is used here, too.
func (s *Server) watchKeys(ctx context.Context) {
	tick := time.NewTicker(keysEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.grown:
		case <-tick.C:
		}
		if err := s.Ring.Load(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("keys could not be read", "error", err)
		}
	}
}
