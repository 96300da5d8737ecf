package sqlite

import (
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

func TestClock(t *testing.T) {
	type step struct {
		wall, mono int64 // seconds since the start
		want       int64
		jumped     bool
	}
	for name, steps := range map[string][]step{
		"both run":                     {{10, 10, 10, false}, {20, 20, 20, false}},
		"small forward step":           {{10, 10, 10, false}, {40, 11, 40, false}, {41, 12, 41, false}},
		"back: goes on by monotonic":   {{10, 10, 10, false}, {-3600, 15, 15, false}, {-3590, 25, 25, false}},
		"a day ahead: not believed":    {{10, 10, 10, false}, {86411, 11, 11, true}, {86412, 12, 12, true}},
		"heals when it is right again": {{86400, 1, 1, true}, {2, 2, 2, false}, {3, 3, 3, false}},
		"suspended, seen by both":      {{10, 10, 10, false}, {7210, 7210, 7210, false}},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.UnixMilli(1_700_000_000_000)
			var now step
			c := newClock(func() time.Time { return start.Add(time.Duration(now.wall) * time.Second) },
				func() time.Duration { return time.Duration(now.mono) * time.Second })
			for i, s := range steps {
				now = s
				got, jumped := c.now()
				if want := idp.Time(start.UnixMilli() + s.want*1000); got != want || jumped != s.jumped {
					t.Fatalf("step %d: %d ms off, jumped %v", i, got-want, jumped)
				}
			}
		})
	}
}

func TestClock_BehindTheCounterRow(t *testing.T) {
	mono := time.Duration(0)
	c := newClock(func() time.Time { return time.UnixMilli(1000) }, func() time.Duration { return mono })
	c.observe(50_000)
	mono = time.Second
	if got, jumped := c.now(); got != 51_000 || jumped {
		t.Error("time told by the database is not the floor:", got, jumped)
	}
}

// A clock a day ahead: nothing is minted, endings go on at the last time + 1 ms.
func TestClock_JumpedStore(t *testing.T) {
	ahead := time.Duration(0)
	start := time.Now()
	s := openWith(t, Options{Wall: func() time.Time { return start.Add(ahead) }, Monotonic: func() time.Duration { return 0 }})
	first := endToken(t, s)
	ahead = 24 * time.Hour
	second := endToken(t, s)
	if second.At != first.At+1 {
		t.Errorf("ending after the jump at %d, the last good one at %d", second.At, first.At)
	}
	if now, err := s.Now(); err != idp.ErrClock || now < second.At {
		t.Errorf("Now, after an ending at %d: %d, %v", second.At, now, err)
	}
	if err := s.Update(t.Context(), func(tx idp.Tx) error { _, err := tx.Mint(); return err }); err != idp.ErrClock {
		t.Error("Mint:", err)
	}
	ahead = time.Second
	if err := s.Update(t.Context(), func(tx idp.Tx) error { _, err := tx.Mint(); return err }); err != nil {
		t.Error("Mint after the clock is right again:", err)
	}
}
