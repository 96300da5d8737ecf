package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"exeunt.dev/guard"
)

// errLost says that no answer came, or one that says "later": what was asked may have happened.
var errLost = errors.New("no answer")

// state is what the oracle knows of a credential.
type state int

const (
	alive  state = iota
	over         // its end was acknowledged
	unsure       // its end was asked for and not acknowledged
)

// person is somebody with browsers. One goroutine acts for each person, so that the oracle knows the order.
type person struct {
	c        *cluster
	name, pw string
	from     string // address, as the trusted proxy says
	sessions []*session
	history  []string // what was done, for whoever reads a failure
}

func (p *person) note(format string, args ...any) {
	p.history = append(p.history, fmt.Sprintf(format, args...))
	p.history = p.history[max(0, len(p.history)-12):]
}

// session is one browser: its cookie, and its apps.
type session struct {
	of     *person
	http   *http.Client
	cookie state
	apps   map[string]*app
}

// app is one app in one session.
type app struct {
	name            string
	refresh, access string
	family          state
	token           state  // of the newest access token
	first           string // its first refresh token
	sid             string // what it knows the session by
	turns           int    // how often it has refreshed
	left            bool   // signed out of by itself: the next sign-in asks a human
	told            string // the access token whose end was told
}

// answer is a status with a body; a 5xx is errLost.
func (p *person) do(c *http.Client, method, path, body string, header map[string]string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.c.front.URL()+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("X-Forwarded-For", p.from)
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	} else if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	r.Close = true // a kept connection that a stopping node closes as it is used says nothing about the node
	sent := time.Now()
	res, err := c.Do(r)
	if err != nil {
		p.c.lose("%s %s at %s: %v after %v", method, path, sent.Format("05.000"), err, time.Since(sent))
		return 0, nil, errLost
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 500 {
		p.c.lose("%s %s at %s: %d %.200s %v after %v", method, path, sent.Format("05.000"), res.StatusCode, text, err, time.Since(sent))
		return res.StatusCode, text, errLost
	}
	if l := res.Header.Get("Location"); l != "" {
		text = []byte(l)
	}
	return res.StatusCode, text, nil
}

func newBrowser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true}}
}

func (s *session) value(cookie string) string {
	u, _ := url.Parse(s.of.c.front.URL())
	for _, c := range s.http.Jar.Cookies(u) {
		if c.Name == cookie {
			return c.Value
		}
	}
	return ""
}

// signIn makes a session with both apps.
func (p *person) signIn() error { return p.signInAt("books", "news") }

// signInAt makes a session with apps. On errLost there is nothing to be remembered: what came of it belongs to nobody.
func (p *person) signInAt(apps ...string) error {
	s := &session{of: p, http: newBrowser(), apps: map[string]*app{}}
	if _, _, err := p.do(s.http, "GET", "/csrf_token/", "", nil); err != nil {
		return err
	}
	login := fmt.Sprintf(`{"username":%q,"password":%q}`, p.name, p.pw)
	status, body, err := p.do(s.http, "POST", "/accounts/login/", login, map[string]string{"X-CSRFToken": s.value("csrftoken")})
	if err != nil {
		return err
	}
	if status == 429 {
		return errLost // too fast
	}
	if status == http.StatusConflict && p.waits() {
		return errLost // an end of this person's that got no answer has overtaken the sign-in
	}
	if status != 200 {
		return fmt.Errorf("%s cannot sign in: %d %s", p.name, status, body)
	}
	for _, name := range apps {
		a, err := s.enter(name)
		if err != nil {
			return err
		}
		s.apps[name] = a
	}
	p.sessions = append(p.sessions, s)
	return nil
}

func (s *session) enter(name string) (*app, error) {
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	back := "https://" + name + ".test/cb"
	q := url.Values{"client_id": {name}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"openid profile"}, "state": {"x"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	status, location, err := s.of.do(s.http, "GET", "/oauth2/authorize?"+q.Encode(), "", nil)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(string(location))
	if err == nil && u.Query().Get("error") == "temporarily_unavailable" {
		return nil, errLost
	}
	if err != nil || u.Query().Get("code") == "" {
		return nil, fmt.Errorf("%s got no code: %d %s", name, status, location)
	}
	a := &app{name: name}
	return a, s.of.token(a, url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {back}, "code_verifier": {verifier}})
}

var errRefused = errors.New("refused")

// token asks the token endpoint and keeps what it gives.
func (p *person) token(a *app, v url.Values) error {
	status, body, err := p.do(http.DefaultClient, "POST", "/oauth2/token", v.Encode(), p.c.basic(a.name))
	p.note("%s %s: %d %v", v.Get("grant_type"), a.name, status, err)
	if err != nil {
		return err
	}
	var out struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		ID      string `json:"id_token"`
		Error   string `json:"error"`
	}
	if err := json.Unmarshal(body, &out); err != nil {
		return err
	}
	if out.Error == "invalid_grant" {
		return errRefused
	}
	if status != 200 {
		return fmt.Errorf("token endpoint: %d %s", status, body)
	}
	if a.first == "" {
		a.first = out.Refresh
		var c claims
		if err := c.read(out.ID); err != nil {
			return fmt.Errorf("ID token: %w", err)
		}
		a.sid = c.Sid
	} else {
		a.turns++
	}
	a.access, a.refresh, a.token = out.Access, out.Refresh, alive
	return nil
}

