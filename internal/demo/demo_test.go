package demo

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

func start(t *testing.T) *Demo {
	t.Helper()
	d, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestPromise_MainJob does each kind of sign-out through the real server, two websites with a client library that is not ours, and an
// API that follows the ledger; and asks who refuses and who lives on.
func TestPromise_MainJob(t *testing.T) {
	for _, l := range start(t).Check(t.Context()) {
		if l.Problem != "" {
			t.Errorf("%s: %s", l.Ended, l.Problem)
		}
	}
}

// A kept folder is used again: the same people, new addresses.
func TestKeptData(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		d, err := Start(t.Context(), Options{Data: dir})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range d.Check(t.Context()) {
			if l.Problem != "" {
				t.Errorf("%s: %s", l.Ended, l.Problem)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(dir + "/exeunt.db"); err != nil {
		t.Error("the data is not kept:", err)
	}
}

// The start page shows the layers before and after.
func TestStartPage(t *testing.T) {
	d := start(t)
	get := func() string {
		b := NewBrowser()
		p, err := b.Get(t.Context(), d.Facts.Start)
		if err != nil || p.Status != http.StatusOK {
			t.Fatal(err, p.Status)
		}
		return p.Body
	}
	if page := get(); !strings.Contains(page, "Nobody is signed in to Exeunt") {
		t.Error("somebody is signed in at the start")
	}
	k := &checker{ctx: t.Context(), d: d}
	k.guarded((*checker).thisBrowser)
	if k.line.Problem != "" {
		t.Fatal(k.line.Problem)
	}
	if page := get(); !strings.Contains(page, "signed in: not told yet") || !strings.Contains(page, "sign-out") {
		t.Error("the start page does not show what the sign-out did")
	}
}
