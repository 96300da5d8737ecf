package faults

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/e2e/faults/api/talk"
)

// apis is a process with real guards in it.
type apis struct {
	t    *testing.T
	cmd  *exec.Cmd
	base string
}

// buildAPIs builds the program.
func buildAPIs(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "api")
	if said, err := exec.Command("go", "build", "-o", out, "exeunt.dev/e2e/faults/api").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return out
}

func newAPIs(t *testing.T, program string) *apis {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return &apis{t: t, cmd: cmd, base: "http://" + strings.TrimSpace(address)}
}

// ask talks to the process; in and out are JSON or nil.
func (a *apis) ask(t *testing.T, method, path string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(method, a.base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != 200 {
		err = fmt.Errorf("%d %s", res.StatusCode, text)
	}
	if err == nil && out != nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}

// guard starts a guard that follows the ledger by feeds.
func (a *apis) guard(t *testing.T, c *cluster, id string, feeds ...string) {
	t.Helper()
	a.ask(t, "POST", "/"+id, talk.Order{Issuer: c.front.URL(), Audience: api, Client: "orders", Secret: c.secrets["orders"], Feeds: feeds, Staleness: staleness}, nil)
}

func (a *apis) seen(t *testing.T, id string) (r talk.Report) {
	t.Helper()
	a.ask(t, "GET", "/"+id+"/seen", nil, &r)
	return r
}

// line is one row of the table.
type line struct {
	name      string
	ends      int
	latest    time.Duration // after an end was acknowledged a request began that was admitted
	stream    time.Duration // and a stream was cut
	later     int           // requests with a good token that got 503
	outage    bool          // such must be
	recovered time.Duration // after the fault was over the good tokens were good again
	wrongly   int           // requests with a good token that got 401 or anything else
	failed    bool
	note      string
}

func (l *line) String() string {
	verdict := "held"
	if l.failed {
		verdict = "BROKEN"
	}
	part := func(d time.Duration) string {
		if d <= 0 {
			return "none"
		}
		return fmt.Sprintf("%d ms (%.2f)", d.Milliseconds(), float64(d)/float64(staleness))
	}
	recovered := "–"
	if l.outage || l.recovered > 0 {
		recovered = fmt.Sprintf("%d ms", l.recovered.Milliseconds())
	}
	return fmt.Sprintf("| %s | %d | %s | %s | %d | %s | %d | %s | %s |", l.name, l.ends, part(l.latest), part(l.stream), l.later, recovered, l.wrongly, verdict, l.note)
}

const tableHead = "| fault | ends | latest admission after its end (part of max staleness) | latest stream cut | 503s | recovered after | wrongly refused | verdict | |\n|---|---|---|---|---|---|---|---|---|"
