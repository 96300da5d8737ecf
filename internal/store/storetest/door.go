package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// idempotent: a doubled or retried call returns the first receipt and ends nothing made in between.
func idempotent(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	d := door.New(o.Store, nil)
	cause := idp.Cause{Kind: idp.CauseEverywhere, Actor: idp.ActorAccount(p.id), Request: "nonce"}
	const n = 8
	ids := make([]idp.ReceiptID, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			r, err := d.End(context.Background(), idp.EndAccount(p.id, idp.AccountActive), cause)
			if err != nil {
				t.Error(err)
			}
			ids[i] = r.ID
		})
	}
	wg.Wait()
	if slices.ContainsFunc(ids, func(id idp.ReceiptID) bool { return id != ids[0] || id == "" }) {
		t.Fatal("one request, several receipts:", ids)
	}
	view(t, o.Store, func(v idp.View) (err error) { p.epochs, err = v.Epochs(p.id, ""); return err })
	between := addSession(t, o.Store, p)
	again, err := d.End(t.Context(), idp.EndAccount(p.id, idp.AccountActive), cause)
	if err != nil || again.ID != ids[0] {
		t.Error("retry:", again.ID, err)
	}
	if over := ended(t, o.Store, between.Names()...); len(over) != 0 {
		t.Error("the retry ended a sign-in made in between")
	}
	cause.Actor = idp.ActorAccount("another")
	other, err := d.End(t.Context(), idp.EndAccount(p.id, idp.AccountLocked), cause)
	if err != nil || other.ID == ids[0] {
		t.Error("another actor with the same request got the first one's receipt:", err)
	}
	none, err := d.End(t.Context(), idp.EndAccount(p.id, idp.AccountLocked), signOut())
	if err != nil || none.ID != "" {
		t.Error("nothing was alive, but there is a receipt:", none, err)
	}
	if _, err := d.End(t.Context(), idp.EndSession(ledger.NewName()), signOut()); !errors.Is(err, idp.ErrNotFound) {
		t.Error("a session that never was:", err)
	}
}

// world is the oracle: what hangs on which names, and which names are over.
type world struct {
	people   []person
	sessions []idp.Session
	grants   []idp.Grant
	families []idp.Family
	hangs    map[idp.Name][]idp.Name // thing → all names that it hangs on
	over     map[idp.Name]bool
}

func (w *world) dead(n idp.Name) bool {
	return slices.ContainsFunc(w.hangs[n], func(on idp.Name) bool { return w.over[on] })
}

// nobodyElse grows random trees, ends random parts of them, and compares the liveness of everything with the oracle.
func nobodyElse(t *testing.T, o Opened) {
	d := door.New(o.Store, nil)
	client, consent := ledger.NewName(), ledger.NewName()
	update(t, o.Store, func(tx idp.Tx) error { return tx.InsertClient(idp.Client{ID: "app"}, client) })
	for range 12 {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		pick := rand.New(rand.NewPCG(seed, 0)).IntN
		w := &world{hangs: map[idp.Name][]idp.Name{}, over: map[idp.Name]bool{}}
		grow := func() {
			p := addPerson(t, o.Store)
			w.people = append(w.people, p)
			for range 1 + pick(3) {
				s := addSession(t, o.Store, p)
				g := idp.Grant{Name: ledger.NewName(), Account: p.id, Client: "app", Session: s.Name, Epochs: idp.Epochs{Client: client, Consent: consent}}
				f := idp.Family{Name: ledger.NewName(), Grant: g.Name, Sid: g.Name, Client: "app", Handle: idp.HashOf(ledger.NewName().String())}
				update(t, o.Store, func(tx idp.Tx) error {
					return errors.Join(tx.InsertGrant(g), tx.InsertFamily(f), tx.PutSlot(idp.Slot{Session: s.Name, Client: "app", Grant: g.Name}))
				})
				w.sessions, w.grants, w.families = append(w.sessions, s), append(w.grants, g), append(w.families, f)
				w.hangs[s.Name] = s.Names()
				w.hangs[g.Name] = g.Names(&s)
				w.hangs[f.Name] = append(g.Names(&s), f.Name)
			}
		}
		grow()
		grow()
		for range 6 {
			i := pick(len(w.sessions))
			s := w.sessions[i]
			at := slices.IndexFunc(w.people, func(p person) bool { return p.id == s.Account })
			switch pick(5) {
			case 0:
				end(t, d, idp.EndSession(s.Name))
				w.over[s.Name] = true
			case 1:
				end(t, d, idp.EndFamily(w.families[i].Name))
				w.over[w.families[i].Name] = true
			case 2:
				end(t, d, idp.EndApp(s.Name, "app"))
				w.over[w.grants[i].Name] = true
			case 3:
				end(t, d, idp.EndAccount(s.Account, idp.AccountActive))
				w.over[w.people[at].epochs.Account] = true
				view(t, o.Store, func(v idp.View) (err error) { w.people[at].epochs, err = v.Epochs(s.Account, ""); return err })
			case 4:
				_, err := d.End(context.Background(), idp.EndOthers(s.Account, s.Name, idp.ReRoot{}), signOut())
				if w.dead(s.Name) {
					if !errors.Is(err, idp.ErrEnded) {
						t.Fatal("an ended session ended the others:", err)
					}
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				old := w.people[at].epochs.Account
				w.over[old] = true
				view(t, o.Store, func(v idp.View) (err error) { w.people[at].epochs, err = v.Epochs(s.Account, ""); return err })
				for _, n := range []idp.Name{s.Name, w.grants[i].Name, w.families[i].Name} {
					w.hangs[n][slices.Index(w.hangs[n], old)] = w.people[at].epochs.Account
				}
			}
			w.compare(t, o.Store)
		}
	}
}

func end(t *testing.T, d *door.Door, s idp.Selector) {
	t.Helper()
	if _, err := d.End(context.Background(), s, signOut()); err != nil {
		t.Fatal(err)
	}
}

// compare asks the store for every thing there is, by the names in its rows.
func (w *world) compare(t *testing.T, store idp.Store) {
	view(t, store, func(v idp.View) error {
		for i, f := range w.families {
			c, err := v.Chain(f.Name)
			if err != nil {
				return err
			}
			for name, names := range map[idp.Name]idp.Names{f.Name: c.Names(), w.grants[i].Name: c.Grant.Names(c.Session), c.Session.Name: c.Session.Names()} {
				if dead := idp.Live(v, names...) != nil; dead != w.dead(name) {
					t.Fatalf("%v: dead is %v, should be %v", name, dead, w.dead(name))
				}
			}
		}
		return nil
	})
}
