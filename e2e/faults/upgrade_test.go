package faults

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exeunt.dev/guard"
	"github.com/jackc/pgx/v5"
)

// older builds the last program whose migrations are the first few of ours. One that has others among them, as a branch may, is no
// older program.
func older(t *testing.T) (program, commit string) {
	t.Helper()
	root := filepath.Join("..", "..")
	git := func(args ...string) []byte {
		cmd := exec.Command("git", args...)
		cmd.Dir = root
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Skipf("no history to take an older program from: git %v: %v: %s", args, err, &said)
		}
		return out
	}
	const schema = "internal/store/postgres/schema"
	migrations := func(commit string) string { return string(git("ls-tree", commit, schema+"/")) }
	ours := migrations("HEAD")
	for changed := range strings.FieldsSeq(string(git("rev-list", "--first-parent", "HEAD", "--", schema))) {
		theirs := migrations(changed + "^")
		if len(theirs) < len(ours) && strings.HasPrefix(ours, theirs) {
			commit = strings.TrimSpace(string(git("rev-parse", changed+"^")))
			break
		}
	}
	if commit == "" {
		t.Fatal("the history has no older program")
	}
	dir := t.TempDir()
	unpack := exec.Command("tar", "-x", "-C", dir)
	unpack.Stdin = bytes.NewReader(git("archive", commit))
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	program = filepath.Join(dir, "older")
	build := exec.Command("go", "build", "-o", program, "./cmd/exeunt")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program, commit
}

// A rolling upgrade under load, with older nodes beside newer ones on a database that the first newer one has migrated beneath
// them: no request fails, no acknowledged ending is missing, nobody else is signed out, and guards stay fresh.
func TestNodes_RollingUpgrade(t *testing.T) {
	program, commit := older(t)
	s := sceneOf(t, startProgram(t, program, t.TempDir(), 3, postgres(t), "drain: 500ms\n"+loopback), 6)
	gather(t, s.people)
	count := func(sql string) (n int) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), s.at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const migrations = "SELECT count(*) FROM migration"
	before := count(migrations)
	s.lost.Store(0)
	forgiven := int64(0)
	mixed := func(name string, strike func()) {
		t.Helper()
		still := standstill(t)
		s.during(name, func() {
			strike()
			time.Sleep(time.Duration(500+rand.IntN(500)) * time.Millisecond) // side by side
		})
		switch lost, d := s.lost.Load()-forgiven, still(); {
		case lost > 0 && d > time.Second:
			forgiven += lost
			t.Logf("%s: %d requests failed, but this machine stood still for %v, for which the database ends transactions", name, lost, d)
		case lost > 0:
			t.Fatalf("%s: %d requests failed: %v", name, lost, s.loss())
		}
		for i, g := range s.guards {
			if _, err := g.Check("x.y.z"); errors.Is(err, guard.ErrStale) {
				t.Errorf("%s: guard %d is stale", name, i)
			}
		}
		gather(t, s.people)
	}
	mixed("older nodes", func() {})
	mixed("one newer node", func() { s.replace(0, binary) })
	if after := count(migrations); after <= before {
		t.Fatalf("%d migrations before and %d after: nothing was migrated, so this proves nothing", before, after)
	}
	s.program = binary
	mixed("two newer nodes", func() { s.replace(1, binary) })
	mixed("newer nodes", func() { s.replace(2, binary) })
	// What older nodes owed, also of the time side by side, is worked off.
	for limit := time.Now().Add(2 * time.Minute); count("SELECT count(*) FROM receipt WHERE told_at = 0") > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("some receipts are never worked off")
		}
	}
	s.outcome("rolling upgrade with older nodes beside", 3)
	// There is no way back: an older program does not touch what it does not know.
	out, err := exec.Command(program, "--config", s.nodes[0].config, "key", "list").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "migration") {
		t.Errorf("the older program on the newer database: %v %s", err, out)
	}
	t.Logf("from %.12s: %d endings, numbered without gaps; no request failed", commit, s.gapless())
}

// standstill measures the longest time for which this process did not run, until the function that it returns is called, once.
func standstill(t *testing.T) func() time.Duration {
	stop, longest := make(chan struct{}), make(chan time.Duration, 1)
	go func() {
		var most time.Duration
		for last := time.Now(); ; last = time.Now() {
			select {
			case <-stop:
				longest <- most
				return
			case <-t.Context().Done():
				return
			case <-time.After(10 * time.Millisecond):
				most = max(most, time.Since(last))
			}
		}
	}()
	return func() time.Duration { close(stop); return <-longest }
}
