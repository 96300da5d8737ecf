package server

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"exeunt.dev/internal/idp"
)

const (
	keysEvery  = 2 * time.Second // a rotation writes no ending, so keys are looked at by the clock, too
	sweepEvery = time.Minute
	sweepBatch = 500
)

// ledgerGrew is told by the feed, which must not be held up. The keys are read again if one of them has ended; nil says that anything may
// have.
func (s *Server) ledgerGrew(by []idp.Entry) {
	if by != nil && !slices.ContainsFunc(by, func(e idp.Entry) bool { return s.base.Ring.Verifies(e.Name) }) {
		return
	}
	select {
	case s.grown <- struct{}{}:
	default:
	}
}

// watchKeys loads the keys again when another process has rotated or killed one.
func (s *Server) watchKeys(ctx context.Context) {
	tick := time.NewTicker(keysEvery)
	defer tick.Stop()
	var last []keyState
	for {
		now, err := s.keyStates(ctx)
		if err == nil && !slices.Equal(now, last) {
			if err = s.base.Ring.Load(ctx); err == nil {
				last = now
			}
		}
		if err != nil && ctx.Err() == nil {
			s.log.Error("signing keys could not be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.grown:
		case <-tick.C:
		}
	}
}

type keyState struct {
	kid    idp.Name
	state  idp.KeyState
	killed bool
}

func (s *Server) keyStates(ctx context.Context) (out []keyState, err error) {
	err = s.base.Store.View(ctx, func(v idp.View) error {
		rows, err := v.Keys()
		if err != nil {
			return err
		}
		kids := make([]idp.Name, len(rows))
		for i, k := range rows {
			kids[i] = k.Kid
		}
		killed, err := v.Ended(kids...)
		out = out[:0]
		for _, k := range rows {
			out = append(out, keyState{k.Kid, k.State, slices.Contains(killed, k.Kid)})
		}
		return err
	})
	return out, err
}

// sweep writes the endings of what has expired, so that apps are told, and deletes what nobody asks for any more.
func (s *Server) sweep(ctx context.Context) {
	// Nodes that started together do not sweep together.
	tick := time.NewTicker(sweepEvery*3/4 + rand.N(sweepEvery/4))
	defer tick.Stop()
	for {
		if err := s.sweepOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("sweep", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Server) sweepOnce(ctx context.Context) error {
	now, err := s.base.Store.Now()
	if err != nil {
		return err // while the clock is wrong nothing is taken for expired
	}
	for {
		var old []idp.Session
		err := s.base.Store.View(ctx, func(v idp.View) (err error) {
			old, err = v.ExpiredSessions(now, sweepBatch)
			return err
		})
		if err != nil {
			return err
		}
		for _, session := range old {
			cause := idp.Cause{Kind: idp.CauseExpiry, Actor: idp.ActorRule("expiry")}
			if _, err := s.door.End(ctx, idp.EndSession(session.Name), cause); err != nil && !errors.Is(err, idp.ErrNotFound) {
				return err
			}
		}
		if len(old) < sweepBatch {
			break
		}
	}
	if err := s.openLocks(ctx, now); err != nil {
		return err
	}
	for {
		n := 0
		err := s.base.Store.Update(ctx, func(tx idp.Tx) (err error) {
			n, err = tx.Sweep(now, sweepBatch)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// openLocks opens the accounts whose locks have opened by themselves. Who signs in before finds them so all the same.
func (s *Server) openLocks(ctx context.Context, now idp.Time) error {
	var over []idp.AccountID
	if err := s.base.Store.View(ctx, func(v idp.View) (err error) {
		over, err = v.LocksOver(now, sweepBatch)
		return err
	}); err != nil {
		return err
	}
	for _, id := range over {
		if _, err := s.door.OpenDue(ctx, id); err != nil && !errors.Is(err, idp.ErrNotFound) {
			return err
		}
	}
	return nil
}
