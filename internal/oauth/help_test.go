package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/factor"
	"exeunt.dev/internal/frontchannel"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/oauth"
	"exeunt.dev/internal/signin"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/token"
	"exeunt.dev/internal/web"
	"exeunt.dev/ledger"
)

const (
	apiAud   = "https://api.test"
	otherAud = "https://other.test"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	s256     = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	initial  = "an initial access token of some length"
	password = "correct horse battery"
	formType = "application/x-www-form-urlencoded"
)

// node is the room with what it rests on: the real store, the sign-in room beside it, and a clock that can be moved.
type node struct {
	t       *testing.T
	at      string
	store   *sqlite.Store
	door    *door.Door
	tie     *browser.Browser
	room    *oauth.OAuth
	secrets map[idp.ClientID]string
	people  map[string]idp.AccountID
	ahead   atomic.Int64
}

func policy() idp.Policy {
	const day = 24 * time.Hour
	return idp.Policy{AccessLife: 5 * time.Minute, IDTokenLife: 5 * time.Minute, CodeLife: time.Minute, SessionIdle: 2 * time.Hour, SessionAbsolute: day,
		StayIdle: 14 * day, StayAbsolute: 30 * day, RefreshIdle: 14 * day, RefreshAbsolute: 30 * day, Grace: 30 * time.Second,
		PendingLife: 15 * time.Minute, RecentSignIn: 10 * time.Minute}
}

func start(t *testing.T, change ...func(*oauth.OAuth)) *node {
	t.Helper()
	n := &node{t: t, secrets: map[idp.ClientID]string{}, people: map[string]idp.AccountID{}}
	begin := time.Now()
	dir := t.TempDir()
	var err error
	n.store, err = sqlite.OpenWith(t.Context(), filepath.Join(dir, "exeunt.db"), sqlite.Options{
		Wall:      func() time.Time { return time.Now().Add(time.Duration(n.ahead.Load())) },
		Monotonic: func() time.Duration { return time.Since(begin) + time.Duration(n.ahead.Load()) },
	})
	must(t, err)
	t.Cleanup(func() { n.store.Close() })
	vault, err := keys.CreateVault(filepath.Join(dir, "key"))
	must(t, err)
	ring, err := keys.Open(t.Context(), n.store, vault, []string{"ES256"})
	must(t, err)
	pages, err := web.New("Test", false)
	must(t, err)
	mux := http.NewServeMux()
	server := httptest.NewUnstartedServer(edge.Wrap(mux, edge.Options{Log: slog.New(slog.DiscardHandler)}))
	n.at = "http://" + server.Listener.Addr().String()
	n.door = door.New(n.store, nil)
	n.tie = browser.New(n.store, n.door, policy(), n.at, browser.Names{}, vault.Derive("csrf", 32))
	passwords := signin.NewPasswords(n.store)
	factors := factor.New(n.store, vault, "Test", n.at, policy().PendingLife)
	n.room = &oauth.OAuth{Store: n.store, Door: n.door, Browser: n.tie, Passwords: passwords, Factors: factors, Pages: pages,
		Tokens: token.NewIssuer(n.at, ring), Ring: ring, InitialTokens: []idp.Hash{idp.HashOf(initial)}, Resources: []string{apiAud}}
	for _, f := range change {
		f(n.room)
	}
	n.room.Mount(mux)
	(&signin.SignIn{Store: n.store, Door: n.door, Browser: n.tie, Passwords: passwords, Factors: factors, Pages: pages, Front: &frontchannel.FrontChannel{Pages: pages}}).Mount(mux)
	server.Start()
	t.Cleanup(server.Close)
	n.populate(passwords)
	return n
}

