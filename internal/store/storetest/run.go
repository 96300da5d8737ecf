package storetest

import (
	"context"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Opened is a fresh store and the ways to reach the same data again.
type Opened struct {
	Store idp.Store
	// Second opens another handle to the same data, as another node does.
	Second func(t *testing.T) idp.Store
	// Reopen closes Store and opens the data again.
	Reopen func(t *testing.T) idp.Store
}

// Run runs the contract; open makes a new, empty store each time and cleans up by t.
func Run(t *testing.T, open func(t *testing.T) Opened) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Opened)
	}{
		{"RoundTrip", roundTrip},
		{"Sessions", sessions},
		{"Expiring", expiring},
		{"Swaps", swaps},
		{"Credentials", credentials},
		{"Languages", languages},
		{"Settings", settings},
		{"Sweep", sweep},
		{"Proofs", proofs},
		{"LifeCap", lifeCap},
		{"Snapshots", snapshots},
		{"FanOut", fanOut},
		{"Deliveries", deliveries},
		{"LateAnswers", lateAnswers},
		{"Identities", identities},
		{"Origins", origins},
		{"Overtaken", overtaken},
		{"OvertakenRace", overtakenRace},
		{"Revocations", revocations},
		{"SweepIdentities", sweepIdentities},
		{"Operators", operators},
		{"Console", console},
		{"OwedReceipts", owedReceipts},
		{"Alive", alive},
		{"Abreast", abreast},
		{"ClientAgain", clientAgain},
		{"Looks", looks},
		{"Decided", decided},
		{"Mails", mails},
		{"Tallies", tallies},
		{"Locks", locks},
		{"Events", events},
		{"Apps", appsOf},
		{"S1_Reopen", reopen},
		{"S2_LostUpdate", lostUpdate},
		{"S2_EndedAfterLock", endedAfterLock},
		{"S2_BornUnderWhatWasChecked", bornLate},
		{"S3_Numbers", numbers},
		{"S4_Members", members},
		{"S4_Append", appended},
		{"Held", heldFamilies},
		{"Partings", partings},
		{"LeftBySwept", leftBySwept},
		{"Door_Idempotent", idempotent},
		{"Door_NobodyElse", nobodyElse},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// person is an account with the epochs that it was made under.
type person struct {
	id     idp.AccountID
	epochs idp.Epochs
}

func update(t testing.TB, s idp.Store, f func(idp.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, s idp.Store, f func(idp.View) error) {
	t.Helper()
	if err := s.View(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func addPerson(t testing.TB, s idp.Store) (p person) {
	t.Helper()
	id := ledger.NewName().String()
	update(t, s, func(tx idp.Tx) (err error) {
		p = person{id: idp.AccountID(id)}
		if err := tx.InsertAccount(idp.Account{ID: p.id, Username: id, State: idp.AccountActive}, ledger.NewName()); err != nil {
			return err
		}
		p.epochs, err = tx.Epochs(p.id, "")
		return err
	})
	return p
}

func newSession(p person, now idp.Time) idp.Session {
	return idp.Session{
		Name: ledger.NewName(), Ref: ledger.NewName().String(), Account: p.id, Realm: p.epochs.Realm, Epoch: p.epochs.Account,
		Cookie: idp.HashOf(idp.NewSecret(32)), Persistent: true, CreatedAt: now, AuthTime: now, ExpiresAt: now + 3_600_000,
		Idle: time.Minute, Methods: []string{"pwd", "otp"}, UserAgent: "a browser", IP: "192.0.2.1", LastSeen: now, LastIP: "192.0.2.1",
	}
}

func addSession(t testing.TB, s idp.Store, p person) (out idp.Session) {
	t.Helper()
	update(t, s, func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		out = newSession(p, now)
		return tx.InsertSession(out)
	})
	return out
}

func ended(t testing.TB, s idp.Store, names ...idp.Name) (over []idp.Name) {
	t.Helper()
	view(t, s, func(v idp.View) (err error) {
		over, err = v.Ended(names...)
		return err
	})
	return over
}

func head(t testing.TB, s idp.Store) (h idp.Head) {
	t.Helper()
	view(t, s, func(v idp.View) (err error) {
		h, err = v.Head()
		return err
	})
	return h
}

func signOut() idp.Cause { return idp.Cause{Kind: idp.CauseSignOut, Actor: "test:it"} }

// Sessions makes n live sessions of one person, for benchmarks.
func Sessions(t testing.TB, s idp.Store, n int) (names []idp.Name) {
	t.Helper()
	p := addPerson(t, s)
	for len(names) < n {
		before := len(names)
		update(t, s, func(tx idp.Tx) error {
			names = names[:before]
			for len(names) < min(n, before+1000) {
				out := newSession(p, 1000)
				if err := tx.InsertSession(out); err != nil {
					return err
				}
				names = append(names, out.Name)
			}
			return nil
		})
	}
	return names
}
