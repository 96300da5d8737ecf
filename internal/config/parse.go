package config

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"exeunt.dev/internal/caller"
	"exeunt.dev/internal/idp"
)

// Parse reads the text of a configuration. An error about its content is an *Error with all problems.
func Parse(file string, text []byte) (Config, error) {
	c, _, err := parse(file, text, false)
	return c, err
}

// parse also says in which line each key is.
func parse(file string, text []byte, beside bool) (Config, map[string]int, error) {
	c := Default()
	r := &reader{base: filepath.Dir(file), lines: map[string]int{}, beside: beside}
	var doc, second yaml.Node
	all := yaml.NewDecoder(bytes.NewReader(text))
	err := all.Decode(&doc)
	if err == nil {
		if err = all.Decode(&second); err == nil {
			r.wrong(second.Line, "", "a second document begins here, which nobody would read", "take out the line ---")
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		r.broken(err)
		return Config{}, nil, &Error{file, r.problems}
	}
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 && doc.Content[0].Tag != "!!null" {
		r.mapping("", doc.Content[0], r.fields(&c))
	}
	if len(r.problems) == 0 {
		r.together(&c)
	}
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
		return Config{}, nil, &Error{file, r.problems}
	}
	return c, r.lines, nil
}

var lineOf = regexp.MustCompile(`line (\d+)`)

// broken is text that is no YAML.
func (r *reader) broken(err error) {
	line := 1
	var load *yaml.LoadError
	if errors.As(err, &load) && load.Mark.Line > 0 {
		line = load.Mark.Line
	} else if m := lineOf.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	r.wrong(line, "", "this is not YAML", "check indentation, colons and quotes near here")
}

func (r *reader) fields(c *Config) []field {
	return []field{
		{"issuer", r.into(&c.Issuer)},
		{"name", r.into(&c.Name)},
		{"look", func(key string, n *yaml.Node) { r.look(key, n, &c.Look) }},
		{"listen", r.address(&c.Listen)},
		{"data", r.into(&c.Data)},
		{"postgres", func(key string, n *yaml.Node) { r.postgres(key, n, &c.Postgres) }},
		{"key_file", r.into(&c.KeyFile)},
		{"tls", func(key string, n *yaml.Node) { r.tls(key, n, &c.TLS) }},
		{"trusted_proxies", func(key string, n *yaml.Node) { r.proxies(key, n, &c.TrustedProxies) }},
		{"proxy_header", func(key string, n *yaml.Node) { r.proxyHeader(key, n, &c.ProxyHeader) }},
		{"lifetimes", func(key string, n *yaml.Node) { r.lifetimes(key, n, c) }},
		{"signing_algs", func(key string, n *yaml.Node) { r.algs(key, n, &c.Algs) }},
		{"cookies", func(key string, n *yaml.Node) { r.cookies(key, n, &c.Cookies) }},
		{"registration", func(key string, n *yaml.Node) {
			r.mapping(key, n, []field{{"initial_tokens", func(key string, n *yaml.Node) {
				r.list(key, n, func(n *yaml.Node) { r.token(key, n, &c.InitialTokens) })
			}}, {"scopes", func(key string, n *yaml.Node) {
				r.list(key, n, func(n *yaml.Node) { r.scope(key, n, &c.RegistrationScopes) })
			}}})
		}},
		{"resources", func(key string, n *yaml.Node) {
			r.list(key, n, func(n *yaml.Node) { r.resource(key, n, &c.Resources) })
		}},
		{"log_level", func(key string, n *yaml.Node) {
			if text, ok := r.text(key, n); ok && c.LogLevel.UnmarshalText([]byte(text)) != nil {
				r.wrong(n.Line, key, strconv.Quote(text)+" is no level", "write debug, info, warn or error")
			}
		}},
		{"metrics_listen", r.address(&c.MetricsListen)},
		{"tracing", func(key string, n *yaml.Node) { r.tracing(key, n, &c.Tracing) }},
		{"apps", func(key string, n *yaml.Node) {
			r.mapping(key, n, []field{
				{"allow_networks", func(key string, n *yaml.Node) { r.networks(key, n, &c.Outbound) }},
				{"try_for", func(key string, n *yaml.Node) { r.tryFor(key, n, &c.TryFor) }},
				{"front_channel", func(key string, n *yaml.Node) { r.truth(key, n, &c.FrontChannel) }},
			})
		}},
		{"mail", func(key string, n *yaml.Node) { r.mail(key, n, &c.Mail) }},
		{"passwords", func(key string, n *yaml.Node) { r.passwords(key, n, &c.Passwords) }},
		{"lock", func(key string, n *yaml.Node) { r.lock(key, n, &c.Lock) }},
		{"places_file", r.into(&c.Places)},
		{"audit", func(key string, n *yaml.Node) {
			r.mapping(key, n, []field{{"keep", func(key string, n *yaml.Node) { r.keep(key, n, &c.AuditKeep) }}})
		}},
		{"providers", func(key string, n *yaml.Node) {
			r.list(key, n, func(n *yaml.Node) { r.provider(key, n, &c.Providers) })
		}},
		{"drain", func(key string, n *yaml.Node) { r.drain(key, n, &c.Drain) }},
	}
}

