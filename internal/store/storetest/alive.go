package storetest

import (
	"errors"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
)

// The count of live sessions is what the ledger says of each, whatever has ended, in whatever order, and whatever is swept meanwhile.
func alive(t *testing.T, o Opened) {
	var all []idp.Session
	into := func(p person, n int) (out []idp.Session) {
		for range n {
			out = append(out, addSession(t, o.Store, p))
		}
		all = append(all, out...)
		return out
	}
	check := func(what string, want int64) {
		t.Helper()
		view(t, o.Store, func(v idp.View) error {
			h, err := v.Head()
			if err != nil {
				return err
			}
			one := int64(0)
			for _, s := range all {
				now, err := v.Session(s.Name)
				if errors.Is(err, idp.ErrNotFound) { // swept
					continue
				} else if err != nil {
					return err
				}
				if err := idp.Live(v, now.Names()...); err == nil && !now.Expired(h.Time) {
					one++
				} else if err != nil && !errors.Is(err, idp.ErrEnded) {
					return err
				}
			}
			if n, counted, err := v.SessionsAlive(h.Time, 0); n != want || one != want || !counted || err != nil {
				t.Errorf("%s: counted %d (%v, %v), one by one %d, want %d", what, n, counted, err, one, want)
			}
			return nil
		})
	}
	end := func(s idp.Selector, kind idp.CauseKind) (number uint64) {
		t.Helper()
		if _, err := door.New(o.Store, nil).End(t.Context(), s, idp.Cause{Kind: kind, Actor: "test:it"}); err != nil {
			t.Fatal(err)
		}
		view(t, o.Store, func(v idp.View) error {
			r, err := v.Receipts("", 0, 1)
			number = r[0].Number
			return err
		})
		return number
	}
	sweep := func(receipts ...uint64) {
		t.Helper()
		update(t, o.Store, func(tx idp.Tx) error {
			for _, n := range receipts {
				if err := tx.MoveFanOut(n, idp.FanPlace{Ending: 1}, 7); err != nil {
					return err
				}
			}
			_, err := tx.Sweep(1<<50, 1000)
			return err
		})
	}

	p, q, r := addPerson(t, o.Store), addPerson(t, o.Store), addPerson(t, o.Store)
	check("nobody", 0)
	of, others, third := into(p, 3), into(q, 3), into(r, 2)
	check("eight", 8)
	view(t, o.Store, func(v idp.View) error {
		h, _ := v.Head()
		if n, counted, err := v.SessionsAlive(h.Time, 8); n != 8 || !counted || err != nil {
			t.Error("eight among eight rows:", n, counted, err)
		}
		if n, counted, err := v.SessionsAlive(h.Time, 7); n != 0 || counted || err != nil {
			t.Error("eight are more than seven rows:", n, counted, err)
		}
		if n, counted, err := v.SessionsAlive(h.Time+1<<40, 0); n != 0 || !counted || err != nil {
			t.Error("when all have expired:", n, counted, err)
		}
		return nil
	})
	one := end(idp.EndSession(of[0].Name), idp.CauseSignOut)
	check("one has ended", 7)
	whole := end(idp.EndAccount(p.id, idp.AccountActive), idp.CauseEverywhere)
	check("and all of its person", 5)
	end(idp.EndOthers(q.id, others[2].Name, idp.ReRoot{}), idp.CauseOthers)
	check("and all others of another", 3)
	end(idp.EndSession(others[1].Name), idp.CauseSignOut)
	check("and one of them once more, by its name", 3)
	sweep(one)
	check("the first one's row is swept", 3)
	sweep(whole)
	check("and those of its person", 3)
	if n := swept(t, o.Store, all); n != 3 {
		t.Fatal("not three rows are swept, but", n)
	}
	update(t, o.Store, func(tx idp.Tx) error { // long ago, and nobody has looked
		s := newSession(r, 1000)
		all = append(all, s)
		return tx.InsertSession(s)
	})
	check("one has expired", 3)
	end(idp.EndSession(all[len(all)-1].Name), idp.CauseExpiry)
	check("and its end is written", 3)

	end(idp.EndRealm(), idp.CauseRealmEnded)
	check("the realm has ended", 0)
	view(t, o.Store, func(v idp.View) (err error) { p.epochs, err = v.Epochs(p.id, ""); return err })
	fresh := into(p, 2)
	check("two are new", 2)
	end(idp.EndSession(third[0].Name), idp.CauseSignOut)
	end(idp.EndSession(fresh[0].Name), idp.CauseSignOut)
	check("one of them has ended, and one of the old ones once more", 1)
}

func swept(t *testing.T, s idp.Store, all []idp.Session) (n int) {
	t.Helper()
	view(t, s, func(v idp.View) error {
		for _, one := range all {
			if _, err := v.Session(one.Name); errors.Is(err, idp.ErrNotFound) {
				n++
			}
		}
		return nil
	})
	return n
}

// Reads side by side read what they would have read in turn, and the first error in their order is told.
func abreast(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	s := addSession(t, o.Store, p)
	wrong, later := errors.New("wrong"), errors.New("later")
	see := func(v idp.View) error {
		var a idp.Account
		var rows []idp.Session
		var names map[idp.AccountID]string
		var over []idp.Name
		err := v.Abreast(
			func(v idp.View) (err error) { a, err = v.Account(p.id); return err },
			func(v idp.View) error { return nil },
			func(v idp.View) error { // asks three times, the last time with two of its own beside each other
				e, err := v.Epochs(p.id, "")
				if err != nil {
					return err
				}
				if rows, err = v.Sessions(p.id, e.Realm, e.Account, idp.Page{Limit: 5}); err != nil {
					return err
				}
				return v.Abreast(
					func(v idp.View) (err error) { names, err = v.Usernames([]idp.AccountID{p.id}); return err },
					func(v idp.View) (err error) { over, err = v.Ended(s.Names()...); return err })
			})
		if err != nil || a.ID != p.id || len(rows) != 1 || rows[0].Name != s.Name || names[p.id] != string(p.id) || len(over) > 0 {
			t.Error("side by side:", a, rows, names, over, err)
		}
		if err := v.Abreast(); err != nil {
			t.Error("nothing beside nothing:", err)
		}
		err = v.Abreast(
			func(v idp.View) error { _, err := v.Account(p.id); return errors.Join(err, wrong) },
			func(v idp.View) error { return later })
		if !errors.Is(err, wrong) {
			t.Error("an error, and one behind it:", err)
		}
		err = v.Abreast(
			func(v idp.View) error { _, err := v.Account("nobody"); return err },
			func(v idp.View) error { _, err := v.Account(p.id); return err })
		if !errors.Is(err, idp.ErrNotFound) {
			t.Error("nobody:", err)
		}
		func() {
			defer func() {
				if recover() != "out" {
					t.Error("a panic went elsewhere")
				}
			}()
			_ = v.Abreast(
				func(v idp.View) error { _, err := v.Account(p.id); return err },
				func(v idp.View) error { panic("out") })
		}()
		again, err := v.Account(p.id) // it can be asked as before
		same(t, "afterwards", again, a, err)
		return nil
	}
	view(t, o.Store, see)
	if err := o.Store.Look(t.Context(), see); err != nil {
		t.Error(err)
	}
	update(t, o.Store, func(tx idp.Tx) error { return see(tx) })
}
