package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

func TestExampleIsTheDefault(t *testing.T) {
	c, err := config.Parse("exeunt.yaml", []byte(config.Example()))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Issuer = "http://localhost:8080"
	if !reflect.DeepEqual(c, want) {
		t.Errorf("\n%+v\n%+v", c, want)
	}
	// What is commented out is right, too.
	t.Setenv("EXEUNT_REGISTRATION_TOKEN", idp.NewSecret(32))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "registration-token"), []byte(idp.NewSecret(32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mail-password", "breached.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("geheim\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	full := strings.NewReplacer("# cookies:", "cookies:", "#   session: exeunt\n", "  session: exeunt\n", "#   browser", "  browser", "#   csrf", "  csrf",
		"# registration:", "registration:", "#   initial_tokens", "  initial_tokens", "the 64 digits that \"printf %s TOKEN | sha256sum\" prints", strings.Repeat("ab", 32), "#     - ", "    - ", "#   # Scopes", "  # Scopes", "#   scopes", "  scopes", "# resources", "resources", "# metrics_listen", "metrics_listen",
		"# tracing:", "tracing:", "#   endpoint", "  endpoint", "#   sample", "  sample", "# apps:", "apps:", "#   allow_networks", "  allow_networks", "#   try_for", "  try_for", "#   front_channel: false", "  front_channel: true",
		"# trusted_proxies", "trusted_proxies", "# proxy_header", "proxy_header", "# drain", "drain",
		"# mail:", "mail:", "#   smtp", "  smtp", "#   tls: starttls", "  tls: starttls", "#   username", "  username", "#   password_file: mail", "  password_file: mail", "#   from", "  from", "#   root_file: mail", "  root_file: mail",
		"# passwords:", "passwords:", "#   breached", "  breached", "#   memory", "  memory", "#   passes", "  passes", "# lock:", "lock:", "#   on_refresh", "  on_refresh", "#   for: 1h", "  for: 1h").Replace(config.Example())
	c, err = config.Parse(filepath.Join(dir, "exeunt.yaml"), []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.InitialTokens) != 3 || len(c.TrustedProxies) != 2 || c.ProxyHeader != "Forwarded" || c.Cookies.Header != "X-CSRFToken" || c.MetricsListen == "" || len(c.Resources) != 1 || len(c.Outbound) != 1 || !c.FrontChannel || c.Tracing.Sample != 0.1 || c.Tracing.Endpoint == "" {
		t.Errorf("%+v", c)
	}
	mail := config.Mail{Host: "mail.example.com", Port: 587, TLS: "starttls", Username: "exeunt", Password: "geheim", From: "exeunt@example.com", RootFile: filepath.Join(dir, "mail-root.pem")}
	passwords := config.Passwords{Breached: filepath.Join(dir, "breached.txt"), Memory: 19456, Passes: 2}
	if c.Mail != mail || c.Passwords != passwords || c.Lock != (config.Lock{For: time.Hour}) {
		t.Errorf("%+v\n%+v\n%+v", c.Mail, c.Passwords, c.Lock)
	}
}

// Every mistake is refused with its line, what is wrong and what to write instead.
func TestRefused(t *testing.T) {
	const ok = "issuer: http://localhost:8080\n"
	for _, c := range []struct {
		name, text string
		line       int
		says       []string
	}{
		{"nothing", "", 1, []string{"issuer", "missing", "https://id.example.com"}},
		{"unknown key", ok + "isuer: x\n", 2, []string{"isuer", "no such key", "did you mean issuer?"}},
		{"unknown key, nothing like it", ok + "database_url: x\n", 2, []string{"database_url", "known here are issuer, name"}},
		{"unknown key below", ok + "lifetimes:\n  code: 60s\n  acess_token: 5m\n", 4, []string{"lifetimes.acess_token", "did you mean access_token?"}},
		{"twice", ok + "name: a\nname: b\n", 3, []string{"name", "twice"}},
		{"neither yes nor no", ok + "apps:\n  front_channel: maybe\n", 3, []string{"apps.front_channel", "true or false"}},
		{"mail: nowhere", ok + "mail:\n  from: a@example.com\n", 3, []string{"mail.smtp", "host:port"}},
		{"mail: from nobody", ok + "mail:\n  smtp: mail.example.com:587\n  from: Alice <a@example.com>\n", 4, []string{"mail.from", "exeunt@example.com"}},
		{"mail: in the clear", ok + "mail:\n  smtp: mail.example.com:25\n  from: a@example.com\n  tls: none\n", 5, []string{"mail.tls", "another machine", "starttls"}},
		{"mail: another kind", ok + "mail:\n  smtp: mail.example.com:25\n  from: a@example.com\n  tls: maybe\n", 5, []string{"mail.tls", "no kind of connection"}},
		{"mail: half a credential", ok + "mail:\n  smtp: mail.example.com:25\n  from: a@example.com\n  username: a\n", 3, []string{"mail", "belong together"}},
		{"mail: no password", ok + "mail:\n  smtp: mail.example.com:25\n  from: a@example.com\n  username: a\n  password_file: nothing-there\n", 6, []string{"mail.password_file", "nothing-there"}},
		{"passwords: no file", ok + "passwords:\n  breached: nothing-there\n", 3, []string{"passwords.breached", "nothing-there"}},
		{"passwords: too cheap", ok + "passwords:\n  memory: 8\n", 3, []string{"passwords.memory", "7168"}},
		{"lock: too short", ok + "lock:\n  for: 1s\n", 3, []string{"lock.for", "1m"}},
		{"no YAML", ok + "name: [\n", 3, []string{"not YAML"}},
		{"a list", "- a\n", 1, []string{"mapping"}},
		{"no value", ok + "data:\n", 2, []string{"data", "missing"}},
		{"http", "name: x\nissuer: http://id.example.com\n", 2, []string{"issuer", "in the clear", "https://id.example.com"}},
		{"https without certificate", "issuer: https://id.example.com\n", 1, []string{"issuer", "tls:", "trusted_proxies"}},
		{"path", "issuer: https://id.example.com/\n", 1, []string{"path", "write https://id.example.com,"}},
		{"no address", "issuer: id.example.com\n", 1, []string{"is not an address"}},
		{"query", "issuer: https://id.example.com?x\n", 1, []string{"is not an address"}},
		{"http for everybody", ok + "listen: :8080\n", 2, []string{"listen", "127.0.0.1"}},
		{"listen", ok + "listen: 8080\n", 2, []string{"listen", "host:port"}},
		{"half a certificate", "issuer: https://id.example.com\ntls:\n  cert_file: a\n", 3, []string{"tls", "both"}},
		{"acme without cache", "issuer: https://id.example.com\ntls:\n  acme: {email: a@example.com}\n", 3, []string{"tls.acme", "cache"}},
		{"acme at nowhere", "issuer: https://id.example.com\ntls:\n  acme: {cache: a, directory: 'http://ca.internal'}\n", 3, []string{"tls.acme.directory", "https://ca.internal"}},
		{"acme for an address", "issuer: https://192.0.2.1\ntls:\n  acme: {cache: a}\n", 2, []string{"tls.acme", "192.0.2.1"}},
		{"acme for letters", "issuer: https://bücher.example\ntls:\n  acme: {cache: a}\n", 1, []string{"issuer", "xn--"}},
		{"tls for http", ok + "tls: {cert_file: a, key_file: b}\n", 2, []string{"tls", "https"}},
		{"proxies", ok + "trusted_proxies: [1.2.3]\n", 2, []string{"trusted_proxies", "10.0.0.7"}},
		{"proxies' header", ok + "proxy_header: X-Real-IP\n", 2, []string{"proxy_header", "Forwarded"}},
		{"all proxies", ok + "trusted_proxies: [0.0.0.0/0]\n", 2, []string{"trusts everybody"}},
		{"number as time", ok + "lifetimes:\n  access_token: 300\n", 3, []string{"lifetimes.access_token", `"300"`, "5m"}},
		{"too long", ok + "lifetimes:\n  code: 1h\n", 3, []string{"lifetimes.code", "10m"}},
		{"negative", ok + "lifetimes:\n  session: -1h\n", 3, []string{"lifetimes.session", "out of range"}},
		{"idle", ok + "lifetimes: {session: 1h}\n", 2, []string{"session_idle is longer"}},
		{"the hash of nothing", ok + "registration:\n  initial_tokens:\n    - sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n", 4, []string{"anybody could register", "openssl"}},
		{"everybody's way out", ok + "registration:\n  scopes: [a, global_token_revocation]\n", 3, []string{"registration.scopes", "everybody", "--kind machine"}},
		{"alg", ok + "signing_algs: [HS256]\n", 2, []string{"HS256", "ES256"}},
		{"no alg", ok + "signing_algs: []\n", 2, []string{"empty"}},
		{"cookie", ok + "cookies:\n  csrf: \"a b\"\n", 3, []string{"cookies.csrf"}},
		{"same cookie", ok + "cookies: {csrf: a, session: a}\n", 2, []string{"two cookies"}},
		{"prefix on http", ok + "cookies:\n  session: __Host-a\n", 3, []string{"cookies.session", "https"}},
		{"token in the clear", ok + "registration:\n  initial_tokens:\n    - abcdefabcdefabcdefabcdef\n", 4, []string{"not written here", "sha256"}},
		{"token's file", ok + "registration:\n  initial_tokens:\n    - file: nowhere\n", 4, []string{"nowhere", "cannot be read"}},
		{"token's variable", ok + "registration:\n  initial_tokens:\n    - env: EXEUNT_NOT_SET\n", 4, []string{"EXEUNT_NOT_SET"}},
		{"token's hash", ok + "registration:\n  initial_tokens:\n    - sha256: abc\n", 4, []string{"64 hexadecimal"}},
		{"resource", ok + "resources: [orders]\n", 2, []string{"resources", "https://api.example.com"}},
		{"traces to nowhere", ok + "tracing: {sample: 0.5}\n", 2, []string{"tracing", "endpoint is missing"}},
		{"traces to a file", ok + "tracing:\n  endpoint: /var/log/traces\n", 3, []string{"tracing.endpoint", "4318"}},
		{"more than all", ok + "tracing:\n  endpoint: http://127.0.0.1:4318/v1/traces\n  sample: 10\n", 4, []string{"tracing.sample", "0.1"}},
		{"not a number", ok + "tracing: {endpoint: 'http://127.0.0.1:4318/v1/traces', sample: NaN}\n", 2, []string{"tracing.sample"}},
		{"a short memory", ok + "audit:\n  keep: 1h\n", 3, []string{"audit.keep", "forever"}},
		{"two documents", ok + "---\nname: x\n", 2, []string{"second document", "take out"}},
		{"an alias", "issuer: &a http://localhost:8080\nname: *a\n", 2, []string{"name", "stands for", "the value itself"}},
		{"issuer with letters that DNS has not", "issuer: https://b\u00fccher.example\ntrusted_proxies: [10.0.0.7]\n", 1, []string{"issuer", "xn--"}},
		{"issuer in capitals", "issuer: https://ID.example.com\ntrusted_proxies: [10.0.0.7]\n", 1, []string{"issuer", "write https://id.example.com"}},
		{"issuer with https's own port", "issuer: https://id.example.com:443\ntrusted_proxies: [10.0.0.7]\n", 1, []string{"issuer", "write https://id.example.com"}},
		{"header of the browser's", ok + "cookies:\n  csrf_header: cookie\n", 3, []string{"cookies.csrf_header", "X-CSRFToken"}},
		{"one address for two", ok + "listen: 127.0.0.1:9090\nmetrics_listen: 127.0.0.1:9090\n", 3, []string{"metrics_listen", "another port"}},
		{"one file for two", ok + "data: a\nkey_file: ./a\n", 3, []string{"key_file", "two names"}},
		{"level", ok + "log_level: loud\n", 2, []string{"log_level", "debug, info, warn or error"}},
	} {
		_, err := config.Parse("exeunt.yaml", []byte(c.text))
		var e *config.Error
		if !errors.As(err, &e) || len(e.Problems) != 1 {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if e.Problems[0].Line != c.line || e.Problems[0].Instead == "" {
			t.Errorf("%s: line %d, want %d: %v", c.name, e.Problems[0].Line, c.line, err)
		}
		for _, s := range c.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %q is not in %v", c.name, s, err)
			}
		}
	}
}

