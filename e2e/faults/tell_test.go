package faults

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

// sick answers like an app in trouble: it fails, breaks off, or hangs until the caller gives up.
func sick(w http.ResponseWriter, r *http.Request, _ claims) {
	switch n := rand.IntN(100); {
	case n < 10:
		w.WriteHeader(http.StatusInternalServerError)
	case n < 15:
		panic(http.ErrAbortHandler)
	case n < 17:
		<-r.Context().Done()
	default:
		w.WriteHeader(http.StatusOK)
	}
}

// telling is a cluster with three apps in trouble, and people who sign in there and out.
type telling struct {
	*cluster
	t      *testing.T
	ears   []*ear
	people []*person
	ends   atomic.Int64 // acknowledged
}

func newTelling(t *testing.T, c *cluster, people int) *telling {
	s := &telling{cluster: c, t: t}
	for _, id := range []string{"mail", "chat", "maps"} {
		e := newEar(t, id)
		e.well(sick)
		c.addClient(id, "--redirect", "https://"+id+".test/cb", "--logout-uri", "https://"+id+".test/left", "--first-party", "--audience", api, "--backchannel", e.url())
		s.ears = append(s.ears, e)
	}
	s.people = c.people(people)
	var in sync.WaitGroup
	for _, p := range s.people {
		in.Go(func() {
			for len(p.living()) < 4 {
				if err := unlost(p.signInAt("mail", "chat", "maps")); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	in.Wait()
	return s
}

// inAndOut does one random thing: it signs in at the three apps, or out of one of them, of one browser, or everywhere.
func (s *telling) inAndOut(p *person, pick *rand.Rand) error {
	living := p.living()
	if len(living) < 2 || (len(living) < 4 && pick.IntN(3) == 0) {
		return unlost(p.signInAt("mail", "chat", "maps"))
	}
	browser := living[pick.IntN(len(living))]
	a := browser.apps[[]string{"mail", "chat", "maps"}[pick.IntN(3)]]
	before := a.family
	var err error
	switch what := pick.IntN(10); {
	case what < 3:
		err = p.leave(browser, a)
	case what == 3 && a.token == alive:
		err = p.end(p.all(nil), http.StatusOK, http.DefaultClient, "POST", "/customers/me/logout", "", map[string]string{"Authorization": "Bearer " + a.access})
	default:
		err = p.end(browser.all(), http.StatusOK, browser.http, "POST", "/accounts/logout/", "csrfmiddlewaretoken="+browser.value("csrftoken"), map[string]string{"Accept": "application/json"})
	}
	if before == alive && a.family == over {
		s.ends.Add(1)
	}
	return err
}

// lull waits until something more was ended, and then for a random moment. A server that is killed before it can do anything proves
// nothing, and this machine may be busy.
func (s *telling) lull() {
	more := s.ends.Load() + 2 + rand.Int64N(6)
	for limit := time.Now().Add(20 * time.Second); s.ends.Load() < more && time.Now().Before(limit); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
}

// during lets everybody act at random, also while servers are dead, until strike returns.
func (s *telling) during(strike func()) {
	stop := make(chan struct{})
	var acting sync.WaitGroup
	for _, p := range s.people {
		seed := rand.Uint64()
		acting.Go(func() {
			pick := rand.New(rand.NewPCG(seed, 0))
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(pick.IntN(40)) * time.Millisecond): // nobody clicks faster
				}
				if err := s.inAndOut(p, pick); err != nil {
					s.t.Errorf("%s (seed %d): %v", p.name, seed, err)
					return
				}
			}
		})
	}
	strike()
	close(stop)
	acting.Wait()
}

// compare waits until nothing will be sent any more, and compares what the apps were told with what the database says has ended, and
// with what people know. It says how many grants have ended, how often it was told, and how often to an app that had confirmed
// already and was not to be told once more.
func (s *telling) compare() (ended, sent, doubles int) {
	s.t.Helper()
	for _, e := range s.ears {
		e.well(nil)
	}
	until(s.t, "nothing is owed any more", func() bool { return s.looks().quiet() })
	for _, p := range s.people {
		if err := p.check(); err != nil { // which also finds out what came of what got no answer
			s.t.Fatal(err)
		}
	}
	rows, grants := s.looks().rows, s.grants()
	done := map[string]int{}
	for _, e := range s.ears {
		tokens, answered := e.all()
		for sid, n := range tokens {
			sent += n
			if g, there := grants[sid]; !there || !g.ended || g.client != e.id {
				s.t.Errorf("%s was told of a grant that lives: %+v", e.id, g)
			}
			done[sid] = answered[sid]
		}
	}
	for sid, g := range grants {
		if !g.ended {
			continue
		}
		ended++
		if d := rows[sid]; d.state != string(idp.Confirmed) || done[sid] == 0 {
			s.t.Errorf("%s has answered %d times that a grant is over: %+v", g.client, done[sid], d)
		}
		due := 1
		if g.at-g.redeemed < idp.AgainWithin.Milliseconds() {
			due = 2
		}
		doubles += max(0, done[sid]-due)
	}
	for sid, d := range rows {
		if d.state != string(idp.Confirmed) {
			s.t.Errorf("%s: %+v", sid, d)
		}
	}
	for _, p := range s.people {
		for _, browser := range p.sessions {
			for _, a := range browser.apps {
				if (a.family == over) != (done[a.sid] > 0) {
					s.t.Errorf("%s's %s: ended %v, confirmed %d times; %v", p.name, a.name, a.family == over, done[a.sid], p.history)
				}
			}
		}
	}
	return ended, sent, doubles
}

// Apps that fail at random, people who sign in and out, and a server that is killed again and again: in the end everybody who was to be
// told has confirmed, and nobody else was told.
func TestPromise_ToldThroughKills(t *testing.T) {
	t.Parallel()
	kills := 10
	if long() {
		kills = 200
	}
	s := newTelling(t, start(t, 1, nil, loopback), 9)
	s.during(func() {
		for range kills {
			s.lull()
			s.nodes[0].kill()
			s.nodes[0].up()
		}
		time.Sleep(200 * time.Millisecond)
	})
	s.result(kills)
}

// The same on three nodes that share one Postgres, which is killed now and then, too. What a dead node had under way is taken over by
// another when its lease ends.
func TestNodes_ToldThroughKills(t *testing.T) {
	t.Parallel()
	kills := 6
	if long() {
		kills = 200
	}
	s := newTelling(t, start(t, 3, postgres(t), loopback), 9)
	s.during(func() {
		for i := range kills {
			s.lull()
			if i%5 == 4 {
				s.pg.Kill()
				if err := s.pg.Up(); err != nil {
					t.Error(err)
					return
				}
				continue
			}
			n := s.nodes[rand.IntN(len(s.nodes))]
			n.kill()
			n.up()
		}
		time.Sleep(200 * time.Millisecond)
	})
	for _, n := range s.nodes {
		n.ready()
	}
	s.result(kills)
}

func (s *telling) result(kills int) {
	s.t.Helper()
	begun := time.Now()
	ended, sent, doubles := s.compare()
	s.t.Logf("killed %d times; %d grants of 3 apps in trouble ended, all were confirmed, by %d tokens, %d of them to who had confirmed already; the last %v after the last kill",
		kills, ended, sent, doubles, time.Since(begun).Round(time.Second))
	if ended < 3*kills {
		s.t.Error("too little ended for this to prove anything")
	}
	if doubles > 10*kills { // what was under way at a kill
		s.t.Error("too much is told twice:", doubles)
	}
}
