package rooms_test

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
	"exeunt.dev/internal/store/pgtest"
)

// seeded is what a node begins with: a database with its key file, two people and four apps.
type seeded struct {
	config  config.Config
	secrets map[string]string
}

// seeds are made once: to migrate a database, make keys and hash passwords takes longer than most tests.
var seeds = struct {
	sync.Mutex
	on map[*pgtest.Server]*seeded // nil: SQLite
}{on: map[*pgtest.Server]*seeded{}}

func seed(t *testing.T) *seeded {
	t.Helper()
	seeds.Lock()
	defer seeds.Unlock()
	s := seeds.on[pg]
	if s == nil {
		dir, err := os.MkdirTemp(programs, "seed-")
		if err != nil {
			t.Fatal(err)
		}
		s = &seeded{config: cheap()}
		s.config.Issuer, s.config.Data, s.config.KeyFile = "http://127.0.0.1", filepath.Join(dir, "db"), filepath.Join(dir, "key")
		s.secrets = fill(t, &s.config)
		seeds.on[pg] = s
	}
	return s
}

// copy gives a configuration a database of its own, and the apps' secrets.
func (s *seeded) copy(t *testing.T, c *config.Config) map[string]string {
	t.Helper()
	files := map[string]string{s.config.KeyFile: c.KeyFile}
	if pg != nil {
		c.Postgres.URL = pg.Copy(t, s.config.Postgres.URL)
	} else {
		files[s.config.Data] = c.Data
	}
	for from, to := range files {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return maps.Clone(s.secrets)
}

// cheap hashes passwords with the least that is allowed: there are thousands of sign-ins here.
func cheap() config.Config {
	c := config.Default()
	c.Passwords = config.Passwords{Memory: 7 * 1024, Passes: 1}
	return c
}

// fill makes a database with two people and four apps, and gives the apps' secrets.
func fill(t *testing.T, c *config.Config) map[string]string {
	t.Helper()
	if pg != nil {
		c.Postgres.URL = pg.Database(t)
	}
	b, err := server.Open(t.Context(), *c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for name, pw := range map[string]string{"alice": alicePW, "bob": bobPW} {
		if err := b.AddAccount(t.Context(), &idp.Account{Username: name}, pw); err != nil {
			t.Fatal(err)
		}
	}
	secrets := map[string]string{}
	for _, app := range []idp.Client{
		{ID: "books", Name: "Books", Kind: idp.KindWeb, FirstParty: true, RedirectURIs: []string{"https://books.test/cb"}, PostLogoutURIs: []string{booksHome}, LogoutURIs: []string{booksLeft}},
		{ID: "news", Name: "News", Kind: idp.KindWeb, FirstParty: true, RedirectURIs: []string{"https://news.test/cb"}, PostLogoutURIs: []string{"https://news.test/"}},
		{ID: "third", Name: "Third", Kind: idp.KindWeb, RedirectURIs: []string{"https://third.test/cb"}, Scopes: []string{"openid", "profile"}},
		{ID: "robot", Name: "Robot", Kind: idp.KindMachine},
	} {
		app.AuthMethod, app.GrantTypes = idp.AuthBasic, []string{"authorization_code", "refresh_token"}
		if app.Kind == idp.KindMachine {
			app.GrantTypes = []string{"client_credentials"}
		} else if app.Scopes == nil {
			app.Scopes = []string{"openid", "profile", "email"}
		}
		if secrets[string(app.ID)], err = b.AddClient(t.Context(), &app); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return secrets
}
