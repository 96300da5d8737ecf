package delivery_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/delivery"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/outbound"
	"exeunt.dev/internal/store/pgtest"
	"exeunt.dev/internal/store/postgres"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/token"
	"exeunt.dev/ledger"
)

var pg *pgtest.Server

func TestMain(m *testing.M) { pgtest.Both(m, &pg) }

// world is a store, a person, and workers on it.
type world struct {
	t       *testing.T
	store   idp.Store
	door    *door.Door
	ring    *keys.Ring
	tokens  *token.Issuer
	ahead   atomic.Int64 // how far the store's clocks were turned
	account idp.AccountID
	algs    []string
	workers []*delivery.Delivery
	alone   bool // what the workers believe

	patience time.Duration // with a call; 0: a minute, since who answers too late is told again
}

// newWorld has keys of more algorithms than ES256 if they are named: to make one for RS256 takes longer than most tests.
func newWorld(t *testing.T, algs ...string) *world {
	w := &world{t: t, account: "alice", algs: append([]string{"ES256"}, algs...)}
	if pg != nil {
		url := pg.Database(t)
		w.open(func() (idp.Store, error) { return postgres.Open(t.Context(), url, postgres.Options{}) })
		return w
	}
	start, wall := time.Now(), time.Now()
	w.open(func() (idp.Store, error) {
		return sqlite.OpenWith(t.Context(), filepath.Join(t.TempDir(), "db"), sqlite.Options{
			Wall:      func() time.Time { return wall.Add(time.Since(start) + time.Duration(w.ahead.Load())) },
			Monotonic: func() time.Duration { return time.Since(start) + time.Duration(w.ahead.Load()) },
		})
	})
	return w
}

func (w *world) open(open func() (idp.Store, error)) {
	w.t.Helper()
	store, err := open()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { store.Close() })
	w.store = store
	vault, err := keys.CreateVault(filepath.Join(w.t.TempDir(), "key"))
	if err != nil {
		w.t.Fatal(err)
	}
	if w.ring, err = keys.Open(w.t.Context(), store, vault, w.algs); err != nil {
		w.t.Fatal(err)
	}
	w.tokens = token.NewIssuer("https://id.example.com", w.ring)
	w.door = door.New(store, func(bool) {
		for _, d := range w.workers {
			d.Wake()
		}
	})
	w.update(func(tx idp.Tx) error {
		return tx.InsertAccount(idp.Account{ID: w.account, Username: "alice", State: idp.AccountActive}, ledger.NewName())
	})
}

// withClock is newWorld with clocks that can be turned on; Postgres has its own.
func withClock(t *testing.T) *world {
	if pg != nil {
		t.Skip("the clock of Postgres cannot be turned")
	}
	return newWorld(t)
}

// turn turns the clocks on.
func (w *world) turn(d time.Duration) { w.ahead.Add(int64(d)) }

func (w *world) work(tryFor time.Duration) {
	calls := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: cmp.Or(w.patience, time.Minute)})
	d := delivery.New(w.store, w.tokens, calls, delivery.Options{TryFor: tryFor, Alone: w.alone, Log: slog.New(slog.NewTextHandler(w.t.Output(), nil))})
	w.workers = append(w.workers, d)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { d.Run(ctx); close(done) }()
	w.t.Cleanup(func() { stop(); <-done; calls.Close() })
	d.Wake()
}

func (w *world) update(f func(idp.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// app is a website that is told.
type app struct {
	id     idp.ClientID
	mu     sync.Mutex
	tokens []string // as they came
	answer func(n int, w http.ResponseWriter, r *http.Request)
	url    string
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	token, _ := strings.CutPrefix(string(body), "logout_token=")
	a.mu.Lock()
	a.tokens = append(a.tokens, token)
	n := len(a.tokens)
	a.mu.Unlock()
	if a.answer != nil {
		a.answer(n, w, r)
	}
}

func (a *app) got() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string{}, a.tokens...)
}

