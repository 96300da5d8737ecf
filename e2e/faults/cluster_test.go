package faults

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/e2e/proxy"
	"exeunt.dev/internal/store/pgtest"
)

// binary is the program, built once.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Println("skipped: not for the inner loop")
		return
	}
	dir, err := os.MkdirTemp("", "exeunt-faults-")
	if err == nil {
		binary = filepath.Join(dir, "exeunt")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", binary, "exeunt.dev/cmd/exeunt").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	printOutcomes()
	os.RemoveAll(dir)
	os.Exit(code)
}

// long says that ./test long runs, which takes its time.
func long() bool { return os.Getenv("EXEUNT_TEST_LONG") != "" }

const api = "https://api.test"

// cluster is nodes behind one address.
type cluster struct {
	t       *testing.T
	dir     string
	front   *proxy.Link // what people and guards reach
	nodes   []*node
	secrets map[string]string
	pg      *pgtest.Server
	at      string                           // the Postgres database's address
	program string                           // of commands
	lost    atomic.Int64                     // requests that got no answer, or one of 5xx
	losses  atomic.Pointer[string]           // the last of them
	ended   func(token string, at time.Time) // is told of each access token whose end was acknowledged; nil: nobody asks
}

// node is one process, with its own way to the database.
type node struct {
	c      *cluster
	config string
	binary string   // what runs; as a rule the program
	env    []string // besides this process's
	port   int
	cmd    *exec.Cmd
	exited chan struct{}
	log    bytes.Buffer
	db     *proxy.Link // to Postgres; nil on SQLite
}

// start makes a cluster of n nodes: on Postgres if there is one, else one on SQLite.
func start(t *testing.T, n int, pg *pgtest.Server, settings string) *cluster {
	t.Helper()
	return startIn(t, t.TempDir(), n, pg, settings)
}

// startAt makes a node on SQLite with its data in a folder.
func startAt(t *testing.T, dir string) *cluster { return startIn(t, dir, 1, nil, "") }

func startIn(t *testing.T, dir string, n int, pg *pgtest.Server, settings string) *cluster {
	t.Helper()
	if !strings.Contains(settings, "passwords:") {
		settings = "passwords: {memory: 7168, passes: 1}\n" + settings // the least that is allowed
	}
	return startProgram(t, binary, dir, n, pg, settings)
}

func startProgram(t *testing.T, program, dir string, n int, pg *pgtest.Server, settings string) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: dir, secrets: map[string]string{}, pg: pg, front: newFront(t), program: program}
	if pg != nil {
		c.at = pg.Database(t)
	}
	for i := range n {
		node := &node{c: c, binary: program, port: freePort(t), config: filepath.Join(c.dir, fmt.Sprintf("node%d.yaml", i))}
		text := fmt.Sprintf("issuer: %s\nlisten: 127.0.0.1:%d\nkey_file: key\ntrusted_proxies: [127.0.0.1]\nlog_level: warn\n%s", c.front.URL(), node.port, settings)
		if pg != nil {
			node.db = newFront(t)
			node.db.Aim(fmt.Sprintf("127.0.0.1:%d", pg.Port))
			text += fmt.Sprintf("postgres:\n  url: %s\n", strings.Replace(c.at, fmt.Sprint(pg.Port), fmt.Sprint(node.db.Port()), 1))
		} else {
			text += "data: db\n"
		}
		if err := os.WriteFile(node.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.nodes = append(c.nodes, node)
	}
	for _, app := range []string{"books", "news"} {
		c.addClient(app, "--redirect", "https://"+app+".test/cb", "--logout-uri", "https://"+app+".test/left", "--first-party", "--audience", api)
	}
	c.addClient("orders", "--kind", "api", "--audience", api)
	for _, n := range c.nodes {
		n.up()
	}
	c.aim()
	t.Cleanup(func() {
		for _, n := range c.nodes {
			n.kill()
		}
	})
	return c
}

