package config

import (
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
	"go.yaml.in/yaml/v4"
)

// Config is the configuration file.
type Config struct {
	Issuer         string   `yaml:"issuer"`
	Name           string   `yaml:"name"`
	Listen         string   `yaml:"listen"`
	Database       string   `yaml:"database"`
	KeyFile        string   `yaml:"key_file"`
	TLS            TLS      `yaml:"tls"`
	TrustedProxies []string `yaml:"trusted_proxies"`
	Lifetimes      Lifetime `yaml:"lifetimes"`
	SigningAlgs    []string `yaml:"signing_algs"`
	Cookies        Cookies  `yaml:"cookies"`
	Registration   Register `yaml:"registration"`
	Resources      []string `yaml:"resources"`
	MetricsListen  string   `yaml:"metrics_listen"`
	LogLevel       string   `yaml:"log_level"`

	Proxies       []netip.Prefix `yaml:"-"`
	InitialTokens []idp.Hash     `yaml:"-"`
}

// TLS says where certificates come from: files, ACME, or nowhere (a trusted proxy, or loopback).
type TLS struct {
	CertFile  string `yaml:"cert_file"`
	KeyFile   string `yaml:"key_file"`
	ACME      bool   `yaml:"acme"`
	ACMECache string `yaml:"acme_cache"`
	ACMEMail  string `yaml:"acme_mail"`
}

// Lifetime is how long things live.
type Lifetime struct {
	Access          time.Duration `yaml:"access_token"`
	ID              time.Duration `yaml:"id_token"`
	Code            time.Duration `yaml:"code"`
	SessionIdle     time.Duration `yaml:"session_idle"`
	SessionAbsolute time.Duration `yaml:"session_absolute"`
	StayIdle        time.Duration `yaml:"stay_idle"`
	StayAbsolute    time.Duration `yaml:"stay_absolute"`
	RefreshIdle     time.Duration `yaml:"refresh_idle"`
	RefreshAbsolute time.Duration `yaml:"refresh_absolute"`
	Grace           time.Duration `yaml:"refresh_grace"`
	Pending         time.Duration `yaml:"pending"`
	Recent          time.Duration `yaml:"recent_sign_in"`
}

// Cookies are the names that a client of the accounts API may be written for.
type Cookies struct {
	Session string `yaml:"session"`
	Browser string `yaml:"browser"`
	CSRF    string `yaml:"csrf"`
	Header  string `yaml:"csrf_header"`
}

// Register opens dynamic registration to holders of a token.
type Register struct {
	TokenFile string `yaml:"initial_access_token_file"`
}

const day = 24 * time.Hour

// Default is the configuration without a file, but for the issuer.
func Default() Config {
	return Config{
		Name: "Exeunt", Listen: "127.0.0.1:8080", Database: "exeunt.db", KeyFile: "exeunt.key", SigningAlgs: []string{"ES256"}, LogLevel: "info",
		Lifetimes: Lifetime{
			Access: 5 * time.Minute, ID: 5 * time.Minute, Code: time.Minute, SessionIdle: 2 * time.Hour, SessionAbsolute: day,
			StayIdle: 14 * day, StayAbsolute: 30 * day, RefreshIdle: 14 * day, RefreshAbsolute: 30 * day, Grace: 30 * time.Second,
			Pending: 15 * time.Minute, Recent: 10 * time.Minute,
		},
	}
}

//go:embed example.yaml
var example string

// Example is a commented configuration that works.
func Example() string { return example }

// Policy gives the lifetimes as the rooms know them.
func (c *Config) Policy() idp.Policy {
	l := c.Lifetimes
	return idp.Policy{AccessLife: l.Access, IDTokenLife: l.ID, CodeLife: l.Code, SessionIdle: l.SessionIdle, SessionAbsolute: l.SessionAbsolute,
		StayIdle: l.StayIdle, StayAbsolute: l.StayAbsolute, RefreshIdle: l.RefreshIdle, RefreshAbsolute: l.RefreshAbsolute, Grace: l.Grace,
		PendingLife: l.Pending, RecentSignIn: l.Recent}
}

// Load reads a file. Paths in it are relative to the file's folder.
func Load(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("%w (make one with: exeunt config example > %s)", err, path)
	}
	return Parse(path, text)
}

// Parse reads a configuration; path is for messages and for the folder that its paths are relative to.
func Parse(path string, text []byte) (Config, error) {
	c := Default()
	if err := yaml.Load(text, &c, yaml.WithKnownFields()); err != nil {
		return c, explain(path, err)
	}
	var root yaml.Node
	if err := yaml.Load(text, &root); err != nil {
		return c, explain(path, err)
	}
	if p := c.check(filepath.Dir(path)); p != nil {
		return c, fmt.Errorf("%s%s: %s: %s", path, line(&root, strings.Split(p.key, ".")), p.key, p.text)
	}
	return c, nil
}

type problem struct{ key, text string }

