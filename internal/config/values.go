package config

import (
	"encoding/hex"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"exeunt.dev/internal/idp"
	"go.yaml.in/yaml/v4"
)

var tokenChars = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$") // RFC 9110 section 5.6.2

// taken are headers that browsers write themselves, or that say something else here.
var taken = regexp.MustCompile(`(?i)^(accept|authorization|connection|cookie|dpop|expect|host|idempotency-key|keep-alive|origin|referer|user-agent|x-forwarded|forwarded|transfer-encoding|upgrade|via|te$|trailer|sec-|proxy-|content-)`)

func (r *reader) cookies(key string, n *yaml.Node, to *Cookies) {
	name := func(to *string) func(string, *yaml.Node) {
		return func(key string, n *yaml.Node) {
			if text, ok := r.text(key, n); ok {
				if !tokenChars.MatchString(text) {
					r.wrong(n.Line, key, strconv.Quote(text)+" is no name of a cookie or header", "use letters, digits, - and _")
				}
				*to = text
			}
		}
	}
	r.mapping(key, n, []field{{"session", name(&to.Session)}, {"browser", name(&to.Browser)}, {"csrf", name(&to.CSRF)}, {"csrf_header", func(key string, n *yaml.Node) {
		if name(&to.Header)(key, n); taken.MatchString(to.Header) {
			r.wrong(n.Line, key, to.Header+" has a meaning of its own", "write a name that no other program uses, for example X-CSRFToken")
		}
	}}})
	seen := map[string]bool{}
	for _, c := range []string{to.Session, to.Browser, to.CSRF} {
		if c != "" && seen[c] {
			r.wrong(n.Line, key, "two cookies have the name "+c, "give each its own")
		}
		seen[c] = true
	}
}

// minToken is the least length of an initial access token, in characters: 128 bits as base64url.
const minToken = 22

// token reads one initial access token, as a hash or from where a secret may be. The token itself does not belong into
// this file.
func (r *reader) token(key string, n *yaml.Node, to *[]idp.Hash) {
	var hash, file, env string
	if n.Kind != yaml.MappingNode {
		r.wrong(n.Line, key, "a token is not written here", "write sha256: HEX, file: PATH or env: NAME")
		return
	}
	before := len(r.problems)
	r.mapping(key, n, []field{{"sha256", r.into(&hash)}, {"file", r.into(&file)}, {"env", r.into(&env)}})
	if len(r.problems) > before {
		return
	}
	secret := ""
	switch {
	case hash != "" && file == "" && env == "":
		b, err := hex.DecodeString(hash)
		if err != nil || len(b) != len(idp.Hash{}) {
			r.wrong(n.Line, key, "sha256 is not 64 hexadecimal digits", "make it with: printf %s TOKEN | sha256sum")
			return
		}
		if idp.Hash(b) == idp.HashOf("") {
			r.wrong(n.Line, key, "this is the hash of no token at all, so that anybody could register", "make a token and its hash: T=$(openssl rand -hex 24); echo $T; printf %s $T | sha256sum")
			return
		}
		*to = append(*to, idp.Hash(b))
		return
	case file != "" && hash == "" && env == "":
		path := file
		if !filepath.IsAbs(path) {
			path = filepath.Join(r.base, path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			r.wrong(n.Line, key, "the file "+file+" cannot be read", "put the token into it, or correct the path")
			return
		}
		secret = strings.TrimSpace(string(text))
	case env != "" && hash == "" && file == "":
		if secret = os.Getenv(env); secret == "" {
			r.wrong(n.Line, key, "the environment has no "+env, "set it to the token before you start the server")
			return
		}
	default:
		r.wrong(n.Line, key, "a token has one source", "write one of sha256, file and env")
		return
	}
	if len(secret) < minToken {
		r.wrong(n.Line, key, "the token is too short to be safe", "make one with: openssl rand -base64 32")
		return
	}
	*to = append(*to, idp.HashOf(secret))
}

func (r *reader) tracing(key string, n *yaml.Node, t *Tracing) {
	t.Sample = 1
	r.mapping(key, n, []field{{"endpoint", func(key string, n *yaml.Node) {
		text, ok := r.text(key, n)
		if !ok {
			return
		}
		u, err := url.Parse(text)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.Fragment != "" {
			r.wrong(n.Line, key, strconv.Quote(text)+" is not the address of a collector", "write for example http://127.0.0.1:4318/v1/traces")
			return
		}
		t.Endpoint = text
	}}, {"sample", func(key string, n *yaml.Node) {
		text, ok := r.text(key, n)
		if !ok {
			return
		}
		part, err := strconv.ParseFloat(text, 64)
		if err != nil || !(part > 0 && part <= 1) {
			r.wrong(n.Line, key, strconv.Quote(text)+" is no part of requests", "write a number above 0, at most 1, for example 0.1")
			return
		}
		t.Sample = part
	}}})
	if _, there := r.lines[key+".endpoint"]; !there {
		r.wrong(n.Line, key, "endpoint is missing", "write the collector's address, for example http://127.0.0.1:4318/v1/traces, or leave tracing out")
	}
}

func (r *reader) resource(key string, n *yaml.Node, to *[]string) {
	text, ok := r.text(key, n)
	if !ok {
		return
	}
	if u, err := url.Parse(text); err != nil || !u.IsAbs() || strings.Contains(text, "#") { // RFC 8707 section 2
		r.wrong(n.Line, key, strconv.Quote(text)+" is not the address of an API", "write an absolute URI without fragment, for example https://api.example.com")
		return
	}
	*to = append(*to, text)
}

// scope reads a scope-token (RFC 6749 section 3.3).
func (r *reader) scope(key string, n *yaml.Node, to *[]string) {
	text, ok := r.text(key, n)
	if !ok {
		return
	}
	if strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) {
		r.wrong(n.Line, key, strconv.Quote(text)+" is not one scope", "write each scope as an item of its own, for example orders:read")
		return
	}
	if idp.Power(text) {
		r.wrong(n.Line, key, text+" reaches everybody, so that no app may have it by asking", "give it by: exeunt client add NAME --kind machine --scope "+text)
		return
	}
	*to = append(*to, text)
}

