package postgres

import (
	"errors"
	"iter"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// errLeft is told to a read whose transaction does not wait for it any more.
var errLeft = errors.New("the reads beside this one are over")

// Abreast runs reads as coroutines: each until it asks, then what all of them have asked flies together. So they take as many trips as the
// one that asks most often, and not as many as all of them.
func (v *view) Abreast(reads ...func(idp.View) error) error {
	var told error // to who has asked
	errs := make([]error, len(reads))
	asks := make([]func() ([]*question, bool), len(reads))
	for i, read := range reads {
		next, stop := iter.Pull(func(fly func([]*question) bool) {
			e := &engine{store: v.e.store, known: v.e.known, beside: func(ask []*question) error {
				if !fly(ask) {
					return errLeft
				}
				return told
			}}
			errs[i] = read(&view{View: v.On(e), e: e})
		})
		defer stop()
		asks[i] = next
	}
	for under := len(reads); under > 0; {
		var ask []*question
		for i, next := range asks {
			if next == nil {
				continue
			}
			more, asked := next()
			if ask = append(ask, more...); !asked {
				asks[i] = nil
				under--
			}
		}
		if len(ask) > 0 {
			told = v.e.fly(ask...)
		}
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Abreast runs reads in turn: a transaction that writes decides by what it reads, one after the other.
func (t *tx) Abreast(reads ...func(idp.View) error) error { return verbs.InTurn(t, reads) }