func (p *person) renew(a *app) error {
	return p.token(a, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.refresh}})
}

func (c *cluster) basic(id string) map[string]string {
	r, _ := http.NewRequest("GET", "/", nil)
	r.SetBasicAuth(id, c.secrets[id])
	return map[string]string{"Authorization": r.Header.Get("Authorization")}
}

// act does one random thing and tells the oracle. It returns an error only if something is wrong.
func (p *person) act(pick *rand.Rand) error {
	living := p.living()
	if len(living) < 2 || (len(living) < 4 && pick.IntN(3) == 0) {
		return unlost(p.signIn())
	}
	s := living[pick.IntN(len(living))]
	names := slices.Sorted(maps.Keys(s.apps))
	a := s.apps[names[pick.IntN(len(names))]]
	bearer := map[string]string{"Authorization": "Bearer " + a.access}
	switch what := pick.IntN(15); {
	case what < 5: // refresh
		if a.family != alive {
			return nil
		}
		if err := p.renew(a); err != nil {
			return unlost(err)
		}
	case what < 8: // this browser
		return p.end(s.all(), http.StatusOK, s.http, "POST", "/accounts/logout/", "csrfmiddlewaretoken="+s.value("csrftoken"), map[string]string{"Accept": "application/json"})
	case what == 8: // everywhere
		if a.token != alive {
			return nil
		}
		return p.end(p.all(nil), http.StatusOK, http.DefaultClient, "POST", "/customers/me/logout", "", bearer)
	case what == 9: // the others, by an app's token, which is over with the epoch
		if a.token != alive {
			return nil
		}
		reach := p.all(s)
		for _, mine := range s.apps {
			reach = append(reach, &mine.token)
		}
		return p.end(reach, http.StatusOK, http.DefaultClient, "DELETE", "/account/sessions?which=others", "", bearer)
	case what == 10: // one family
		if a.family != alive {
			return nil
		}
		return p.end([]*state{&a.family, &a.token}, http.StatusOK, http.DefaultClient, "POST", "/oauth2/revoke", "token="+url.QueryEscape(a.refresh), p.c.basic(a.name))
	case what == 11:
		return p.leave(s, a)
	case what == 12:
		return p.endNamed(a, living[pick.IntN(len(living))])
	case what == 13:
		return p.reuse(a)
	default: // one token
		return p.end([]*state{&a.token}, http.StatusOK, http.DefaultClient, "POST", "/oauth2/revoke", "token="+url.QueryEscape(a.access), p.c.basic(a.name))
	}
	return nil
}

func unlost(err error) error {
	if errors.Is(err, errLost) {
		return nil
	}
	return err
}

// all is what ends with a session.
func (s *session) all() []*state {
	reach := []*state{&s.cookie}
	for _, a := range s.apps {
		reach = append(reach, &a.family, &a.token)
	}
	return reach
}

// all is what ends with everything of a person, but for one session.
func (p *person) all(but *session) (reach []*state) {
	for _, s := range p.sessions {
		if s != but {
			reach = append(reach, s.all()...)
		}
	}
	return reach
}

// end asks for an end and writes into the oracle what is known of it afterwards.
func (p *person) end(reach []*state, want int, c *http.Client, method, path, body string, header map[string]string) error {
	status, text, err := p.do(c, method, path, body, header)
	p.note("%s %s: %d %v", method, path, status, err)
	if err == nil && status != want {
		return fmt.Errorf("%s %s: %d %s", method, path, status, text)
	}
	for _, s := range reach {
		switch {
		case err == nil:
			*s = over
		case *s == alive:
			*s = unsure
		}
	}
	if err == nil && p.c.ended != nil {
		p.tell(time.Now())
	}
	return nil
}

// tell says which access tokens are over since an acknowledgement.
func (p *person) tell(at time.Time) {
	for _, s := range p.sessions {
		for _, a := range s.apps {
			if a.token == over && a.told != a.access {
				a.told = a.access
				p.c.ended(a.access, at)
			}
		}
	}
}

// patient asks again where no answer came, if there is a Postgres: for a machine that stood still it ends transactions, which is no verdict.
func (p *person) patient(ask func() error) (err error) {
	for range 5 {
		if err = ask(); !errors.Is(err, errLost) || p.c.pg == nil {
			return err
		}
		time.Sleep(200 * time.Millisecond)
	}
	return err
}

