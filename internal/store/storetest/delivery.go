package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// stay is a person in a session, with grants of apps.
type stay struct {
	person
	session idp.Session
}

func addApp(t testing.TB, s idp.Store, id idp.ClientID) {
	t.Helper()
	update(t, s, func(tx idp.Tx) error { return tx.InsertClient(idp.Client{ID: id}, ledger.NewName()) })
}

// grant gives an app a redeemed grant in a session, and, if offline, one that outlives it.
func (w *stay) grant(t testing.TB, s idp.Store, app idp.ClientID, offline bool) (sid idp.Name) {
	t.Helper()
	sid = ledger.NewName()
	update(t, s, func(tx idp.Tx) error {
		if err := tx.PutConsent(idp.Consent{Account: w.id, Client: app}, ledger.NewName()); err != nil {
			return err
		}
		e, err := tx.Epochs(w.id, app)
		if err != nil {
			return err
		}
		bound := idp.Grant{Name: sid, Account: w.id, Client: app, Session: w.session.Name, Epochs: idp.Epochs{Client: e.Client, Consent: e.Consent}, RedeemedAt: 5}
		if err := tx.InsertGrant(bound); err != nil {
			return err
		}
		if err := tx.PutSlot(idp.Slot{Session: w.session.Name, Client: app, Grant: sid}); err != nil || !offline {
			return err
		}
		away := idp.Grant{Name: ledger.NewName(), Account: w.id, Client: app, Here: w.session.Name, Epochs: e, RedeemedAt: 5}
		if err := tx.InsertGrant(away); err != nil {
			return err
		}
		return tx.InsertFamily(idp.Family{Name: ledger.NewName(), Grant: away.Name, Sid: sid, Client: app, ExpiresAt: 1 << 60})
	})
	return sid
}

// fanned expands all that is owed, a few at a time, and returns what apps are to be told, receipt by receipt.
func fanned(t testing.TB, s idp.Store, step int) (out map[uint64][]idp.Name) {
	t.Helper()
	out = map[uint64][]idp.Name{}
	for more := true; more; {
		update(t, s, func(tx idp.Tx) error {
			all, err := tx.FanOuts(10)
			more = len(all) > 0
			if err != nil || !more {
				return err
			}
			f := all[0]
			found, err := tx.Participants(f, step)
			if err != nil {
				return err
			}
			for _, p := range found {
				if err := tx.InsertDelivery(idp.Delivery{Receipt: f.Number, Sid: p.Sid, Client: p.Client, Account: p.Account, State: idp.Owed, CreatedAt: 1, Due: 1}); err != nil {
					return err
				}
				out[f.Number] = append(out[f.Number], p.Sid)
				f.At.Account, f.At.Grant = p.Account, p.Grant
			}
			told := idp.Time(0)
			if len(found) < step {
				f.At = idp.FanPlace{Ending: f.At.Ending + 1}
				if f.At.Ending == len(f.Endings) {
					told = 7
				}
			}
			return tx.MoveFanOut(f.Number, f.At, told)
		})
	}
	return out
}

