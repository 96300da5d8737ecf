package rp

import (
	"context"
	"fmt"
	"time"
)

const (
	twiceLife = time.Minute           // how long a sign-out that is pressed again gets the first answer
	twicePace = 50 * time.Millisecond // how often a second press looks whether the first has its answer
)

// told is what a sign-out answered.
type told struct {
	Layers   []Layer
	Continue string
}

// pressed is the name of one sign-out of one session: pressed twice it is the same, asked for more it is another.
func pressed(id Hash, l leaving) Hash {
	return hashOf(fmt.Sprintf("pressed %x %v %v %v %q", id, l.everywhere, l.atProvider, l.all, l.revoke))
}

// remember keeps the answer for a second press: a browser shows the answer to the last one, and it would say less, and lead
// nowhere. If it cannot be kept, the second press only hears that the session had ended before.
func (s *Site) remember(ctx context.Context, by time.Time, id Hash, l leaving, rep Report) {
	a := Attempt{State: pressed(id, l), Browser: id, Expires: s.now().Add(twiceLife)}
	var err error
	if a.Sealed, err = s.vault.seal(place("told", a.State[:]), told{rep.Layers, rep.Continue}); err == nil {
		err = within(ctx, by, func(ctx context.Context) error { return s.store.PutAttempt(ctx, a) })
	}
	if err != nil {
		s.fail(ctx, "the answer to a sign-out could not be kept", err)
	}
}

// earlier gives the answer to the first press, and waits for it while that one may be under way.
func (s *Site) earlier(ctx context.Context, by time.Time, id Hash, l leaving) (Report, bool) {
	state := pressed(id, l)
	var was told
	err := within(ctx, by, func(ctx context.Context) error {
		for {
			a, err := s.store.TakeAttempt(ctx, state, id, s.now())
			if err == nil {
				if err = s.vault.open(place("told", state[:]), a.Sealed, &was); err == nil {
					err = s.store.PutAttempt(ctx, a) // for a third
				}
				return err
			}
			select {
			case <-ctx.Done():
				return err
			case <-time.After(twicePace):
			}
		}
	})
	return Report{Layers: was.Layers, Continue: was.Continue, home: s.homeLink()}, err == nil
}
