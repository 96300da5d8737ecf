package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Events are listed newest first and by what is asked for, chained once, and cut off from the beginning only.
func events(t *testing.T, o Opened) {
	record := func(s idp.Store, es ...idp.Event) {
		t.Helper()
		update(t, s, func(tx idp.Tx) error {
			for _, e := range es {
				if err := tx.Record(e); err != nil {
					return err
				}
			}
			return nil
		})
	}
	list := func(f idp.EventFilter, p idp.Page) (out []idp.Event) {
		t.Helper()
		view(t, o.Store, func(v idp.View) (err error) { out, err = v.Events(f, p); return err })
		return out
	}
	whys := func(es []idp.Event) string {
		var out []string
		for _, e := range es {
			out = append(out, e.Why)
		}
		return strings.Join(out, " ")
	}
	full := idp.Event{Kind: idp.EventSignIn, Account: "alice", Session: "ref", Client: "books", Receipt: 7, IP: "192.0.2.1", Device: "a browser\x00\xff", Why: "1",
		Data: map[string]string{"methods": "pwd <otp>", "none": ""}}
	record(o.Store, full)
	full.Actor, full.Device, full.Data = "account:alice", "a browser", map[string]string{"methods": "pwd <otp>"}
	first := list(idp.EventFilter{}, idp.Page{Limit: 10})
	if len(first) != 1 || first[0].At == 0 || first[0].ID == (idp.EventID{}) {
		t.Fatalf("one event was recorded: %+v", first)
	}
	full.At, full.ID = first[0].At, first[0].ID
	same(t, "an event", first, []idp.Event{full}, nil)

	ops := idp.ActorOperator("ops")
	for _, e := range []idp.Event{{Kind: idp.EventSignInFailed, Account: "bob", Actor: "stranger", Why: "2"}, {Kind: idp.EventLocked, Account: "alice", Actor: ops, Why: "3"},
		{Kind: idp.EventSignInFailed, Actor: "stranger", Why: "4"}, {Kind: idp.EventSignIn, Account: "alice", Why: "5"}} {
		at := list(idp.EventFilter{}, idp.Page{Limit: 1})[0].At
		for now := at; now <= at; { // so that their order is told by their time
			now, _ = o.Store.Now()
		}
		record(o.Store, e)
	}
	failed := errors.New("the act failed")
	if err := o.Store.Update(t.Context(), func(tx idp.Tx) error {
		return errors.Join(tx.Record(idp.Event{Kind: idp.EventLocked, Account: "alice", Why: "never"}), failed)
	}); !errors.Is(err, failed) {
		t.Error(err)
	}
	all := list(idp.EventFilter{}, idp.Page{Limit: 10})
	third := all[2].At
	for want, f := range map[string]idp.EventFilter{
		"5 4 3 2 1": {}, "5 3 1": {Account: "alice"}, "4 2": {Kind: idp.EventSignInFailed}, "3": {Actor: ops}, "5 1": {Account: "alice", Actor: "account:alice"}, "5": {Kind: idp.EventSignIn, From: third},
		"2 1": {To: third}, "5 4 3": {From: third}, "": {Account: "nobody", Kind: "\xff"},
	} {
		if got := whys(list(f, idp.Page{Limit: 10})); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
	page := list(idp.EventFilter{Account: "alice"}, idp.Page{Limit: 2})
	if rest := list(idp.EventFilter{Account: "alice"}, idp.Page{Limit: 2, After: page[1].ID.String()}); whys(page)+"|"+whys(rest) != "5 3|1" {
		t.Errorf("pages: %s, then %s", whys(page), whys(rest))
	}
	view(t, o.Store, func(v idp.View) error {
		if _, err := v.Events(idp.EventFilter{}, idp.Page{After: "nonsense", Limit: 1}); err == nil {
			t.Error("a page that does not exist")
		}
		return nil
	})
	sealing(t, o, record)
}

func sealing(t *testing.T, o Opened, record func(idp.Store, ...idp.Event)) {
	seal := func(s idp.Store, limit int) (n int) {
		t.Helper()
		update(t, s, func(tx idp.Tx) (err error) { n, err = tx.SealEvents(limit); return err })
		return n
	}
	chain := func() (rows []idp.Event, s idp.Sealed, open int64) {
		t.Helper()
		view(t, o.Store, func(v idp.View) (err error) {
			var err1, err2 error
			rows, err = v.SealedEvents(0, 100)
			s, err1 = v.Sealed()
			open, err2 = v.OpenEvents()
			return errors.Join(err, err1, err2)
		})
		return rows, s, open
	}
	if rows, s, open := chain(); len(rows) != 0 || s != (idp.Sealed{First: 1}) || open != 5 {
		t.Fatalf("before the first seal: %d rows, %+v, %d open", len(rows), s, open)
	}
	second := o.Second(t)
	if a, b, c := seal(o.Store, 3), seal(second, 3), seal(o.Store, 3); a != 3 || b != 2 || c != 0 {
		t.Errorf("sealed %d, %d, %d", a, b, c)
	}
	holds := func(what string, numbers ...uint64) idp.Sealed {
		t.Helper()
		rows, s, open := chain()
		var got []uint64
		hash := s.Before
		for i := range rows {
			got = append(got, rows[i].Number)
			if hash = rows[i].Seal(rows[i].Number, hash); hash != rows[i].Hash {
				t.Errorf("%s: the chain breaks at %d", what, rows[i].Number)
			}
		}
		if !slices.Equal(got, numbers) || open != 0 || hash != s.Hash {
			t.Errorf("%s: numbers %v, want %v; %d open; ends well: %v", what, got, numbers, open, hash == s.Hash)
		}
		return s
	}
	holds("all", 1, 2, 3, 4, 5)
	record(second, idp.Event{Kind: idp.EventSignIn, Account: "alice", Why: "6"})
	seal(o.Store, 3)
	holds("one more", 1, 2, 3, 4, 5, 6)

	update(t, o.Store, func(tx idp.Tx) error {
		if held, err := tx.HoldChain(); err != nil || !held {
			t.Errorf("the chain is not held: %v", err)
		}
		return nil
	})
	d := door.New(o.Store, nil)
	for range 3 {
		if _, err := d.End(t.Context(), idp.EndToken(ledger.NewName()), signOut()); err != nil {
			t.Fatal(err)
		}
	}
	view(t, o.Store, func(v idp.View) error {
		all, err := v.ReceiptsAfter(0, 2)
		if err != nil || len(all) != 2 || all[0].Number != 1 || all[1].Number != 2 {
			t.Errorf("the oldest receipts: %+v %v", all, err)
		}
		rest, err := v.ReceiptsAfter(2, 10)
		if len(rest) != 1 || rest[0].Number != 3 {
			t.Errorf("those behind them: %+v", rest)
		}
		return err
	})

	// Another sealer is at it: this one leaves it alone. (On SQLite there is one writer, and it sees no difference.)
	record(o.Store, idp.Event{Kind: idp.EventSignIn, Account: "alice", Why: "7"})
	n := make(chan int, 2)
	for _, s := range []idp.Store{o.Store, second} {
		go func() {
			got := -1
			if s.Update(t.Context(), func(tx idp.Tx) (err error) { got, err = tx.SealEvents(3); return err }) != nil {
				got = -1
			}
			n <- got
		}()
	}
	if a, b := <-n, <-n; a+b != 1 {
		t.Errorf("two at once sealed %d and %d", a, b)
	}
	rows, _, _ := chain()
	cut := func(before idp.Time, limit int) (n int) {
		t.Helper()
		update(t, o.Store, func(tx idp.Tx) (err error) { n, err = tx.SweepEvents(before, limit); return err })
		return n
	}
	if n := cut(rows[0].At, 10); n != 0 {
		t.Errorf("%d swept that are not old", n)
	}
	if n := cut(rows[4].At, 2); n != 2 {
		t.Errorf("%d swept, want 2", n)
	}
	if s := holds("cut", 3, 4, 5, 6, 7); s.First != 3 || s.Before != rows[1].Hash {
		t.Errorf("the beginning is not remembered: %+v", s)
	}
	cut(1<<47, 100)
	if s := holds("all cut"); s.First != 8 || s.Number != 7 || s.Hash != s.Before {
		t.Errorf("all swept: %+v", s)
	}
	record(o.Store, idp.Event{Kind: idp.EventSignIn, Account: "alice", Why: "8"})
	seal(second, 3)
	holds("goes on", 8)
}

// What a person's apps are: in which sessions, each with what lives there, and which may act while the person is away.
func appsOf(t *testing.T, o Opened) {
	for _, id := range []idp.ClientID{"books", "news", "maps"} {
		addApp(t, o.Store, id)
	}
	update(t, o.Store, func(tx idp.Tx) error { return tx.UpdateClient(idp.Client{ID: "books", Name: "The \"Books\""}) })
	p := addPerson(t, o.Store)
	var stays []*stay
	var rows []idp.Session
	for range 70 { // more than are asked for at once
		s := &stay{p, addSession(t, o.Store, p)}
		stays, rows = append(stays, s), append(rows, s.session)
	}
	a, b, c := stays[0], stays[1], stays[69]
	news := a.grant(t, o.Store, "news", false)
	a.grant(t, o.Store, "books", true)
	gone := b.grant(t, o.Store, "books", false)
	c.grant(t, o.Store, "maps", true)
	expect := func(what string, offline string, want ...string) {
		t.Helper()
		view(t, o.Store, func(v idp.View) error {
			in, err := v.AppsIn(rows)
			if err != nil {
				return err
			}
			away, err := v.OfflineApps(p.epochs.Account)
			if err != nil {
				return err
			}
			var got []string
			for _, s := range []*stay{a, b, c} {
				text := ""
				for _, app := range in[s.session.Name] {
					text += app.Name + " "
				}
				got = append(got, strings.TrimSpace(text))
			}
			if has := fmt.Sprint(away); !slices.Equal(got, want) || has != offline {
				t.Errorf("%s: %q and %s, want %q and %s", what, got, has, want, offline)
			}
			return nil
		})
	}
	expect("all", "[books maps]", `The "Books" news`, `The "Books"`, "maps")
	d := door.New(o.Store, nil)
	// What an app gives back bit by bit it has until the last of it, and no sweep brings it back.
	had := []idp.Name{ledger.NewName(), ledger.NewName(), ledger.NewName()}
	update(t, o.Store, func(tx idp.Tx) error {
		away, err := tx.OfflineFrom(c.session.Name, "")
		if err != nil || len(away) != 1 {
			t.Fatal(away, err)
		}
		return errors.Join(tx.InsertFamily(idp.Family{Name: had[0], Grant: news, Sid: news, Client: "news", ExpiresAt: 1 << 60}), tx.InsertFamily(idp.Family{Name: had[1], Grant: news, Sid: news, Client: "news", ExpiresAt: 1 << 60}),
			tx.InsertFamily(idp.Family{Name: had[2], Grant: away[0].Name, Sid: news, Client: "maps", ExpiresAt: 1 << 60}))
	})
	for i, want := range []string{`The "Books" news`, `The "Books"`, `The "Books"`} {
		if _, err := d.End(t.Context(), idp.EndFamily(had[i]), signOut()); err != nil {
			t.Fatal(err)
		}
		expect("given back", "[books maps]", want, `The "Books"`, "maps")
	}
	told(t, o.Store)
	update(t, o.Store, func(tx idp.Tx) error { _, err := tx.Sweep(head(t, o.Store).Time+40*24*3600*1000, 1000); return err })
	expect("swept", "[books maps]", `The "Books"`, `The "Books"`, "maps")
	for _, end := range []idp.Selector{idp.EndApp(b.session.Name, "books"), idp.EndConsent(p.id, "maps")} {
		if _, err := d.End(t.Context(), end, signOut()); err != nil {
			t.Fatal(err)
		}
	}
	if len(ended(t, o.Store, gone)) != 1 {
		t.Error("the app's grant has not ended")
	}
	expect("after two ends", "[books]", `The "Books"`, "", "")
	if _, err := d.End(t.Context(), idp.EndClient("books", false), signOut()); err != nil {
		t.Fatal(err)
	}
	expect("after a client's end", "[]", "", "", "")
}
