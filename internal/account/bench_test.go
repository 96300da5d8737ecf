package account_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"exeunt.dev/internal/account"
	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/person"
	"exeunt.dev/internal/store/pgtest"
	"exeunt.dev/internal/store/postgres"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/web"
	"exeunt.dev/ledger"
)

const (
	inTheList = 10_000 // sessions of the account
	apps      = 12
)

// BenchmarkAccountPage measures the pages of an account with ten thousand sessions of two apps each, and as many events: the whole request
// but the network, p50 and p99.
func BenchmarkAccountPage(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "db"))
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		pages(b, s)
	})
	b.Run("postgres", func(b *testing.B) {
		pg, err := pgtest.Start()
		if err != nil {
			b.Skip(err)
		}
		defer pg.Remove()
		s, err := postgres.Open(b.Context(), pg.Database(b), postgres.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		pages(b, s)
	})
}

func pages(b *testing.B, s idp.Store) {
	cookie, middle := fill(b, s)
	d := door.New(s, nil)
	looks, err := web.New("Exeunt", false)
	if err != nil {
		b.Fatal(err)
	}
	tie := browser.New(s, d, idp.Policy{RecentSignIn: time.Hour}, "http://localhost", browser.Names{}, make([]byte, 32))
	room := &account.Account{Host: &person.Host{Browser: tie, Pages: looks, Nav: account.Nav(false)}, Store: s, Door: d, After: (*idp.Session).PageKey}
	mux := http.NewServeMux()
	room.Mount(mux)
	for _, path := range []string{"/account", "/account?after=" + middle, "/account/live", "/account/apps", "/account/activity"} {
		b.Run(path[len("/account"):][:min(len(path)-len("/account"), 9)], func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				r := httptest.NewRequest("GET", path, nil)
				r.Header.Set("Accept", "text/html")
				r.AddCookie(&http.Cookie{Name: "exeunt", Value: cookie})
				w := httptest.NewRecorder()
				begun := time.Now()
				mux.ServeHTTP(w, r)
				took = append(took, time.Since(begun))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// fill makes the account, and gives the cookie of one of its sessions and the key of a page in the middle of the list.
func fill(b *testing.B, s idp.Store) (cookie, middle string) {
	b.Helper()
	id := idp.AccountID(ledger.NewName().String())
	cookie = idp.NewSecret(32)
	update := func(f func(idp.Tx) error) {
		b.Helper()
		if err := s.Update(b.Context(), f); err != nil {
			b.Fatal(err)
		}
	}
	epochs := make([]idp.Epochs, apps)
	update(func(tx idp.Tx) error {
		if err := tx.InsertAccount(idp.Account{ID: id, Username: "alice", State: idp.AccountActive}, ledger.NewName()); err != nil {
			return err
		}
		for i := range apps {
			c := idp.ClientID(fmt.Sprint("app", i))
			if err := tx.InsertClient(idp.Client{ID: c, Name: fmt.Sprint("App ", i)}, ledger.NewName()); err != nil {
				return err
			}
			if err := tx.PutConsent(idp.Consent{Account: id, Client: c, Scopes: []string{"openid", "profile"}, GivenAt: idp.Time(i)}, ledger.NewName()); err != nil {
				return err
			}
		}
		for i := range apps {
			var err error
			if epochs[i], err = tx.Epochs(id, idp.ClientID(fmt.Sprint("app", i))); err != nil {
				return err
			}
		}
		return nil
	})
	now, err := s.Now()
	if err != nil {
		b.Fatal(err)
	}
	for first := 0; first < inTheList; first += 500 {
		update(func(tx idp.Tx) error {
			for i := first; i < first+500; i++ {
				row := idp.Session{Name: ledger.NewName(), Ref: ledger.NewName().String(), Account: id, Realm: epochs[0].Realm, Epoch: epochs[0].Account, Cookie: idp.HashOf(idp.NewSecret(32)),
					CreatedAt: now - idp.Time(i*1000), AuthTime: now, ExpiresAt: now + 1<<40, LastSeen: now, Methods: []string{"pwd"}, IP: "192.0.2.1", LastIP: "192.0.2.1",
					UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
				switch i {
				case inTheList / 3:
					row.Cookie = idp.HashOf(cookie)
				case inTheList / 2:
					middle = row.PageKey()
				}
				if err := tx.InsertSession(row); err != nil {
					return err
				}
				for j := range 2 {
					e := epochs[(i+j)%apps]
					c := idp.ClientID(fmt.Sprint("app", (i+j)%apps))
					g := idp.Grant{Name: ledger.NewName(), Account: id, Client: c, Session: row.Name, Epochs: idp.Epochs{Client: e.Client, Consent: e.Consent}, RedeemedAt: now}
					if err := tx.InsertGrant(g); err != nil {
						return err
					}
					if err := tx.PutSlot(idp.Slot{Session: row.Name, Client: c, Grant: g.Name}); err != nil {
						return err
					}
				}
				if err := tx.Record(idp.Event{Kind: idp.EventSignIn, Account: id, Session: row.Ref, IP: row.IP, Device: row.UserAgent, Data: map[string]string{"methods": "pwd"}}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return cookie, middle
}
