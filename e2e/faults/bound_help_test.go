package faults

import (
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/e2e/faults/api/talk"
	"exeunt.dev/e2e/proxy"
)

// staleness of the guards in these tests.
const staleness = 2 * time.Second

// victim is a token that will end, with the way to end it.
type victim struct {
	name  string
	raw   string
	end   func() error
	sent  time.Duration // when its end was asked for; 0: not yet
	ended time.Duration // when that was acknowledged
}

// plight is one guard in another process behind a line of its own, tokens that are tried there all the time, and a fault to come.
type plight struct {
	t       *testing.T
	c       *cluster
	p       *person
	at      *apis
	id      string
	link    *proxy.Link
	line    *line
	victims []*victim
	good    map[string]string // tokens that nobody ends
	healed  time.Duration
	stopped bool // the APIs were: no stream was cut meanwhile
}

// as is the cluster for a test of its own.
func (c *cluster) as(t *testing.T) *cluster {
	return &cluster{t: t, dir: c.dir, front: c.front, nodes: c.nodes, secrets: c.secrets, pg: c.pg, at: c.at, program: c.program}
}

var plights atomic.Int64 // tells guards of one process apart

// newPlight signs somebody in and gathers tokens: n that end one by one, two that end with their session, and two that live.
func newPlight(t *testing.T, c *cluster, p *person, at *apis, row *line, n int) *plight {
	t.Helper()
	c = c.as(t)
	s := &plight{t: t, c: c, p: &person{c: c, name: p.name, pw: p.pw, from: p.from}, at: at, id: fmt.Sprint("guard", plights.Add(1)), link: newFront(t), line: row, good: map[string]string{}}
	t.Cleanup(func() { row.failed = t.Failed() })
	s.link.Aim(c.nodes[0].address())
	for range 2 {
		s.must(s.p.signIn())
	}
	lives, goes := s.p.sessions[0], s.p.sessions[1]
	for name, a := range lives.apps {
		s.good[name] = a.access
	}
	for i := range n {
		a, err := lives.enter("books")
		s.must(err)
		what := a.refresh // the family
		if i%3 == 2 {
			what = a.access // this token alone
		}
		s.victims = append(s.victims, &victim{name: fmt.Sprint("victim", i), raw: a.access, end: func() error { return s.revoke(what) }})
	}
	together := &victim{name: "with its session", raw: goes.apps["books"].access, end: func() error { return s.signOut(goes) }}
	also := &victim{name: "with its session, too", raw: goes.apps["news"].access, end: together.end}
	s.victims = append(s.victims, together, also)
	return s
}

func (s *plight) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *plight) revoke(token string) error {
	return s.done("POST", "/oauth2/revoke", http.DefaultClient, "token="+url.QueryEscape(token), s.c.basic("books"))
}

func (s *plight) signOut(of *session) error {
	return s.done("POST", "/accounts/logout/", of.http, "csrfmiddlewaretoken="+of.value("csrftoken"), map[string]string{"Accept": "application/json"})
}

func (s *plight) done(method, path string, c *http.Client, body string, header map[string]string) error {
	status, text, err := s.p.do(c, method, path, body, header)
	if err == nil && status != 200 {
		err = fmt.Errorf("%s: %d %s", path, status, text)
	}
	return err
}

// tokens are all, by name.
func (s *plight) tokens() map[string]string {
	all := map[string]string{}
	for name, raw := range s.good {
		all[name] = raw
	}
	for _, v := range s.victims {
		all[v.name] = v.raw
	}
	return all
}

// follow starts the guard; feeds: by the line, if none is named. When it returns every token has been admitted.
func (s *plight) follow(feeds ...string) {
	s.t.Helper()
	if len(feeds) == 0 {
		feeds = []string{s.link.URL()}
	}
	s.at.guard(s.t, s.c, s.id, feeds...)
	s.at.ask(s.t, "GET", "/"+s.id+"/ready", nil, nil)
	s.try("")
	until(s.t, "every token is admitted at first", func() bool {
		for _, k := range s.at.seen(s.t, s.id).Tokens {
			if k.Admitted == 0 || !k.Open {
				return false
			}
		}
		return true
	})
}

func (s *plight) try(how string) {
	s.t.Helper()
	s.at.ask(s.t, "POST", "/"+s.id+"/try"+how, s.tokens(), nil)
}

