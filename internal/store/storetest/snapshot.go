package storetest

import (
	"testing"
	"time"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// snapshots: what guards that start are told, in pieces of any size. An ending is left out when no token can hang on it any more; that of
// a killed key never is, for its thief can mint any exp.
func snapshots(t *testing.T, o Opened) {
	d := door.New(o.Store, nil)
	token, key := ledger.NewName(), ledger.NewName()
	end(t, d, idp.EndToken(token))
	end(t, d, idp.EndKey(key))
	last := make([]idp.Name, 3)
	for i := range last {
		last[i] = ledger.NewName()
		end(t, d, idp.EndToken(last[i]))
	}
	var head idp.Head
	var life int64
	view(t, o.Store, func(v idp.View) (err error) {
		if head, err = v.Head(); err == nil {
			life, err = v.LifeCap()
		}
		return err
	})
	held := func(now idp.Time, limit int) map[idp.Name]uint32 {
		out := map[idp.Name]uint32{}
		for at := uint64(0); at < head.Number; {
			view(t, o.Store, func(v idp.View) error {
				some, next, err := v.Entries(now, at, head.Number, limit)
				if err == nil && next <= at {
					t.Fatalf("from %d to %d", at, next)
				}
				for _, e := range some {
					if _, twice := out[e.Name]; twice {
						t.Error("told twice")
					}
					out[e.Name] = e.Until
				}
				at = next
				return err
			})
		}
		return out
	}
	for _, limit := range []int{1, 2, 100} {
		now := held(head.Time, limit)
		if len(now) != 5 || now[key] != ledger.Forever || now[token] < uint32(int64(head.Time)/1000+life-60) || now[token] >= ledger.Forever-1 {
			t.Errorf("pieces of %d: %v", limit, now)
		}
		for _, later := range []time.Duration{time.Duration(life)*time.Second + time.Hour, 100 * 365 * 24 * time.Hour} {
			if got := held(head.Time.Add(later), limit); len(got) != 1 || got[key] != ledger.Forever {
				t.Errorf("pieces of %d, %v later: %v", limit, later, got)
			}
		}
	}
}
