// Package rooms_test drives the rooms for people (sign-in, sign-out, account) through a whole node on loopback, with the real store.
package rooms_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/server"
	"exeunt.dev/internal/store/pgtest"
)

const (
	alicePW   = "correct horse battery"
	bobPW     = "staple of bob's own"
	booksHome = "https://books.test/?shop=1&lang=en"
	booksLeft = "https://books.test/left"
)

// pg is the Postgres that the tests run on; nil: on SQLite.
var pg *pgtest.Server

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "exeunt-rooms-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs = dir
	pgtest.Both(m, &pg, func() { os.RemoveAll(dir) })
}

type node struct {
	t         *testing.T
	anew      bool // with a database, keys and people that no other node has
	at        string
	server    *server.Base
	secrets   map[string]string
	config    config.Config
	secure    *tls.Config       // nil: plain http
	transport http.RoundTripper // nil: the default one
	stop      func()
	log       *slog.Logger // nil: nobody reads it
}

// start runs a node with two people and four apps.
func start(t *testing.T, change ...func(*config.Config)) *node {
	t.Helper()
	n := &node{t: t}
	n.start(change)
	return n
}

// startAnew is start for a second node that knows the first.
func startAnew(t *testing.T, change ...func(*config.Config)) *node {
	t.Helper()
	n := &node{t: t, anew: true}
	n.start(change)
	return n
}

// startTLS is start with an https issuer.
func startTLS(t *testing.T, change ...func(*config.Config)) *node {
	t.Helper()
	lent := httptest.NewTLSServer(nil) // has a certificate for loopback, and a client that trusts it
	lent.Close()
	n := &node{t: t, secure: &tls.Config{Certificates: lent.TLS.Certificates}, transport: lent.Client().Transport}
	n.start(change)
	return n
}

func (n *node) start(change []func(*config.Config)) {
	t := n.t
	t.Helper()
	l := n.listen("127.0.0.1:0")
	n.at = "http://" + l.Addr().String()
	if n.secure != nil {
		n.at = "https://" + l.Addr().String()
	}
	c := cheap()
	dir := t.TempDir()
	c.Issuer, c.Data, c.KeyFile = n.at, filepath.Join(dir, "exeunt.db"), filepath.Join(dir, "exeunt.key")
	if n.anew {
		n.secrets = fill(t, &c)
	} else {
		n.secrets = seed(t).copy(t, &c)
	}
	for _, f := range change {
		f(&c)
	}
	n.config = c
	n.run(l)
	t.Cleanup(func() { n.stop() })
}

func (n *node) listen(address string) net.Listener {
	n.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		n.t.Fatal(err)
	}
	if n.secure != nil {
		l = tls.NewListener(l, n.secure)
	}
	return l
}

func (n *node) run(l net.Listener) {
	n.t.Helper()
	s, err := server.NewOn(context.Background(), n.config, cmp.Or(n.log, slog.New(slog.DiscardHandler)), l)
	if err != nil {
		n.t.Fatal(err)
	}
	n.server = s.Base()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	n.stop = func() {
		stop()
		if err := <-done; err != nil {
			n.t.Error(err)
		}
	}
}

// restart stops the node and starts it again on the same database, at the same address.
func (n *node) restart() {
	n.t.Helper()
	n.stop()
	_, address, _ := strings.Cut(n.at, "://")
	n.run(n.listen(address))
}

// person is a browser that follows no redirect, so that each answer is seen.
type person struct {
	*node
	c *http.Client
}

func (n *node) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		n.t.Fatal(err)
	}
	stop := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &person{n, &http.Client{Jar: jar, CheckRedirect: stop, Timeout: 2 * time.Minute, Transport: n.transport}}
}

// thief has copies of this browser's cookies.
func (p *person) thief() *person {
	t := p.node.person()
	u, _ := url.Parse(p.at)
	t.c.Jar.SetCookies(u, p.c.Jar.Cookies(u))
	return t
}

