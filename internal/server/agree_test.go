package server_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
	"exeunt.dev/internal/store/pgtest"
	"exeunt.dev/provider"
)

// fleet gives configurations of nodes on one Postgres.
func fleet(t *testing.T) (node func(change ...func(*config.Config)) config.Config, sql func(string)) {
	t.Helper()
	if pgtest.Find() == "" {
		if os.Getenv("EXEUNT_TEST_POSTGRES") != "" {
			t.Fatal("Postgres is not installed")
		}
		t.Skip("Postgres is not installed (./test installs it)")
	}
	pg, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.Remove)
	first := settings(t, t.TempDir())
	first.Postgres.URL = pg.Database(t)
	return func(change ...func(*config.Config)) config.Config {
			c := first
			c.Listen = freeAddress(t)
			for _, f := range change {
				f(&c)
			}
			return c
		}, func(text string) {
			t.Helper()
			c, err := pgx.Connect(t.Context(), first.Postgres.URL)
			if err == nil {
				_, err = c.Exec(t.Context(), text)
				c.Close(context.Background())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
}

// refused starts a node that must not start, and gives the keys that it is refused for.
func refused(t *testing.T, c config.Config) (keys, message string) {
	t.Helper()
	s, err := server.New(t.Context(), c, slog.New(slog.DiscardHandler))
	if err == nil {
		s.Close()
		return "", ""
	}
	var e *config.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	for _, p := range e.Problems {
		keys += p.Key + " "
	}
	return strings.TrimSpace(keys), err.Error()
}

func issuer(c *config.Config)  { c.Issuer = "https://other.example.com" }
func shorter(c *config.Config) { c.Policy.SessionAbsolute = 12 * time.Hour }
func longer(c *config.Config)  { c.Policy.AccessLife = 10 * time.Minute }

// Nodes on one Postgres have in common what their promises rest on; one that differs does not start, and says in what.
func TestNodesAgree(t *testing.T) {
	node, sql := fleet(t)
	start(t, node())
	start(t, node())
	for _, c := range []struct {
		keys   string
		change []func(*config.Config)
	}{
		{"issuer", []func(*config.Config){issuer}},
		{"lifetimes.session", []func(*config.Config){shorter}},
		{"issuer lifetimes.access_token", []func(*config.Config){longer, issuer}},
		{"cookies.session", []func(*config.Config){func(c *config.Config) { c.Cookies.Session = "sid" }}},
		{"signing_algs", []func(*config.Config){func(c *config.Config) { c.Algs = []string{"RS256", "ES256"} }}},
		{"apps.try_for", []func(*config.Config){func(c *config.Config) { c.TryFor = time.Hour }}},
		{"audit.keep", []func(*config.Config){func(c *config.Config) { c.AuditKeep = 0 }}},
		{"providers", []func(*config.Config){func(c *config.Config) { c.Providers = []config.Provider{{ID: "corp", Kind: "oidc"}} }}},
	} {
		if keys, _ := refused(t, node(c.change...)); keys != c.keys {
			t.Errorf("%q, want %q", keys, c.keys)
		}
	}
	if _, text := refused(t, node(shorter)); !strings.Contains(text, "it is 12h here, and the nodes of this database have agreed on 1d; write that, or change it for all of them by exeunt config agree") {
		t.Error(text)
	}
	if _, err := server.CheckDatabase(t.Context(), node(shorter)); err == nil || !strings.Contains(err.Error(), "it is 12h here") {
		t.Error("config check:", err)
	}
	if state, err := server.CheckDatabase(t.Context(), node()); err != nil || state != server.DatabaseReady {
		t.Error("config check:", state, err)
	}
	// Nothing of that was taken over; what is a machine's own may differ.
	if keys, text := refused(t, node(func(c *config.Config) { c.Drain, c.Name, c.LogLevel = time.Second, "Here", slog.LevelWarn })); keys != "" {
		t.Error(text)
	}
	// What a newer program asks for besides, and everything after an upgrade from one that asked for nothing, the first node says.
	sql("DELETE FROM setting WHERE key = 'lifetimes.session'")
	if keys, _ := refused(t, node(shorter)); keys != "" {
		t.Error("the first to say:", keys)
	}
	if keys, _ := refused(t, node()); keys != "lifetimes.session" {
		t.Errorf("the second: %q", keys)
	}
}

// What decides of a provider is the same at all nodes: else one factor is two at one of them, or a sign-out is heard by one only.
func TestNodesAgreeOnProviders(t *testing.T) {
	node, _ := fleet(t)
	with := func(change func(*config.Provider)) config.Config {
		return node(func(c *config.Config) {
			corp := config.Provider{ID: "corp", Kind: "oidc", Provider: provider.OIDC("https://op.example", "ours", "secret")}
			corp.Provider.Hosts = []string{"a.internal"}
			change(&corp)
			c.Providers = []config.Provider{corp}
		})
	}
	start(t, with(func(*config.Provider) {}))
	for says, change := range map[string]func(*config.Provider){
		"issuer https://other.example here, and the nodes of this database have agreed on issuer https://op.example;": func(p *config.Provider) { p.Provider.Issuer = "https://other.example" },
		"client_id theirs here": func(p *config.Provider) { p.Provider.ClientID = "theirs" },
		"trust_mfa true here, and the nodes of this database have agreed on trust_mfa false;": func(p *config.Provider) { p.TrustMFA = true },
		"sign_up true here":         func(p *config.Provider) { p.SignUp = true },
		"front_channel true here":   func(p *config.Provider) { p.FrontChannel = true },
		"any_logout_type true here": func(p *config.Provider) { p.Provider.AnyLogoutType = true },
		"no hosts here, and the nodes of this database have agreed on hosts a.internal;":                               func(p *config.Provider) { p.Provider.Hosts = nil },
		"endpoints.token https://op.example/t here, and the nodes of this database have agreed on no endpoints.token;": func(p *config.Provider) { p.Provider.Endpoints.Token = "https://op.example/t" },
	} {
		keys, text := refused(t, with(change))
		if keys != "providers.corp" || !strings.Contains(text, "it is "+says) || strings.Contains(text, "secret") {
			t.Errorf("%q: %s, want %s", keys, text, says)
		}
	}
	// A secret is changed node by node, and what people read may differ.
	if _, text := refused(t, with(func(p *config.Provider) { p.Provider.Title, p.Provider.Secret = "Corp", provider.Constant("new") })); text != "" {
		t.Error(text)
	}
}

// A lifetime is changed for all nodes while they run: the old go on, what starts has the new one.
func TestNodesAgreeAnew(t *testing.T) {
	node, _ := fleet(t)
	stop := start(t, node())
	open := func(c config.Config) *server.Base {
		t.Helper()
		b, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b
	}
	lifeCap := func(b *server.Base) (n int64) {
		t.Helper()
		if err := b.Store.View(t.Context(), func(v idp.View) (err error) { n, err = v.LifeCap(); return err }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	// A command with another file acts, and leaves what nodes go by as it was.
	b := open(node(longer, shorter))
	if n := lifeCap(b); n != 301 {
		t.Error("a command has set the life cap:", n)
	}
	changes, err := b.Agree(t.Context(), "operator:ann", "longer tokens")
	if err != nil || len(changes) != 2 || changes[0] != (server.Change{Key: "lifetimes.access_token", From: "5m", To: "10m"}) || changes[1] != (server.Change{Key: "lifetimes.session", From: "1d", To: "12h"}) {
		t.Fatal(changes, err)
	}
	if again, err := b.Agree(t.Context(), "operator:ann", "longer tokens"); err != nil || len(again) != 0 {
		t.Error(again, err)
	}
	if err := b.Store.View(t.Context(), func(v idp.View) error {
		events, err := v.Events(idp.EventFilter{}, idp.Page{Limit: 10})
		if err != nil || len(events) != 1 || events[0].Actor != "operator:ann" || events[0].Why != "longer tokens" || events[0].Data["fields"] != "lifetimes.access_token 10m, lifetimes.session 12h" {
			t.Errorf("recorded: %+v", events)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	start(t, node(longer, shorter))
	if n := lifeCap(b); n != 601 {
		t.Error("life cap:", n)
	}
	if keys, _ := refused(t, node()); keys != "lifetimes.access_token lifetimes.session" {
		t.Errorf("the old settings: %q", keys)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Of nodes that start together on a new database, and differ, one kind remains.
func TestNodesAgreeAtOnce(t *testing.T) {
	node, _ := fleet(t)
	made := node()
	b, err := server.Open(t.Context(), made, slog.New(slog.DiscardHandler)) // key file and tables
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	var wg sync.WaitGroup
	var got [6]string
	for i := range got {
		c := node()
		if i%2 > 0 {
			c = node(shorter, longer)
		}
		wg.Go(func() { got[i], _ = refused(t, c) })
	}
	wg.Wait()
	for i := range got {
		if got[i] != got[i%2] || (got[0] == "") == (got[1] == "") {
			t.Fatalf("%q", got)
		}
	}
}

// The embedded database has one server: what it starts with counts.
func TestOneServerChangesItsMind(t *testing.T) {
	c := settings(t, t.TempDir())
	for _, change := range []func(*config.Config){func(*config.Config) {}, shorter, longer} {
		change(&c)
		if err := start(t, c)(); err != nil {
			t.Fatal(err)
		}
	}
	b, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if changes, err := b.Agree(t.Context(), "operator:ann", "longer tokens"); err != nil || len(changes) != 0 {
		t.Error(changes, err)
	}
}