// Each length of life is a setting of its own.
func TestLifetimes(t *testing.T) {
	c, err := config.Parse("exeunt.yaml", []byte(`issuer: http://localhost:8080
lifetimes: {access_token: 61s, id_token: 62s, code: 63s, session_idle: 64s, session: 65s, stay_idle: 66s, stay: 67s, refresh_idle: 68s, refresh: 69s,
  refresh_grace: 70s, pending: 71s, recent_sign_in: 72s}
`))
	want := idp.Policy{AccessLife: 61 * time.Second, IDTokenLife: 62 * time.Second, CodeLife: 63 * time.Second, SessionIdle: 64 * time.Second,
		SessionAbsolute: 65 * time.Second, StayIdle: 66 * time.Second, StayAbsolute: 67 * time.Second, RefreshIdle: 68 * time.Second,
		RefreshAbsolute: 69 * time.Second, Grace: 70 * time.Second, PendingLife: 71 * time.Second, RecentSignIn: 72 * time.Second}
	if err != nil || c.Policy != want {
		t.Errorf("%+v %v", c.Policy, err)
	}
}

func TestCookieNames(t *testing.T) {
	c, err := config.Parse("exeunt.yaml", []byte("issuer: http://localhost:8080\ncookies: {session: a, browser: b, csrf: scratchcsrftoken, csrf_header: X-Requested-With}\n"))
	if want := (config.Cookies{Session: "a", Browser: "b", CSRF: "scratchcsrftoken", Header: "X-Requested-With"}); err != nil || c.Cookies != want {
		t.Errorf("%+v %v", c.Cookies, err)
	}
}

