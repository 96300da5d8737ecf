package delivery_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Apps on one host share its room, also when what they are owed falls due at once. Counted are attempts, which are written with the lease,
// without those whose answer was on its way by then.
func TestAppsOnOneHost(t *testing.T) {
	w := newWorld(t)
	most, answered := atomic.Int64{}, atomic.Int64{}
	front := w.addApp("app0", func(_ int, _ http.ResponseWriter, _ *http.Request) {
		time.Sleep(50 * time.Millisecond) // a host that takes its time
		n := int64(0)
		if err := w.store.View(t.Context(), func(v idp.View) error {
			all, err := v.Deliveries(idp.DeliveryFilter{State: idp.Owed}, idp.Page{Limit: 100})
			n = 60 - int64(len(all)) // settled
			for _, d := range all {
				n += int64(d.Attempts)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		n -= answered.Load()
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		answered.Add(1)
	})
	ids := []idp.ClientID{"app0"}
	for i := range 9 {
		ids = append(ids, idp.ClientID(fmt.Sprint("app", i+1)))
		w.addClient(ids[i+1], front.url)
	}
	now, err := w.store.Now()
	if err != nil {
		t.Fatal(err)
	}
	w.update(func(tx idp.Tx) error {
		for _, id := range ids {
			for range 6 {
				d := idp.Delivery{Receipt: 1, Sid: ledger.NewName(), Client: id, Account: "alice", State: idp.Owed, CreatedAt: now, Due: now}
				if err := tx.InsertDelivery(d); err != nil {
					return err
				}
			}
		}
		return nil
	})
	w.work(long)
	eventually(t, "60 told", func() bool { return answered.Load() == 60 })
	if n := most.Load(); n < 1 || n > 16 {
		t.Error("leased for one host at once:", n)
	}
}

// Grants that an app knows by one sid are one message: it has offline access from a sign-in, twice, and all of that ends.
func TestOneSidOneMessage(t *testing.T) {
	w := newWorld(t)
	app := w.addApp("app", nil)
	session, sids := w.signIn(long, "app")
	w.update(func(tx idp.Tx) error {
		e, err := tx.Epochs(w.account, "app")
		if err != nil {
			return err
		}
		for range 600 { // more than one batch
			g := idp.Grant{Name: ledger.NewName(), Account: w.account, Client: "app", Here: session, Epochs: e, RedeemedAt: 1}
			if err := tx.InsertGrant(g); err != nil {
				return err
			}
			if err := tx.InsertFamily(idp.Family{Name: ledger.NewName(), Grant: g.Name, Sid: sids["app"], Client: "app"}); err != nil {
				return err
			}
		}
		return nil
	})
	r := w.end(idp.EndAccount(w.account, idp.AccountActive))
	w.work(long)
	eventually(t, "the end of the fan-out", func() bool {
		w.store.View(t.Context(), func(v idp.View) (err error) { r, err = v.Receipt(r.ID); return err })
		return r.ToldAt != 0
	})
	w.state(r, sids["app"], idp.Confirmed)
	if n := len(app.got()); n != 1 {
		t.Error("told", n, "times")
	}
}

// A person's sign-out does not wait for one that reaches thousands.
func TestShortBeforeLong(t *testing.T) {
	w := newWorld(t)
	w.addApp("crowd", nil)
	app := w.addApp("app", nil)
	session, sids := w.signIn(long, "app")
	for range 10 { // not in one transaction: Postgres takes a connection away from who lets it wait
		w.update(func(tx idp.Tx) error {
			e, err := tx.Epochs(w.account, "crowd")
			if err != nil {
				return err
			}
			for range 500 {
				g := idp.Grant{Name: ledger.NewName(), Account: w.account, Client: "crowd", Session: session, Epochs: idp.Epochs{Client: e.Client, Consent: e.Consent}, RedeemedAt: 1}
				if err := tx.InsertGrant(g); err != nil {
					return err
				}
			}
			return nil
		})
	}
	all := w.end(idp.EndClient("crowd", false))
	mine := w.end(idp.EndSession(session))
	w.work(long)
	w.state(mine, sids["app"], idp.Confirmed)
	at := func(r idp.Receipt) idp.Time {
		eventually(t, "the end of the fan-out", func() bool {
			w.store.View(t.Context(), func(v idp.View) (err error) { r, err = v.Receipt(r.ID); return err })
			return r.ToldAt != 0
		})
		return r.ToldAt
	}
	if at(mine) >= at(all) || len(app.got()) != 1 {
		t.Errorf("fanned out at %d, the long one at %d; told %d times", at(mine), at(all), len(app.got()))
	}
}

// Thousands who are signed out at once do not hold up one who signs out after them.
func TestFanOutIsFair(t *testing.T) {
	w := newWorld(t)
	const crowd = 600
	w.addApp("crowded", nil)
	w.addApp("single", nil)
	apps := make([]idp.ClientID, 100)
	for i := range apps {
		apps[i] = "crowded"
	}
	for range crowd / len(apps) {
		w.signIn(long, apps...)
	}
	session, sids := w.signIn(long, "single")
	many := w.end(idp.EndClient("crowded", false))
	one := w.end(idp.EndSession(session))
	w.work(long)
	d := w.state(one, sids["single"], idp.Confirmed)
	eventually(t, "all are expanded", func() bool {
		err := w.store.View(t.Context(), func(v idp.View) (err error) { many, err = v.Receipt(many.ID); return err })
		return err == nil && many.ToldAt != 0
	})
	if d.CreatedAt >= many.ToldAt {
		t.Error("one waits for thousands")
	}
}

// A dead app holds up nobody: with everything it is owed still owed, others are told at once.
func TestDeadAppDelaysNobody(t *testing.T) {
	w := newWorld(t)
	w.patience = time.Second
	under, most := atomic.Int64{}, atomic.Int64{}
	w.addApp("dead", func(_ int, _ http.ResponseWriter, r *http.Request) {
		n := under.Add(1)
		defer under.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-r.Context().Done()
	})
	alive := w.addApp("alive", nil)
	w.work(long)
	for range 60 {
		session, _ := w.signIn(long, "dead", "alive")
		w.end(idp.EndSession(session))
	}
	eventually(t, "60 told", func() bool { return len(alive.got()) == 60 })
	if most.Load() > 16 {
		t.Error("calls under way to the dead app:", most.Load())
	}
	eventually(t, "the calls end", func() bool { return under.Load() == 0 })
	time.Sleep(300 * time.Millisecond)
	if n := under.Load(); n > 1 {
		t.Error("a host that does not answer is called", n, "times at once")
	}
}

// Two workers on one database share the work: everybody is told, and nobody twice.
func TestWorkersShare(t *testing.T) {
	w := newWorld(t)
	apps := []idp.ClientID{"a1", "a2", "a3", "a4"}
	var all []*app
	for _, id := range apps {
		all = append(all, w.addApp(id, nil))
	}
	for range 50 {
		w.signIn(long, apps...)
	}
	w.work(long)
	w.work(long)
	r := w.end(idp.EndAccount(w.account, idp.AccountActive))
	eventually(t, "all are told", func() bool {
		n := int64(0)
		w.store.View(t.Context(), func(v idp.View) error {
			told, err := v.ToldOf(r.Number)
			for _, x := range told {
				if x.State == idp.Confirmed {
					n += x.Count
				}
			}
			return err
		})
		return n == 200
	})
	for _, a := range all {
		if n := len(a.got()); n != 50 {
			t.Errorf("%s was told %d times of 50", a.id, n)
		}
	}
}

// An app is not left alone for another one behind the same host that is dead.
func TestDeadAppOnTheSameHost(t *testing.T) {
	w := newWorld(t)
	dead := w.addApp("dead", func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/backchannel" {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	w.addClient("alive", strings.TrimSuffix(dead.url, "/backchannel")+"/alive")
	w.work(long)
	for range 8 {
		session, _ := w.signIn(long, "dead")
		w.end(idp.EndSession(session))
	}
	eventually(t, "the dead app has failed often", func() bool { return len(dead.got()) >= 8 })
	session, sids := w.signIn(long, "alive")
	d := w.state(w.end(idp.EndSession(session)), sids["alive"], idp.Confirmed)
	if d.AttemptedAt != d.CreatedAt || d.Attempts != 1 {
		t.Errorf("waited %d ms, attempts: %d", d.AttemptedAt-d.CreatedAt, d.Attempts)
	}
}

// The end of the realm waits for no lock, so a code may be redeemed while it commits: who is pending then is told, and once more.
func TestRealmTellsThePending(t *testing.T) {
	w := newWorld(t)
	app := w.addApp("app", nil)
	session, _ := w.signIn(long)
	sid := ledger.NewName()
	w.update(func(tx idp.Tx) error {
		e, err := tx.Epochs(w.account, "app")
		if err != nil {
			return err
		}
		return tx.InsertGrant(idp.Grant{Name: sid, Account: w.account, Client: "app", Session: session, Epochs: idp.Epochs{Client: e.Client, Consent: e.Consent}})
	})
	w.work(long)
	d := w.state(w.end(idp.EndRealm()), sid, idp.Confirmed)
	if d.Due < d.ConfirmedAt.Add(idp.AgainAfter) || len(app.got()) != 1 {
		t.Errorf("told %d times; %+v", len(app.got()), d)
	}
}