func (p *person) put(name, value string) {
	u, _ := url.Parse(p.at)
	p.c.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func (p *person) cookie(name string) string {
	u, _ := url.Parse(p.at)
	for _, c := range p.c.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

type answer struct {
	status   int
	location string
	body     string
	header   http.Header
}

func (p *person) do(method, to string, body string, header map[string]string) answer {
	p.t.Helper()
	if strings.HasPrefix(to, "/") {
		to = p.at + to
	}
	r, err := http.NewRequest(method, to, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	res, err := p.c.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer{res.StatusCode, strings.TrimPrefix(res.Header.Get("Location"), p.at), string(text), res.Header}
}

func (p *person) get(to string) answer { p.t.Helper(); return p.do("GET", to, "", nil) }

// from follows a link on a page of another site.
func (p *person) from(page, to string) answer {
	p.t.Helper()
	return p.do("GET", to, "", map[string]string{"Referer": page, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
}

// follow follows redirects as long as they stay here.
func (p *person) follow(a answer) answer {
	p.t.Helper()
	for range 5 {
		if !strings.HasPrefix(a.location, "/") {
			break
		}
		a = p.get(a.location)
	}
	return a
}

const formType = "application/x-www-form-urlencoded"

// post posts from a page of ours.
func (p *person) post(to string, v url.Values) answer {
	p.t.Helper()
	return p.do("POST", to, v.Encode(), map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "same-origin", "Origin": p.at})
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// fields are the hidden fields of the page's main part.
func fields(page string) url.Values {
	if _, main, ok := strings.Cut(page, "<main "); ok {
		page, _, _ = strings.Cut(main, "</main>")
	}
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		v.Set(m[1], m[2])
	}
	return v
}

func with(v url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for k, all := range v {
		out[k] = all
	}
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

// signIn signs in on the page at the given address and returns what follows.
func (p *person) signIn(at, user, password string) answer {
	p.t.Helper()
	page := p.get(at)
	return p.post("/login", with(fields(page.body), "username", user, "password", password, "act", "signin"))
}

// user is who /session/ says is signed in; "" for nobody.
func (p *person) user() string {
	p.t.Helper()
	a := p.get("/session/")
	var out struct{ User *struct{ Username string } }
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 {
		p.t.Fatalf("/session/: %d %s", a.status, a.body)
	}
	if out.User == nil {
		return ""
	}
	return out.User.Username
}

// alice is a browser in which alice is signed in.
func (n *node) alice() *person {
	n.t.Helper()
	p := n.person()
	if p.signIn("/login", "alice", alicePW); p.user() != "alice" {
		n.t.Fatal("alice cannot sign in")
	}
	return p
}

type tokens struct {
	Access  string `json:"access_token"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token"`
}

const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

func (n *node) authorizeURL(app string, extra ...string) string {
	v := url.Values{"client_id": {app}, "redirect_uri": {"https://" + app + ".test/cb"}, "response_type": {"code"}, "scope": {"openid profile"}, "state": {"st"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}}
	return "/oauth2/authorize?" + with(v, extra...).Encode()
}

// enter goes into an app where nobody has to be asked.
func (p *person) enter(app string) tokens {
	p.t.Helper()
	return p.redeem(app, p.get(p.authorizeURL(app)))
}

func (p *person) redeem(app string, a answer) tokens {
	p.t.Helper()
	u, err := url.Parse(a.location)
	if err != nil || u.Query().Get("code") == "" {
		p.t.Fatalf("%s got no code: %d %s", app, a.status, a.location)
	}
	out, status := p.token(app, url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {"https://" + app + ".test/cb"}, "code_verifier": {verifier}})
	if status != 200 {
		p.t.Fatalf("%s: token endpoint says %d", app, status)
	}
	return out
}

func (n *node) token(app string, v url.Values) (out tokens, status int) {
	n.t.Helper()
	r, _ := http.NewRequest("POST", n.at+"/oauth2/token", strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", formType)
	r.SetBasicAuth(app, n.secrets[app])
	res, err := (&http.Client{Transport: n.transport}).Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer res.Body.Close()
	_ = json.NewDecoder(res.Body).Decode(&out) // an error's body has none of the members
	return out, res.StatusCode
}

func (n *node) refreshes(app string, t tokens) bool {
	n.t.Helper()
	_, status := n.token(app, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.Refresh}})
	return status == 200
}

// bearer calls with a token and without cookies.
func (n *node) bearer(method, to, token string, header ...string) answer {
	n.t.Helper()
	h := map[string]string{"Authorization": "Bearer " + token}
	for i := 0; i < len(header); i += 2 {
		h[header[i]] = header[i+1]
	}
	return n.person().do(method, to, "", h)
}

// alive asks userinfo.
func (n *node) alive(token string) bool {
	n.t.Helper()
	return n.bearer("GET", "/oauth2/userInfo", token).status == 200
}

func part(t *testing.T, jwt string, i int) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(jwt, ".")[i])
	out := map[string]any{}
	if err != nil || json.Unmarshal(raw, &out) != nil {
		t.Fatal("not a token")
	}
	return out
}
