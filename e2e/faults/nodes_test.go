package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/e2e/proxy"
	"exeunt.dev/guard"
	"exeunt.dev/internal/store/pgtest"
)

// postgres starts a server for one test.
func postgres(t *testing.T, options ...string) *pgtest.Server {
	t.Helper()
	if pgtest.Find() == "" {
		t.Skip("Postgres is not installed (./test installs it)")
	}
	s, err := pgtest.Start(append([]string{"max_connections=200"}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Remove)
	return s
}

// scene is three nodes with people who act, and a guard attached to each node, that knows the others too.
type scene struct {
	*cluster
	t      *testing.T
	people []*person
	guards []*guard.Guard
	ears   []*ear // the apps
	vigil  vigil
	rest   func() // ends the vigil
}

func newScene(t *testing.T, people int, options ...string) *scene {
	t.Helper()
	return sceneOf(t, start(t, 3, postgres(t, options...), loopback), people)
}

func sceneOf(t *testing.T, c *cluster, people int) *scene {
	t.Helper()
	s := &scene{cluster: c, t: t}
	s.people = s.cluster.people(people)
	for i := range s.nodes {
		var feeds []string
		for k := range s.nodes {
			feeds = append(feeds, "http://"+s.nodes[(i+k)%len(s.nodes)].address())
		}
		s.guards = append(s.guards, s.newGuard(guard.Feeds(feeds...)))
	}
	s.listen()
	return s
}

// during lets people act, strikes, lets them act on, and then compares everything with the oracle.
func (s *scene) during(name string, strike func()) {
	s.t.Helper()
	stop := make(chan struct{})
	acting := load(s.t, s.people, stop)
	time.Sleep(time.Duration(200+rand.IntN(200)) * time.Millisecond)
	strike()
	time.Sleep(300 * time.Millisecond)
	close(stop)
	acting.Wait()
	s.settled()
	for _, p := range s.people {
		if err := p.check(s.guards...); err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
		p.forget()
	}
	if s.t.Failed() {
		s.t.FailNow()
	}
}

// settled waits until all nodes are ready.
func (s *scene) settled() {
	for _, n := range s.nodes {
		n.ready()
	}
}

// Three nodes on one Postgres, struck at random: no acknowledged ending is missing, nobody else is signed out, numbers have no gaps.
func TestPromise_NodesKilled(t *testing.T) {
	rounds := 8
	if long() {
		rounds = 200
	}
	s := newScene(t, 9)
	for range rounds {
		s.during("kill -9 of a node", func() {
			n := s.nodes[rand.IntN(3)]
			n.kill()
			n.up()
		})
	}
	t.Logf("%d endings, numbered without gaps", s.gapless())
	s.outcome("kill -9 of a node", rounds)
}

func TestPromise_PostgresKilled(t *testing.T) {
	rounds := 3
	if long() {
		rounds = 50
	}
	s := newScene(t, 9)
	for range rounds {
		s.during("kill -9 of Postgres", func() {
			s.pg.Kill()
			if err := s.pg.Up(); err != nil {
				t.Fatal(err)
			}
		})
		s.during("restart of Postgres", func() {
			s.pg.Stop()
			if err := s.pg.Up(); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Logf("%d endings, numbered without gaps", s.gapless())
	s.outcome("kill -9 of Postgres, and its restart", 2*rounds)
}

// A node that is frozen in mid flight does not hold anybody up for good (its locks are taken from it after two seconds); thawed, it goes on.
func TestNodes_Frozen(t *testing.T) {
	s := newScene(t, 6)
	for range 3 {
		s.during("a frozen node", func() {
			frozen := s.nodes[rand.IntN(3)]
			frozen.signal(syscall.SIGSTOP)
			var rest []string
			for _, n := range s.nodes {
				if n != frozen {
					rest = append(rest, n.address())
				}
			}
			s.front.Aim(rest...)
			began := time.Now()
			p := &person{c: s.cluster, name: s.people[0].name, pw: s.people[0].pw, from: "10.9.9.9"}
			for p.signIn() != nil || !p.signsOut() {
				if time.Since(began) > time.Minute {
					t.Fatal("nobody can sign in and out beside a frozen node")
				}
			}
			t.Logf("in and out beside a frozen node: %v", time.Since(began).Round(time.Millisecond))
			frozen.signal(syscall.SIGCONT)
			s.aim()
		})
	}
	s.outcome("a frozen node", 3)
}

func (p *person) signsOut() bool {
	s := p.sessions[len(p.sessions)-1]
	status, _, err := p.do(s.http, "POST", "/accounts/logout/", "csrfmiddlewaretoken="+s.value("csrftoken"), map[string]string{"Accept": "application/json"})
	return err == nil && status == 200
}

// A node that has lost Postgres, cut or stalled, vouches for nothing: it is not ready, its guard moves to another node within
// the staleness, and what ends elsewhere meanwhile is refused.
func TestNodes_Partitioned(t *testing.T) {
	for name, strike := range map[string]func(*proxy.Link){
		"cut":     func(f *proxy.Link) { f.Aim() },
		"stalled": func(f *proxy.Link) { f.Stalled.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, 2)
			p := s.people[0]
			for range 2 {
				if err := p.signIn(); err != nil {
					t.Fatal(err)
				}
			}
			lonely := s.newGuard(guard.Feeds("http://" + s.nodes[0].address())) // knows no other node
			token := p.sessions[0].apps["books"].access
			for _, g := range append(s.guards, lonely) {
				if _, err := g.Check(token); err != nil {
					t.Fatal(err)
				}
			}
			strike(s.nodes[0].db)
			s.front.Aim(s.nodes[1].address(), s.nodes[2].address())
			if err := p.end(p.sessions[0].all(), 200, p.sessions[0].http, "POST", "/accounts/logout/", "csrfmiddlewaretoken="+p.sessions[0].value("csrftoken"),
				map[string]string{"Accept": "application/json"}); err != nil || p.sessions[0].cookie != over {
				t.Fatal("sign-out at another node:", err)
			}
			ended := time.Now()
			for i, g := range append(slices.Clone(s.guards), lonely) {
				for {
					asked := time.Since(ended)
					_, err := g.Check(token)
					if errors.Is(err, guard.ErrEnded) || errors.Is(err, guard.ErrStale) {
						t.Logf("guard %d refuses after %v: %v", i, time.Since(ended).Round(time.Millisecond), err)
						break
					}
					if asked > staleness {
						t.Fatalf("guard %d admits an ended token %v after its end", i, asked)
					}
					time.Sleep(time.Millisecond)
				}
			}
			res, err := http.Get("http://" + s.nodes[0].address() + "/readyz")
			if err != nil || res.StatusCode != 503 {
				t.Errorf("a node without its database says it is ready: %v %v", res, err)
			}
			for i, g := range s.guards { // all live on at other nodes
				if err := guarded(g, p.sessions[1].apps["books"]); err != nil {
					t.Errorf("guard %d: %v", i, err)
				}
			}
			s.nodes[0].db.Stalled.Store(false)
			s.nodes[0].db.Aim(fmt.Sprintf("127.0.0.1:%d", s.pg.Port))
			s.aim()
			s.settled()
			if err := p.check(append(s.guards, lonely)...); err != nil {
				t.Error("afterwards:", err)
			}
			s.during("after the partition", func() {})
			s.outcome("a node without Postgres: "+name, 1)
		})
	}
}

// The primary dies and its synchronous standby takes over: nothing acknowledged is lost. The old primary, come back, is no
// longer believed by a node that has read more.
func TestNodes_Failover(t *testing.T) {
	s := newScene(t, 6, "wal_level=replica")
	standby, err := s.pg.Follow("hot_standby=on", "max_connections=200")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Remove)
	if err := s.pg.Set("synchronous_standby_names", "*"); err != nil {
		t.Fatal(err)
	}
	old := s.pg
	for range 3 { // on a busy machine the standby may not be there yet, and nothing is acknowledged
		s.during("before the failover", func() {})
	}
	s.during("failover", func() {
		old.Kill()
		if err := standby.Promote(); err != nil {
			t.Fatal(err)
		}
		s.pg = standby
		for _, n := range s.nodes {
			n.db.Aim(fmt.Sprintf("127.0.0.1:%d", standby.Port))
		}
	})
	s.at = strings.Replace(s.at, fmt.Sprint(old.Port), fmt.Sprint(standby.Port), 1)
	for range 3 {
		s.during("after the failover", func() {})
	}
	old.Configure("synchronous_standby_names=")
	if err := old.Up(); err != nil {
		t.Fatal(err)
	}
	s.nodes[0].db.Aim(fmt.Sprintf("127.0.0.1:%d", old.Port))
	for limit := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		res, err := http.Get("http://" + s.nodes[0].address() + "/readyz")
		if err == nil && res.StatusCode == 503 {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("a node at a deposed primary is ready")
		}
	}
	s.nodes[0].db.Aim(fmt.Sprintf("127.0.0.1:%d", standby.Port))
	s.settled()
	s.outcome("failover to a standby; the old primary comes back", 1)
}

