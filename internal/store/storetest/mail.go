package storetest

import (
	"errors"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// mails tries the outbox: what is leased nobody else gets, and who has lost a lease changes nothing.
func mails(t *testing.T, o Opened) {
	now := idp.Time(1_000_000)
	letter := func(due idp.Time) idp.Mail {
		return idp.Mail{ID: ledger.NewName(), Account: "alice", Kind: "reset", Sealed: []byte{1, 0, 2}, CreatedAt: due, Until: due + 1000, Due: due, Error: "none yet"}
	}
	first, second, later := letter(now-2), letter(now-1), letter(now+1)
	update(t, o.Store, func(tx idp.Tx) error {
		return errors.Join(tx.InsertMail(second), tx.InsertMail(first), tx.InsertMail(later))
	})
	view(t, o.Store, func(v idp.View) error {
		n, oldest, err := v.Mails()
		same(t, "waiting", []any{n, oldest}, []any{int64(3), first.CreatedAt}, err)
		return nil
	})
	lease := func(s idp.Store, now, until idp.Time, limit int) (out []idp.Mail) {
		update(t, s, func(tx idp.Tx) (err error) {
			out, err = tx.LeaseMails(now, until, limit)
			return err
		})
		return out
	}
	first.Attempts, first.Due = 1, now+50
	same(t, "the oldest", lease(o.Store, now, now+50, 1), []idp.Mail{first}, nil)
	second.Attempts, second.Due = 1, now+60
	same(t, "what is left", lease(o.Second(t), now, now+60, 10), []idp.Mail{second}, nil)
	same(t, "nothing is left", lease(o.Store, now, now+60, 10), []idp.Mail(nil), nil)
	first.Attempts, first.Due = 2, now+100
	again := lease(o.Store, now+55, now+100, 10) // its lease is over; with what became due meanwhile
	if len(again) != 2 || again[1].Attempts != 2 {
		t.Fatal("after the lease:", again)
	}
	update(t, o.Store, func(tx idp.Tx) error {
		stale := first
		stale.Attempts, stale.Due = 1, 1
		late, err := tx.DelayMail(stale)
		first.Due, first.Error = now+500, "451"
		right, err2 := tx.DelayMail(first)
		if late || !right {
			t.Error("delayed by who lost the lease, and by who has it:", late, right)
		}
		return errors.Join(err, err2, tx.DropMail(second.ID), tx.DropMail(later.ID), tx.DropMail(ledger.NewName()))
	})
	first.Attempts, first.Due = 3, now+600
	same(t, "what is left at last", lease(o.Store, now+501, now+600, 10), []idp.Mail{first}, nil)
}

// tallies counts by hours, and over all handles.
func tallies(t *testing.T, o Opened) {
	const hour = idp.Time(3_600_000)
	count := func(s idp.Store, key string, at idp.Time) (n int64) {
		update(t, s, func(tx idp.Tx) (err error) {
			n, err = tx.Tally(idp.HashOf(key), at)
			return err
		})
		return n
	}
	second := o.Second(t)
	got := []int64{count(o.Store, "a", 10*hour), count(second, "a", 10*hour+59*60_000), count(o.Store, "b", 10*hour), count(o.Store, "a", 11*hour), count(second, "a", 10*hour)}
	same(t, "tallies", got, []int64{1, 2, 1, 1, 3}, nil)
	swept := 0
	update(t, o.Store, func(tx idp.Tx) (err error) {
		swept, err = tx.Sweep(12*hour+1, 100)
		return err
	})
	same(t, "after the sweep", []int64{int64(swept), count(o.Store, "a", 10*hour), count(o.Store, "a", 12*hour)}, []int64{3, 1, 1}, nil)
}

// locks round-trips what is known of an account beside it, and finds people by their addresses.
func locks(t *testing.T, o Opened) {
	lock := idp.Lock{Account: "alice", ID: ledger.NewName(), Kind: idp.LockDevice, At: 5, OpensAt: 100}
	stronger := idp.Lock{Account: "bob", ID: ledger.NewName(), Kind: idp.LockPassword, At: 6}
	care := idp.Care{Account: "alice", Since: 3, SettledAt: 4}
	people := []idp.Account{{ID: "1", Username: "Alice", Email: "A@example.com", State: idp.AccountActive}, {ID: "2", Username: "bob", State: idp.AccountActive},
		{ID: "3", Username: "carol", Email: "a@Example.com", State: idp.AccountActive}}
	view(t, o.Store, func(v idp.View) error {
		_, err := v.Lock("alice")
		missing(t, "lock", err)
		_, err = v.Care("alice")
		missing(t, "care", err)
		return nil
	})
	update(t, o.Store, func(tx idp.Tx) error {
		was := lock
		was.Kind, was.ID = idp.LockPassword, ledger.NewName()
		for _, a := range people {
			if err := tx.InsertAccount(a, ledger.NewName()); err != nil {
				return err
			}
		}
		return errors.Join(tx.PutLock(was), tx.PutLock(lock), tx.PutLock(stronger), tx.PutCare(idp.Care{Account: "alice", Since: 1}), tx.PutCare(care))
	})
	over := func(now idp.Time) (out []idp.AccountID) {
		view(t, o.Store, func(v idp.View) (err error) {
			out, err = v.LocksOver(now, 10)
			return err
		})
		return out
	}
	view(t, o.Store, func(v idp.View) error {
		got, err := v.Lock("alice")
		same(t, "lock", got, lock, err)
		known, err := v.Care("alice")
		same(t, "care", known, care, err)
		found, err := v.AccountsByEmail("a@EXAMPLE.com", 10)
		same(t, "by address", found, []idp.Account{people[0], people[2]}, err)
		for _, none := range []string{"", "b@example.com", "a@example.com\x00", "\xff"} {
			found, err = v.AccountsByEmail(none, 10)
			same(t, "nobody's address", found, []idp.Account(nil), err)
		}
		return nil
	})
	same(t, "open by themselves", [][]idp.AccountID{over(99), over(100)}, [][]idp.AccountID{nil, {"alice"}}, nil)
	update(t, o.Store, func(tx idp.Tx) error { return errors.Join(tx.DropLock("alice"), tx.DropLock("nobody")) })
	same(t, "dropped", over(100), []idp.AccountID(nil), nil)
}
