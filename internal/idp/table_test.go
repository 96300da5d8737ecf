package idp_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

var update = flag.Bool("update", false, "write docs/what-ends-what.md")

const page = "../../docs/what-ends-what.md"

// docs/what-ends-what.md says what the data says. To write it: go test ./internal/idp -run TestWhatEndsWhatIsWritten -update
func TestWhatEndsWhatIsWritten(t *testing.T) {
	want := written()
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/what-ends-what.md is stale: go test ./internal/idp -run TestWhatEndsWhatIsWritten -update")
	}
}

// Each cell is a reach that has a meaning, and no two rows are about the same cause and selector.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range idp.Table() {
		key := string(r.Cause) + " of " + string(r.Selector)
		if seen[key] || r.What == "" || r.How == "" {
			t.Errorf("%s: twice, or without words", key)
		}
		seen[key] = true
		for i, c := range r.Cells() {
			if c.Means() == "" {
				t.Errorf("%s: nobody knows what %q means for %s", key, c, idp.Columns()[i])
			}
		}
	}
}

func written() []byte {
	var b bytes.Buffer
	rows, columns := idp.Table(), idp.Columns()
	b.WriteString("# What ends what\n\n" +
		"<!-- Written from internal/idp/table.go by `go test ./internal/idp -run TestWhatEndsWhatIsWritten -update`. Change it there. -->\n\n" +
		"Everything that ends goes through one door, and reaches what its row says and nothing else. Each cell is tried on the whole server,\n" +
		"on both databases: `TestWhatEndsWhat` (e2e/rooms). Causes are written as `exeunt ledger tail` and receipts show them.\n\n")
	line := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	head := append([]string{"cause"}, columns[:]...)
	line(head...)
	line(slices.Repeat([]string{"---"}, len(head))...)
	for _, r := range rows {
		cells := []string{fmt.Sprintf("%s (`%s`)", r.What, r.Cause)}
		for _, c := range r.Cells() {
			cells = append(cells, string(c))
		}
		line(cells...)
	}
	b.WriteString("\n## How to read a cell\n\n\"That session\" is the one in which the act is done; if it is done in none, or from a list, the one it names.\n\n")
	line("cell", "means")
	line("---", "---")
	var said []idp.Reach
	for _, r := range rows {
		for _, c := range r.Cells() {
			if !slices.Contains(said, c) {
				said = append(said, c)
				line(string(c), c.Means())
			}
		}
	}
	b.WriteString("\n## By what it is done\n\n")
	line("cause", "selector", "act")
	line("---", "---", "---")
	for _, r := range rows {
		line("`"+string(r.Cause)+"`", string(r.Selector), r.How)
	}
	b.WriteString("\n## Besides\n\nTried by `TestBesidesTheTable`.\n\n")
	for _, n := range idp.TableNotes() {
		b.WriteString("- " + n + "\n")
	}
	return b.Bytes()
}
