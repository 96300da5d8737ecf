package faults

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/guard"
	store "exeunt.dev/internal/store/postgres"
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

// refuses runs a command that must fail, and returns what it says.
func (c *cluster) refuses(config string, args ...string) string {
	c.t.Helper()
	out, err := exec.Command(c.program, append([]string{"--config", config}, args...)...).CombinedOutput()
	if err == nil {
		c.t.Errorf("exeunt %v: %s", args, out)
	}
	return string(out)
}

// beside is the first node's configuration with another database.
func (c *cluster) beside(name, database string) string {
	c.t.Helper()
	text, err := os.ReadFile(c.nodes[0].config)
	if err != nil {
		c.t.Fatal(err)
	}
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "data: db\n", database, 1)), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// holds starts the node on a database with everybody in it, as they were.
func (n *node) holds(config string, people []*person, g *guard.Guard, endings int) {
	n.c.t.Helper()
	n.config = config
	n.up()
	for _, p := range people {
		if err := p.check(g); err != nil {
			n.c.t.Error(err)
		}
	}
	if is := n.c.gapless(); is != endings {
		n.c.t.Errorf("%d endings were moved as %d", endings, is)
	}
}

// From SQLite to Postgres and back: sessions live on, what ended stays over, the ledger goes on. Beside a server, one that stands still too, a
// file is not moved; a server that was killed leaves nothing behind that would be missing. Nobody serves the old database afterwards.
func TestPromise_MigrateKeepsSessions(t *testing.T) {
	pg := postgres(t)
	c := start(t, 1, nil, "")
	people := c.signedIn(4)
	g := c.newGuard()
	n := c.nodes[0]
	old := n.config
	there := c.beside("there.yaml", "postgres:\n  url: "+pg.Database(t)+"\n")
	back := c.beside("back.yaml", "data: back\n")

	if said := c.refuses(old, "migrate", "--to", there); !strings.Contains(said, "is in use") || !strings.Contains(said, "hint: stop the server") {
		t.Error("beside a server:", said)
	}
	n.signal(syscall.SIGSTOP)
	if said := c.refuses(old, "migrate", "--to", there); !strings.Contains(said, "is in use") {
		t.Error("beside a server that stands still:", said)
	}
	n.signal(syscall.SIGCONT)
	leaves := func(p *person) {
		t.Helper()
		if !p.signsOut() {
			t.Error("nobody can sign out")
		}
		for _, s := range p.all(nil) {
			*s = over
		}
	}
	leaves(people[3]) // the server goes on
	before := c.gapless()
	n.kill()
	if i, err := os.Stat(filepath.Join(c.dir, "db-wal")); err != nil || i.Size() == 0 {
		t.Error("the killed server left no log, so that this shows little:", err)
	}
	var out struct{ Database string }
	c.command(&out, "migrate", "--to", there)
	if !strings.HasPrefix(out.Database, "postgres://") {
		t.Error("moved to", out.Database)
	}
	for _, command := range []string{"serve", "config check", "account list"} {
		if said := c.refuses(old, strings.Fields(command)...); !strings.Contains(said, "the database was moved to postgres://") {
			t.Errorf("%s on the old database: %s", command, said)
		}
	}
	n.holds(there, people, g, before)
	leaves(people[1])
	before = c.gapless()

	// Nodes on Postgres may be anywhere: they are refused by the database.
	c.command(nil, "migrate", "--to", back)
	if people[2].signsOut() {
		t.Error("the old database acknowledges a sign-out")
	}
	alive := people[2].sessions[1].apps["books"].access
	if status, body, err := people[2].do(http.DefaultClient, "POST", "/oauth2/introspect", "token="+alive, c.basic("orders")); status != 503 {
		t.Errorf("a node on the old database answers: %d %s %v", status, body, err)
	}
	n.stop()
	n.holds(back, people, g, before)
	c.command(nil, "backup", filepath.Join(c.dir, "saved"))
}

// A move that is killed while it copies: nobody uses the old database, and the same command finishes.
func TestMigrateKilled(t *testing.T) {
	pg := postgres(t)
	c := start(t, 1, nil, "")
	people := c.signedIn(2)
	g := c.newGuard()
	n := c.nodes[0]
	at := pg.Database(t)
	there := c.beside("there.yaml", "postgres:\n  url: "+at+"\n")
	before := c.gapless()
	n.stop()

	fresh, err := store.Open(t.Context(), at, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fresh.Close()
	db, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	if _, err := db.Exec(t.Context(), "BEGIN; LOCK TABLE event"); err != nil { // which the move waits for
		t.Fatal(err)
	}
	move := exec.Command(c.program, "--config", n.config, "migrate", "--to", there)
	if err := move.Start(); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(filepath.Join(c.dir, "db")); err != nil {
			t.Fatal(err)
		} else if bytes.Contains(text, []byte("?postgres://")) {
			break
		} else if time.Now().After(limit) {
			t.Fatal("the old database is not marked")
		}
	}
	if err := move.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	move.Wait()
	if said := c.refuses(n.config, "serve"); !strings.Contains(said, "being moved to postgres://") || !strings.Contains(said, "hint: run the same exeunt migrate again") {
		t.Error("between two databases:", said)
	}
	if _, err := db.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	c.command(nil, "migrate", "--to", there)
	n.holds(there, people, g, before)
}