// ends ends the next n tokens, spread over so long. The last two of all end together.
func (s *plight) ends(n int, over time.Duration) {
	s.t.Helper()
	begun := talk.Now()
	for i := range n {
		time.Sleep(begun + over*time.Duration(i)/time.Duration(n) - talk.Now())
		for k, v := range s.victims {
			if v.ended != 0 {
				continue
			}
			v.sent = talk.Now()
			s.must(v.end())
			v.ended = talk.Now()
			s.line.ends++
			if k == len(s.victims)-2 {
				last := s.victims[k+1]
				last.sent, last.ended = v.sent, v.ended
				s.line.ends++
			}
			break
		}
	}
}

// left is how many ends there still are.
func (s *plight) left() (n int) {
	for _, v := range s.victims[:len(s.victims)-1] {
		if v.ended == 0 {
			n++
		}
	}
	return n
}

// heal says that the fault is over.
func (s *plight) heal(mend func()) {
	mend()
	s.healed = talk.Now()
}

// settle waits until the guard is well, and judges.
func (s *plight) settle() {
	s.t.Helper()
	var r talk.Report
	for limit := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		r = s.at.seen(s.t, s.id)
		if s.well(r) {
			break
		}
		if time.Now().After(limit) {
			s.t.Errorf("the guard does not recover: %+v", r.Events)
			break
		}
	}
	s.judge(r)
}

// well says that all is as it should be in the end.
func (s *plight) well(r talk.Report) bool {
	for name := range s.good {
		if k := r.Tokens[name]; !k.Open || len(k.Turns) == 0 || k.Turns[len(k.Turns)-1].Status != http.StatusOK {
			return false
		}
	}
	for _, v := range s.victims {
		if k := r.Tokens[v.name]; v.ended != 0 && (k.Open || len(k.Turns) == 0 || k.Turns[len(k.Turns)-1].Status != http.StatusUnauthorized) {
			return false
		}
	}
	return true
}

// judge holds what was seen against the promise.
func (s *plight) judge(r talk.Report) {
	s.t.Helper()
	for _, v := range s.victims {
		k := r.Tokens[v.name]
		for _, turn := range k.Turns {
			if turn.Status == http.StatusUnauthorized && (v.sent == 0 || turn.Answered < v.sent) {
				s.t.Errorf("%s was refused before its end", v.name)
			}
		}
		if v.ended == 0 {
			continue
		}
		late := k.Admitted - v.ended
		s.line.latest = max(s.line.latest, late)
		if late > staleness {
			s.t.Errorf("%s was admitted %v after its end", v.name, late)
		}
		if cut := k.Cut - v.ended; k.Cut > 0 && !s.stopped {
			s.line.stream = max(s.line.stream, cut)
			if cut > staleness+3*r.Late { // the guard's timer, the handler and who sees it may each have to wait for a processor
				s.t.Errorf("%s: its stream was cut %v after its end; timers were late by %v", v.name, cut, r.Late)
			}
		}
		if k.Open {
			s.t.Errorf("%s: its stream is open in the end", v.name)
		}
		s.answers(v.name, k, http.StatusOK, http.StatusServiceUnavailable, http.StatusUnauthorized)
	}
	for name := range s.good {
		k := r.Tokens[name]
		s.line.later += k.Answers[http.StatusServiceUnavailable]
		s.line.wrongly += s.answers(name, k, http.StatusOK, http.StatusServiceUnavailable)
		for _, turn := range k.Turns {
			if turn.Status == http.StatusOK && turn.At > s.healed && s.healed > 0 {
				s.line.recovered = max(s.line.recovered, turn.At-s.healed)
				break
			}
		}
	}
	if s.line.outage && s.line.later == 0 {
		s.t.Error("the guard has not felt this fault, so that it proves nothing")
	}
	s.line.failed = s.t.Failed()
	s.t.Logf("%s; the guard said: %v", s.line, r.Events)
}

// answers counts those that may not be.
func (s *plight) answers(name string, k talk.Token, may ...int) (wrong int) {
	s.t.Helper()
	for status, n := range k.Answers {
		ok := false
		for _, m := range may {
			ok = ok || status == m
		}
		if !ok {
			wrong += n
			s.t.Errorf("%s got %d answers of %d (0: 503 without Retry-After): %+v", name, n, status, k.Turns)
		}
	}
	return wrong
}
