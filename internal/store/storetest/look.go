package storetest

import (
	"cmp"
	"errors"
	"sync"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// What a node keeps of an app decides nothing in a Look once its row is another, whatever is asked after it, and what is asked is answered
// as without it.
func looks(t *testing.T, o Opened) {
	addApp(t, o.Store, "books")
	addApp(t, o.Store, "news")
	p := addPerson(t, o.Store)
	live, over := addSession(t, o.Store, p), addSession(t, o.Store, p)
	if _, err := door.New(o.Store, nil).End(t.Context(), idp.EndSession(over.Name), signOut()); err != nil {
		t.Fatal(err)
	}
	node := o.Second(t)
	asks := func(names ...idp.Name) func(idp.View) error {
		return func(v idp.View) error {
			found, err := v.Ended(names...)
			if err == nil && (len(found) != 1 || found[0] != over.Name) {
				t.Errorf("of %d names have ended: %v", len(names), found)
			}
			return err
		}
	}
	many := []idp.Name{live.Name}
	for len(many) < 15 {
		many = append(many, ledger.NewName())
	}
	verdict := errors.New("refused")
	for what, ask := range map[string]func(idp.View) error{
		"nothing":          func(idp.View) error { return nil },
		"a verdict":        func(idp.View) error { return verdict },
		"a name":           asks(over.Name),
		"names":            asks(live.Name, over.Name),
		"16 names":         asks(append(many[:15:15], over.Name)...),
		"17 names":         asks(append(many[:15:15], live.Name, over.Name)...),
		"a row":            func(v idp.View) error { _, err := v.Session(live.Name); return err },
		"a row not there":  func(v idp.View) error { _, err := v.Session(ledger.NewName()); return err },
		"another app":      func(v idp.View) error { _, err := v.Client("news"); return err },
		"an app not there": func(v idp.View) error { _, err := v.Client("none"); return err },
		"the counter":      func(v idp.View) error { _, err := v.Head(); return err },
	} {
		t.Run(what, func(t *testing.T) {
			var kept idp.Client
			read := func(v idp.View) (err error) { kept, err = v.Client("books"); return err }
			view(t, node, read)
			next := kept
			next.Name += "+"
			for _, now := range []idp.Client{kept, next} { // unchanged, and changed by another node
				update(t, o.Store, func(tx idp.Tx) error {
					if now.Name == kept.Name {
						return nil
					}
					return tx.UpdateClient(now)
				})
				var told string
				err := node.Look(t.Context(), func(v idp.View) error {
					c, err := v.Client("books")
					if err != nil {
						return err
					}
					told = c.Name
					return ask(v)
				})
				var want error
				switch what {
				case "a verdict":
					want = verdict
				case "a row not there", "an app not there":
					want = idp.ErrNotFound
				}
				if !errors.Is(err, want) || want == nil && err != nil || told != now.Name {
					t.Errorf("told %q of %q: %v", told, now.Name, err)
				}
			}
		})
	}
}

// decided: what look finds is ended once, however many look at it at the same time; who finds nothing, or fails, has done nothing.
func decided(t *testing.T, o Opened) {
	p, other := addPerson(t, o.Store), addPerson(t, o.Store)
	d := door.New(o.Store, nil)
	gone := addSession(t, o.Store, other)
	if _, err := d.End(t.Context(), idp.EndAccount(other.id, idp.AccountActive), signOut()); err != nil {
		t.Fatal(err)
	}
	var all []idp.Session
	for range 8 {
		all = append(all, addSession(t, o.Store, p))
	}
	before := head(t, o.Store).Number
	byCookie := func(cookie idp.Hash) func(idp.View) (idp.Selector, idp.Cause, error) {
		return func(v idp.View) (what idp.Selector, why idp.Cause, err error) {
			s, err := v.SessionByCookie(cookie)
			if err == nil {
				err = idp.Live(v, s.Names()...)
			}
			if errors.Is(err, idp.ErrEnded) {
				return what, why, nil
			}
			return idp.EndThis(&s), signOut(), err
		}
	}
	if r, err := d.Decide(t.Context(), byCookie(gone.Cookie)); err != nil || r.ID != "" {
		t.Error("the account ended before:", r.ID, err)
	}
	if _, err := d.Decide(t.Context(), byCookie(idp.HashOf("nobody's"))); !errors.Is(err, idp.ErrNotFound) {
		t.Error("look's error:", err)
	}
	verdict := errors.New("refused")
	if err := o.Store.Decide(t.Context(), func(idp.View) (*idp.Foresight, error) { return &idp.Foresight{Sessions: []idp.Name{all[0].Name}}, nil }, func(tx idp.Tx) error {
		if _, err := door.EndIn(tx, idp.EndThis(&all[0]), signOut()); err != nil {
			return err
		}
		return verdict
	}); !errors.Is(err, verdict) {
		t.Error("do's error:", err)
	}
	if n := head(t, o.Store).Number; n != before {
		t.Errorf("%d endings of those who found nothing, or failed", n-before)
	}
	var callers sync.WaitGroup
	receipts := make([][8]idp.Receipt, len(all))
	for i, s := range all {
		for k := range receipts[i] {
			callers.Go(func() {
				var err error
				if receipts[i][k], err = d.Decide(t.Context(), byCookie(s.Cookie)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	callers.Wait()
	for i, s := range all {
		var id idp.ReceiptID
		for _, r := range receipts[i] {
			if r.ID != "" && id != "" && r.ID != id {
				t.Errorf("two receipts of one session: %s, %s", id, r.ID)
			}
			id = cmp.Or(id, r.ID)
		}
		if over := ended(t, o.Store, s.Name); id == "" || len(over) != 1 {
			t.Errorf("receipt %q, ended %d", id, len(over))
		}
	}
	if n := head(t, o.Store).Number; n != before+uint64(len(all)) {
		t.Errorf("%d endings of %d sessions", n-before, len(all))
	}
}
