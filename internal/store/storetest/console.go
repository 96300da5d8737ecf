package storetest

import (
	"errors"
	"slices"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Who may use the console.
func operators(t *testing.T, o Opened) {
	p, q := addPerson(t, o.Store), addPerson(t, o.Store)
	give := func(id idp.AccountID, r idp.Role, why string) {
		t.Helper()
		update(t, o.Store, func(tx idp.Tx) error {
			return tx.PutOperator(idp.Operator{Account: id, Role: r, GivenBy: "test:it", GivenAt: 7, Why: why})
		})
	}
	admins := func(want ...idp.AccountID) {
		t.Helper()
		view(t, o.Store, func(v idp.View) error {
			got, err := v.Admins(10)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("admins: %v, want %v", got, want)
			}
			return err
		})
	}
	admins()
	give(p.id, idp.RoleViewer, "first")
	give(p.id, idp.RoleAdmin, "then")
	give(q.id, idp.RoleAdmin, "too")
	admins(p.id, q.id)
	view(t, o.Store, func(v idp.View) error {
		one, err := v.Operator(p.id)
		if one != (idp.Operator{Account: p.id, Role: idp.RoleAdmin, GivenBy: "test:it", GivenAt: 7, Why: "then"}) {
			t.Errorf("%+v", one)
		}
		all, err2 := v.Operators(idp.Page{Limit: 1})
		if len(all) != 1 {
			t.Error("a page:", all)
		}
		rest, err3 := v.Operators(idp.Page{Limit: 5, After: string(all[0].Account)})
		if len(rest) != 1 || rest[0].Account == all[0].Account {
			t.Error("the next page:", rest)
		}
		return errors.Join(err, err2, err3)
	})
	if _, err := door.New(o.Store, nil).End(t.Context(), idp.EndAccount(q.id, idp.AccountDisabled), signOut()); err != nil {
		t.Fatal(err)
	}
	admins(p.id)
	update(t, o.Store, func(tx idp.Tx) error {
		if had, err := tx.DropOperator(p.id); !had || err != nil {
			t.Error("drop:", had, err)
		}
		if had, err := tx.DropOperator(p.id); had || err != nil {
			t.Error("drop again:", had, err)
		}
		return nil
	})
	view(t, o.Store, func(v idp.View) error {
		if _, err := v.Operator(p.id); !errors.Is(err, idp.ErrNotFound) {
			t.Error(err)
		}
		return nil
	})
}

