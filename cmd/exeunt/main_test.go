package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if os.Getenv("EXEUNT_TEST_MAIN") != "" {
		main() // the test binary as the program
	}
	testscript.Main(m, map[string]func(){"exeunt": main})
}

func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Cmds: map[string]func(*testscript.TestScript, bool, []string){"truncate": half}, Setup: func(e *testscript.Env) error {
		e.Setenv("TMPDIR", e.WorkDir)
		e.Setenv("GORACE", "atexit_sleep_ms=10") // else the race detector lets each of some hundred commands sleep for a second before it exits
		return os.MkdirAll(e.WorkDir, 0o700)
	}})
}

// half cuts a file.
func half(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	i, err := os.Stat(path)
	ts.Check(err)
	ts.Check(os.Truncate(path, i.Size()/2))
}