// Who is told of what: those with a grant beneath, each by the `sid` it knows, and by the first ending that took it only.
func fanOut(t *testing.T, o Opened) {
	ctx := t.Context()
	d := door.New(o.Store, nil)
	end := func(s idp.Selector, k idp.CauseKind) uint64 {
		t.Helper()
		r, err := d.End(ctx, s, idp.Cause{Kind: k, Actor: "test:it"})
		if err != nil {
			t.Fatal(err)
		}
		view(t, o.Store, func(v idp.View) (err error) { r, err = v.Receipt(r.ID); return err })
		return r.Number
	}
	expect := func(what string, number uint64, want ...idp.Name) {
		t.Helper()
		got := fanned(t, o.Store, 2)
		if len(got) > 1 || len(want) > 0 && len(got) == 0 {
			t.Errorf("%s: %d receipts told", what, len(got))
		}
		mine := got[number]
		slices.SortFunc(mine, idp.Name.Compare)
		mine = slices.Compact(mine)
		slices.SortFunc(want, idp.Name.Compare)
		if !slices.Equal(mine, want) {
			t.Errorf("%s: told %v, want %v", what, mine, want)
		}
	}
	for _, id := range []idp.ClientID{"books", "news", "maps"} {
		addApp(t, o.Store, id)
	}
	p, other := addPerson(t, o.Store), addPerson(t, o.Store)
	a, b := &stay{p, addSession(t, o.Store, p)}, &stay{p, addSession(t, o.Store, p)}
	c := &stay{other, addSession(t, o.Store, other)}
	books, news, maps := a.grant(t, o.Store, "books", true), a.grant(t, o.Store, "news", false), a.grant(t, o.Store, "maps", false)
	there, elsewhere := b.grant(t, o.Store, "books", false), c.grant(t, o.Store, "books", false)
	update(t, o.Store, func(tx idp.Tx) error { // pending: its code was never redeemed
		return tx.InsertGrant(idp.Grant{Name: ledger.NewName(), Account: p.id, Client: "maps", Session: a.session.Name})
	})

	expect("a token", end(idp.EndToken(ledger.NewName()), idp.CauseRevoked))
	expect("an app", end(idp.EndApp(a.session.Name, "maps"), idp.CauseAppSignOut), maps)
	expect("a session, without the app that left before", end(idp.EndSession(a.session.Name), idp.CauseSignOut), books, news)
	reached := func(what string, sessions, families int64) {
		t.Helper()
		view(t, o.Store, func(v idp.View) error {
			all, err := v.Receipts("", 0, 1)
			if err != nil {
				return err
			}
			s, f, err := v.Reached(all[0])
			if s != sessions || f != families {
				t.Errorf("%s: reached %d sessions and %d families, want %d and %d", what, s, f, sessions, families)
			}
			return err
		})
	}
	reached("a session", 1, 0)
	expect("everywhere: the other session, and what is offline, by the sid that its app knows", end(idp.EndAccount(p.id, idp.AccountActive), idp.CauseEverywhere), books, there)
	reached("everywhere", 1, 1)
	update(t, o.Store, func(tx idp.Tx) error { _, err := tx.Sweep(1<<50, 1000); return err })
	reached("everywhere, when its rows are swept", 1, 1)
	expect("a consent", end(idp.EndConsent(other.id, "books"), idp.CauseConsentWithdrawn), elsewhere)
	view(t, o.Store, func(v idp.View) error {
		e, err := v.Epochs(p.id, "")
		a.person.epochs, b.person.epochs = e, e
		return err
	})
	a.session, b.session = addSession(t, o.Store, a.person), addSession(t, o.Store, b.person)
	kept, gone := a.grant(t, o.Store, "maps", true), b.grant(t, o.Store, "maps", true)
	expect("all others, without the sign-in of the one that acts, whose app has offline access", end(idp.EndOthers(p.id, a.session.Name, idp.ReRoot{}), idp.CauseOthers), gone)
	expect("the one that acted, later", end(idp.EndSession(a.session.Name), idp.CauseSignOut), kept)
	view(t, o.Store, func(v idp.View) (err error) { a.person.epochs, err = v.Epochs(p.id, ""); return err })
	a.session = addSession(t, o.Store, a.person)
	again, third := a.grant(t, o.Store, "books", false), c.grant(t, o.Store, "news", false)
	expect("a client", end(idp.EndClient("books", false), idp.CauseClientEnded), again)
	expect("the realm", end(idp.EndRealm(), idp.CauseRealmEnded), third)

	x := addPerson(t, o.Store)
	s := &stay{x, addSession(t, o.Store, x)}
	sid := s.grant(t, o.Store, "books", false)
	first, second := end(idp.EndClient("books", false), idp.CauseClientEnded), end(idp.EndSession(s.session.Name), idp.CauseSignOut)
	update(t, o.Store, func(tx idp.Tx) error { // the second is quicker, and its time is over
		if err := tx.MoveFanOut(second, idp.FanPlace{Ending: 1}, 7); err != nil {
			return err
		}
		_, err := tx.Sweep(1<<50, 1000)
		return err
	})
	expect("a client, after another end of the same sign-in was told and swept", first, sid)
}