// What the console asks.
func console(t *testing.T, o Opened) {
	update(t, o.Store, func(tx idp.Tx) error {
		for _, name := range []string{"Ann", "anna", "anton", "an%", "an_", "bert", "Änne"} {
			a := idp.Account{ID: idp.AccountID(ledger.NewName().String()), Username: name, State: idp.AccountActive}
			if err := tx.InsertAccount(a, ledger.NewName()); err != nil {
				return err
			}
		}
		return tx.InsertAccount(idp.Account{ID: "locked", Username: "annika", State: idp.AccountLocked}, idp.Name{})
	})
	find := func(f idp.AccountFilter, p idp.Page, want ...string) {
		t.Helper()
		view(t, o.Store, func(v idp.View) error {
			rows, err := v.FindAccounts(f, p)
			var got []string
			for _, a := range rows {
				got = append(got, a.Username)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%+v %+v: %q, want %q", f, p, got, want)
			}
			return err
		})
	}
	all := idp.Page{Limit: 10}
	find(idp.AccountFilter{Prefix: "ANN"}, all, "Ann", "anna", "annika")
	find(idp.AccountFilter{Prefix: "ann"}, idp.Page{Limit: 2}, "Ann", "anna")
	find(idp.AccountFilter{Prefix: "ann"}, idp.Page{Limit: 2, After: "anna"}, "annika")
	find(idp.AccountFilter{Prefix: "an%"}, all, "an%")
	find(idp.AccountFilter{Prefix: "an_"}, all, "an_")
	find(idp.AccountFilter{Prefix: "ÄN"}, all, "Änne")
	find(idp.AccountFilter{Prefix: "ann", State: idp.AccountActive}, all, "Ann", "anna")
	find(idp.AccountFilter{State: idp.AccountLocked}, all, "annika")
	find(idp.AccountFilter{Prefix: "x"}, all)
	find(idp.AccountFilter{}, idp.Page{Limit: 1}, "an%")

	addApp(t, o.Store, "books")
	p := addPerson(t, o.Store)
	a, b := &stay{p, addSession(t, o.Store, p)}, &stay{p, addSession(t, o.Store, p)}
	sid := a.grant(t, o.Store, "books", false)
	b.grant(t, o.Store, "books", false)
	count := func(what string, got idp.Counted, err error, want int64) {
		t.Helper()
		if err != nil || got.N != want || got.More {
			t.Errorf("%s: %+v, %v; want %d", what, got, err, want)
		}
	}
	view(t, o.Store, func(v idp.View) error {
		people, err := v.PeopleOf("books", 10)
		count("people of an app", people, err, 1)
		nobody, err := v.PeopleOf("nothing", 10)
		count("people of no app", nobody, err, 0)
		if some, err := v.PeopleOf("books", 1); some.N != 1 || !some.More || err != nil {
			t.Errorf("people among one grant of two: %+v, %v", some, err)
		}
		called, err := v.Usernames([]idp.AccountID{p.id, "nobody", "a\x00"})
		same(t, "usernames", called, map[idp.AccountID]string{p.id: string(p.id)}, err)
		return nil
	})
	update(t, o.Store, func(tx idp.Tx) error {
		for i, state := range []idp.DeliveryState{idp.Owed, idp.Owed, idp.GivenUp, idp.Confirmed, idp.Unreachable} {
			d := idp.Delivery{Receipt: 900, Sid: ledger.NewName(), Client: "books", State: state, CreatedAt: idp.Time(i + 1)}
			if i == 0 {
				d.Sid = sid
			}
			if err := tx.InsertDelivery(d); err != nil {
				return err
			}
		}
		for range 3 {
			if err := tx.Record(idp.Event{Kind: idp.EventSignInFailed}); err != nil {
				return err
			}
		}
		return nil
	})
	if _, err := door.New(o.Store, nil).End(t.Context(), idp.EndSession(a.session.Name), signOut()); err != nil {
		t.Fatal(err)
	}
	view(t, o.Store, func(v idp.View) error {
		owed, dead, err := v.OwedOrDead()
		count("owed", owed, err, 2)
		count("dead", dead, err, 1)
		h, err := v.Head()
		if err != nil {
			return err
		}
		failed, err := v.CountEvents(idp.EventSignInFailed, h.Time-60_000, h.Time+60_000)
		count("failures", failed, err, 3)
		before, err := v.CountEvents(idp.EventSignInFailed, 0, h.Time-60_000)
		count("failures before", before, err, 0)
		for at, want := range map[idp.Time]uint64{0: 0, h.Time - 60_000: 0, h.Time + 1: h.Number, h.Time + 1<<40: h.Number} {
			if n, err := v.EndingsBefore(at); n != want || err != nil || h.Number == 0 {
				t.Errorf("endings before %d: %d, %v; want %d", at, n, err, want)
			}
		}
		first, err := v.DeliveriesOf(900, idp.Page{Limit: 3})
		if len(first) != 3 || err != nil {
			t.Fatal(first, err)
		}
		rest, err := v.DeliveriesOf(900, idp.Page{Limit: 3, After: first[2].ID().String()})
		if len(rest) != 2 || err != nil {
			t.Error(rest, err)
		}
		return err
	})
}

// Two secrets of an app, and one that is disabled and comes back, with nothing of what it had.
func clientAgain(t *testing.T, o Opened) {
	addApp(t, o.Store, "books")
	update(t, o.Store, func(tx idp.Tx) error {
		c, err := tx.Client("books")
		if err != nil {
			return err
		}
		c.Secret, c.OldSecret, c.OldSecretUntil, c.Deleted = idp.HashOf("new"), idp.HashOf("old"), 1000, true
		return tx.UpdateClient(c)
	})
	read := func() (c idp.Client) {
		t.Helper()
		view(t, o.Store, func(v idp.View) (err error) { c, err = v.Client("books"); return err })
		return c
	}
	view(t, o.Store, func(v idp.View) error {
		some, err := v.ClientsNamed([]idp.ClientID{"", "nobody", "books", "no\x00body"})
		if len(some) != 1 || some[0].ID != "books" || !some[0].Deleted {
			t.Errorf("named: %+v", some)
		}
		return err
	})
	c := read()
	if !c.Deleted || !c.Knows("new", 5000) || !c.Knows("old", 999) || c.Knows("old", 1000) || c.Knows("", 0) || c.Knows("other", 0) {
		t.Errorf("%+v", c)
	}
	if none := (idp.Client{}); none.Knows("", 0) || none.Knows("x", 0) {
		t.Error("an app without a secret knows one")
	}
	d := door.New(o.Store, nil)
	revive := func() error {
		return o.Store.Update(t.Context(), func(tx idp.Tx) error { return door.ReviveClient(tx, "books") })
	}
	if err := revive(); !errors.Is(err, idp.ErrConflict) {
		t.Error("one that was not disabled:", err)
	}
	if _, err := d.End(t.Context(), idp.EndClient("books", true), signOut()); err != nil {
		t.Fatal(err)
	}
	if err := revive(); !errors.Is(err, idp.ErrConflict) {
		t.Error("one that was deleted:", err)
	}
	update(t, o.Store, func(tx idp.Tx) error { c.Deleted = false; return tx.UpdateClient(c) })
	var old idp.Epochs
	view(t, o.Store, func(v idp.View) (err error) { old, err = v.Epochs("", "books"); return err })
	if err := revive(); err != nil || read().Disabled || !old.Client.IsZero() {
		t.Error(err, old)
	}
}

