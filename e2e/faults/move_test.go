package faults

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func (n *node) stop() {
	n.c.t.Helper()
	n.signal(syscall.SIGTERM)
	<-n.exited
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		n.c.t.Fatalf("exit code %d: %s", code, &n.log)
	}
}

// signedIn are people with two sessions each, one of which has ended.
func (c *cluster) signedIn(n int) []*person {
	c.t.Helper()
	people := c.people(n)
	for _, p := range people {
		for range 2 {
			if err := p.signIn(); err != nil {
				c.t.Fatal(err)
			}
		}
		if !(&person{c: c, name: p.name, from: p.from, sessions: p.sessions[:1]}).signsOut() {
			c.t.Fatal("sign-out failed")
		}
		for _, s := range p.sessions[0].all() {
			*s = over
		}
	}
	return people
}

// A backup is restored: guards notice by themselves, everybody is signed out, what ended after the backup stays over, and
// people sign in again.
func TestPromise_RestoreEndsEverything(t *testing.T) {
	c := start(t, 1, nil, "")
	people := c.signedIn(2)
	g := c.newGuard()
	c.command(nil, "backup", filepath.Join(c.dir, "saved"))
	late := people[0].sessions[1] // ends after the backup was made
	if err := people[0].end(late.all(), 200, late.http, "POST", "/accounts/logout/", "csrfmiddlewaretoken="+late.value("csrftoken"), map[string]string{"Accept": "application/json"}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Check(people[1].sessions[1].apps["books"].access); err != nil {
		t.Fatal(err)
	}
	c.nodes[0].stop()
	if err := os.Rename(filepath.Join(c.dir, "db"), filepath.Join(c.dir, "lost")); err != nil {
		t.Fatal(err)
	}
	c.command(nil, "backup", "restore", filepath.Join(c.dir, "saved"))
	c.nodes[0].up()
	for _, p := range people {
		for _, s := range p.all(nil) {
			*s = over
		}
		if err := p.check(g); err != nil {
			t.Error(err)
		}
		if err := p.signIn(); err != nil {
			t.Error("afterwards:", err)
		}
		if err := p.check(g); err != nil {
			t.Error(err)
		}
	}
}

// The same on Postgres with --keep-sessions: who was signed in still is, what had ended before the backup stays over, and what ended after it lives
// again at the server, which is the risk that the command names. A guard notices the new lineage, and forgets nothing that it knew.
func TestPromise_RestoreKeepsSessions(t *testing.T) {
	c := start(t, 1, postgres(t), "")
	people := c.signedIn(2)
	g := c.newGuard()
	saved := filepath.Join(c.dir, "saved")
	c.command(nil, "backup", saved)
	late := people[0].sessions[1] // ends after the backup was made
	if err := people[0].end(late.all(), 200, late.http, "POST", "/accounts/logout/", "csrfmiddlewaretoken="+late.value("csrftoken"), map[string]string{"Accept": "application/json"}); err != nil {
		t.Fatal(err)
	}
	if err := guarded(g, late.apps["books"]); err != nil {
		t.Fatal(err)
	}
	n := c.nodes[0]
	n.stop()
	was := c.at
	c.at = c.pg.Database(t)
	name := func(url string) string { return url[strings.LastIndex(url, "/"):] }
	n.configure(func(text string) string { return strings.Replace(text, name(was), name(c.at), 1) })
	c.command(nil, "backup", "restore", saved, "--keep-sessions")
	n.up()
	if err := people[1].check(g); err != nil {
		t.Error(err)
	}
	status, body, err := people[0].do(http.DefaultClient, "POST", "/oauth2/introspect", "token="+late.apps["books"].access, c.basic("orders"))
	if err != nil || status != 200 || !strings.Contains(string(body), `"active":true`) {
		t.Errorf("what ended after the backup: %d %s %v", status, body, err)
	}
	if err := guarded(g, late.apps["books"]); err != nil { // ended, also in the new lineage
		t.Error(err)
	}
	if err := people[1].signIn(); err != nil {
		t.Error("afterwards:", err)
	}
	if err := people[1].check(g); err != nil {
		t.Error(err)
	}
}

// From SQLite to Postgres and back into a backup: sessions live on, what ended stays over, the ledger goes on, and a server that still
// runs on the old database acknowledges nothing more.
func TestPromise_MigrateKeepsSessions(t *testing.T) {
	pg := postgres(t)
	c := start(t, 1, nil, "")
	people := c.signedIn(3)
	g := c.newGuard()
	n := c.nodes[0]
	text, err := os.ReadFile(n.config)
	if err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(c.dir, "there.yaml")
	if err := os.WriteFile(there, append(text, fmt.Appendf(nil, "postgres:\n  url: %s\n", pg.Database(t))...), 0o600); err != nil {
		t.Fatal(err)
	}
	before := c.gapless()
	var out struct{ Database string }
	c.command(&out, "migrate", "--to", there)
	if !strings.HasPrefix(out.Database, "postgres://") {
		t.Error("moved to", out.Database)
	}
	if people[0].signsOut() { // the old server still runs
		t.Error("the old database acknowledges a sign-out")
	}
	n.stop()
	n.config = there
	n.up()
	for _, p := range people {
		if err := p.check(g); err != nil {
			t.Error(err)
		}
	}
	if after := c.gapless(); after != before {
		t.Errorf("%d endings were moved as %d", before, after)
	}
	if !people[1].signsOut() {
		t.Error("nobody can sign out there")
	}
	c.command(nil, "backup", filepath.Join(c.dir, "saved"))
}
