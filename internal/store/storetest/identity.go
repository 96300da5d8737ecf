package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

const issuer = "https://op.example"

func key(subject string) idp.IdentityKey {
	return idp.IdentityKey{Provider: "op", Issuer: issuer, Subject: subject}
}

func identities(t *testing.T, o Opened) {
	p, q := addPerson(t, o.Store), addPerson(t, o.Store)
	one := idp.Identity{IdentityKey: key("1"), Account: p.id, Name: "Älice", Mail: "a@example.com", Tokens: []byte{1, 0, 2}, AddedAt: 5, UsedAt: 6}
	two := idp.Identity{IdentityKey: idp.IdentityKey{Provider: "hub", Subject: "1"}, Account: p.id, AddedAt: 4}
	other := idp.Identity{IdentityKey: idp.IdentityKey{Provider: "op", Issuer: "https://other.example", Subject: "1"}, Account: q.id, AddedAt: 7}
	update(t, o.Store, func(tx idp.Tx) error {
		return errors.Join(tx.InsertIdentity(one), tx.InsertIdentity(two), tx.InsertIdentity(other))
	})
	again := one
	again.Account = q.id
	if err := o.Store.Update(context.Background(), func(tx idp.Tx) error { return tx.InsertIdentity(again) }); !errors.Is(err, idp.ErrConflict) {
		t.Errorf("an identity of two people: %v", err)
	}
	one.Name, one.Tokens, one.UsedAt = "A", nil, 9
	update(t, o.Store, func(tx idp.Tx) error {
		return errors.Join(tx.UpdateIdentity(one), tx.DeleteIdentity(other.IdentityKey))
	})
	view(t, o.Store, func(v idp.View) error {
		got, err := v.Identity(one.IdentityKey)
		same(t, "identity", got, one, err)
		all, err := v.Identities(p.id)
		same(t, "identities", all, []idp.Identity{two, one}, err)
		_, err = v.Identity(other.IdentityKey)
		missing(t, "an identity", err)
		_, err = v.Identity(key("a\x00b"))
		missing(t, "an identity", err)
		return nil
	})
}

// arrive signs somebody in as package browser does.
func arrive(tx idp.Tx, s idp.Session, from idp.Origin) error {
	if err := tx.LockAccount(s.Account, idp.Share); err != nil {
		return err
	}
	if err := tx.LockArrival(from.Provider, from.Issuer, from.SID, from.Subject); err != nil {
		return err
	}
	if over, err := tx.Overtaken(from); err != nil || over {
		return errors.Join(err, idp.ErrEnded)
	}
	from.Session = s.Name
	return errors.Join(tx.InsertSession(s), tx.PutOrigin(from))
}

// leave ends what a provider says as package broker does.
func leave(tx idp.Tx, e idp.UpstreamEnd) (fresh bool, err error) {
	if err := tx.LockArrival(e.Provider, e.Issuer, e.SID, e.Subject); err != nil {
		return false, err
	}
	if fresh, err = tx.Bury(e); err != nil || !fresh {
		return fresh, err
	}
	from, err := tx.SessionsFrom(e)
	for _, n := range from {
		if _, err := door.EndIn(tx, idp.EndSession(n), idp.Cause{Kind: idp.CauseUpstream, Actor: "test:it"}); err != nil {
			return false, err
		}
	}
	return true, err
}

