package demo

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// The folder of a run that was killed goes when the next one starts; that of one that runs stays, and so does everything else.
func TestNewFolder(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp) // where Windows looks
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	folder := func(l net.Listener) string {
		dir, err := newFolder(l)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "exeunt.db"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	there := func(path string) bool { _, err := os.Stat(path); return err == nil }
	for _, name := range []string{"exeunt-demo-mine", "another"} {
		if err := os.Mkdir(filepath.Join(temp, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	killed, running := listen(), listen()
	a, b := folder(killed), folder(running)
	killed.Close()
	c := folder(listen())
	if there(a) || !there(b) || !there(c) || !there(filepath.Join(temp, "exeunt-demo-mine")) || !there(filepath.Join(temp, "another")) {
		left, _ := filepath.Glob(filepath.Join(temp, "*"))
		t.Errorf("left: %v", left)
	}
}