func (c *cluster) addClient(id string, args ...string) {
	var out struct {
		Secret string `json:"client_secret"`
	}
	c.command(&out, append([]string{"client", "add", id}, args...)...)
	c.secrets[id] = out.Secret
}

// lose notes a request of a person's that got no answer.
func (c *cluster) lose(format string, args ...any) {
	c.lost.Add(1)
	why := fmt.Sprintf(format, args...)
	c.losses.Store(&why)
}

// loss is the last of them, for whoever reads a failure.
func (c *cluster) loss() string {
	if why := c.losses.Load(); why != nil {
		return *why
	}
	return ""
}

// command runs the program beside the servers.
func (c *cluster) command(out any, args ...string) {
	c.t.Helper()
	cmd := exec.Command(c.program, append([]string{"--config", c.nodes[0].config, "--json"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("exeunt %v: %v: %s", args, err, &stderr)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			c.t.Fatalf("exeunt %v: %v: %s", args, err, text)
		}
	}
}

// aim lets the front lead to all nodes.
func (c *cluster) aim() {
	var to []string
	for _, n := range c.nodes {
		to = append(to, n.address())
	}
	c.front.Aim(to...)
}

func (n *node) address() string { return fmt.Sprintf("127.0.0.1:%d", n.port) }

// configure changes the configuration file.
func (n *node) configure(f func(string) string) {
	n.c.t.Helper()
	text, err := os.ReadFile(n.config)
	if err == nil {
		err = os.WriteFile(n.config, []byte(f(string(text))), 0o600)
	}
	if err != nil {
		n.c.t.Fatal(err)
	}
}

// up starts the process and waits until it is ready.
func (n *node) up() {
	n.c.t.Helper()
	n.launch()
	n.ready()
}

func (n *node) launch() {
	n.log.Reset()
	n.cmd = exec.Command(n.binary, "--config", n.config, "serve")
	n.cmd.Env = append(os.Environ(), n.env...)
	n.cmd.Stdout, n.cmd.Stderr = &n.log, &n.log
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		n.c.t.Fatal(err)
	}
	exited := make(chan struct{})
	n.exited = exited
	go func(c *exec.Cmd) { c.Wait(); close(exited) }(n.cmd)
}

func (n *node) isReady() bool {
	res, err := http.Get("http://" + n.address() + "/readyz")
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == 200
}

func (n *node) ready() {
	n.c.t.Helper()
	for limit := time.Now().Add(2 * time.Minute); ; {
		if n.isReady() {
			return
		}
		select {
		case <-n.exited:
			n.c.t.Fatalf("the server ended: %s", &n.log)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(limit) {
			n.c.t.Fatalf("the server is not ready: %s", &n.log)
		}
	}
}

func (n *node) signal(s syscall.Signal) { n.cmd.Process.Signal(s) }

// kill is kill -9.
func (n *node) kill() {
	if n.cmd == nil {
		return
	}
	n.signal(syscall.SIGKILL)
	<-n.exited
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := pgtest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func newFront(t *testing.T) *proxy.Link {
	t.Helper()
	l, err := proxy.NewLink()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// commandLines runs a command that prints a JSON object in each line, and decodes the first.
func (c *cluster) commandLines(out any, args ...string) {
	c.t.Helper()
	if err := json.Unmarshal(c.output(args...)[0], out); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) output(args ...string) [][]byte {
	c.t.Helper()
	text, err := exec.Command(c.program, append([]string{"--config", c.nodes[0].config, "--json"}, args...)...).Output()
	if err != nil {
		c.t.Fatalf("exeunt %v: %v", args, err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

// kids are the keys of a use in one of the states.
func (c *cluster) kids(use string, states ...string) (out []string) {
	for _, line := range c.output("key", "list") {
		var k struct{ Kid, Use, State string }
		if err := json.Unmarshal(line, &k); err != nil {
			c.t.Fatal(err)
		}
		if k.Use == use && slices.Contains(states, k.State) {
			out = append(out, k.Kid)
		}
	}
	return out
}
