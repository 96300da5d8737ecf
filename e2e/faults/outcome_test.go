package faults

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"exeunt.dev/guard"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// outcomes is the table of what came of faults that struck several nodes. TestMain prints it.
var outcomes struct {
	mu   sync.Mutex
	rows []string
}

const outcomesHead = `| fault, three nodes on one Postgres | struck | access tokens whose end was acknowledged | that work afterwards | latest admission after one (part of max staleness) | sign-ins of apps that ended | of them told | others signed out | requests without an answer |
|---|---|---|---|---|---|---|---|---|`

func printOutcomes() {
	outcomes.mu.Lock()
	defer outcomes.mu.Unlock()
	if len(outcomes.rows) > 0 {
		fmt.Println(outcomesHead + "\n" + strings.Join(outcomes.rows, "\n"))
	}
}

// vigil tries every token whose end was acknowledged, at every guard, until each says so.
type vigil struct {
	mu     sync.Mutex
	news   []*trial
	ends   int
	latest time.Duration // the latest admission, after the end's acknowledgement
}

type trial struct {
	token  string
	ended  time.Time
	guards []*guard.Guard // that have not said so
}

// over is told of each token once its end was acknowledged.
func (v *vigil) over(token string, at time.Time, guards []*guard.Guard) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ends++
	v.news = append(v.news, &trial{token, at, append([]*guard.Guard{}, guards...)})
}

// keep runs until stop is closed and everything was tried for longer than the staleness.
func (v *vigil) keep(t *testing.T, stop <-chan struct{}) {
	var open []*trial
	for {
		v.mu.Lock()
		open = append(open, v.news...)
		v.news = nil
		v.mu.Unlock()
		left := open[:0]
		for _, x := range open {
			if v.try(t, x) {
				left = append(left, x)
			}
		}
		if open = left; len(open) == 0 {
			select {
			case <-stop:
				return
			default:
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (v *vigil) try(t *testing.T, x *trial) (more bool) {
	var left []*guard.Guard
	for _, g := range x.guards {
		asked := time.Since(x.ended)
		_, err := g.Check(x.token)
		if err == nil {
			v.mu.Lock()
			v.latest = max(v.latest, asked)
			v.mu.Unlock()
			if asked > staleness {
				t.Errorf("a guard admits a token %v after its end was acknowledged", asked)
			}
		}
		if !errors.Is(err, guard.ErrEnded) && asked < 2*staleness {
			left = append(left, g)
		}
	}
	x.guards = left
	return len(left) > 0
}

// listen lets the apps hear of sign-outs, and begins the vigil.
func (s *scene) listen() {
	for _, id := range []string{"books", "news"} {
		e := newEar(s.t, id)
		s.command(nil, "client", "change", id, "--backchannel", e.url())
		s.ears = append(s.ears, e)
	}
	s.ended = func(token string, at time.Time) { s.vigil.over(token, at, s.guards) }
	stop, kept := make(chan struct{}), make(chan struct{})
	go func() { defer close(kept); s.vigil.keep(s.t, stop) }()
	s.rest = sync.OnceFunc(func() { close(stop); <-kept })
	s.t.Cleanup(s.rest)
}

// outcome waits until nothing is owed any more, compares what the apps were told with what the database says has ended, and adds the row to
// the table. That nothing acknowledged is missing and nobody else is out, during has found.
func (s *scene) outcome(fault string, struck int) {
	s.t.Helper()
	s.rest()
	until(s.t, "nothing is owed any more", func() bool {
		p := s.looks()
		return p.owing == 0 && p.count(idp.Owed, true)+p.count(idp.Owed, false) == 0
	})
	rows, ended, toldOf := s.looks().rows, 0, 0
	grants := s.cluster.grants()
	for _, e := range s.ears {
		tokens, answered := e.all()
		for sid := range tokens {
			if g, there := grants[sid]; there && !g.ended { // what has ended may be swept since
				s.t.Errorf("%s was told of a grant that lives: %+v", e.id, g)
			}
		}
		for sid, g := range grants {
			if g.client != e.id || !g.ended {
				continue
			}
			ended++
			if rows[sid].state == string(idp.Confirmed) && answered[sid] > 0 {
				toldOf++
			} else {
				s.t.Errorf("%s has answered %d times that a grant is over: %+v", g.client, answered[sid], rows[sid])
			}
		}
	}
	if s.t.Failed() {
		return
	}
	v := &s.vigil
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ends == 0 || ended == 0 {
		s.t.Error("nothing ended: this proves nothing")
	}
	outcomes.mu.Lock()
	defer outcomes.mu.Unlock()
	outcomes.rows = append(outcomes.rows, fmt.Sprintf("| %s | %d | %d | 0 | %d ms (%.2f) | %d | %d | 0 | %d |", fault, struck, v.ends, v.latest.Milliseconds(),
		float64(v.latest)/float64(staleness), ended, toldOf, s.lost.Load()))
}

// grant is what the database says of what an app was given.
type grant struct {
	client       string
	redeemed, at int64 // at: when its delivery's receipt was made; 0: it has none
	ended        bool
}

// grants reads all that were redeemed, and whether one of the names that each hangs on has ended.
func (c *cluster) grants() map[string]grant {
	c.t.Helper()
	driver, dsn := c.source()
	out := map[string]grant{}
	c.query(driver, dsn, `SELECT g.name, g.client, g.redeemed_at, coalesce(r.at, 0),
		CASE WHEN EXISTS (SELECT 1 FROM ending e WHERE e.name IN (g.name, g.realm, g.account_epoch, g.client_epoch, g.consent_epoch, s.name, s.realm, s.epoch)) THEN 1 ELSE 0 END
		FROM grant_ g JOIN session s ON s.name = g.session LEFT JOIN delivery d ON d.sid = g.name LEFT JOIN receipt r ON r.number = d.receipt WHERE g.redeemed_at <> 0`,
		func(r *sql.Rows) error {
			var sid []byte
			var g grant
			err := r.Scan(&sid, &g.client, &g.redeemed, &g.at, &g.ended)
			out[ledger.Name(sid).String()] = g
			return err
		})
	return out
}
