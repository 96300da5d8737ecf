package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// line is what a file says after a word at the beginning of a line.
func line(t *testing.T, file, pattern string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?m)^" + pattern + "$").FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no line %q", file, pattern)
	}
	var out []string
	for _, f := range found[1:] {
		out = append(out, string(f))
	}
	return out
}

func words(t *testing.T, list string) (out []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(list), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// The program as the Dockerfile builds it needs nothing else: alone in a file system where its user may write to /data only, it starts,
// serves and stops.
func TestImage(t *testing.T) {
	if testing.Short() || os.Geteuid() != 0 {
		t.Skip("needs root, to be somebody else")
	}
	build := line(t, "Dockerfile", `RUN CGO_ENABLED=0 go build (.*) -o /exeunt (\S+) .*`)
	entry := words(t, line(t, "Dockerfile", `ENTRYPOINT (\[.*\])`)[0])
	command := words(t, line(t, "Dockerfile", `CMD (\[.*\])`)[0])
	root, err := os.MkdirTemp("", "exeunt-image-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	const nonroot = 65532 // of distroless images
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	conf := filepath.Join(root, entry[2])
	text := fmt.Sprintf("issuer: http://%s\nlisten: %s\nkey_file: /data/exeunt.key\ndata: /data/exeunt.db\n", at, at)
	for _, err := range []error{os.Chmod(root, 0o755), os.Mkdir(filepath.Join(root, "data"), 0o755), os.Chown(filepath.Join(root, "data"), nonroot, nonroot),
		os.MkdirAll(filepath.Dir(conf), 0o755), os.WriteFile(conf, []byte(text), 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	compile := exec.Command("go", append(append([]string{"build"}, strings.Fields(build[0])...), "-o", filepath.Join(root, entry[0]), build[1])...)
	compile.Dir, compile.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var log bytes.Buffer
	run := &exec.Cmd{Path: entry[0], Args: append(entry, command...), Dir: "/", Stdout: &log, Stderr: &log, SysProcAttr: &syscall.SysProcAttr{
		Chroot: root, Credential: &syscall.Credential{Uid: nonroot, Gid: nonroot}, Pdeathsig: syscall.SIGKILL}}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- run.Wait() }()
	for limit := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		res, err := http.Get("http://" + at + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				break
			}
		}
		select {
		case err := <-over:
			t.Fatalf("it ended: %v: %s", err, &log)
		default:
		}
		if time.Now().After(limit) {
			run.Process.Kill()
			t.Fatalf("not ready: %v: %s", <-over, &log)
		}
	}
	run.Process.Signal(syscall.SIGTERM)
	if err := <-over; err != nil {
		t.Errorf("%v: %s", err, &log)
	}
}

// Files, ports and secrets of the compose file are those that its nodes and its proxy are configured with. After a crash everything is there
// again, and each time the same.
func TestCompose(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Services map[string]struct {
			Image    string
			Restart  string
			Build    struct{ Context, Dockerfile string }
			Volumes  []string
			Secrets  []string
			Ports    []string
			ReadOnly bool   `yaml:"read_only"`
			Grace    string `yaml:"stop_grace_period"`
			Network  string `yaml:"network_mode"`
			Command  []string
		}
		Secrets map[string]struct{ File string }
		Volumes map[string]any
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	for name, s := range c.Services {
		if s.Restart != "always" {
			t.Errorf("%s has restart %q", name, s.Restart)
		}
		if _, tag, _ := strings.Cut(s.Image, ":"); s.Build.Context == "" && (tag == "" || tag == "latest") {
			t.Errorf("%s runs %q, whatever that is today", name, s.Image)
		}
		for _, v := range s.Volumes {
			from := strings.Split(v, ":")[0]
			if _, named := c.Volumes[from]; named {
				continue
			}
			if _, err := os.Stat(from); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, secret := range s.Secrets {
			if c.Secrets[secret].File == "" {
				t.Errorf("%s: no secret %s", name, secret)
			}
		}
		if s.Build.Context != "" {
			if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	scrapes, err := os.ReadFile("prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Services["prometheus"]; p.Network != "service:front" || !slices.Contains(c.Services["front"].Ports, "127.0.0.1:9090:9090") {
		t.Errorf("prometheus: %+v", p)
	}
	published := strings.Split(c.Services["front"].Ports[0], ":")
	ignored, err := os.ReadFile("../.dockerignore")
	if err != nil || !slices.Contains(strings.Split(string(ignored), "\n"), "deploy/secrets") {
		t.Errorf("the secrets get into the image: %v", err)
	}
	proxy, err := os.ReadFile("nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(proxy), "listen "+published[2]+";") {
		t.Errorf("the proxy does not listen at the published port %v", published)
	}
	for _, name := range []string{"node1", "node2"} {
		n, conf := c.Services[name], name+".yaml"
		if !slices.Contains(n.Volumes, "./"+conf+":/etc/exeunt/exeunt.yaml:ro") || !n.ReadOnly || n.Network != "service:front" || !slices.Equal(n.Command, []string{"serve"}) {
			t.Errorf("%s: %+v", name, n)
		}
		if listen := line(t, conf, "listen: (.*)")[0]; !strings.Contains(string(proxy), "server "+listen+" ") {
			t.Errorf("the proxy does not lead to %s", listen)
		}
		if at := line(t, conf, "metrics_listen: (.*)")[0]; !regexp.MustCompile(`targets: .*\b` + regexp.QuoteMeta(at) + `\b`).Match(scrapes) {
			t.Errorf("%s: nobody asks for what is counted at %s", name, at)
		}
		drain, err := time.ParseDuration(line(t, conf, "drain: (.*)")[0])
		idle, err2 := time.ParseDuration(line(t, "nginx.conf", "    keepalive_timeout (.*);")[0])
		grace, err3 := time.ParseDuration(n.Grace)
		if errors.Join(err, err2, err3) != nil || idle >= drain || grace < drain+10*time.Second {
			t.Errorf("%s: drain %v, the proxy lets connections go after %v, Docker kills after %v", name, drain, idle, grace)
		}
		if issuer := line(t, conf, "issuer: (.*)")[0]; !strings.HasSuffix(issuer, ":"+published[1]) {
			t.Errorf("%s is at %s, and %v is published", name, issuer, published)
		}
		if key := line(t, conf, "key_file: (.*)")[0]; filepath.Dir(key) != "/data" || !slices.Contains(n.Volumes, "keys:/data") {
			t.Errorf("%s: its key file %s is in no volume that both have", name, key)
		}
		if secret := line(t, conf, "  password_file: (.*)")[0]; !slices.Contains(n.Secrets, strings.TrimPrefix(secret, "/run/secrets/")) {
			t.Errorf("%s: it gets no %s", name, secret)
		}
	}
}