// Deliveries are leased once, settled once, and found by operators until they are confirmed.
func deliveries(t *testing.T, o Opened) {
	second := o.Second(t)
	sids := make([]idp.Name, 5)
	update(t, o.Store, func(tx idp.Tx) error {
		for i := range sids {
			sids[i] = ledger.NewName()
			d := idp.Delivery{Receipt: uint64(i + 1), Sid: sids[i], Client: "books", Account: "alice", State: idp.Owed, CreatedAt: 10, Due: idp.Time(100 + i)}
			switch i {
			case 3:
				d.Client, d.Due = "news", 5000
			case 4:
				d.State, d.Due = idp.Unreachable, 0
			}
			if err := tx.InsertDelivery(d); err != nil {
				return err
			}
			if err := tx.InsertDelivery(idp.Delivery{Receipt: d.Receipt, Sid: d.Sid, Client: "other", State: idp.Owed}); err != nil {
				return err
			}
		}
		return nil
	})
	var took []idp.Delivery
	lease := func(s idp.Store, now idp.Time, limit int) (out []idp.Delivery) {
		t.Helper()
		update(t, s, func(tx idp.Tx) (err error) { out, err = tx.LeaseDeliveries("books", now, now+1000, limit); return err })
		return out
	}
	took = lease(o.Store, 101, 10)
	if len(took) != 2 || took[0].Sid != sids[0] || took[0].Attempts != 1 || took[0].Due != 1101 || took[0].AttemptedAt != 101 {
		t.Fatalf("leased %+v", took)
	}
	if more := lease(second, 102, 10); len(more) != 1 || more[0].Sid != sids[2] {
		t.Fatalf("the second node leased %+v", more)
	}
	settle := func(s idp.Store, d idp.Delivery) (ok bool) {
		t.Helper()
		update(t, s, func(tx idp.Tx) error {
			all, err := tx.SettleDeliveries([]idp.Delivery{d})
			ok = err == nil && all[0]
			return err
		})
		return ok
	}
	d := took[0]
	d.State, d.Due, d.ConfirmedAt, d.Status = idp.Confirmed, 0, 200, 204
	if !settle(o.Store, d) || settle(o.Store, d) {
		t.Error("settled not once")
	}
	late := took[1]
	if again := lease(second, 1200, 10); len(again) != 2 || again[0].Attempts != 2 {
		t.Fatalf("after the lease: %+v", again)
	}
	late.State = idp.Refused
	if settle(o.Store, late) {
		t.Error("settled by who has lost the lease")
	}
	id := took[1].ID()
	update(t, o.Store, func(tx idp.Tx) error {
		gone, err := tx.GiveUp(id)
		if err != nil || !gone {
			t.Error("give up:", gone, err)
		}
		return nil
	})
	list := func(f idp.DeliveryFilter, p idp.Page) (out []idp.Delivery) {
		t.Helper()
		view(t, o.Store, func(v idp.View) (err error) { out, err = v.Deliveries(f, p); return err })
		return out
	}
	if l := list(idp.DeliveryFilter{}, idp.Page{Limit: 10}); len(l) != 3 || l[0].State != idp.GivenUp {
		t.Errorf("listed %+v", l)
	} else if rest := list(idp.DeliveryFilter{}, idp.Page{Limit: 10, After: l[0].ID().String()}); len(rest) != 2 {
		t.Errorf("behind the first: %+v", rest)
	}
	if l := list(idp.DeliveryFilter{Dead: true}, idp.Page{Limit: 10}); len(l) != 1 || l[0].ID() != id {
		t.Errorf("dead: %+v", l)
	}
	if l := list(idp.DeliveryFilter{Client: "news", State: idp.Owed}, idp.Page{Limit: 10}); len(l) != 1 || l[0].Sid != sids[3] {
		t.Errorf("of news: %+v", l)
	}
	view(t, o.Store, func(v idp.View) error {
		b, err := v.Backlogs(3000)
		if len(b) != 1 || b[0].Client != "books" || err != nil {
			t.Errorf("due: %+v, %v", b, err)
		}
		if b, err = v.Backlogs(5000); len(b) != 2 || err != nil {
			t.Errorf("due later: %+v, %v", b, err)
		}
		counts, err := v.DeliveryCounts()
		if len(counts) != 3 || counts[0].Client != "books" || counts[0].State != idp.GivenUp || counts[0].Count != 1 || counts[0].Since != 10 || err != nil {
			t.Errorf("counts: %+v, %v", counts, err)
		}
		told, err := v.ToldOf(1)
		if len(told) != 1 || told[0].State != idp.Confirmed || told[0].Last != 200 || err != nil {
			t.Errorf("told: %+v, %v", told, err)
		}
		oldest, err := v.OldestOwed()
		if oldest != 10 || err != nil {
			t.Error("oldest:", oldest, err)
		}
		return err
	})
	update(t, o.Store, func(tx idp.Tx) error {
		if back, err := tx.SendAgain(d.ID(), 4000); err != nil || back {
			t.Error("what was confirmed is owed again:", back, err)
		}
		if back, err := tx.SendAgain(id, 4000); err != nil || !back {
			t.Error("send again:", back, err)
		}
		// What could not be told may be, once its app can be: that is the caller's to look at.
		if back, err := tx.SendAgain(idp.DeliveryID{Receipt: 5, Sid: sids[4]}, 1<<40); err != nil || !back {
			t.Error("what could not be told is not owed:", back, err)
		}
		return nil
	})
	view(t, o.Store, func(v idp.View) error {
		now, err := v.Delivery(id)
		if now.CreatedAt != 10 || now.Since != 4000 || now.State != idp.Owed {
			t.Errorf("sent again: %+v", now)
		}
		return err
	})
	again := lease(o.Store, 4000, 10)
	if len(again) != 2 {
		t.Fatalf("after sending again: %+v", again)
	}
	update(t, o.Store, func(tx idp.Tx) error { // while an attempt is under way
		done, err := tx.SendAgain(again[0].ID(), 4010)
		if !done {
			t.Error("not sent again")
		}
		return err
	})
	before := again[0]
	before.State, before.Due = idp.Refused, 0
	if settle(o.Store, before) {
		t.Error("an attempt from before it was sent again has settled it")
	}
	fresh := lease(o.Store, 4010, 10)
	if len(fresh) != 1 || fresh[0].ID() != before.ID() || fresh[0].Attempts != 1 {
		t.Fatalf("sent again: %+v", fresh)
	}
	d = fresh[0]
	d.Due = 4700 // tried, and to be tried again
	if !settle(o.Store, d) {
		t.Error("not settled")
	}
	free := func(now idp.Time) (n int64) {
		t.Helper()
		update(t, o.Store, func(tx idp.Tx) (err error) { n, err = tx.FreeLeases(now, time.Second); return err })
		return n
	}
	if n := free(4500); n != 1 {
		t.Errorf("freed %d leases of one", n)
	}
	freed := lease(o.Store, 4500, 10)
	if len(freed) != 1 || freed[0].Sid != again[1].Sid {
		t.Fatalf("leased after that: %+v", freed)
	}
	if n := free(5500); n != 0 {
		t.Errorf("freed %d leases that were over", n)
	}
	update(t, o.Store, func(tx idp.Tx) error {
		_, err := tx.GiveUp(freed[0].ID())
		return err
	})
	done := freed[0]
	failed := done
	failed.Due = 4800
	if settle(o.Store, failed) {
		t.Error("what was given up is owed again by an attempt that was under way")
	}
	done.State, done.Due, done.ConfirmedAt = idp.Confirmed, 0, 4300
	if !settle(o.Store, done) {
		t.Error("a confirmation that came after giving up is lost")
	}
}

