package native

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// secretTool stands in for the command of that name: what it keeps is in $KEPT, and without $KEPT it finds no keyring, as on a server.
const secretTool = `#!/bin/sh
[ -n "$KEPT" ] || { echo "secret-tool: Cannot autolaunch D-Bus without X11" >&2; exit 1; }
case "$*" in *exeunt.*) echo "a secret among the arguments" >&2; exit 2 ;; esac
case $1 in
lookup) [ -f "$KEPT" ] || exit 1; cat "$KEPT" ;;
store) cat > "$KEPT" ;;
clear) rm -f "$KEPT" ;;
esac
`

func TestKeep(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the places of Linux")
	}
	for name, ring := range map[string]bool{"a keyring": true, "a file": false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("XDG_CONFIG_HOME", dir)
			t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			t.Setenv("KEPT", "")
			if ring {
				t.Setenv("KEPT", filepath.Join(dir, "ring"))
			}
			if err := os.WriteFile(filepath.Join(dir, "secret-tool"), []byte(secretTool), 0o700); err != nil {
				t.Fatal(err)
			}
			k, err := Best("https://id.example.com", "desk")
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(k.String(), "keyring of this desktop") != ring {
				t.Fatalf("it is %s", k)
			}
			if got, err := k.Load(); got != nil || err != nil {
				t.Errorf("at first: %q %v", got, err)
			}
			for _, secret := range []string{"exeunt.one", "exeunt.two\n\x00"} {
				if err := k.Save([]byte(secret)); err != nil {
					t.Fatal(err)
				}
				again, err := Best("https://id.example.com", "desk")
				if err != nil {
					t.Fatal(err)
				}
				if got, err := again.Load(); string(got) != secret || err != nil {
					t.Errorf("%q became %q, %v", secret, got, err)
				}
			}
			if other, err := Best("https://id.example.com", "other"); err != nil || other.(interface{ path() string }).path() == k.(interface{ path() string }).path() {
				t.Errorf("another app has the same place, or %v", err)
			}
			private(t, filepath.Join(dir, "exeunt-native"), ring)
			for range 2 { // what is not there is dropped, too
				if err := k.Drop(); err != nil {
					t.Error(err)
				}
			}
			if got, err := k.Load(); got != nil || err != nil {
				t.Errorf("at last: %q %v", got, err)
			}
		})
	}
}

// private says that nobody else may read a folder and what is in it, and that a keyring leaves no copy there.
func private(t *testing.T, dir string, ring bool) {
	t.Helper()
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("the folder: %v %v", info, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 1 || ring && len(entries) > 0 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
	for _, e := range entries {
		if i, err := e.Info(); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", i, err)
		}
	}
}