// replace stops a node and starts a program in its place, behind a proxy that asks who is ready.
func (s *scene) replace(i int, program string) {
	s.t.Helper()
	n := s.nodes[i]
	n.signal(syscall.SIGTERM)
	for n.isReady() {
		time.Sleep(5 * time.Millisecond)
	}
	s.front.Lead(s.nodes[(i+1)%3].address(), s.nodes[(i+2)%3].address())
	select {
	case <-n.exited:
		if code := n.cmd.ProcessState.ExitCode(); code != 0 {
			s.t.Errorf("exit code %d: %s", code, &n.log)
		}
	case <-time.After(time.Minute):
		s.t.Fatal("the node does not stop")
	}
	n.binary = program
	n.up()
	s.front.Lead(s.nodes[0].address(), s.nodes[1].address(), s.nodes[2].address())
}

// asking asks who is signed in, over and over, until stop is closed; then asked says how often, and how many of these requests failed.
func (s *scene) asking(stop <-chan struct{}) (asked func() (n, failed int64)) {
	var n, failed atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for {
				select {
				case <-stop:
					return
				default:
				}
				n.Add(1)
				res, err := c.Get(s.front.URL() + "/session/")
				if err != nil || res.StatusCode != 200 {
					failed.Add(1)
					s.t.Log(res, err)
					continue
				}
				res.Body.Close()
			}
		})
	}
	return func() (int64, int64) {
		wg.Wait()
		return n.Load(), failed.Load()
	}
}