func origins(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	from := func(subject, sid string) (s idp.Session) {
		s = newSession(p, 1000)
		update(t, o.Store, func(tx idp.Tx) error {
			return arrive(tx, s, idp.Origin{IdentityKey: key(subject), SID: sid, Issued: 900_000})
		})
		return s
	}
	a, b, none, bob := from("alice", "s1"), from("alice", "s2"), from("alice", ""), from("bob", "s3")
	view(t, o.Store, func(v idp.View) error {
		got, err := v.Origins(a.Name)
		same(t, "origins", got, []idp.Origin{{IdentityKey: key("alice"), SID: "s1", Issued: 900_000, Session: a.Name}}, err)
		a, none := a, newSession(p, 1000)
		a.Methods = []string{"fed"}
		through, err := v.Through([]idp.Session{a, none})
		same(t, "through whom", through, map[idp.Name][]string{a.Name: {"op"}}, err)
		return nil
	})
	check := func(what string, e idp.UpstreamEnd, want ...idp.Session) {
		t.Helper()
		e.Provider, e.Issuer = "op", issuer
		view(t, o.Store, func(v idp.View) error {
			got, err := v.SessionsFrom(e)
			names := map[idp.Name]bool{}
			for _, n := range got {
				names[n] = true
			}
			for _, s := range want {
				if !names[s.Name] {
					t.Errorf("%s: one is missing", what)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%s: %d of %d", what, len(got), len(want))
			}
			return err
		})
	}
	check("a sid", idp.UpstreamEnd{SID: "s1"}, a)
	check("a sid with its subject", idp.UpstreamEnd{SID: "s1", Subject: "alice"}, a, none)
	check("a subject", idp.UpstreamEnd{Subject: "alice"}, a, b, none)
	check("nobody", idp.UpstreamEnd{})
	check("another's sid", idp.UpstreamEnd{SID: "s3", Subject: "alice"}, bob, none)
	end := idp.UpstreamEnd{Provider: "op", Issuer: issuer, SID: "s1", JTI: "j", Issued: 1, Until: 1 << 50}
	for i, want := range []bool{true, false} {
		update(t, o.Store, func(tx idp.Tx) error {
			fresh, err := leave(tx, end)
			if fresh != want {
				t.Errorf("token %d is fresh: %t", i, fresh)
			}
			return err
		})
	}
	check("what ended", idp.UpstreamEnd{SID: "s1"})
	if over := ended(t, o.Store, a.Name, b.Name, none.Name, bob.Name); len(over) != 1 || over[0] != a.Name {
		t.Errorf("ended: %v", over)
	}
	update(t, o.Store, func(tx idp.Tx) error {
		return errors.Join(tx.PutOrigin(idp.Origin{IdentityKey: key("alice"), SID: "s9", Session: b.Name, Kept: []byte{1}}),
			tx.InsertGrant(idp.Grant{Name: bob.Name, Account: p.id, Client: "app", Here: a.Name}))
	})
	check("a newer sign-in", idp.UpstreamEnd{SID: "s9"}, b)
	check("an older sign-in", idp.UpstreamEnd{SID: "s2"})
	view(t, o.Store, func(v idp.View) error {
		got, err := v.OfflineOf(key("alice"))
		same(t, "offline", got, []idp.Name{bob.Name}, err)
		return nil
	})
}

func overtaken(t *testing.T, o Opened) {
	const at = idp.Time(10_000_000)
	bury := func(e idp.UpstreamEnd) {
		e.Provider, e.Issuer, e.Until = "op", issuer, 1<<50
		update(t, o.Store, func(tx idp.Tx) error { _, err := tx.Bury(e); return err })
	}
	bury(idp.UpstreamEnd{SID: "s1", Subject: "alice", Issued: at})
	bury(idp.UpstreamEnd{Subject: "bob", Issued: at})
	bury(idp.UpstreamEnd{Subject: "bob", Issued: at - 1}) // an older one that came late takes nothing back
	bury(idp.UpstreamEnd{SID: "front"})                   // no signed message
	for _, c := range []struct {
		subject, sid string
		issued       idp.Time
		want         bool
	}{
		{"alice", "s1", at, true}, {"alice", "s1", at + idp.SIDLeeway, true}, {"alice", "s1", at + idp.SIDLeeway + 1, false},
		{"alice", "s2", at, false}, {"alice", "", at, true}, {"alice", "", at + 1, false},
		{"bob", "s3", at, true}, {"bob", "", at, true}, {"bob", "s3", at + 1, false}, {"carol", "front", 1, false},
	} {
		update(t, o.Store, func(tx idp.Tx) error {
			got, err := tx.Overtaken(idp.Origin{IdentityKey: key(c.subject), SID: c.sid, Issued: c.issued})
			if got != c.want {
				t.Errorf("%+v: %t", c, got)
			}
			return err
		})
	}
}

// Of a sign-in and a provider's word about it, whichever comes first, no session remains that lives.
func overtakenRace(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	for i := range 30 {
		from := idp.Origin{IdentityKey: key("alice"), SID: "race " + strconv.Itoa(i), Issued: 1000}
		e := idp.UpstreamEnd{Provider: "op", Issuer: issuer, SID: from.SID, JTI: from.SID, Issued: 1000, Until: 1 << 50}
		s := newSession(p, 1000)
		var both sync.WaitGroup
		var came, left error
		both.Go(func() {
			came = o.Store.Update(context.Background(), func(tx idp.Tx) error { return arrive(tx, s, from) })
		})
		both.Go(func() {
			left = o.Store.Update(context.Background(), func(tx idp.Tx) error { _, err := leave(tx, e); return err })
		})
		both.Wait()
		if left != nil || came != nil && !errors.Is(came, idp.ErrEnded) {
			t.Fatal(came, left)
		}
		if came == nil && len(ended(t, o.Store, s.Name)) == 0 {
			t.Fatal("a session lives that the provider has ended")
		}
	}
}

func revocations(t *testing.T, o Opened) {
	n := ledger.NewName
	r := idp.Revocation{ID: n(), IdentityKey: key("1"), Account: "a", Receipt: "r", State: idp.Owed, Tokens: []byte{7}, CreatedAt: 1, Due: 10}
	later, foreign := r, r
	later.ID, later.Due, later.Receipt = n(), 20, ""
	foreign.ID, foreign.Provider = n(), "hub"
	update(t, o.Store, func(tx idp.Tx) error {
		return errors.Join(tx.InsertRevocation(r), tx.InsertRevocation(later), tx.InsertRevocation(foreign))
	})
	lease := func(now, until idp.Time) (out []idp.Revocation) {
		update(t, o.Store, func(tx idp.Tx) (err error) {
			out, err = tx.LeaseRevocations("op", now, until, 10)
			return err
		})
		return out
	}
	got := lease(15, 30)
	r.Attempts, r.Due, r.AttemptedAt = 1, 30, 15
	same(t, "leased", got, []idp.Revocation{r}, nil)
	if got := lease(16, 31); len(got) != 0 {
		t.Errorf("leased twice: %+v", got)
	}
	settle := func(r idp.Revocation) (ok bool) {
		update(t, o.Store, func(tx idp.Tx) (err error) { ok, err = tx.SettleRevocation(r); return err })
		return ok
	}
	r.Due, r.Error = 40, "no answer"
	if !settle(r) {
		t.Error("an attempt that failed was not written")
	}
	got = lease(40, 50)
	if len(got) != 2 || got[0].Attempts+got[1].Attempts != 3 {
		t.Fatalf("due again: %+v", got)
	}
	if settle(r) {
		t.Error("who lost the lease wrote")
	}
	r.Attempts, r.State, r.SettledAt, r.Error = 2, idp.Confirmed, 45, ""
	if !settle(r) || settle(r) {
		t.Error("settled twice, or never")
	}
	for id, want := range map[idp.Name]bool{later.ID: true, r.ID: false, n(): false} {
		update(t, o.Store, func(tx idp.Tx) error {
			ok, err := tx.HastenRevocation(id, 41)
			if ok != want {
				t.Errorf("hastened: %t", ok)
			}
			return err
		})
	}
	if got := lease(41, 60); len(got) != 1 || got[0].ID != later.ID {
		t.Errorf("hastened, and not due: %+v", got)
	}
	view(t, o.Store, func(v idp.View) error {
		of, err := v.RevocationsOf("r")
		if err != nil || len(of) != 2 {
			t.Fatalf("of a receipt: %+v %v", of, err)
		}
		for _, x := range of {
			if x.ID == r.ID && (x.Tokens != nil || x.Due != 0 || x.State != idp.Confirmed) {
				t.Errorf("settled: %+v", x)
			}
		}
		none, err := v.RevocationsOf("")
		same(t, "of no receipt", len(none), 0, err)
		open, err := v.Revocations(idp.RevocationFilter{}, idp.Page{Limit: 10})
		same(t, "open", len(open), 2, err)
		rest, err := v.Revocations(idp.RevocationFilter{}, idp.Page{Limit: 10, After: open[0].ID.String()})
		same(t, "the next page", len(rest), 1, err)
		return nil
	})
	counted := func(owed, dead int64, oldest idp.Time) {
		t.Helper()
		view(t, o.Store, func(v idp.View) error {
			o, d, at, err := v.RevocationsOpen()
			same(t, "counted", []int64{o.N, d.N, int64(at)}, []int64{owed, dead, int64(oldest)}, err)
			return nil
		})
	}
	counted(2, 0, 1)
	giveUp := func(id idp.Name) (ok bool) {
		update(t, o.Store, func(tx idp.Tx) (err error) { ok, err = tx.GiveUpRevocation(id, 70); return err })
		return ok
	}
	leased := lease(60, 80) // an attempt is under way
	if len(leased) != 1 || !giveUp(later.ID) || giveUp(later.ID) || giveUp(r.ID) || giveUp(n()) {
		t.Error("given up: what was not owed, or not what was", leased)
	}
	leased[0].State, leased[0].SettledAt = idp.Confirmed, 75
	if settle(leased[0]) {
		t.Error("an attempt settled what was given up")
	}
	counted(1, 1, 1)
	view(t, o.Store, func(v idp.View) error {
		gone, err := v.Revocation(later.ID)
		same(t, "given up", []any{gone.State, gone.Due, gone.Tokens == nil, gone.SettledAt}, []any{idp.GivenUp, idp.Time(0), true, idp.Time(70)}, err)
		if _, err := v.Revocation(n()); !errors.Is(err, idp.ErrNotFound) {
			t.Error("one that is none:", err)
		}
		for f, want := range map[idp.RevocationFilter]idp.Name{{Provider: "hub"}: foreign.ID, {State: idp.Owed}: foreign.ID, {Dead: true}: later.ID, {State: idp.GivenUp, Provider: "op"}: later.ID,
			{State: idp.Refused}: {}, {Provider: "hub", Dead: true}: {}, {Provider: "a\x00"}: {}} {
			rows, err := v.Revocations(f, idp.Page{Limit: 10})
			var got idp.Name
			if len(rows) == 1 {
				got = rows[0].ID
			}
			if err != nil || len(rows) > 1 || got != want {
				t.Errorf("%+v: %+v, %v", f, rows, err)
			}
		}
		return nil
	})
}

func sweepIdentities(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	s := newSession(p, 1000)
	r := idp.Revocation{ID: ledger.NewName(), IdentityKey: key("1"), State: idp.Confirmed, SettledAt: 5}
	update(t, o.Store, func(tx idp.Tx) error {
		fresh, err := tx.Bury(idp.UpstreamEnd{Provider: "op", Issuer: issuer, SID: "s", JTI: "j", Issued: 1, Until: 10})
		if !fresh {
			t.Error("not fresh")
		}
		return errors.Join(err, arrive(tx, s, idp.Origin{IdentityKey: key("1"), SID: "t", Kept: []byte{1}}), tx.InsertRevocation(r))
	})
	update(t, o.Store, func(tx idp.Tx) error {
		_, err := door.EndIn(tx, idp.EndSession(s.Name), signOut())
		return err
	})
	swept := func(now idp.Time) {
		for range 5 {
			update(t, o.Store, func(tx idp.Tx) error { _, err := tx.Sweep(now, 100); return err })
		}
	}
	told(t, o.Store)
	now := head(t, o.Store).Time + 400*24*3600*1000
	const hour = 3600 * 1000
	swept(now)
	if n := len(originsOf(t, o.Store, s.Name)); n != 0 {
		t.Errorf("%d origins are left", n)
	}
	update(t, o.Store, func(tx idp.Tx) error {
		fresh, err := tx.Bury(idp.UpstreamEnd{Provider: "op", Issuer: issuer, SID: "s", JTI: "j", Issued: 1, Until: now + hour})
		if !fresh {
			t.Error("a logout token is remembered for ever")
		}
		return err
	})
	view(t, o.Store, func(v idp.View) error {
		over, err := v.RevocationsOf(r.Receipt)
		same(t, "settled long ago", len(over), 0, err)
		return nil
	})
}

func originsOf(t testing.TB, s idp.Store, n idp.Name) (out []idp.Origin) {
	view(t, s, func(v idp.View) (err error) { out, err = v.Origins(n); return err })
	return out
}

// told does away with the fan-outs, as if everybody had been told.
func told(t testing.TB, s idp.Store) {
	update(t, s, func(tx idp.Tx) error {
		all, err := tx.FanOuts(100)
		for _, f := range all {
			if err := tx.MoveFanOut(f.Number, f.At, f.EndedAt); err != nil {
				return err
			}
		}
		return err
	})
}