func (r *reader) into(to *string) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		if text, ok := r.text(key, n); ok {
			*to = text
		}
	}
}

func (r *reader) truth(key string, n *yaml.Node, to *bool) {
	text, ok := r.text(key, n)
	if !ok {
		return
	}
	if text != "true" && text != "false" {
		r.wrong(n.Line, key, strconv.Quote(text)+" is neither yes nor no", "write true or false")
		return
	}
	*to = text == "true"
}

func (r *reader) address(to *string) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		text, ok := r.text(key, n)
		if !ok {
			return
		}
		_, port, err := net.SplitHostPort(text)
		if number, err2 := strconv.ParseUint(port, 10, 16); err != nil || err2 != nil || number > 65535 {
			r.wrong(n.Line, key, strconv.Quote(text)+" is no address to listen on", "write host:port, for example 127.0.0.1:8080 or :443")
			return
		}
		*to = text
	}
}

func (r *reader) tls(key string, n *yaml.Node, t *TLS) {
	r.mapping(key, n, []field{
		{"cert_file", r.into(&t.CertFile)},
		{"key_file", r.into(&t.KeyFile)},
		{"acme", func(key string, n *yaml.Node) {
			t.ACME = true
			r.mapping(key, n, []field{{"cache", r.into(&t.Cache)}, {"email", r.into(&t.Email)}, {"root_file", r.into(&t.RootFile)}, {"directory", func(key string, n *yaml.Node) {
				if text, ok := r.text(key, n); ok {
					if u, err := url.Parse(text); err != nil || u.Scheme != "https" || u.Host == "" {
						r.wrong(n.Line, key, strconv.Quote(text)+" is not the address of an authority", "write for example https://ca.internal:9000/acme/acme/directory")
					}
					t.Directory = text
				}
			}}})
			if t.Cache == "" {
				r.wrong(n.Line, key, "cache is missing", "write cache: and a folder, so that certificates survive a restart")
			}
		}},
	})
	switch {
	case t.ACME && (t.CertFile != "" || t.KeyFile != ""):
		r.wrong(n.Line, key, "certificate files and acme at once", "keep one of the two")
	case !t.ACME && (t.CertFile == "") != (t.KeyFile == ""):
		r.wrong(n.Line, key, "cert_file and key_file belong together", "write both")
	}
}

func (r *reader) networks(key string, n *yaml.Node, to *[]netip.Prefix) {
	r.list(key, n, func(n *yaml.Node) {
		if p, ok := r.network(key, n); ok {
			*to = append(*to, p)
		}
	})
}

