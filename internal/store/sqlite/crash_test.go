package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// S1: a child ends under load and says each name only once it is acknowledged; killed at any instant, none is missing.
func TestKilled(t *testing.T) {
	if path := os.Getenv("EXEUNT_TEST_CRASH"); path != "" {
		endUntilKilled(path)
	}
	path := filepath.Join(t.TempDir(), "exeunt.db")
	var said []idp.Name
	for round := range 4 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "EXEUNT_TEST_CRASH="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for i := 0; lines.Scan(); i++ {
			n, err := ledger.ParseName(lines.Text())
			if err != nil {
				continue // cut off by the kill
			}
			said = append(said, n)
			if i == 100+round*77 {
				child.Process.Kill()
			}
		}
		child.Wait()
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		err = s.View(t.Context(), func(v idp.View) error {
			over, err := v.Ended(said...)
			if len(over) != len(said) {
				t.Errorf("round %d: %d of %d acknowledged endings are there", round, len(over), len(said))
			}
			h, err2 := v.Head()
			all, err3 := v.EntriesAfter(0, 1<<30)
			if uint64(len(all)) != h.Number || len(said) == 0 {
				t.Errorf("round %d: head is %d, there are %d entries, %d were acknowledged", round, h.Number, len(all), len(said))
			}
			for _, e := range []error{err, err2, err3} {
				if e != nil {
					return e
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		s.Close()
	}
}

func endUntilKilled(path string) {
	s, err := Open(context.Background(), path)
	if err != nil {
		os.Exit(1)
	}
	d := door.New(s, nil)
	var wg sync.WaitGroup
	var out sync.Mutex
	for range 16 {
		wg.Go(func() {
			for {
				n := ledger.NewName()
				if _, err := d.End(context.Background(), idp.EndToken(n), idp.Cause{Kind: idp.CauseRevoked}); err != nil {
					os.Exit(1)
				}
				out.Lock()
				fmt.Println(n)
				out.Unlock()
			}
		})
	}
	wg.Wait()
}
