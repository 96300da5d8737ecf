package storetest

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

func same(t *testing.T, what string, got, want any, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	} else if !reflect.DeepEqual(want, got) {
		t.Errorf("%s:\nhas  %+v\nwant %+v", what, got, want)
	}
}

func missing(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, idp.ErrNotFound) {
		t.Errorf("%s that is not there: %v", what, err)
	}
}

// roundTrip writes one of everything and reads it back, field by field.
func roundTrip(t *testing.T, o Opened) {
	n := ledger.NewName
	account := idp.Account{ID: "0123456789abcdef", Username: "Älice", Password: "$argon2id$", Name: "Alice", Email: "a@example.com", EmailVerified: true,
		State: idp.AccountActive, CreatedAt: 1, PasswordAt: 2}
	client := idp.Client{ID: "app", Kind: idp.KindWeb, Name: "App", Secret: idp.HashOf("s"), AuthMethod: idp.AuthBasic, RedirectURIs: []string{"https://a.example/cb"},
		GrantTypes: []string{"authorization_code"}, Registration: idp.HashOf("r"), RegistrationBorn: idp.Epochs{Realm: n()}, CreatedAt: 3, AccessLife: idp.Life(time.Minute),
		DPoP: idp.DPoPRequired, BindAddress: idp.Networks{V4: 24, V6: 56}}
	p := person{id: account.ID, epochs: idp.Epochs{Realm: n(), Account: n()}}
	session := newSession(p, 1000)
	grant := idp.Grant{Name: n(), Account: account.ID, Client: "app", Session: session.Name, Epochs: idp.Epochs{Client: n(), Consent: n()}, CreatedAt: 4}
	offline := idp.Grant{Name: n(), Account: account.ID, Client: "app", Here: session.Name, Epochs: idp.Epochs{Realm: n(), Account: n(), Client: n(), Consent: n()}, CreatedAt: 4}
	code := idp.Code{Hash: idp.HashOf("c"), Grant: grant.Name, Offline: offline.Name, Family: n(), Client: "app", RedirectURI: "https://a.example/cb", Challenge: "x",
		Nonce: "y", Scopes: []string{"openid"}, Resources: []string{"https://api.example"}, IssuedAt: 5, ExpiresAt: 6, Bond: idp.Bond{Net: netip.MustParsePrefix("192.0.2.0/24")}}
	family := idp.Family{Name: code.Family, Grant: grant.Name, Sid: grant.Name, Client: "app", Handle: idp.HashOf("h"), Generation: 1, Cur: idp.HashOf("1"),
		Scopes: []string{"openid", "email"}, Audience: []string{"https://api.example"}, CreatedAt: 7, ExpiresAt: 8, Idle: time.Hour,
		Bond: idp.Bond{Key: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", Net: netip.MustParsePrefix("2001:db8::/56")}}
	pending := idp.Pending{ID: idp.HashOf("p"), Kind: idp.PendingAuthorize, Browser: idp.HashOf("b"), Client: "app", Born: idp.Epochs{Realm: n(), Client: n()},
		Data: []byte(`{}`), CreatedAt: 9, ExpiresAt: 10}
	key := idp.Key{Kid: n(), Use: idp.UseAccess, Alg: "ES256", State: idp.KeyStandby, Private: []byte{1}, Public: []byte{2}, CreatedAt: 11}
	consent := idp.Consent{Account: account.ID, Client: "app", Scopes: []string{"email"}, GivenAt: 12}
	epochs := idp.Epochs{Account: n(), Client: n(), Consent: n()}

	update(t, o.Store, func(tx idp.Tx) error {
		return errors.Join(tx.InsertAccount(account, epochs.Account), tx.InsertClient(client, epochs.Client), tx.PutConsent(consent, epochs.Consent),
			tx.InsertSession(session), tx.InsertGrant(grant), tx.InsertGrant(offline), tx.InsertCode(code), tx.InsertFamily(family),
			tx.InsertPending(pending), tx.InsertKey(key), tx.LockSlot(session.Name, "app"))
	})
	view(t, o.Store, func(v idp.View) error {
		now, err := v.Epochs(account.ID, "app")
		epochs.Realm = now.Realm
		same(t, "epochs", now, epochs, err)
		a, err := v.AccountByUsername(" äLICE")
		same(t, "account", a, account, err)
		for range 2 { // the second may come from a cache
			c, err := v.Client("app")
			same(t, "client", c, client, err)
			if len(c.RedirectURIs) > 0 {
				c.RedirectURIs[0] = "https://evil.example" // a caller's copy is its own
			}
		}
		k, err := v.Consent(account.ID, "app")
		same(t, "consent", k, consent, err)
		s, err := v.SessionByCookie(session.Cookie)
		same(t, "session by cookie", s, session, err)
		s, err = v.SessionByRef(account.ID, session.Ref)
		same(t, "session by ref", s, session, err)
		_, err = v.SessionByRef("somebody else", session.Ref)
		missing(t, "another's session", err)
		g, err := v.GrantsOfSession(session.Name)
		same(t, "grants", g, []idp.Grant{grant}, err)
		g, err = v.OfflineFrom(session.Name, "app")
		same(t, "offline grants", g, []idp.Grant{offline}, err)
		c, err := v.Code(code.Hash)
		same(t, "code", c, code, err)
		chain, err := v.ChainByHandle(family.Handle)
		same(t, "chain", chain, idp.Chain{Family: family, Grant: grant, Session: &session}, err)
		p, err := v.Pending(pending.ID)
		same(t, "pending", p, pending, err)
		keys, err := v.Keys()
		same(t, "keys", keys, []idp.Key{key}, err)
		slot, err := v.Slot(session.Name, "app")
		same(t, "slot", slot, idp.Slot{Session: session.Name, Client: "app"}, err)
		for what, ask := range map[string]func() error{
			"account": func() error { _, err := v.Account("x"); return err },
			"client":  func() error { _, err := v.Client("x"); return err },
			"NUL":     func() error { _, err := v.Client("x\x00"); return err },
			"no text": func() error { _, err := v.SessionByRef(account.ID, "\xff"); return err },
			"session": func() error { _, err := v.Session(n()); return err },
			"grant":   func() error { _, err := v.Grant(n()); return err },
			"chain":   func() error { _, err := v.Chain(n()); return err },
			"code":    func() error { _, err := v.Code(idp.HashOf("x")); return err },
			"pending": func() error { _, err := v.Pending(idp.HashOf("x")); return err },
			"receipt": func() error { _, err := v.Receipt("x"); return err },
		} {
			missing(t, what, ask())
		}
		return nil
	})
	update(t, o.Store, func(tx idp.Tx) error { // the next sign-in uses the grant again
		return errors.Join(tx.RedeemGrant(grant.Name, 20), tx.RedeemGrant(grant.Name, 30))
	})
	view(t, o.Store, func(v idp.View) error {
		grant.RedeemedAt = 30
		g, err := v.Grant(grant.Name)
		same(t, "redeemed grant", g, grant, err)
		return nil
	})
	for what, insert := range map[string]func(idp.Tx) error{
		"username": func(tx idp.Tx) error { a := account; a.ID = "other"; return tx.InsertAccount(a, n()) },
		"client":   func(tx idp.Tx) error { return tx.InsertClient(client, n()) },
	} {
		if err := o.Store.Update(t.Context(), insert); !errors.Is(err, idp.ErrConflict) {
			t.Errorf("%s taken: %v", what, err)
		}
	}
}

// swaps are what is won once: codes, pendings, families, epochs.
func swaps(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	code, family := idp.HashOf("c"), idp.Family{Name: ledger.NewName(), Grant: ledger.NewName(), Sid: ledger.NewName(), Handle: idp.HashOf("h"), Cur: idp.HashOf("1")}
	update(t, o.Store, func(tx idp.Tx) error {
		return errors.Join(tx.InsertCode(idp.Code{Hash: code, Grant: ledger.NewName(), Family: family.Name}), tx.InsertFamily(family),
			tx.InsertPending(idp.Pending{ID: code, Data: []byte("x")}))
	})
	update(t, o.Store, func(tx idp.Tx) error {
		for i := range 2 {
			if ok, err := tx.UseCode(code, 5); err != nil || ok != (i == 0) {
				t.Errorf("use of a code, time %d: %v, %v", i, ok, err)
			}
			next := family
			next.Cur, next.Prev = idp.HashOf("2"), idp.HashOf("1")
			if ok, err := tx.RotateFamily(next, family.Cur); err != nil || ok != (i == 0) {
				t.Errorf("rotation, time %d: %v, %v", i, ok, err)
			}
			if _, err := tx.TakePending(code); (err == nil) != (i == 0) {
				t.Errorf("take, time %d: %v", i, err)
			}
			next0 := ledger.NewName()
			if ok, err := tx.SwapAccountEpoch(p.id, p.epochs.Account, next0, idp.AccountActive); err != nil || ok != (i == 0) {
				t.Errorf("epoch, time %d: %v, %v", i, ok, err)
			}
		}
		return nil
	})
}

// sessions are listed newest first, page by page, the live ones of one era.
func sessions(t *testing.T, o Opened) {
	p, other := addPerson(t, o.Store), addPerson(t, o.Store)
	var want []idp.Name
	update(t, o.Store, func(tx idp.Tx) error {
		want = nil
		for i := range 7 {
			s := newSession(p, idp.Time(1000+i/2))
			if err := tx.InsertSession(s); err != nil {
				return err
			}
			want = append(want, s.Name)
		}
		return tx.InsertSession(newSession(other, 1000))
	})
	update(t, o.Store, func(tx idp.Tx) error {
		return tx.Append(idp.Receipt{ID: idp.NewReceiptID(want[3])}, []idp.Ending{{Name: want[3], What: idp.WhatSession}})
	})
	got, after := map[idp.Name]bool{}, ""
	var last idp.Time = 1 << 60
	for range 7 {
		view(t, o.Store, func(v idp.View) error {
			page, err := v.Sessions(p.id, p.epochs.Realm, p.epochs.Account, idp.Page{After: after, Limit: 2})
			for _, s := range page {
				if got[s.Name] || s.CreatedAt > last || s.Name == want[3] || s.Account != p.id {
					t.Errorf("session %v is out of place", s)
				}
				got[s.Name], last, after = true, s.CreatedAt, s.PageKey()
			}
			return err
		})
	}
	if len(got) != 6 {
		t.Errorf("listed %d sessions of 6", len(got))
	}
	update(t, o.Store, func(tx idp.Tx) error { // the era ends, and then what was in it is ended once more
		epoch := []idp.Ending{{Name: p.epochs.Account, What: idp.WhatAccount}}
		if err := tx.Append(idp.Receipt{ID: idp.NewReceiptID(p.epochs.Account)}, epoch); err != nil {
			return err
		}
		return tx.Append(idp.Receipt{ID: idp.NewReceiptID(want[5])}, []idp.Ending{{Name: want[5], What: idp.WhatSession}})
	})
	got, after = map[idp.Name]bool{}, ""
	for range 7 {
		view(t, o.Store, func(v idp.View) error {
			page, err := v.SessionsEndedWith(p.id, p.epochs.Account, idp.Page{After: after, Limit: 2})
			for _, s := range page {
				if got[s.Name] || s.Name == want[3] || s.Account != p.id {
					t.Errorf("ended session %v is out of place", s)
				}
				got[s.Name], after = true, s.PageKey()
			}
			return err
		})
	}
	if len(got) != 6 {
		t.Errorf("%d sessions of 6 ended with their epoch", len(got))
	}
	view(t, o.Store, func(v idp.View) error {
		if live, err := v.SessionsEndedWith(other.id, other.epochs.Account, idp.Page{Limit: 9}); err != nil || len(live) > 0 {
			t.Errorf("the epoch lives, and took %d sessions with it: %v", len(live), err)
		}
		return nil
	})
}

// expiring ones are found by the limit that they met first.
func expiring(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	var want []idp.Name
	update(t, o.Store, func(tx idp.Tx) error {
		want = nil
		for i := range 7 {
			s := newSession(p, idp.Time(1000+i/2))
			if err := tx.InsertSession(s); err != nil {
				return err
			}
			want = append(want, s.Name)
		}
		return nil
	})
	view(t, o.Store, func(v idp.View) error {
		past, err := v.ExpiredSessions(1004+idp.Time(time.Minute.Milliseconds()), 100)
		if len(past) != 7 || err != nil {
			t.Errorf("%d sessions of 7 are past a limit: %v", len(past), err)
		}
		return nil
	})
	update(t, o.Store, func(tx idp.Tx) error { return tx.SeeSession(want[0], 1_000_000, "192.0.2.9") })
	view(t, o.Store, func(v idp.View) error {
		past, err := v.ExpiredSessions(1004+idp.Time(time.Minute.Milliseconds()), 100)
		if len(past) != 6 || err != nil {
			t.Errorf("%d sessions of 6 are past a limit: %v", len(past), err)
		}
		return nil
	})
}

func sweep(t *testing.T, o Opened) {
	day := idp.Time(24 * 3600 * 1000)
	p := addPerson(t, o.Store)
	s := addSession(t, o.Store, p)
	never, once, still := ledger.NewName(), ledger.NewName(), ledger.NewName() // offline grants
	update(t, o.Store, func(tx idp.Tx) error {
		for i, n := range []idp.Name{never, once, still} {
			err := errors.Join(tx.InsertGrant(idp.Grant{Name: n, Account: p.id, Client: "books", Here: s.Name, Epochs: p.epochs, CreatedAt: 1}),
				tx.InsertCode(idp.Code{Hash: idp.HashOf("long ago " + n.String()), Grant: s.Name, Offline: n, Family: s.Name, ExpiresAt: idp.Time(900 + i)}))
			if err != nil {
				return err
			}
		}
		return errors.Join(tx.RedeemGrant(once, 2),
			tx.InsertCode(idp.Code{Hash: idp.HashOf("now"), Grant: s.Name, Offline: still, Family: s.Name, ExpiresAt: 2*day + 1500}),
			tx.InsertPending(idp.Pending{ID: idp.HashOf("p"), Data: []byte("x"), ExpiresAt: 1000}),
			tx.InsertCode(idp.Code{Hash: idp.HashOf("old"), Grant: s.Name, Family: s.Name, ExpiresAt: 1000}),
			tx.InsertCode(idp.Code{Hash: idp.HashOf("used"), Grant: s.Name, Family: s.Name, ExpiresAt: 2 * day}),
			tx.Append(idp.Receipt{ID: idp.NewReceiptID(s.Name)}, []idp.Ending{{Name: s.Name, What: idp.WhatSession}}))
	})
	update(t, o.Store, func(tx idp.Tx) error { _, err := tx.Sweep(2*day+1000, 100); return err })
	view(t, o.Store, func(v idp.View) error {
		_, err := v.Pending(idp.HashOf("p"))
		missing(t, "a pending past its time", err)
		_, err = v.Code(idp.HashOf("old"))
		missing(t, "a code a day past its time", err)
		if _, err := v.Code(idp.HashOf("used")); err != nil {
			t.Error("a code that has just expired must be remembered:", err)
		}
		if _, err := v.Session(s.Name); err != nil {
			t.Error("a session that nobody was told of is gone:", err)
		}
		_, err = v.Grant(never)
		missing(t, "offline access whose code nobody has redeemed", err)
		for _, n := range []idp.Name{once, still} {
			if _, err := v.Grant(n); err != nil {
				t.Error("offline access that was redeemed, or can be now, is gone:", err)
			}
		}
		return nil
	})
}

// lifeCap: raised at once; lowered, the old one holds for endings until it has passed.
func lifeCap(t *testing.T, o Opened) {
	token := func() uint32 {
		n := ledger.NewName()
		var e []idp.Entry
		var at idp.Time
		update(t, o.Store, func(tx idp.Tx) error {
			return tx.Append(idp.Receipt{ID: idp.NewReceiptID(n)}, []idp.Ending{{Name: n, What: idp.WhatToken}})
		})
		view(t, o.Store, func(v idp.View) error {
			h, err := v.Head()
			at = h.Time
			e, _ = v.EntriesAfter(h.Number-1, 1)
			if all, _ := v.Endings(h.Number-1, 1); all[0].Held != idp.Time(e[0].Until)*1000 {
				t.Errorf("held until %d, and read as %d", e[0].Until, all[0].Held)
			}
			return err
		})
		return e[0].Until - uint32(at/1000)
	}
	set := func(n int64) { update(t, o.Store, func(tx idp.Tx) error { return tx.SetLifeCap(n) }) }
	set(600)
	if held := token(); held < 600 || held > 602 {
		t.Error("raised to 600, held for", held)
	}
	set(100)
	view(t, o.Store, func(v idp.View) error {
		n, err := v.LifeCap()
		if n != 100 {
			t.Error("may be minted for", n)
		}
		h, _ := v.Head()
		for at, want := range map[idp.Time]time.Duration{h.Time: 600 * time.Second, h.Time.Add(time.Hour): 100 * time.Second} {
			if holds, err := v.Holds(at); holds != want || err != nil {
				t.Errorf("an ending at %d is held for %s, not %s: %v", at, holds, want, err)
			}
		}
		return err
	})
	if held := token(); held < 600 {
		t.Error("lowered, but tokens of the old cap are held for", held)
	}
}