// network reads an address, or a network.
func (r *reader) network(key string, n *yaml.Node) (p netip.Prefix, ok bool) {
	text, ok := r.text(key, n)
	if !ok {
		return p, false
	}
	p, err := netip.ParsePrefix(text)
	if a, err2 := netip.ParseAddr(text); err2 == nil {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	if err != nil {
		r.wrong(n.Line, key, strconv.Quote(text)+" is no address", "write for example 10.0.0.7 or 10.0.0.0/24")
		return p, false
	}
	return p.Masked(), true
}

// keep reads for how long something is kept.
func (r *reader) keep(key string, n *yaml.Node, to *time.Duration) {
	text, ok := r.text(key, n)
	if !ok {
		return
	}
	if text == "forever" {
		*to = 0
		return
	}
	d, err := Duration(text)
	if err != nil || d < 24*time.Hour {
		r.wrong(n.Line, key, strconv.Quote(text)+" is no length of time from 1d", "write for example 400d, or forever")
		return
	}
	*to = d
}

const longestTry = 30 * 24 * time.Hour

func (r *reader) tryFor(key string, n *yaml.Node, to *time.Duration) {
	text, ok := r.text(key, n)
	if !ok {
		return
	}
	d, err := Duration(text)
	if err != nil || d < time.Minute || d > longestTry {
		r.wrong(n.Line, key, strconv.Quote(text)+" is no length of time from 1m to 30d", "write for example 72h")
		return
	}
	*to = d
}

func (r *reader) proxies(key string, n *yaml.Node, to *[]netip.Prefix) {
	r.list(key, n, func(n *yaml.Node) {
		p, ok := r.network(key, n)
		if !ok {
			return
		}
		if p.Bits() == 0 {
			r.wrong(n.Line, key, n.Value+" trusts everybody, so that anybody can pretend to come from anywhere", "name the proxies' own addresses")
			return
		}
		*to = append(*to, p)
	})
}

func (r *reader) proxyHeader(key string, n *yaml.Node, to *caller.Header) {
	text, ok := r.text(key, n)
	if !ok {
		return
	}
	for _, h := range []caller.Header{caller.XForwardedFor, caller.Forwarded} {
		if strings.EqualFold(text, string(h)) {
			*to = h
			return
		}
	}
	r.wrong(n.Line, key, strconv.Quote(text)+" is no header that proxies write", "write X-Forwarded-For or Forwarded")
}

func (r *reader) lifetimes(key string, n *yaml.Node, c *Config) {
	p := &c.Policy
	var fields []field
	for _, l := range lives(p) {
		fields = append(fields, field{l.name, func(key string, n *yaml.Node) {
			text, ok := r.text(key, n)
			if !ok {
				return
			}
			d, err := Duration(text)
			if err != nil {
				r.wrong(n.Line, key, strconv.Quote(text)+" is no length of time", "write for example 30s, 5m, 12h or 14d")
			} else if d < l.least || d > l.most {
				r.wrong(n.Line, key, text+" is out of range", "write something from "+short(l.least)+" to "+short(l.most))
			} else {
				*l.to = d
			}
		}})
	}
	r.mapping(key, n, fields)
	for _, pair := range []struct {
		name       string
		idle, full time.Duration
	}{{"session", p.SessionIdle, p.SessionAbsolute}, {"stay", p.StayIdle, p.StayAbsolute}, {"refresh", p.RefreshIdle, p.RefreshAbsolute}} {
		if pair.idle > pair.full {
			r.wrong(n.Line, key, pair.name+"_idle is longer than "+pair.name, "make it at most "+short(pair.full))
		}
	}
}

// life is one of the lifetimes, with its bounds.
type life struct {
	name        string
	to          *time.Duration
	least, most time.Duration
}

// LongestAccessLife is the most that lifetimes.access_token may be.
const LongestAccessLife = 24 * time.Hour

func lives(p *idp.Policy) []life {
	const day = 24 * time.Hour
	return []life{
		{"access_token", &p.AccessLife, time.Second, LongestAccessLife},
		{"id_token", &p.IDTokenLife, time.Second, day},
		{"code", &p.CodeLife, time.Second, 10 * time.Minute}, // RFC 6749 section 4.1.2: ten minutes at most
		{"session_idle", &p.SessionIdle, time.Second, 400 * day},
		{"session", &p.SessionAbsolute, time.Second, 400 * day},
		{"stay_idle", &p.StayIdle, time.Second, 400 * day},
		{"stay", &p.StayAbsolute, time.Second, 400 * day},
		{"refresh_idle", &p.RefreshIdle, time.Second, 400 * day},
		{"refresh", &p.RefreshAbsolute, time.Second, 400 * day},
		{"refresh_grace", &p.Grace, 0, 5 * time.Minute},
		{"pending", &p.PendingLife, time.Minute, day},
		{"recent_sign_in", &p.RecentSignIn, time.Second, day},
	}
}

// Duration is time.ParseDuration with days.
func Duration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

func short(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day && d%day == 0:
		return strconv.Itoa(int(d/day)) + "d"
	case d >= time.Hour && d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d >= time.Minute && d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}

func (r *reader) algs(key string, n *yaml.Node, to *[]string) {
	*to = nil
	r.list(key, n, func(n *yaml.Node) {
		text, ok := r.text(key, n)
		switch {
		case !ok:
		case !slices.Contains([]string{"ES256", "EdDSA", "RS256"}, text):
			r.wrong(n.Line, key, strconv.Quote(text)+" is not supported", "write ES256, EdDSA or RS256")
		case slices.Contains(*to, text):
			r.wrong(n.Line, key, text+" is there twice", "keep one of them")
		default:
			*to = append(*to, text)
		}
	})
	if len(*to) == 0 && len(r.problems) == 0 {
		r.wrong(n.Line, key, "the list is empty", "write ES256, EdDSA or RS256")
	}
}

func (r *reader) drain(key string, n *yaml.Node, to *time.Duration) {
	text, ok := r.text(key, n)
	if !ok {
		return
	}
	d, err := Duration(text)
	if err != nil || d < 0 || d > time.Minute {
		r.wrong(n.Line, key, strconv.Quote(text)+" is no length of time up to 1m", "write for example 5s, longer than your proxy takes to notice /readyz")
		return
	}
	*to = d
}