// lateAnswers: an attempt from before an operator asked for another settles nothing, but that it was confirmed is never lost.
func lateAnswers(t *testing.T, o Opened) {
	addApp(t, o.Store, "books")
	id := idp.DeliveryID{Receipt: 1, Sid: ledger.NewName()}
	update(t, o.Store, func(tx idp.Tx) error {
		return tx.InsertDelivery(idp.Delivery{Receipt: id.Receipt, Sid: id.Sid, Client: "books", State: idp.Owed, CreatedAt: 10, Due: 10})
	})
	lease := func(now idp.Time) (d idp.Delivery) {
		t.Helper()
		update(t, o.Store, func(tx idp.Tx) error {
			all, err := tx.LeaseDeliveries("books", now, now+1000, 10)
			if len(all) != 1 {
				t.Fatalf("leased %+v, %v", all, err)
			}
			d = all[0]
			return err
		})
		return d
	}
	settle := func(d idp.Delivery, want bool) (as idp.Delivery) {
		t.Helper()
		update(t, o.Store, func(tx idp.Tx) error {
			all := []idp.Delivery{d}
			settled, err := tx.SettleDeliveries(all)
			if err == nil && settled[0] != want {
				t.Errorf("settled: %t", settled[0])
			}
			as = all[0]
			return err
		})
		return as
	}
	row := func() (d idp.Delivery) {
		t.Helper()
		view(t, o.Store, func(v idp.View) (err error) { d, err = v.Delivery(id); return err })
		return d
	}
	first := lease(10)
	for _, since := range []idp.Time{100, 101} { // twice in one millisecond
		update(t, o.Store, func(tx idp.Tx) error {
			_, err := tx.SendAgain(id, 100)
			return err
		})
		if d := row(); d.Since != since || d.Attempts != 0 {
			t.Errorf("sent again: %+v", d)
		}
	}
	second := lease(100)
	first.State, first.Due = idp.Refused, 0
	settle(first, false)
	if d := row(); d.State != idp.Owed || d.Due != second.Due {
		t.Errorf("settled by an attempt from before: %+v", d)
	}
	first.State, first.ConfirmedAt = idp.Confirmed, 150
	settle(first, true)
	if d := row(); d.State != idp.Owed || d.ConfirmedAt != 150 {
		t.Errorf("confirmed by an attempt from before: %+v", d)
	}
	second.Due, second.Error = 200, "it answered 503"
	settle(second, true)
	if d := row(); d.State != idp.Owed || d.ConfirmedAt != 150 || d.Due != 200 {
		t.Errorf("to be tried again: %+v", d)
	}
	update(t, o.Store, func(tx idp.Tx) error {
		other := idp.Delivery{Receipt: 2, Sid: id.Sid, Client: "news", State: idp.Owed, CreatedAt: 10, Due: 10, ConfirmedAt: 150}
		err := tx.InsertDelivery(other)
		stopped, wrong := tx.GiveUp(other.ID())
		if d, wrong := tx.Delivery(other.ID()); !stopped || d.State != idp.Confirmed || d.ConfirmedAt != 150 || d.Due != 0 || wrong != nil {
			t.Errorf("given up after it was confirmed: %+v %v", d, wrong)
		}
		return errors.Join(err, wrong)
	})
	third := lease(200)
	third.State, third.Due, third.ConfirmedAt, third.Error = idp.Refused, 0, 0, "it answered 400"
	if as := settle(third, true); as.State != idp.Confirmed || as.ConfirmedAt != 150 {
		t.Errorf("told as %+v", as)
	}
	if d := row(); d.State != idp.Confirmed || d.ConfirmedAt != 150 || d.Due != 0 {
		t.Errorf("refused after it was confirmed: %+v", d)
	}
}
