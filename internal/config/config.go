package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"exeunt.dev/internal/caller"
	"exeunt.dev/internal/idp"
)

// Config is everything that an operator can set.
type Config struct {
	Name           string // of the installation, as people see it
	Look           Look
	Issuer         string
	Listen         string
	Data           string // the SQLite file, if there is no Postgres
	Postgres       Postgres
	KeyFile        string
	TLS            TLS
	TrustedProxies []netip.Prefix
	ProxyHeader    caller.Header // that they write
	Policy         idp.Policy
	Algs           []string // that ID tokens can be had in; the first one is the default
	Cookies        Cookies
	InitialTokens  []idp.Hash // of initial access tokens; none: registration is closed
	Resources      []string   // APIs that self-registered clients may name

	RegistrationScopes []string // that self-registered clients may have besides those of OpenID Connect
	LogLevel           slog.Level
	Outbound           []netip.Prefix // networks that are not public, in which apps may be called
	TryFor             time.Duration  // how long an app is tried to be told of a sign-out
	FrontChannel       bool           // what works in browsers only: Front-Channel Logout and Session Management
	Tracing            Tracing
	Providers          []Provider // that people may sign in through, in the order of their buttons
	Mail               Mail
	Passwords          Passwords
	Lock               Lock
	MetricsListen      string        // "": on Listen, if the server is for this machine alone
	Places             string        // a table of addresses and places; "": none
	AuditKeep          time.Duration // for how long events are kept; 0: for ever
	Drain              time.Duration // how long a stopping node says that it is not ready before it takes no more requests

	file  string // it was loaded from
	lines map[string]int
}

// Where is the line of a key, for messages: file:line.
func (c *Config) Where(key string) string { return fmt.Sprintf("%s:%d", c.file, max(c.lines[key], 1)) }

// Refuse is an error about the value of a key, for what shows only when the value is used.
func (c *Config) Refuse(key, wrong, instead string) error {
	return c.RefuseAll([]Problem{{Key: key, Wrong: wrong, Instead: instead}})
}

// RefuseAll is Refuse for several keys, whose lines it fills in.
func (c *Config) RefuseAll(problems []Problem) error {
	for i := range problems {
		problems[i].Line = max(c.lines[problems[i].Key], 1)
	}
	return &Error{c.file, problems}
}

// Postgres is the database of several nodes. The zero value: SQLite.
type Postgres struct {
	URL         string // with the password, if it has one
	Connections int    // at most
}

// Database is what messages may call the database.
func (c *Config) Database() string {
	if c.Postgres.URL == "" {
		return c.Data
	}
	u, err := url.Parse(c.Postgres.URL)
	if err != nil {
		return "postgres"
	}
	return u.Redacted()
}

// Tracing says where spans go. The zero value: it is off.
type Tracing struct {
	Endpoint string  // of a collector, OTLP by HTTP
	Sample   float64 // which part of requests, above 0, at most 1
}

// TLS says where the certificate comes from. The zero value: from nowhere, a proxy has it.
type TLS struct {
	CertFile, KeyFile string
	ACME              bool
	Cache, Email      string
	Directory         string // of the authority; "": Let's Encrypt
	RootFile          string // whom the authority's address must come from; "": whom the system trusts
}

// Cookies are the names that people's programs see. Empty: the default.
type Cookies struct{ Session, Browser, CSRF, Header string }

// Default is the configuration that an empty file means, but for the issuer.
func Default() Config {
	const day = 24 * time.Hour
	return Config{
		Name: "Exeunt", Listen: "127.0.0.1:8080", Data: "exeunt.db", KeyFile: "exeunt.key", Algs: []string{"ES256"}, TryFor: 3 * day, AuditKeep: 400 * day,
		Policy: idp.Policy{
			AccessLife: 5 * time.Minute, IDTokenLife: 5 * time.Minute, CodeLife: time.Minute,
			SessionIdle: 2 * time.Hour, SessionAbsolute: day, StayIdle: 14 * day, StayAbsolute: 30 * day,
			RefreshIdle: 14 * day, RefreshAbsolute: 30 * day,
			Grace: 30 * time.Second, PendingLife: 15 * time.Minute, RecentSignIn: 10 * time.Minute,
		},
	}
}

// HTTPS says whether people reach the issuer by https.
func (c *Config) HTTPS() bool { return strings.HasPrefix(c.Issuer, "https:") }

// Load reads a file. Paths in it are relative to the folder it lies in.
func Load(path string) (Config, error) { return load(path, false) }

// LoadBeside reads a file for a command beside the server. Providers' secrets that come from the environment may be missing, since commands talk to
// no provider: an operator's shell is not the server's, and somebody must be locked out at once.
func LoadBeside(path string) (Config, error) { return load(path, true) }

func load(path string, beside bool) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	c, lines, err := parse(path, text, beside)
	if err != nil {
		return Config{}, err
	}
	c.file, c.lines = path, lines
	for _, p := range []*string{&c.Data, &c.KeyFile, &c.TLS.CertFile, &c.TLS.KeyFile, &c.TLS.Cache, &c.TLS.RootFile, &c.Places} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(path), *p)
		}
	}
	return c, nil
}
