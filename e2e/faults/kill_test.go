package faults

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// load lets everybody act at random until stop is closed.
func load(t *testing.T, people []*person, stop <-chan struct{}) *sync.WaitGroup {
	var wg sync.WaitGroup
	for _, p := range people {
		seed := rand.Uint64()
		wg.Go(func() {
			pick := rand.New(rand.NewPCG(seed, 0))
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := p.act(pick); err != nil {
					t.Errorf("%s (seed %d): %v", p.name, seed, err)
					return
				}
			}
		})
	}
	return &wg
}

// Every acknowledged ending outlives kill -9 at any instant, and nobody else is signed out by it.
func TestPromise_KillNine(t *testing.T) {
	rounds := 50
	if long() {
		rounds = 500
	}
	c := start(t, 1, nil, "")
	people := c.people(6)
	guard := c.newGuard()
	for round := range rounds {
		gather(t, people)
		stop := make(chan struct{})
		acting := load(t, people, stop)
		time.Sleep(time.Duration(10+rand.IntN(300)) * time.Millisecond)
		c.nodes[0].kill()
		close(stop)
		acting.Wait()
		c.nodes[0].up()
		for _, p := range people {
			if err := p.check(guard); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			p.forget()
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	endings := c.gapless()
	t.Logf("killed %d times; %d endings in the ledger", rounds, endings)
	if endings < rounds {
		t.Error("too little ended for this to prove anything")
	}
}

// gather gives everybody sessions to end: a sign-in takes longer than there may be until the blow.
func gather(t *testing.T, people []*person) {
	var wg sync.WaitGroup
	for _, p := range people {
		wg.Go(func() {
			for len(p.living()) < 3 {
				if err := p.patient(p.signIn); err != nil {
					t.Errorf("%s: %v", p.name, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// gapless reads the ledger by the command and says how many endings it has.
func (c *cluster) gapless() int {
	c.t.Helper()
	text, err := exec.Command(c.program, "--config", c.nodes[0].config, "--json", "ledger", "tail", "-n", "1000000000").Output()
	if err != nil {
		c.t.Fatal(err)
	}
	n := 0
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		var e struct {
			Number int
			Name   string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Number != n+1 || seen[e.Name] {
			c.t.Fatalf("entry %d: %v %s", n+1, err, line)
		}
		seen[e.Name] = true
		n++
	}
	return n
}
