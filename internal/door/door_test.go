package door_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/ledger"
)

type scene struct {
	*sqlite.Store
	door           *door.Door
	account        idp.AccountID
	epochs         idp.Epochs
	here, there    idp.Session
	grant, offline idp.Grant
	family         idp.Name
	key            idp.Name
	other          idp.Names // another person's
	committed      *int
}

// newScene is a person with two sessions, an app here and offline access from here, and somebody else.
func newScene(t *testing.T) scene {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	n := ledger.NewName
	s := scene{Store: store, account: "alice", family: n(), key: n(), committed: new(int)}
	s.door = door.New(store, func(bool) { *s.committed++ })
	err = store.Update(t.Context(), func(tx idp.Tx) error {
		other := n()
		err := errors.Join(tx.InsertAccount(idp.Account{ID: "alice", Username: "alice", State: idp.AccountActive}, n()),
			tx.InsertAccount(idp.Account{ID: "bob", Username: "bob", State: idp.AccountActive}, other),
			tx.InsertClient(idp.Client{ID: "app"}, n()), tx.PutConsent(idp.Consent{Account: "alice", Client: "app"}, n()))
		if err != nil {
			return err
		}
		if s.epochs, err = tx.Epochs("alice", "app"); err != nil {
			return err
		}
		s.other = idp.NamesOf(other, n())
		s.here = idp.Session{Name: n(), Ref: "here", Account: "alice", Realm: s.epochs.Realm, Epoch: s.epochs.Account, ExpiresAt: 1 << 60}
		s.there = s.here
		s.there.Name, s.there.Ref = n(), "there"
		s.grant = idp.Grant{Name: n(), Account: "alice", Client: "app", Session: s.here.Name, Epochs: idp.Epochs{Client: s.epochs.Client, Consent: s.epochs.Consent}}
		s.offline = idp.Grant{Name: n(), Account: "alice", Client: "app", Here: s.here.Name, Epochs: s.epochs}
		return errors.Join(tx.InsertSession(s.here), tx.InsertSession(s.there), tx.InsertGrant(s.grant), tx.InsertGrant(s.offline),
			tx.PutSlot(idp.Slot{Session: s.here.Name, Client: "app", Grant: s.grant.Name}),
			tx.InsertFamily(idp.Family{Name: s.family, Grant: s.grant.Name, Sid: s.grant.Name, Client: "app"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Every selector: exactly what its row in the table names is over afterwards.
func TestSelectors(t *testing.T) {
	for name, c := range map[string]struct {
		selector                                            func(s scene) idp.Selector
		here, there, grant, offline, family, key, everybody bool
	}{
		"token":   {selector: func(s scene) idp.Selector { return idp.EndToken(ledger.NewName()) }},
		"family":  {selector: func(s scene) idp.Selector { return idp.EndFamily(s.family) }, family: true},
		"app":     {selector: func(s scene) idp.Selector { return idp.EndApp(s.here.Name, "app") }, grant: true, offline: true, family: true},
		"session": {selector: func(s scene) idp.Selector { return idp.EndSession(s.here.Name) }, here: true, grant: true, family: true},
		"others":  {selector: func(s scene) idp.Selector { return idp.EndOthers("alice", s.here.Name, idp.ReRoot{}) }, there: true, offline: true},
		"account": {selector: func(s scene) idp.Selector { return idp.EndAccount("alice", idp.AccountActive) },
			here: true, there: true, grant: true, offline: true, family: true},
		"lock": {selector: func(s scene) idp.Selector { return idp.EndAccount("alice", idp.AccountLocked) },
			here: true, there: true, grant: true, offline: true, family: true},
		"consent": {selector: func(s scene) idp.Selector { return idp.EndConsent("alice", "app") }, grant: true, offline: true, family: true},
		"client":  {selector: func(s scene) idp.Selector { return idp.EndClient("app", false) }, grant: true, offline: true, family: true},
		"key":     {selector: func(s scene) idp.Selector { return idp.EndKey(s.key) }, key: true},
		"realm": {selector: func(s scene) idp.Selector { return idp.EndRealm() },
			here: true, there: true, grant: true, offline: true, family: true, everybody: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			cause := idp.Cause{Kind: idp.CauseSignOut, Actor: "test:it", Request: "once"}
			first, err := s.door.End(t.Context(), c.selector(s), cause)
			if err != nil || first.ID == "" || *s.committed != 1 {
				t.Fatal(first, err, *s.committed)
			}
			again, err := s.door.End(t.Context(), c.selector(s), cause)
			if err != nil || again.ID != first.ID {
				t.Error("retried:", again.ID, err)
			}
			found, err := s.door.Again(t.Context(), cause.Actor, cause.Request)
			if err != nil || found.ID != first.ID {
				t.Error("Again:", found.ID, err)
			}
			err = s.View(t.Context(), func(v idp.View) error {
				chain, err := v.Chain(s.family)
				if err != nil {
					return err
				}
				there, err := v.Session(s.there.Name)
				if err != nil {
					return err
				}
				for what, x := range map[string]struct {
					names idp.Names
					over  bool
				}{
					"here": {chain.Session.Names(), c.here}, "there": {there.Names(), c.there}, "grant": {chain.Grant.Names(chain.Session), c.grant},
					"offline": {s.offline.Names(nil), c.offline}, "family": {chain.Names(), c.family}, "key": {idp.NamesOf(s.key), c.key},
					"somebody else": {append(s.other, s.epochs.Realm), c.everybody},
				} {
					if over := idp.Live(v, x.names...) != nil; over != x.over {
						t.Errorf("%s: over is %v, should be %v", what, over, x.over)
					}
				}
				slot, err := v.Slot(s.here.Name, "app")
				if slot.MustAsk != (name == "app") {
					t.Error("must ask a human:", slot.MustAsk)
				}
				now, err2 := v.Epochs("alice", "app")
				if now.Account.IsZero() != (name == "lock") || now.Client.IsZero() || now.Consent.IsZero() != (name == "consent") {
					t.Error("epochs afterwards:", now)
				}
				return errors.Join(err, err2)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// An acting session that is over, or somebody else's, ends nobody.
func TestOthers_NeedsALiveSessionOfTheAccount(t *testing.T) {
	s := newScene(t)
	if _, err := s.door.End(t.Context(), idp.EndOthers("bob", s.here.Name, idp.ReRoot{}), idp.Cause{}); !errors.Is(err, idp.ErrNotFound) {
		t.Error("another's session:", err)
	}
	if _, err := s.door.End(t.Context(), idp.EndSession(s.here.Name), idp.Cause{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.door.End(t.Context(), idp.EndOthers("alice", s.here.Name, idp.ReRoot{}), idp.Cause{}); !errors.Is(err, idp.ErrEnded) {
		t.Error("an ended session:", err)
	}
	err := s.View(t.Context(), func(v idp.View) error { return idp.Live(v, s.there.Names()...) })
	if err != nil {
		t.Error("the other session:", err)
	}
}

// lost is a store of which the answer to one commit is lost.
type lost struct {
	idp.Store
	answers int
}

func (l *lost) Decide(ctx context.Context, look func(idp.View) (*idp.Foresight, error), do func(idp.Tx) error) error {
	err := l.Store.Decide(ctx, look, do)
	if l.answers--; l.answers >= 0 {
		return fmt.Errorf("%w: connection lost", idp.ErrUnknown)
	}
	return err
}

// What was found is ended, and told of, also where the answer to the commit was lost: the receipt is that of the ending.
func TestDecide(t *testing.T) {
	for _, answers := range []int{0, 1} {
		s := newScene(t)
		d := door.New(&lost{s.Store, answers}, func(owes bool) {
			if owes {
				*s.committed++
			}
		})
		here := func(v idp.View) (what idp.Selector, why idp.Cause, err error) {
			live, err := v.Session(s.here.Name)
			if err == nil {
				err = idp.Live(v, live.Names()...)
			}
			if errors.Is(err, idp.ErrEnded) {
				return what, why, nil
			}
			return idp.EndThis(&live), idp.Cause{Kind: idp.CauseSignOut, Actor: "test:it"}, err
		}
		r, err := d.Decide(t.Context(), here)
		if err != nil || r.ID == "" || *s.committed != 1 {
			t.Errorf("%d answers lost: receipt %q, committed %d times: %v", answers, r.ID, *s.committed, err)
		}
		if again, err := d.Decide(t.Context(), here); err != nil || again.ID != "" || *s.committed != 1 {
			t.Errorf("nothing found: receipt %q, committed %d times: %v", again.ID, *s.committed, err)
		}
	}
}
