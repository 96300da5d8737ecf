package rp

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"exeunt.dev/internal/upstream"
	"exeunt.dev/provider"
)

const (
	batch       = 16 // duties in hand at once, of one provider
	sweepEvery  = time.Minute
	settledKept = 30 * 24 * time.Hour // how long an operator sees what became of a duty
	settleTime  = 2 * time.Second     // for writing an outcome
)

// lease is how long one replica has a duty to itself: a call and the writing of its outcome, with room for clocks.
func (s *Site) lease() time.Duration { return 2*s.timeout + settleTime }

// first makes the first attempts of duties that were leased to this call, and tells which are settled by the deadline. The
// others go on beside; if this process dies meanwhile, another replica takes them up when the lease is over.
func (s *Site) first(ctx context.Context, by time.Time, duties []Duty) map[string]DutyState {
	settled := map[string]DutyState{}
	if len(duties) == 0 {
		return settled
	}
	outcome := make(chan Duty, len(duties))
	begun := 0
	for _, d := range duties {
		select {
		case s.hands <- struct{}{}:
			begun++
			go func() {
				defer func() { <-s.hands }()
				outcome <- s.attempt(ctx, d)
			}()
		default: // as many as can be are under way; Run takes it up
		}
	}
	late := time.NewTimer(time.Until(by))
	defer late.Stop()
	for range begun {
		select {
		case d := <-outcome:
			settled[d.ID] = d.State
		case <-late.C:
			return settled
		}
	}
	return settled
}

// attempt asks the provider once and writes what came of it. What could not be written is tried again after the lease;
// revoking twice does no harm.
func (s *Site) attempt(ctx context.Context, d Duty) Duty {
	v := s.revoke(ctx, d)
	now := s.now()
	d.Next, d.Why = now, v.Why
	switch {
	case v.Done:
		d.State, d.Why = Revoked, ""
	case !v.Again:
		d.State = GivenUp
	default:
		d.Next = now.Add(upstream.Pause(d.Attempts, v))
		if d.Next.After(d.GiveUp) {
			d.State, d.Next = GivenUp, now
		}
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	if err := s.store.SettleDuty(ctx, d); err != nil {
		s.fail(ctx, d.Provider+": the outcome of a revocation could not be stored", err)
		d.State = Owed
	}
	return d
}

// revoke makes the provider's own call.
func (s *Site) revoke(ctx context.Context, d Duty) provider.Verdict {
	u := s.ups[d.Provider]
	var k upstream.Tokens
	if err := s.vault.open(tokenPlace(d.Provider, d.Subject), d.Sealed, &k); err != nil {
		const why = "the token cannot be opened with the keys at hand"
		s.fail(ctx, d.Provider+": "+why, err)
		return provider.Verdict{Again: true, Why: why}
	}
	v, err := u.Forget(ctx, k, d.Subject)
	if err != nil {
		s.fail(ctx, d.Provider+": "+v.Why, err)
	}
	return v
}

// Run retries what is owed to providers, and deletes what is over, until ctx ends. Every replica may run it. It returns
// ctx's error.
func (s *Site) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for name := range s.ups {
		all.Go(func() { s.follow(ctx, s.every, func() bool { return s.work(ctx, name) }) }) // one that hangs keeps no other waiting
	}
	s.follow(ctx, sweepEvery, func() bool {
		if err := s.store.Sweep(ctx, s.now(), s.now().Add(-settledKept)); err != nil && ctx.Err() == nil {
			s.fail(ctx, "what is over could not be deleted", err)
		}
		return false
	})
	all.Wait()
	return ctx.Err()
}

// follow does something again and again; at once if it says that there is more.
func (s *Site) follow(ctx context.Context, every time.Duration, do func() (more bool)) {
	for ctx.Err() == nil {
		if do() {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(every + rand.N(every/4+1)):
		}
	}
}

// work attempts what is due at a provider, and reports whether there may be more.
func (s *Site) work(ctx context.Context, provider string) bool {
	now := s.now()
	duties, err := s.store.LeaseDuties(ctx, provider, batch, now, now.Add(s.lease()))
	if err != nil {
		if ctx.Err() == nil {
			s.fail(ctx, "what is owed could not be read", err)
		}
		return false
	}
	var all sync.WaitGroup
	for _, d := range duties {
		all.Go(func() { s.attempt(context.WithoutCancel(ctx), d) })
	}
	all.Wait()
	return len(duties) == batch
}

// Owed gives the newest n duties of a user, or with "" of all, done ones among them: what is owed to providers, since
// when, how often it was tried, and what the last answer was.
func (s *Site) Owed(ctx context.Context, user string, n int) ([]Duty, error) {
	return s.store.ListDuties(ctx, user, n)
}
