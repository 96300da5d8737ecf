package server

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/pgtest"
	"exeunt.dev/internal/token"
	"exeunt.dev/ledger"
)

// Refresh exchanges without the network, 64 at a time, each of a family of its own; cpu-ms is this process's alone, so on Postgres what
// the database uses is not in it. Two ES256 signatures are.
func BenchmarkRefresh(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkRefresh(b, "") })
	b.Run("postgres", func(b *testing.B) {
		pg, err := pgtest.Start()
		if err != nil {
			b.Skip(err)
		}
		defer pg.Remove()
		benchmarkRefresh(b, pg.Database(b))
	})
}

func benchmarkRefresh(b *testing.B, address string) {
	c := config.Default()
	c.Data, c.KeyFile, c.Listen, c.Postgres.URL = filepath.Join(b.TempDir(), "db"), filepath.Join(b.TempDir(), "key"), "127.0.0.1:0", address
	s, err := New(b.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	app := idp.Client{ID: "app", Kind: idp.KindWeb, Name: "app", FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code", "refresh_token"}, Audiences: []string{"https://api.example.com"},
		RedirectURIs: []string{"https://app.example.com/cb"}}
	secret, err := s.Base().AddClient(b.Context(), &app)
	if err != nil {
		b.Fatal(err)
	}
	const families = 64
	presented := make(chan string, families)
	for range families {
		first := token.NewRefresh()
		if err := s.Base().Store.Update(b.Context(), func(tx idp.Tx) error { return family(tx, app, first) }); err != nil {
			b.Fatal(err)
		}
		presented <- first.String()
	}
	exchange := func(refresh string) string {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
		r := httptest.NewRequest(http.MethodPost, c.Issuer+"/oauth2/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("app", secret)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		var out struct {
			Refresh string `json:"refresh_token"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || out.Refresh == "" {
			b.Error(w.Code, w.Body)
		}
		return out.Refresh
	}
	for range 2 * families {
		presented <- exchange(<-presented)
	}
	b.SetParallelism(families / 2)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	b.RunParallel(func(p *testing.PB) {
		mine := <-presented
		for p.Next() && !b.Failed() {
			mine = exchange(mine)
		}
	})
	b.ReportMetric(float64((cpuTime()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// family opens one in a session of its own.
func family(tx idp.Tx, app idp.Client, first token.Refresh) error {
	now, err := tx.Mint()
	if err != nil {
		return err
	}
	e, err := tx.Epochs("", app.ID)
	if err != nil {
		return err
	}
	account := idp.Account{ID: idp.AccountID(ledger.NewName().String()), State: idp.AccountActive}
	account.Username = strings.ToLower(string(account.ID))
	epoch := ledger.NewName()
	session := idp.Session{Name: ledger.NewName(), Ref: ledger.NewName().String(), Account: account.ID, Realm: e.Realm, Epoch: epoch, Cookie: idp.HashOf(idp.NewSecret(32)),
		CreatedAt: now, AuthTime: now, ExpiresAt: now.Add(time.Hour), Idle: time.Hour, Methods: []string{"pwd"}, LastSeen: now}
	g := idp.Grant{Name: ledger.NewName(), Account: account.ID, Client: app.ID, Session: session.Name, Epochs: idp.Epochs{Client: e.Client}, CreatedAt: now, RedeemedAt: now}
	f := idp.Family{Name: ledger.NewName(), Grant: g.Name, Sid: g.Name, Client: app.ID, Scopes: []string{"openid"}, Audience: app.Audiences,
		CreatedAt: now, RotatedAt: now, ExpiresAt: now.Add(time.Hour), Handle: first.HandleHash(), Cur: first.SecretHash()}
	return errors.Join(tx.InsertAccount(account, epoch), tx.InsertSession(session), tx.InsertGrant(g), tx.InsertFamily(f))
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
