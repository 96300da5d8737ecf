package main

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"github.com/alecthomas/kong"
)

// Every command that leaves a record takes the words for it, by one name. A new command either does, too, or stands here as one that changes
// nothing, or nothing that is recorded.
func TestReasonEverywhere(t *testing.T) {
	silent := []string{"serve", "demo", "config example", "config check", "account list", "account show", "account factor list", "client list", "client show", "session list", "key list", "ledger tail",
		"receipt list", "receipt show", "receipt verify", "delivery list", "delivery show", "status", "audit list", "audit export", "audit verify", "provider list", "provider show", "provider owed",
		"backup create", "migrate", "operator list", "version"}
	var walk func(*kong.Node)
	walk = func(n *kong.Node) {
		for _, c := range n.Children {
			walk(c)
		}
		if !n.Leaf() {
			return
		}
		takes := false
		for _, f := range n.Flags {
			takes = takes || f.Name == "reason"
			if f.Name == "why" || slices.Contains(f.Aliases, "why") {
				t.Errorf("%s: --why is another name of --reason", n.Path())
			}
		}
		name := strings.TrimPrefix(n.Path(), "exeunt ")
		at := slices.Index(silent, name)
		if takes == (at >= 0) {
			t.Errorf("%s: takes --reason: %t", name, takes)
		}
		if at >= 0 {
			silent = slices.Delete(silent, at, at+1)
		}
	}
	walk(grammar(&commands{}, io.Discard, io.Discard).Model.Node)
	if len(silent) > 0 {
		t.Error("there is no command", silent)
	}
}

// What is given as a reason is in the record. It is measured in characters.
func TestReasonIsKept(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("exeunt.yaml", []byte(config.Example()), 0o600); err != nil {
		t.Fatal(err)
	}
	exeunt := func(want int, args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		if got := run(args, strings.NewReader("a long password\n"), &out, &errOut); got != want {
			t.Fatalf("exeunt %v: exit %d, want %d: %s", args, got, want, &errOut)
		}
		return out.String() + errOut.String()
	}
	umlauts := strings.Repeat("ä", 120)
	exeunt(exitOK, "account", "add", "alice", "--reason", "hired")
	exeunt(exitOK, "client", "add", "shop", "--redirect", "https://shop.example/cb", "--reason", "bought")
	exeunt(exitOK, "key", "rotate", "--reason", "it is time")
	exeunt(exitOK, "operator", "add", "alice", "--role", "viewer", "--reason", umlauts)
	exeunt(exitOK, "backup", "saved.db")
	if err := os.Remove("exeunt.db"); err != nil {
		t.Fatal(err)
	}
	exeunt(exitOK, "backup", "restore", "saved.db", "--reason", "the disk died")
	list := exeunt(exitOK, "--json", "audit", "list")
	for _, why := range []string{"hired", "bought", "it is time", umlauts, "the disk died"} {
		if !strings.Contains(list, `"reason":"`+why+`"`) {
			t.Errorf("nothing was recorded with %q: %s", why, list)
		}
	}
	for _, why := range []string{strings.Repeat("x", 201), "two\nlines", " "} {
		for _, line := range []string{"account end alice", "operator remove alice", "client add books --redirect https://books.example/cb", "key rotate"} {
			if said := exeunt(exitUsage, append(strings.Fields(line), "--reason", why)...); !strings.Contains(said, "hint: write it behind --reason") {
				t.Errorf("%s: %s", line, said)
			}
		}
	}
}
