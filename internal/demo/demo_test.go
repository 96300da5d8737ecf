package demo_test

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"exeunt.dev/internal/demo"
)

// The main job, end to end, over HTTP: every kind of sign-out reaches cookie, refresh token and API, and nobody else.
func TestPromiseMainJob(t *testing.T) {
	t.Parallel()
	d, err := demo.Start(t.Context(), demo.Options{Data: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	results := d.Check(t.Context())
	var b strings.Builder
	demo.Print(&b, results)
	t.Log("\n" + b.String())
	if demo.Failed(results) || len(results) != 16 {
		t.Error("the check failed")
	}
}

// Nothing is left behind.
func TestCloseLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	d, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