// A rolling restart under load: no request fails.
func TestNodes_RollingRestart(t *testing.T) {
	s := newScene(t, 3)
	for _, n := range s.nodes {
		n.kill()
		n.configure(func(text string) string { return text + "drain: 500ms\n" })
		n.up()
	}
	stop := make(chan struct{})
	asked := s.asking(stop)
	for i, n := range s.nodes {
		s.replace(i, n.binary)
	}
	close(stop)
	if n, failed := asked(); failed > 0 {
		t.Errorf("%d of %d requests failed", failed, n)
	} else {
		t.Logf("%d requests, none failed", n)
	}
	for i, g := range s.guards {
		if _, err := g.Check("x.y.z"); errors.Is(err, guard.ErrStale) {
			t.Errorf("guard %d is stale after a rolling restart", i)
		}
	}
}

// How soon an end at one node is refused by a guard attached to another. Nodes reach Postgres without our proxies; the person comes through one.
func TestNodes_Delay(t *testing.T) {
	rounds := 12
	if long() {
		rounds = 96
	}
	s := newScene(t, rounds/12) // who signs in too often has to wait
	for _, n := range s.nodes {
		n.kill()
		n.configure(func(text string) string {
			return strings.Replace(text, fmt.Sprintf(":%d/", n.db.Port()), fmt.Sprintf(":%d/", s.pg.Port), 1)
		})
		n.up()
	}
	there := s.newGuard(guard.Feeds("http://" + s.nodes[1].address()))
	s.front.Aim(s.nodes[0].address())
	var sent, answered []time.Duration
	for i := range rounds {
		p := s.people[i%len(s.people)]
		if err := p.signIn(); err != nil {
			t.Fatal(err)
		}
		mine := p.sessions[len(p.sessions)-1]
		token := mine.apps["books"].access
		known, err := there.Check(token)
		if err != nil {
			t.Fatal(err)
		}
		stream, stop := there.Watch(t.Context(), known)
		refused := make(chan time.Time, 1)
		go func() { <-stream.Done(); refused <- time.Now() }()
		began := time.Now()
		if !p.signsOut() {
			t.Fatal("sign-out failed")
		}
		over := time.Now()
		at := <-refused
		stop()
		if _, err := there.Check(token); !errors.Is(err, guard.ErrEnded) {
			t.Fatal("a stream was cut, and the token is admitted:", err)
		}
		sent, answered = append(sent, at.Sub(began)), append(answered, at.Sub(over))
	}
	slices.Sort(sent)
	slices.Sort(answered)
	t.Logf("sign-out sent at one node → refused by a guard at another: p50 %v, longest %v; after its answer: p50 %v, longest %v",
		sent[len(sent)/2], sent[len(sent)-1], answered[len(answered)/2], answered[len(answered)-1])
	if sent[len(sent)/2] > time.Second {
		t.Error("that is no longer a matter of milliseconds")
	}
}
