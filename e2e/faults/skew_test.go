package faults

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exeunt.dev/guard"
)

// skewed builds the program with a wall clock that is off by EXEUNT_TEST_SKEW seconds: not one line of it but the standard
// library's time.Now is changed, so that whatever of it reads the wall clock reads a wrong one. Monotonic time is right.
func skewed(t *testing.T) (binary string) {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	changed := string(text)
	for _, c := range [][2]string{
		{"func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n", "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n\tsec += testSkew\n"},
		{"import (\n", "import (\n\t\"syscall\"\n"},
	} {
		if strings.Count(changed, c[0]) != 1 {
			t.Fatalf("the standard library no longer holds %q once", c[0])
		}
		changed = strings.Replace(changed, c[0], c[1], 1)
	}
	changed += `
var testSkew = func() (s int64) {
	text, _ := syscall.Getenv("EXEUNT_TEST_SKEW")
	back := text != "" && text[0] == '-'
	for _, c := range []byte(text) {
		if c >= '0' && c <= '9' {
			s = s*10 + int64(c-'0')
		}
	}
	if back {
		return -s
	}
	return s
}()
`
	dir := t.TempDir()
	replaced, overlay := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json")
	about, err := json.Marshal(map[string]any{"Replace": map[string]string{source: replaced}})
	if err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "exeunt")
	if err := errors.Join(os.WriteFile(replaced, []byte(changed), 0o600), os.WriteFile(overlay, about, 0o600)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", binary, "exeunt.dev/cmd/exeunt").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

// skew starts a node again on a wall clock that is off by so much, and sees that it is.
func (n *node) skew(off time.Duration) {
	n.c.t.Helper()
	n.kill()
	n.env = []string{fmt.Sprintf("EXEUNT_TEST_SKEW=%d", int(off.Seconds()))}
	n.up()
	res, err := http.Get("http://" + n.address() + "/readyz")
	if err != nil {
		n.c.t.Fatal(err)
	}
	res.Body.Close()
	said, err := http.ParseTime(res.Header.Get("Date"))
	if d := time.Until(said) - off; err != nil || d.Abs() > time.Minute {
		n.c.t.Fatalf("the node's clock is not off by %v, but says %v: the test proves nothing (%v)", off, said, err)
	}
}

// Nodes whose wall clocks are a day apart, on one Postgres: ledger time is the database's, so nobody is signed out, what ended
// at one node is over at every other and at every node's guard, and no token lives longer or shorter than it should. Nor
// does it matter that a node's clock is another after a restart.
func TestNodes_ClockSkew(t *testing.T) {
	const day = 24 * time.Hour
	program := skewed(t)
	s := newScene(t, 6)
	s.during("before", func() {})
	for _, n := range s.nodes {
		n.binary = program
	}
	for _, offs := range [][3]time.Duration{{0, day, -day}, {-day, 0, day}} {
		for i, n := range s.nodes {
			n.skew(offs[i])
		}
		s.settled()
		s.during(fmt.Sprintf("clocks off by %v", offs), func() {})
		for i, n := range s.nodes {
			s.front.Aim(n.address())
			s.bornAt(n, offs[i])
			s.endsAt(i)
		}
		s.aim()
		s.during(fmt.Sprintf("after ends at each, clocks off by %v", offs), func() {})
	}
	t.Logf("%d endings, numbered without gaps", s.gapless())
	s.outcome("nodes' clocks a day apart", 2)
}

// bornAt signs in at a node and reads when the token was born and how long it lives.
func (s *scene) bornAt(n *node, off time.Duration) {
	s.t.Helper()
	p := s.people[0]
	if err := p.signIn(); err != nil {
		s.t.Fatalf("a clock off by %v: %v", off, err)
	}
	raw := p.sessions[len(p.sessions)-1].apps["books"].access
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	var c struct{ Iat, Exp int64 }
	if err = errors.Join(err, json.Unmarshal(payload, &c)); err != nil {
		s.t.Fatal(err)
	}
	if age := time.Since(time.Unix(c.Iat, 0)); age.Abs() > time.Minute {
		s.t.Errorf("a token from a node whose clock is off by %v was born %v ago", off, age)
	}
	if life := time.Duration(c.Exp-c.Iat) * time.Second; life != 5*time.Minute {
		s.t.Errorf("a token from a node whose clock is off by %v lives for %v", off, life)
	}
}

// endsAt signs out at one node what bornAt has made, and waits for all guards: each must refuse it within its staleness, and
// says ended, not expired.
func (s *scene) endsAt(i int) {
	s.t.Helper()
	p := s.people[0]
	mine := p.sessions[len(p.sessions)-1]
	for k, g := range s.guards {
		if err := guarded(g, mine.apps["books"]); err != nil {
			s.t.Fatalf("guard %d, of a token from node %d: %v", k, i, err)
		}
	}
	if err := p.end(mine.all(), 200, mine.http, "POST", "/accounts/logout/", "csrfmiddlewaretoken="+mine.value("csrftoken"), map[string]string{"Accept": "application/json"}); err != nil || mine.cookie != over {
		s.t.Fatal("sign-out:", err)
	}
	ended := time.Now()
	for k, g := range s.guards {
		for {
			asked := time.Since(ended)
			_, err := g.Check(mine.apps["books"].access)
			if errors.Is(err, guard.ErrEnded) {
				break
			}
			if stale := errors.Is(err, guard.ErrStale); err != nil && !stale || !stale && asked > staleness || asked > time.Minute {
				s.t.Fatalf("guard %d, %v after an end at node %d: %v", k, asked, i, err)
			}
			time.Sleep(time.Millisecond)
		}
	}
}
