package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"exeunt.dev/internal/idp"
)

// proofs: one use of a proof is the first, whoever asks, on whichever node; and what a failed transaction used was not used.
func proofs(t *testing.T, o Opened) {
	use := func(s idp.Store, id string, until idp.Time, fail error) (fresh bool) {
		err := s.Update(context.Background(), func(tx idp.Tx) (err error) {
			fresh, err = tx.UseProof(idp.HashOf(id), until)
			return errors.Join(err, fail)
		})
		if !errors.Is(err, fail) || fail == nil && err != nil {
			t.Error(err)
		}
		return fresh
	}
	broken := errors.New("on purpose")
	if !use(o.Store, "a", 1000, broken) || !use(o.Store, "a", 1000, nil) || use(o.Store, "a", 1000, nil) || !use(o.Store, "b", 9000, nil) {
		t.Error("a proof is used once, by what was committed")
	}
	second := o.Second(t)
	if use(second, "a", 1000, nil) {
		t.Error("another node took it again")
	}
	var first atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			s := o.Store
			if i%2 == 1 {
				s = second
			}
			if use(s, "c", 9000, nil) {
				first.Add(1)
			}
		})
	}
	all.Wait()
	if first.Load() != 1 {
		t.Errorf("%d of 16 at once were first", first.Load())
	}
	update(t, o.Store, func(tx idp.Tx) error { _, err := tx.Sweep(1000, 100); return err })
	if !use(o.Store, "a", 5000, nil) || use(o.Store, "b", 9000, nil) {
		t.Error("the sweep takes what is over, and nothing else")
	}
}