// check validates values and reads the secrets that the file names.
func (c *Config) check(dir string) *problem {
	u, err := url.Parse(c.Issuer)
	switch {
	case c.Issuer == "":
		return &problem{"issuer", "is missing; write the address that people see, as in https://id.example.com"}
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.TrimSuffix(u.Path, "/") != "" || strings.HasSuffix(c.Issuer, "/"):
		return &problem{"issuer", "must be an address without path, query and final slash, as in https://id.example.com"}
	case u.Scheme != "https" && !(u.Scheme == "http" && idp.LoopbackHost(u.Hostname())):
		return &problem{"issuer", "must be https; http is for loopback names such as http://127.0.0.1:8080 only"}
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return &problem{"listen", "must be an address with a port, as in 127.0.0.1:8080 or :443"}
	}
	if len(c.SigningAlgs) == 0 {
		return &problem{"signing_algs", "must name at least one of ES256, EdDSA, RS256"}
	}
	for _, a := range c.SigningAlgs {
		if !slices.Contains([]string{"ES256", "EdDSA", "RS256"}, a) {
			return &problem{"signing_algs", fmt.Sprintf("does not know %q; write ES256, EdDSA or RS256", a)}
		}
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		return &problem{"tls", "needs both cert_file and key_file"}
	}
	if c.TLS.ACME && c.TLS.CertFile != "" {
		return &problem{"tls", "has both acme and cert_file; write one of them"}
	}
	if u.Scheme == "https" && !c.TLS.ACME && c.TLS.CertFile == "" && len(c.TrustedProxies) == 0 {
		return &problem{"tls", "is missing for an https issuer; write cert_file and key_file, or acme: true, or name the proxy in front in trusted_proxies"}
	}
	for _, p := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			a, err := netip.ParseAddr(p)
			if err != nil {
				return &problem{"trusted_proxies", fmt.Sprintf("%q is no address or network; write 10.0.0.7 or 10.0.0.0/8", p)}
			}
			prefix = netip.PrefixFrom(a, a.BitLen())
		}
		c.Proxies = append(c.Proxies, prefix)
	}
	for _, r := range c.Resources {
		if u, err := url.Parse(r); err != nil || !u.IsAbs() || u.Fragment != "" {
			return &problem{"resources", fmt.Sprintf("%q is no absolute address without fragment (RFC 8707)", r)}
		}
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		return &problem{"log_level", "must be debug, info, warn or error"}
	}
	if p := c.Lifetimes.check(); p != nil {
		return p
	}
	for _, f := range []*string{&c.Database, &c.KeyFile, &c.TLS.CertFile, &c.TLS.KeyFile, &c.TLS.ACMECache, &c.Registration.TokenFile} {
		if *f != "" && !filepath.IsAbs(*f) {
			*f = filepath.Join(dir, *f)
		}
	}
	return c.secrets()
}

// secrets reads the tokens that open registration.
func (c *Config) secrets() *problem {
	if c.Registration.TokenFile == "" {
		return nil
	}
	text, err := os.ReadFile(c.Registration.TokenFile)
	if err != nil {
		return &problem{"registration.initial_access_token_file", "cannot be read: make the file with one token on each line, or remove the setting to keep registration closed"}
	}
	for _, token := range strings.Fields(string(text)) {
		if len(token) < 22 {
			return &problem{"registration.initial_access_token_file", "has a token of less than 22 characters; make one with: openssl rand -base64 32"}
		}
		c.InitialTokens = append(c.InitialTokens, idp.HashOf(token))
	}
	return nil
}

func (l *Lifetime) check() *problem {
	for _, d := range []struct {
		key      string
		v        time.Duration
		min, max time.Duration
	}{
		{"access_token", l.Access, 5 * time.Second, time.Hour}, {"id_token", l.ID, 5 * time.Second, day}, {"code", l.Code, 5 * time.Second, 10 * time.Minute},
		{"session_idle", l.SessionIdle, time.Minute, 30 * day}, {"session_absolute", l.SessionAbsolute, time.Minute, 365 * day},
		{"stay_idle", l.StayIdle, time.Minute, 365 * day}, {"stay_absolute", l.StayAbsolute, time.Minute, 400 * day},
		{"refresh_idle", l.RefreshIdle, time.Minute, 365 * day}, {"refresh_absolute", l.RefreshAbsolute, time.Minute, 365 * day},
		{"refresh_grace", l.Grace, 0, 5 * time.Minute}, {"pending", l.Pending, time.Minute, day}, {"recent_sign_in", l.Recent, time.Second, day},
	} {
		if d.v < d.min || d.v > d.max {
			return &problem{"lifetimes." + d.key, fmt.Sprintf("is %s; write a length between %s and %s, as in 5m or 24h", d.v, d.min, d.max)}
		}
	}
	return nil
}

// explain puts the file and the line before each of the reader's complaints.
func explain(path string, err error) error {
	var many *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case errors.As(err, &many) && len(many.Errors) > 0:
		one = many.Errors[0]
	case !errors.As(err, &one):
		return fmt.Errorf("%s: %w", path, err)
	}
	text := one.Message
	if strings.Contains(text, "not found in type") {
		text = strings.Split(text, " not found in type")[0] + " is not a setting; see: exeunt config example"
	}
	return fmt.Errorf("%s:%d: %s", path, one.Mark.Line, text)
}

// line finds the line of a key, as ":7", or of the last part of the way to it that is there.
func line(n *yaml.Node, keys []string) string {
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	found := ""
	for _, key := range keys {
		hit := false
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				found, n, hit = fmt.Sprintf(":%d", n.Content[i].Line), n.Content[i+1], true
				break
			}
		}
		if !hit {
			break
		}
	}
	return found
}