// A receipt owes while a delivery of it does, or while nobody knows yet whom to tell.
func owedReceipts(t *testing.T, o Opened) {
	p, q := addPerson(t, o.Store), addPerson(t, o.Store)
	var numbers []uint64
	for i := range 8 {
		who := p
		if i == 3 {
			who = q
		}
		r, err := door.New(o.Store, nil).End(t.Context(), idp.EndSession(addSession(t, o.Store, who).Name), signOut())
		if err != nil {
			t.Fatal(err)
		}
		view(t, o.Store, func(v idp.View) error { r, err = v.Receipt(r.ID); return err })
		numbers = append(numbers, r.Number)
	}
	owe := func(i int, states ...idp.DeliveryState) {
		t.Helper()
		update(t, o.Store, func(tx idp.Tx) error {
			for _, s := range states {
				if err := tx.InsertDelivery(idp.Delivery{Receipt: numbers[i], Sid: ledger.NewName(), Client: "books", State: s, CreatedAt: 1}); err != nil {
					return err
				}
			}
			return tx.MoveFanOut(numbers[i], idp.FanPlace{Ending: 1}, 7)
		})
	}
	owe(0, idp.Owed)
	owe(1, idp.Confirmed, idp.GivenUp, idp.Refused, idp.OutOfTime, idp.Unreachable)
	owe(2, idp.Owed, idp.Confirmed, idp.Owed, idp.GivenUp, idp.Owed)
	owe(3, idp.Owed)
	owe(4)
	owe(6, idp.Confirmed, idp.Owed)
	// 5 and 7 are still being worked out, 7 with something owed already.
	update(t, o.Store, func(tx idp.Tx) error {
		return tx.InsertDelivery(idp.Delivery{Receipt: numbers[7], Sid: ledger.NewName(), Client: "books", State: idp.Owed, CreatedAt: 1})
	})
	find := func(f idp.ReceiptFilter, before, limit int, want ...int) {
		t.Helper()
		owed, dead := map[int]int64{0: 1, 2: 3, 3: 1, 6: 1, 7: 1}, map[int]int64{1: 3, 2: 1}
		last := uint64(0)
		if before < len(numbers) {
			last = numbers[before]
		}
		view(t, o.Store, func(v idp.View) error {
			rows, err := v.FindReceipts(f, last, limit)
			var got []int
			for _, r := range rows {
				i := slices.Index(numbers, r.Number)
				got = append(got, i)
				if r.Owed != (idp.Counted{N: owed[i]}) || r.Dead != (idp.Counted{N: dead[i]}) || r.Cause != idp.CauseSignOut || (r.ToldAt == 0) != (i == 5 || i == 7) {
					t.Errorf("receipt %d: %+v", i, r)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%+v before %d: %v, want %v", f, before, got, want)
			}
			return err
		})
	}
	const all, end = 100, 100
	find(idp.ReceiptFilter{}, end, all, 7, 6, 5, 4, 3, 2, 1, 0)
	find(idp.ReceiptFilter{}, 6, 2, 5, 4)
	find(idp.ReceiptFilter{Account: p.id}, 5, 3, 4, 2, 1)
	find(idp.ReceiptFilter{Owed: true}, end, all, 7, 6, 5, 3, 2, 0)
	find(idp.ReceiptFilter{Owed: true}, end, 2, 7, 6)
	find(idp.ReceiptFilter{Owed: true}, 6, 2, 5, 3)
	find(idp.ReceiptFilter{Owed: true}, 3, 2, 2, 0)
	find(idp.ReceiptFilter{Owed: true}, 0, 2)
	find(idp.ReceiptFilter{Owed: true, Account: q.id}, end, all, 3)
	find(idp.ReceiptFilter{Owed: true, Account: p.id}, 6, 2, 5, 2)
	find(idp.ReceiptFilter{Owed: true, Account: "nobody"}, end, all)
}