// together checks what no single value shows.
func (r *reader) together(c *Config) {
	at := func(key string) int { return max(r.lines[key], 1) }
	u, err := url.Parse(c.Issuer)
	switch {
	case c.Issuer == "":
		r.wrong(1, "issuer", "it is missing", "write the address at which people reach this server, for example issuer: https://id.example.com")
		return
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(c.Issuer, "?#") || (u.Scheme != "https" && u.Scheme != "http"):
		r.wrong(at("issuer"), "issuer", strconv.Quote(c.Issuer)+" is not an address", "write for example https://id.example.com")
		return
	case u.Path != "":
		r.wrong(at("issuer"), "issuer", "a path is not supported", "write "+u.Scheme+"://"+u.Host+", without a slash at the end")
		return
	case !ascii(u.Host):
		r.wrong(at("issuer"), "issuer", "browsers write this name as it is in DNS", "write it with xn--")
		return
	case canonical(u) != u.Host:
		r.wrong(at("issuer"), "issuer", "browsers write this address in another way, and would be taken for strangers", "write "+u.Scheme+"://"+canonical(u))
		return
	case u.Scheme == "http" && !idp.LoopbackHost(u.Hostname()):
		r.wrong(at("issuer"), "issuer", "http is for this machine only: passwords would cross the network in the clear", "write https://"+u.Host)
		return
	case u.Scheme == "http" && c.TLS != (TLS{}):
		r.wrong(at("tls"), "tls", "the issuer is http", "write https in issuer, or leave tls out")
	case u.Scheme == "https" && c.TLS == (TLS{}) && len(c.TrustedProxies) == 0:
		r.wrong(at("issuer"), "issuer", "nobody has its certificate", "write tls: with cert_file and key_file or with acme, or name the proxy that has it in trusted_proxies")
	case u.Scheme == "http" && !localListen(c.Listen) && len(c.TrustedProxies) == 0:
		r.wrong(at("listen"), "listen", "an http issuer must not be reachable from elsewhere", "listen on 127.0.0.1")
	}
	if c.MetricsListen != "" && c.MetricsListen == c.Listen {
		r.wrong(at("metrics_listen"), "metrics_listen", "listen has this address already", "write another port, for example 127.0.0.1:9090")
	}
	if r.lines["data"] > 0 && r.lines["postgres"] > 0 {
		r.wrong(at("postgres"), "postgres", "data names a database, too", "keep one of the two: data for one server on SQLite, postgres for several")
	}
	if c.Postgres.URL == "" && filepath.Clean(c.Data) == filepath.Clean(c.KeyFile) {
		r.wrong(max(r.lines["key_file"], r.lines["data"], 1), "key_file", "the database and its key cannot be one file", "write two names, for example exeunt.db and exeunt.key")
	}
	if host := u.Hostname(); c.TLS.ACME {
		switch {
		case idp.LoopbackHost(host):
			r.wrong(at("tls"), "tls.acme", "nobody gives certificates for "+host, "use cert_file and key_file")
		case net.ParseIP(host) != nil:
			r.wrong(at("tls"), "tls.acme", "certificates by ACME are for names, not for "+host, "use a name in issuer, or cert_file and key_file")
		}
	}
	if u.Scheme == "http" {
		for key, name := range map[string]string{"session": c.Cookies.Session, "browser": c.Cookies.Browser} {
			if strings.HasPrefix(name, "__") {
				r.wrong(at("cookies."+key), "cookies."+key, "browsers take "+name+" over https only", "leave the prefix out")
			}
		}
	}
}

// canonical is host and port as browsers write them (RFC 6454 section 6.1).
func canonical(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]; u.Port() == "" || ":"+u.Port() == port {
		host = strings.TrimSuffix(strings.TrimSuffix(host, port), ":")
	}
	return host
}

func localListen(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	return idp.LoopbackHost(host)
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c > '~' })
}
