package storetest

import (
	"errors"
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
