package storetest

import (
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// heldFamilies: whose a refresh token is, and that it is over with whatever it hangs on.
func heldFamilies(t *testing.T, o Opened) {
	d := door.New(o.Store, nil)
	p := addPerson(t, o.Store)
	family := func(app idp.ClientID, grant, sid idp.Name) (f idp.Family) {
		f = idp.Family{Name: ledger.NewName(), Grant: grant, Sid: sid, Client: app, Handle: idp.HashOf(idp.NewSecret(16)), Cur: idp.HashOf("1"), ExpiresAt: 1 << 60}
		update(t, o.Store, func(tx idp.Tx) error { return tx.InsertFamily(f) })
		return f
	}
	held := func(h idp.Hash) (out idp.Held, err error) {
		view(t, o.Store, func(v idp.View) error { out, err = v.HeldByHandle(h); return nil })
		return out, err
	}
	for _, app := range []idp.ClientID{"a", "b", "c", "d", "e", "f"} {
		addApp(t, o.Store, app)
		w := &stay{p, addSession(t, o.Store, p)}
		sid := w.grant(t, o.Store, app, true)
		var away idp.Grant
		view(t, o.Store, func(v idp.View) error {
			all, err := v.OfflineFrom(w.session.Name, app)
			away = all[0]
			return err
		})
		bound, offline := family(app, sid, sid), family(app, away.Name, sid)
		want := idp.Held{Name: bound.Name, Client: app, Account: p.id, Session: w.session.Name}
		got, err := held(bound.Handle)
		same(t, "held in a session", got, want, err)
		lasting := idp.Held{Name: offline.Name, Client: app, Account: p.id}
		got, err = held(offline.Handle)
		same(t, "held offline", got, lasting, err)
		switch app { // want.Over and lasting.Over are what the end of one name reaches
		case "a":
			end(t, d, idp.EndHeld(want))
			want.Over = true
			view(t, o.Store, func(v idp.View) error {
				r, err := v.ReceiptOfEnding(bound.Name)
				if r.Account != p.id || r.Client != app || r.Session != w.session.Name {
					t.Errorf("the receipt of what was read: %+v", r)
				}
				return err
			})
		case "b":
			end(t, d, idp.EndThis(&w.session))
			want.Over = true
		case "c":
			end(t, d, idp.EndApp(w.session.Name, app))
			want.Over, lasting.Over = true, true
		case "d":
			end(t, d, idp.EndConsent(p.id, app))
			want.Over, lasting.Over = true, true
		case "e":
			end(t, d, idp.EndClient(app, false))
			want.Over, lasting.Over = true, true
		case "f":
			end(t, d, idp.EndAccount(p.id, idp.AccountActive))
			want.Over, lasting.Over = true, true
		}
		got, err = held(bound.Handle)
		same(t, "held in a session, afterwards", got, want, err)
		got, err = held(offline.Handle)
		same(t, "held offline, afterwards", got, lasting, err)
		update(t, o.Store, func(tx idp.Tx) error { // what a transaction reads of it is not taken for the ledger's word on its name
			if _, err := tx.HeldByHandle(bound.Handle); err != nil {
				return err
			}
			over, err := tx.Ended(bound.Name)
			if (len(over) == 1) != (app == "a") {
				t.Errorf("%s: the family's own name: %d endings", app, len(over))
			}
			return err
		})
	}
	_, err := held(idp.HashOf("nobody's"))
	missing(t, "family", err)
	_, err = held(family("a", ledger.NewName(), idp.Name{}).Handle)
	missing(t, "family without a grant", err)
}

// partings: whose a grant is, and whom a browser waits for that signs out of its session.
func partings(t *testing.T, o Opened) {
	for _, c := range []idp.Client{{ID: "awaited", AwaitLogout: true}, {ID: "not"}, {ID: "elsewhere", AwaitLogout: true}} {
		update(t, o.Store, func(tx idp.Tx) error { return tx.InsertClient(c, ledger.NewName()) })
	}
	p := addPerson(t, o.Store)
	here, there := &stay{p, addSession(t, o.Store, p)}, &stay{p, addSession(t, o.Store, p)}
	sid := here.grant(t, o.Store, "not", false)
	away := there.grant(t, o.Store, "elsewhere", true)
	expect := func(n idp.Name, want idp.Parting) {
		t.Helper()
		for range 2 { // the second may come from a cache
			var got idp.Parting
			err := o.Store.Look(t.Context(), func(v idp.View) (err error) { got, err = v.Parting(n); return err })
			same(t, "parting", got, want, err)
		}
	}
	want := idp.Parting{Account: p.id, Client: "not", Session: here.session.Name}
	expect(sid, want)
	here.grant(t, o.Store, "awaited", false)
	want.Awaited = []idp.ClientID{"awaited"}
	expect(sid, want)
	update(t, o.Store, func(tx idp.Tx) error { return tx.UpdateClient(idp.Client{ID: "awaited"}) })
	want.Awaited = nil
	expect(sid, want)
	expect(away, idp.Parting{Account: p.id, Client: "elsewhere", Session: there.session.Name, Awaited: []idp.ClientID{"elsewhere"}})
	view(t, o.Store, func(v idp.View) error {
		offline, err := v.OfflineFrom(there.session.Name, "elsewhere")
		if err != nil {
			return err
		}
		got, err := v.Parting(offline[0].Name)
		same(t, "offline", got, idp.Parting{Account: p.id, Client: "elsewhere"}, err)
		return nil
	})
	var err error
	view(t, o.Store, func(v idp.View) error { _, err = v.Parting(ledger.NewName()); return nil })
	missing(t, "grant", err)
}

// leftBySwept: what an app keeps offline from a session can be ended when the session itself is over and swept.
func leftBySwept(t *testing.T, o Opened) {
	d := door.New(o.Store, nil)
	addApp(t, o.Store, "app")
	addApp(t, o.Store, "other")
	p := addPerson(t, o.Store)
	w := &stay{p, addSession(t, o.Store, p)}
	sid := w.grant(t, o.Store, "app", true)
	w.grant(t, o.Store, "other", true)
	end(t, d, idp.EndThis(&w.session))
	told(t, o.Store)
	var kept []idp.Grant
	update(t, o.Store, func(tx idp.Tx) error {
		_, err := tx.Sweep(1<<50, 1000)
		kept, _ = tx.OfflineFrom(w.session.Name, "")
		return err
	})
	var err error
	view(t, o.Store, func(v idp.View) error { _, err = v.Session(w.session.Name); return nil })
	missing(t, "session", err)
	r, err := d.End(t.Context(), idp.EndApp(w.session.Name, "app"), signOut())
	if err != nil || r.Account != p.id || r.Session != w.session.Name {
		t.Errorf("the receipt: %+v, %v", r, err)
	}
	for _, g := range kept {
		if over := len(ended(t, o.Store, g.Name)) == 1; over != (g.Client == "app") {
			t.Errorf("%s: over is %t", g.Client, over)
		}
	}
	view(t, o.Store, func(v idp.View) error { r, err = v.Receipt(r.ID); return err })
	if toBeTold := fanned(t, o.Store, 3)[r.Number]; len(kept) != 2 || len(toBeTold) != 1 || toBeTold[0] != sid {
		t.Errorf("%d kept; %v are told, want %v", len(kept), toBeTold, sid)
	}
	again, err := d.End(t.Context(), idp.EndApp(w.session.Name, "app"), signOut())
	if err != nil || again.ID != r.ID {
		t.Errorf("ended again: %+v, %v", again, err)
	}
}