// check tries every credential of the person at the server and at the guards, and compares with the oracle.
func (p *person) check(guards ...*guard.Guard) error {
	return p.patient(func() error { return p.compare(guards) })
}

func (p *person) compare(guards []*guard.Guard) error {
	for i, s := range p.sessions {
		status, body, err := p.do(s.http, "GET", "/session/", "", nil)
		if err != nil || status != 200 {
			return fmt.Errorf("/session/: %d %w", status, err)
		}
		if err := settle(&s.cookie, strings.Contains(string(body), p.name), "cookie", p, i); err != nil {
			return err
		}
		for _, a := range s.apps {
			if err := p.checkApp(a, i, guards); err != nil {
				return err
			}
		}
	}
	// What is over and was seen to be stays over; it is tried once more at the end of the test, by keeping the last few.
	return nil
}

func (p *person) checkApp(a *app, i int, guards []*guard.Guard) error {
	status, body, err := p.do(http.DefaultClient, "POST", "/oauth2/introspect", "token="+a.access, p.c.basic("orders"))
	if err != nil || status != 200 {
		return fmt.Errorf("introspect: %d %w %s", status, err, body)
	}
	if err := settle(&a.token, strings.Contains(string(body), `"active":true`), "access token of "+a.name, p, i); err != nil {
		return err
	}
	status, body, err = p.do(http.DefaultClient, "GET", "/oauth2/userInfo", "", map[string]string{"Authorization": "Bearer " + a.access})
	if err != nil || (status == 200) != (a.token == alive) {
		return fmt.Errorf("userinfo with the access token of %s of %s, session %d: %d %w %s, the oracle says %d", a.name, p.name, i, status, err, body, a.token)
	}
	for n, g := range guards {
		if err := guarded(g, a); err != nil {
			return fmt.Errorf("guard %d, %s of %s, session %d: %w", n, a.name, p.name, i, err)
		}
	}
	err = p.renew(a) // which leaves the tokens as they are if it is refused
	if err != nil && !errors.Is(err, errRefused) {
		return fmt.Errorf("refresh: %w", err)
	}
	return settle(&a.family, err == nil, "refresh token of "+a.name, p, i)
}

// guarded asks a guard until it has an opinion: one that is stale refuses, rightly.
func guarded(g *guard.Guard, a *app) error {
	for began, limit := time.Now(), time.Now().Add(time.Minute); ; {
		_, err := g.Check(a.access)
		switch {
		case errors.Is(err, guard.ErrInvalid) && a.token == alive && time.Since(began) < 20*time.Second:
			// A key that it does not know, and it may ask for keys every two seconds only.
		case err == nil && a.token == alive, errors.Is(err, guard.ErrEnded) && a.token == over:
			return nil
		case errors.Is(err, guard.ErrStale), err == nil && a.token == over:
			// It may not have heard yet; the bound is the business of another test.
		default:
			return fmt.Errorf("says %v, the oracle says %d", err, a.token)
		}
		if time.Now().After(limit) {
			return fmt.Errorf("still says %v, the oracle says %d", err, a.token)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// settle compares what was seen with the oracle, which learns what it was unsure of.
func settle(s *state, works bool, what string, p *person, session int) error {
	switch {
	case *s == unsure && works:
		*s = alive
	case *s == unsure:
		*s = over
	case *s == over && works:
		return fmt.Errorf("%s of %s, session %d, works although its end was acknowledged; before that: %s", what, p.name, session, strings.Join(p.history, "; "))
	case *s == alive && !works:
		return fmt.Errorf("%s of %s, session %d, is over although nobody ended it; before that: %s", what, p.name, session, strings.Join(p.history, "; "))
	}
	return nil
}

// people adds n people by the command.
func (c *cluster) people(n int) (out []*person) {
	for i := range n {
		var made struct{ Username, Password string }
		c.command(&made, "account", "add", fmt.Sprintf("person%d", i), "--generate")
		out = append(out, &person{c: c, name: made.Username, pw: made.Password, from: fmt.Sprintf("10.0.%d.%d", i/250, i%250+1)})
	}
	return out
}

// forget drops what is long over, so that checks stay short; the newest are kept to be tried again.
func (p *person) forget() {
	const keep = 8
	if len(p.sessions) > keep {
		var left []*session
		for i, s := range p.sessions {
			if s.cookie != over || i >= len(p.sessions)-keep/2 {
				left = append(left, s)
			}
		}
		p.sessions = left
	}
}

// newGuard follows the cluster.
func (c *cluster) newGuard(options ...guard.Option) *guard.Guard {
	c.t.Helper()
	g, err := guard.New(c.front.URL(), append([]guard.Option{guard.Audience(api), guard.Credentials("orders", c.secrets["orders"]),
		guard.MaxStaleness(2 * time.Second)}, options...)...)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); g.Run(ctx) }()
	c.t.Cleanup(func() { stop(); <-done })
	if err := g.Ready(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	return g
}
