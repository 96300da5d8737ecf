package faults

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
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
		switch pick.IntN(21) {
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
		case 5, 6: // another family in the grants that there are
			err = p.again()
		case 7, 8: // and one of the two ends
			err = p.endOneOfTwo(pick)
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

// again signs in to an app that sessions have: its grants get another family.
func (p *person) again() error {
	for _, s := range p.living() {
		first := s.apps["books"]
		if first.left || s.apps["books again"] != nil {
			continue
		}
		a, err := s.enter("books")
		if err != nil {
			return err
		}
		if a.sid != first.sid {
			return fmt.Errorf("%s has two grants for one app in one session: %s, %s", p.name, first.sid, a.sid)
		}
		s.apps["books again"] = a
	}
	return nil
}

func (p *person) endOneOfTwo(pick *rand.Rand) error {
	if err := p.again(); err != nil {
		return err
	}
	for _, s := range p.living() {
		one, two := s.apps["books"], s.apps["books again"]
		if two == nil || one.family != alive || two.family != alive {
			continue
		}
		if pick.IntN(2) == 0 {
			one = two
		}
		return p.end([]*state{&one.family, &one.token}, http.StatusOK, http.DefaultClient, "POST", "/oauth2/revoke", "token="+url.QueryEscape(one.refresh), p.c.basic(one.name))
	}
	return nil
}
