package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exeunt.dev/guard"
)

// watch is a wall clock that a test sets: the program is built with one line of it changed, so that no such switch is in the product.
type watch struct {
	t              *testing.T
	binary, offset string
}

// newWatch builds the program with a watch for the wall clock of its database on SQLite.
func newWatch(t *testing.T) *watch {
	t.Helper()
	return watched(t, "exeunt.dev/cmd/exeunt", "exeunt.dev/internal/store/sqlite", "open.go", "o.Wall = time.Now", "o.Wall = testNow")
}

// watched builds a program with one line of one file changed, which calls testNow afterwards.
func watched(t *testing.T, program, of, file, line, by string) *watch {
	t.Helper()
	dir := t.TempDir()
	w := &watch{t: t, binary: filepath.Join(dir, "program"), offset: filepath.Join(dir, "offset")}
	w.set(0)
	list, err := exec.Command("go", "list", "-f", "{{.Dir}}", of).Output()
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(strings.TrimSpace(string(list)), file)
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), line) != 1 {
		t.Fatalf("%s no longer has %q", source, line)
	}
	changed := strings.Replace(string(text), line, by, 1)
	changed = strings.Replace(changed, "import (", "import (\n\ttestos \"os\"", 1) + fmt.Sprintf(`
func testNow() time.Time {
	text, err := testos.ReadFile(%q)
	off, err2 := time.ParseDuration(string(text))
	if err != nil || err2 != nil {
		panic("the test's clock")
	}
	return time.Now().Add(off)
}
`, w.offset)
	replaced, overlay := filepath.Join(dir, file), filepath.Join(dir, "overlay.json")
	about, err := json.Marshal(map[string]any{"Replace": map[string]string{source: replaced}})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string][]byte{replaced: []byte(changed), overlay: about} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", w.binary, program).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return w
}

// set lets the wall clock be off by so much from now on.
func (w *watch) set(off time.Duration) {
	w.t.Helper()
	err := os.WriteFile(w.offset+".new", []byte(off.String()), 0o600)
	if err == nil {
		err = os.Rename(w.offset+".new", w.offset)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// A clock that is a day off. Ahead while the server runs: nothing is minted, endings go on, nobody is signed out, and guards stay
// fresh. Set back: nothing happens. Either way across a restart: what was over stays over, and people sign in.
func TestClockADayOff(t *testing.T) {
	const day = 24 * time.Hour
	w := newWatch(t)
	c := start(t, 1, nil, "")
	n := c.nodes[0]
	n.kill()
	n.binary = w.binary
	n.up()
	people := c.signedIn(2)
	g := c.newGuard()
	check := func(when string) {
		t.Helper()
		for _, p := range people {
			if err := p.check(g); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
		}
	}
	check("at first")

	w.set(day)
	a, b := people[0], people[1]
	if status, body, _ := a.do(http.DefaultClient, "GET", "/readyz", "", nil); status != 503 || !strings.Contains(string(body), "clock") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	later(t, b, http.DefaultClient, "/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {b.sessions[1].apps["books"].refresh}}.Encode(), c.basic("books"))
	fresh := &session{of: b, http: newBrowser()}
	if _, _, err := b.do(fresh.http, "GET", "/csrf_token/", "", nil); err != nil {
		t.Fatal(err)
	}
	later(t, b, fresh.http, "/accounts/login/", fmt.Sprintf(`{"username":%q,"password":%q}`, b.name, b.pw), map[string]string{"X-CSRFToken": fresh.value("csrftoken")})
	if !a.signsOut() {
		t.Fatal("nobody can sign out while the clock is wrong")
	}
	for _, s := range a.sessions[1].all() {
		*s = over
	}
	for limit := time.Now().Add(3 * time.Second); time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		for _, p := range people { // for longer than the guard lives without an answer
			for _, s := range p.sessions {
				if err := unminted(p, s, g); err != nil {
					t.Fatal("while the clock is wrong:", err)
				}
			}
		}
	}

	w.set(0)
	n.ready()
	check("when it is right again")
	w.set(-day)
	n.ready()
	check("set back")
	if !b.signsOut() {
		t.Fatal("nobody can sign out on a clock that was set back")
	}
	for _, s := range b.sessions[1].all() {
		*s = over
	}
	check("after a sign-out on a clock that was set back")
	signIn := func(when string) {
		t.Helper()
		for _, p := range people {
			if err := p.signIn(); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
		}
		check(when)
	}
	signIn("set back")
	n.kill()
	n.up()
	check("started on a clock that was set back")

	// A clock that is ahead at the start is believed: there is nothing to compare it with. Tokens expire early by that.
	n.kill()
	w.set(day)
	n.up()
	for _, p := range people {
		for _, s := range p.sessions {
			if s.cookie != over {
				continue
			}
			if err := unminted(p, s, nil); err != nil {
				t.Error("started on a clock that is ahead:", err)
			}
		}
		p.sessions = nil
	}
	signIn("on a clock that is ahead")
	n.kill()
	w.set(0)
	n.up()
	check("started when it was right again")
	signIn("when it was right again")
	c.gapless()
}

// later expects 503 with Retry-After.
func later(t *testing.T, p *person, c *http.Client, path, body string, header map[string]string) {
	t.Helper()
	r, _ := http.NewRequest("POST", p.c.front.URL()+path, strings.NewReader(body))
	r.Header.Set("X-Forwarded-For", p.from)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("%s: %d %v", path, res.StatusCode, res.Header)
	}
}

// unminted tries what can be tried of a session while nothing is minted: its cookie and access tokens; of what is over, the refresh
// tokens, too.
func unminted(p *person, s *session, g *guard.Guard) error {
	status, body, err := p.do(s.http, "GET", "/session/", "", nil)
	if err != nil || strings.Contains(string(body), p.name) != (s.cookie == alive) {
		return fmt.Errorf("cookie of %s: %d %s %w, the oracle says %d", p.name, status, body, err, s.cookie)
	}
	for _, a := range s.apps {
		_, body, err := p.do(http.DefaultClient, "POST", "/oauth2/introspect", "token="+a.access, p.c.basic("orders"))
		if err != nil || strings.Contains(string(body), `"active":true`) != (a.token == alive) {
			return fmt.Errorf("introspection: %s %w, the oracle says %d", body, err, a.token)
		}
		if a.family == over {
			if err := p.renew(a); err == nil {
				return fmt.Errorf("a refresh token of %s works although its end was acknowledged", p.name)
			}
		}
		if g == nil {
			continue
		}
		if _, err := g.Check(a.access); errors.Is(err, guard.ErrStale) {
			return err
		}
		if err := guarded(g, a); err != nil {
			return fmt.Errorf("guard: %w", err)
		}
	}
	return nil
}
