package peers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// binary is the program, built once; sites is the folder of the websites for Node.
var binary, sites string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Println("skipped: websites of other people's clients are not for the inner loop")
		return
	}
	dir, err := os.MkdirTemp("", "exeunt-peers-")
	if err == nil {
		err = prepare(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func prepare(dir string) (err error) {
	if sites, err = filepath.Abs("sites"); err != nil {
		return err
	}
	for _, program := range []string{"node", "npm", "chromium"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("these tests need %s; ./test installs it", program)
		}
	}
	binary = filepath.Join(dir, "exeunt")
	if out, err := exec.Command("go", "build", "-o", binary, "exeunt.dev/cmd/exeunt").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return install()
}

// install lets npm lay sites/node_modules, unless it is there already from the same lock file.
func install() error {
	lock, err := os.ReadFile(filepath.Join(sites, "package-lock.json"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(lock)
	want := []byte(hex.EncodeToString(sum[:]))
	stamp := filepath.Join(sites, "node_modules", ".installed-from")
	if have, _ := os.ReadFile(stamp); bytes.Equal(have, want) {
		return nil
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = sites
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, out)
	}
	return os.WriteFile(stamp, want, 0o600)
}

// The lock file may not say where packages come from: that is the business of whoever installs them.
func TestLockFileNamesNoPlace(t *testing.T) {
	lock, err := os.ReadFile(filepath.Join(sites, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(lock, []byte(`"resolved"`)) || !bytes.Contains(lock, []byte(`"integrity": "sha512-`)) {
		t.Error("sites/package-lock.json: write it with npm install --omit-lockfile-registry-resolved")
	}
}

// nodeAtLeast compares the version of Node.
func nodeAtLeast(t *testing.T, major, minor int) bool {
	t.Helper()
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".")
	if len(parts) != 3 {
		t.Fatalf("node says its version is %s", out)
	}
	var have [2]int
	for i := range have {
		if have[i], err = strconv.Atoi(parts[i]); err != nil {
			t.Fatal(err)
		}
	}
	return have[0] > major || have[0] == major && have[1] >= minor
}
