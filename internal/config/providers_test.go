package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/provider"
)

const withIssuer = "issuer: http://localhost:8080\n"

func TestProviders(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "google-secret"), []byte("of google's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CORP_SECRET", "of the corporation")
	var text strings.Builder
	in := false
	for line := range strings.Lines(config.Example()) {
		in = strings.HasPrefix(line, "# providers:") || in && strings.HasPrefix(line, "#  ")
		if in {
			text.WriteString(strings.TrimPrefix(line, "# "))
		}
	}
	c, err := config.Parse(filepath.Join(dir, "exeunt.yaml"), []byte(withIssuer+strings.ReplaceAll(text.String(), "#  ", "  ")))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Providers) != 2 {
		t.Fatalf("%+v", c.Providers)
	}
	g, o := c.Providers[0], c.Providers[1]
	if !g.SignUp || g.TrustMFA || g.Provider.Title != "Google" || g.Provider.Issuer != "https://accounts.google.com" {
		t.Errorf("%+v", g)
	}
	if o.SignUp || !o.TrustMFA || o.FrontChannel || o.Provider.Title != "Example Corp" || len(o.Provider.Scopes) != 3 {
		t.Errorf("%+v", o)
	}
}

func TestProvidersRefused(t *testing.T) {
	t.Setenv("S", "secret")
	const ok = "id: corp, kind: oidc, issuer: 'https://op.example', client_id: x"
	for _, c := range []struct{ name, text, says string }{
		{"no id", "kind: oidc, issuer: 'https://op.example', client_id: x", "cannot be a provider's id"},
		{"an id for a path", "id: ../x, kind: oidc, issuer: 'https://op.example', client_id: x", "cannot be a provider's id"},
		{"a page's name", "id: reset, kind: oidc, issuer: 'https://op.example', client_id: x", "a page of ours"},
		{"twice", ok + "}\n  - {" + ok, "two providers have the id corp"},
		{"no kind", "id: corp, client_id: x", "known are oidc"},
		{"no issuer", "id: corp, kind: oidc, client_id: x", "providers.issuer"},
		{"no secret", "id: g, kind: google, client_id: x", "providers.secret"},
		{"what its kind does not know", "id: g, kind: google, client_id: x, secret: {env: S}, issuer: 'https://op.example'", "providers.issuer: google knows no issuer"},
		{"endpoints of a known one", "id: g, kind: github, client_id: x, secret: {env: S}, endpoints: {token: 'https://op.example/t'}", "providers.endpoints: github knows no endpoints"},
		{"a secret in the file", ok + ", secret: abc", "write file: PATH or env: NAME"},
		{"a secret from nowhere", ok + ", secret: {env: NOT_THERE}", "the environment has no NOT_THERE"},
		{"two sources", ok + ", secret: {env: S, file: s}", "one of file and env"},
		{"http", "id: corp, kind: oidc, issuer: 'http://op.example', client_id: x", "not https"},
		{"user in the address", "id: corp, kind: oidc, issuer: 'https://a:b@op.example', client_id: x", "absolute URL"},
		{"no openid", ok + ", scopes: [profile]", "add openid"},
		{"plain without endpoints", "id: corp, kind: oauth, client_id: x, subject: id", "providers.endpoints"},
		{"Apple's key", "id: apple, kind: apple, team: T, key_id: K, key_file: none.p8, client_id: x", "no key of Apple's"},
		{"unknown key", ok + ", signup: true", "did you mean sign_up?"},
	} {
		_, err := config.Parse(filepath.Join(t.TempDir(), "exeunt.yaml"), []byte(withIssuer+"providers:\n  - {"+c.text+"}\n"))
		var e *config.Error
		if !errors.As(err, &e) || !strings.Contains(e.Error(), c.says) || strings.Contains(e.Error(), ":b@") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Every kind that the table knows can be written.
func TestProvidersOfEveryKind(t *testing.T) {
	t.Setenv("S", "secret")
	of := map[string]string{"gitlab": "base: 'https://git.example'", "microsoft": "tenant: common", "auth0": "domain: a.example", "okta": "issuer: 'https://o.example/oauth2/default'",
		"keycloak": "base: 'https://k.example', realm: r", "cognito": "region: eu, pool: p, domain: c.example", "oidc": "issuer: 'https://op.example'",
		"oauth": "endpoints: {authorize: 'https://h.example/a', token: 'https://h.example/t', profile: 'https://h.example/p'}, subject: id"}
	for _, e := range provider.Known() {
		if e.Kind == "apple" {
			continue // its key is a file
		}
		text := "  - {id: x, kind: " + e.Kind + ", client_id: c, secret: {env: S}"
		if more := of[e.Kind]; more != "" {
			text += ", " + more
		}
		c, err := config.Parse("exeunt.yaml", []byte(withIssuer+"providers:\n"+text+"}\n"))
		if err != nil {
			t.Error(err)
		} else if p := c.Providers[0].Provider; p.OIDC() != e.Provider.OIDC() || p.Check() != nil {
			t.Errorf("%s: %+v", e.Kind, p)
		}
	}
}

// Whoever must be locked out at once is locked out from a shell that has not the server's environment.
func TestSecretsOfTheServerBesideIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "exeunt.yaml")
	text := withIssuer + "providers:\n  - {id: corp, kind: oidc, issuer: 'https://op.example', client_id: x, secret: {env: NOT_THERE}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := config.LoadBeside(file); err != nil || len(c.Providers) != 1 {
		t.Error(c.Providers, err)
	}
	if _, err := config.Load(file); err == nil || !strings.Contains(err.Error(), "the environment has no NOT_THERE") {
		t.Error("the server starts without the secret:", err)
	}
}