// addApp registers an app at a server of its own; an empty path means that it cannot be told.
func (w *world) addApp(id idp.ClientID, answer func(n int, w http.ResponseWriter, r *http.Request)) *app {
	w.t.Helper()
	a := &app{id: id, answer: answer}
	server := httptest.NewServer(a)
	w.t.Cleanup(server.Close)
	a.url = server.URL + "/backchannel"
	w.addClient(id, a.url)
	return a
}

func (w *world) addClient(id idp.ClientID, url string) {
	w.update(func(tx idp.Tx) error {
		if err := tx.InsertClient(idp.Client{ID: id, Name: string(id), BackchannelLogoutURI: url}, ledger.NewName()); err != nil {
			return err
		}
		return tx.PutConsent(idp.Consent{Account: w.account, Client: id}, ledger.NewName())
	})
}

// signIn makes a session with a grant at each app, redeemed so long ago.
func (w *world) signIn(ago time.Duration, apps ...idp.ClientID) (session idp.Name, sids map[idp.ClientID]idp.Name) {
	w.t.Helper()
	session, sids = ledger.NewName(), map[idp.ClientID]idp.Name{}
	w.update(func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		e, err := tx.Epochs(w.account, "")
		if err != nil {
			return err
		}
		if err := tx.InsertSession(idp.Session{Name: session, Ref: session.String(), Account: w.account, Realm: e.Realm, Epoch: e.Account, CreatedAt: now, ExpiresAt: 1 << 60}); err != nil {
			return err
		}
		for _, id := range apps {
			e, err := tx.Epochs(w.account, id)
			if err != nil {
				return err
			}
			sids[id] = ledger.NewName()
			g := idp.Grant{Name: sids[id], Account: w.account, Client: id, Session: session, Epochs: idp.Epochs{Client: e.Client, Consent: e.Consent}, CreatedAt: now, RedeemedAt: now.Add(-ago)}
			if err := tx.InsertGrant(g); err != nil {
				return err
			}
		}
		return nil
	})
	return session, sids
}

func (w *world) end(s idp.Selector) idp.Receipt {
	w.t.Helper()
	r, err := w.door.End(w.t.Context(), s, idp.Cause{Kind: idp.CauseSignOut, Actor: "test:it"})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.View(w.t.Context(), func(v idp.View) (err error) { r, err = v.Receipt(r.ID); return err }); err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) delivery(r idp.Receipt, sid idp.Name) (d idp.Delivery) {
	w.t.Helper()
	err := w.store.View(w.t.Context(), func(v idp.View) (err error) {
		d, err = v.Delivery(idp.DeliveryID{Receipt: r.Number, Sid: sid})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !f(); {
		if time.Now().After(end) {
			t.Fatal("not within a minute: " + what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// state waits for a delivery to get there.
func (w *world) state(r idp.Receipt, sid idp.Name, want idp.DeliveryState) idp.Delivery {
	w.t.Helper()
	eventually(w.t, fmt.Sprint("state ", want), func() bool {
		var d idp.Delivery
		err := w.store.View(w.t.Context(), func(v idp.View) (err error) {
			d, err = v.Delivery(idp.DeliveryID{Receipt: r.Number, Sid: sid})
			return err
		})
		return err == nil && d.State == want
	})
	return w.delivery(r, sid)
}

// claims verifies a logout token with the published keys.
func (w *world) claims(raw string) (typ, alg string, out map[string]any) {
	w.t.Helper()
	m, err := jws.Parse(raw)
	if err != nil {
		w.t.Fatal(err)
	}
	key, ok := w.ring.Verifier(m.KeyID)
	if !ok || key.Use != idp.UseID || m.Verify(key.Key) != nil || json.Unmarshal(m.Payload, &out) != nil {
		w.t.Fatal("not a token of ours:", raw)
	}
	return m.Type, key.Alg, out
}
