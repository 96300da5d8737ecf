package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Promise 4: an end touches what its row in the table names and nothing else. Random trees, random ends through every door
// there is, and after each every credential of everybody is tried against the real program.
func TestPromise_NobodyElse(t *testing.T) {
	steps := 60
	if long() {
		steps = 2000
	}
	seed := rand.Uint64()
	if again, err := strconv.ParseUint(os.Getenv("EXEUNT_TEST_SEED"), 10, 64); err == nil {
		seed = again
	}
	t.Logf("EXEUNT_TEST_SEED=%d", seed)
	pick := rand.New(rand.NewPCG(seed, 0))
	c := start(t, 1, nil, "")
	people := c.people(4)
	guard := c.newGuard()
	for _, p := range people {
		for range 2 {
			if err := p.signIn(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for step := range steps {
		p := people[pick.IntN(len(people))]
		var err error
		switch pick.IntN(19) {
		case 0: // an operator signs a person out
			c.command(nil, "account", "end", p.name)
			for _, s := range p.all(nil) {
				*s = over
			}
		case 1: // an operator ends all that an app has, of all people
			c.command(nil, "client", "end", "news")
			for _, p := range people {
				for _, s := range p.sessions {
					s.apps["news"].family, s.apps["news"].token = over, over
				}
			}
		case 2: // an operator ends one session
			err = p.endByOperator(pick)
		case 3: // a new password
			err = p.changePassword(pick)
		case 4: // an operator locks a person out, for a while
			c.command(nil, "account", "lock", p.name)
			for _, s := range p.all(nil) {
				*s = over
			}
			c.command(nil, "account", "unlock", p.name)
		case 5, 6: // another family in a grant that there is
			err = p.again(pick)
		default:
			err = p.act(pick)
		}
		if err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		for _, p := range people {
			if err := p.check(guard); err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			p.forget()
		}
	}
}

// again signs in to an app that a session has: its grant gets another family.
func (p *person) again(pick *rand.Rand) error {
	living := p.living()
	if len(living) == 0 {
		return nil
	}
	s := living[pick.IntN(len(living))]
	first := s.apps["books"]
	if first.left || s.apps["books again"] != nil {
		return nil
	}
	a, err := s.enter("books")
	if err != nil {
		return err
	}
	if a.sid != first.sid {
		return fmt.Errorf("%s has two grants for one app in one session: %s, %s", p.name, first.sid, a.sid)
	}
	s.apps["books again"] = a
	return nil
}
