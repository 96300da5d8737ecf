package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/demo"
)

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("exeunt.yaml", []byte(config.Example()), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, all := range map[int][]string{
		0: {"version", "account list", "--help"},
		1: {"account show nobody", "client show nobody", "client end nobody", "delivery show nobody", "delivery resend 7.ABCDABCDABCDABCD", "delivery give-up x", "delivery list --client nobody", "key kill nobody",
			"key kill AAAAAAAAAAAAAAAB", "receipt show 7", "receipt show nobody", "receipt list nobody", "session list nobody", "session end nobody nothing", "operator remove nobody --reason x"},
		2: {"", "nonsense", "account add", "serve --config nowhere.yaml", "account add x", "demo --port 99999", "client add shop --redirect https://shop.example/cb --backchannel nonsense", "client add shop", "client add shop --redirect nonsense",
			"delivery list --state nonsense", "delivery resend", "delivery resend x --all", "receipt list --limit -1"},
	} {
		for _, line := range all {
			var out, errOut bytes.Buffer
			if got := run(strings.Fields(line), strings.NewReader(""), &out, &errOut); got != want {
				t.Errorf("exeunt %s: exit %d, want %d: %s", line, got, want, &errOut)
			}
			if want != 0 && !strings.HasPrefix(errOut.String(), "exeunt: ") && !strings.Contains(errOut.String(), "\nexeunt: ") {
				t.Errorf("exeunt %s: %q", line, &errOut)
			}
		}
	}
}

// With --json each command prints JSON, an object a line, and nothing else.
func TestJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("exeunt.yaml", []byte(config.Example()), 0o600); err != nil {
		t.Fatal(err)
	}
	kid := ""
	for _, line := range []string{"version", "config check", "account add alice", "account list", "account show alice", "account lock alice", "account unlock alice", "account password alice",
		"account end alice", "session list alice", "client add shop --redirect https://shop.example/cb", "client list", "client show shop", "client end shop", "key list", "key rotate", "key kill KID",
		"ledger tail", "receipt list", "receipt show 1", "delivery list", "status", "audit list", "audit verify", "operator add alice --role viewer --reason x", "operator list", "provider list",
		"account delete alice --yes"} {
		var out, errOut bytes.Buffer
		if code := run(append([]string{"--json"}, strings.Fields(strings.ReplaceAll(line, "KID", kid))...), strings.NewReader("a long password\n"), &out, &errOut); code != 0 {
			t.Fatalf("%s: exit %d: %s", line, code, &errOut)
		}
		if out.Len() == 0 && line != "session list alice" && line != "delivery list" { // there are none
			t.Errorf("%s prints nothing", line)
		}
		for text := range strings.Lines(out.String()) {
			var v map[string]any
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				t.Errorf("%s prints %q", line, text)
			}
			if k, ok := v["kid"].(string); ok {
				kid = k
			}
		}
	}
}

// The real program: one line of JSON, with which a program that knows nothing else does the main job; then it runs until it is interrupted,
// and leaves nothing behind.
func TestDemoProcess(t *testing.T) {
	temp := t.TempDir()
	cmd := exec.Command(os.Args[0], "demo", "--json")
	cmd.Args[0] = "exeunt"
	cmd.Env = append(os.Environ(), "EXEUNT_TEST_MAIN=1", "TMPDIR="+temp)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var info demo.Info
	if err := json.Unmarshal(line, &info); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{info.Issuer + "/readyz", info.Start, info.Apps["books"], info.Apps["news"], info.SinglePage} {
		res, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != 200 {
			t.Errorf("%s: %s", address, res.Status)
		}
	}
	newStranger(t, line).mainJob()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