func (n *node) populate(p *signin.Passwords) {
	n.t.Helper()
	phc, err := p.Hash(n.t.Context(), password)
	must(n.t, err)
	code := []string{"authorization_code", "refresh_token"}
	for _, c := range []idp.Client{
		{ID: "books", Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: code, Scopes: []string{"openid", "profile", "email"},
			RedirectURIs: []string{"https://books.test/cb"}, Audiences: []string{apiAud, otherAud}},
		{ID: "spa", Kind: idp.KindBrowser, FirstParty: true, Offline: true, AuthMethod: idp.AuthNone, GrantTypes: code,
			Scopes: []string{"openid", "offline_access"}, RedirectURIs: []string{"https://spa.test/cb"}},
		{ID: "phone", Kind: idp.KindNative, FirstParty: true, Offline: true, AuthMethod: idp.AuthNone, GrantTypes: code,
			Scopes: []string{"openid", "offline_access"}, RedirectURIs: []string{"http://127.0.0.1/cb", "https://phone.test/cb"}, Audiences: []string{apiAud}},
		{ID: "third", Kind: idp.KindWeb, AuthMethod: idp.AuthPost, GrantTypes: code, Scopes: []string{"openid", "profile", "account.signout"},
			RedirectURIs: []string{"https://third.test/cb"}},
		{ID: "robot", Kind: idp.KindMachine, AuthMethod: idp.AuthBasic, GrantTypes: []string{"client_credentials"},
			Scopes: []string{"orders:read", "openid", "account.signout"}, Audiences: []string{apiAud}},
		{ID: "api", Kind: idp.KindAPI, AuthMethod: idp.AuthBasic, Audiences: []string{apiAud}},
	} {
		c.Name = string(c.ID)
		if c.Confidential() {
			n.secrets[c.ID] = "s+e cret/" + idp.NewSecret(32) // as RFC 6749 2.3.1 has it, encoded before Basic
			c.Secret = idp.HashOf(n.secrets[c.ID])
		}
		n.update(func(tx idp.Tx) error { return tx.InsertClient(c, ledger.NewName()) })
	}
	for _, name := range []string{"alice", "bob"} {
		a := idp.Account{ID: idp.AccountID(ledger.NewName().String()), Username: name, Password: phc, Name: "Name of " + name,
			Email: name + "@example.test", EmailVerified: true, State: idp.AccountActive}
		n.people[name] = a.ID
		n.update(func(tx idp.Tx) error { return tx.InsertAccount(a, ledger.NewName()) })
	}
	n.update(func(tx idp.Tx) error { return tx.SetLifeCap(301) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (n *node) update(f func(idp.Tx) error) {
	n.t.Helper()
	must(n.t, n.store.Update(n.t.Context(), f))
}

func (n *node) pass(d time.Duration) { n.ahead.Add(int64(d)) }

func (n *node) end(s idp.Selector, why idp.CauseKind) {
	n.t.Helper()
	_, err := n.door.End(n.t.Context(), s, idp.Cause{Kind: why, Actor: idp.ActorOperator("test")})
	must(n.t, err)
}

// person is a browser that follows no redirect.
type person struct {
	*node
	c       *http.Client
	session idp.Name
}

func (n *node) person() *person {
	jar, err := cookiejar.New(nil)
	must(n.t, err)
	stop := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &person{node: n, c: &http.Client{Jar: jar, CheckRedirect: stop, Timeout: 2 * time.Minute}}
}

// signedIn is a browser with a session.
func (n *node) signedIn(name string) *person {
	n.t.Helper()
	proof := browser.Proof{Account: n.people[name], Methods: []string{"pwd"}}
	must(n.t, n.store.View(n.t.Context(), func(v idp.View) (err error) {
		proof.Born, err = v.Epochs(proof.Account, "")
		return err
	}))
	rec := httptest.NewRecorder()
	s, err := n.tie.SignIn(rec, httptest.NewRequest("POST", n.at+"/login", nil), proof)
	must(n.t, err)
	p := n.person()
	u, _ := url.Parse(n.at)
	p.c.Jar.SetCookies(u, rec.Result().Cookies())
	p.session = s.Name
	return p
}

type answer struct {
	status int
	body   string
	header http.Header
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return out
}

func (a answer) code() string { // of an error
	var out struct{ Error string }
	_ = json.Unmarshal([]byte(a.body), &out)
	return out.Error
}

func (a answer) query() url.Values { // of the place a redirect leads to
	u, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		return nil
	}
	return u.Query()
}

func (p *person) do(method, to, body string, header ...string) answer {
	p.t.Helper()
	if strings.HasPrefix(to, "/") {
		to = p.at + to
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, to, strings.NewReader(body))
	must(p.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := p.c.Do(r)
	must(p.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(p.t, err)
	return answer{res.StatusCode, string(text), res.Header}
}

func (p *person) get(to string) answer { p.t.Helper(); return p.do("GET", to, "") }

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// press answers the page at an address of the sign-in room.
func (p *person) press(to string, pairs ...string) answer {
	p.t.Helper()
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(p.get(to).body, -1) {
		v.Set(m[1], m[2])
	}
	return p.do("POST", "/login", with(v, pairs...).Encode(), "Content-Type", formType, "Sec-Fetch-Site", "same-origin", "Origin", p.at)
}

// with sets pairs; "-" takes a parameter away.
func with(v url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for k, all := range v {
		out[k] = slices.Clone(all)
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "-" {
			out.Del(pairs[i])
		} else {
			out.Set(pairs[i], pairs[i+1])
		}
	}
	return out
}

func ask(app string, pairs ...string) url.Values {
	return with(url.Values{"client_id": {app}, "redirect_uri": {"https://" + app + ".test/cb"}, "response_type": {"code"}, "scope": {"openid"},
		"state": {"st&=?"}, "nonce": {"n-1"}, "code_challenge": {s256}, "code_challenge_method": {"S256"}}, pairs...)
}

func (p *person) authorize(app string, pairs ...string) answer {
	p.t.Helper()
	return p.get("/oauth2/authorize?" + ask(app, pairs...).Encode())
}

// code goes to an app and comes back with a code.
func (p *person) code(app string, pairs ...string) string {
	p.t.Helper()
	a := p.authorize(app, pairs...)
	if a.query().Get("code") == "" {
		p.t.Fatalf("%s got no code: %d %s %s", app, a.status, a.header.Get("Location"), a.body)
	}
	return a.query().Get("code")
}

// as posts a form with the client's credentials.
func (n *node) as(app idp.ClientID, to string, v url.Values, header ...string) answer {
	n.t.Helper()
	header = append(header, "Content-Type", formType)
	if secret := n.secrets[app]; secret != "" {
		basic := url.QueryEscape(string(app)) + ":" + url.QueryEscape(secret)
		header = append(header, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(basic)))
	} else {
		v = with(v, "client_id", string(app))
	}
	return n.person().do("POST", to, v.Encode(), header...)
}

func redeeming(app, code string, pairs ...string) url.Values {
	return with(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://" + app + ".test/cb"}, "code_verifier": {verifier}}, pairs...)
}

type tokens struct {
	Access  string `json:"access_token"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token"`
	Scope   string `json:"scope"`
	Expires int64  `json:"expires_in"`
}

func (a answer) tokens(t *testing.T) (out tokens) {
	t.Helper()
	if a.status != 200 {
		t.Fatalf("token endpoint: %d %s", a.status, a.body)
	}
	must(t, json.Unmarshal([]byte(a.body), &out))
	return out
}

// enter goes into an app all the way.
func (p *person) enter(app string, pairs ...string) tokens {
	p.t.Helper()
	return p.as(idp.ClientID(app), "/oauth2/token", redeeming(app, p.code(app, pairs...))).tokens(p.t)
}

func (n *node) refresh(app idp.ClientID, token string, pairs ...string) answer {
	n.t.Helper()
	return n.as(app, "/oauth2/token", with(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, pairs...))
}

func (n *node) userInfo(token string) answer {
	n.t.Helper()
	return n.person().do("GET", "/oauth2/userInfo", "", "Authorization", "Bearer "+token)
}

func (n *node) introspect(app idp.ClientID, token string) answer {
	n.t.Helper()
	return n.as(app, "/oauth2/introspect", url.Values{"token": {token}})
}

func claims(t *testing.T, jwt string) map[string]any {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("not a token: %q", jwt)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(t, err)
	return answer{body: string(raw)}.json(t)
}

func expect(t *testing.T, what string, a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.code() != code {
		t.Errorf("%s: %d %s, want %d %s", what, a.status, a.body, status, code)
	}
}