// What shows only when a value is used is refused with its line, too.
func TestRefuse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "exeunt.yaml")
	if err := os.WriteFile(file, []byte("issuer: http://localhost:8080\nmail:\n  smtp: localhost:25\n  from: a@example.com\n  root_file: root.pem\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Refuse("mail.root_file", "it is bad", "write a good one").Error(), file+":5: mail.root_file: it is bad; write a good one"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := config.Parse("f", []byte("listen: x\nlog_level: y\nfoo: z\n"))
	var e *config.Error
	if !errors.As(err, &e) || len(e.Problems) != 3 {
		t.Fatal(err)
	}
}

func TestPathsAndDays(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "exeunt.yaml")
	if err := os.WriteFile(file, []byte("issuer: https://id.example.com\ntls: {acme: {cache: certs, root_file: root.pem}}\nlifetimes: {refresh: 60d}\ndata: /var/db\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if c.KeyFile != filepath.Join(dir, "exeunt.key") || c.TLS.Cache != filepath.Join(dir, "certs") || c.TLS.RootFile != filepath.Join(dir, "root.pem") || c.Data != "/var/db" || c.Policy.RefreshAbsolute != 60*24*time.Hour || c.TLS.CertFile != "" {
		t.Errorf("%+v", c)
	}
}
