package faults

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// owed is a server with an app that is told of sign-outs, and sessions of ann's at that app.
type owed struct {
	*cluster
	t     *testing.T
	node  *node
	app   *ear
	stays []stay
	ended []stay
}

// What is owed to an app outlives kill -9 at each of its boundaries, in both polarities: what was not confirmed is sent again, what
// was is not.
func TestPromise_OwedIsOwed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		sessions int
		ago      time.Duration // since the app got its tokens
		run      func(*owed)
	}{
		{"committed by a command while no server runs", 3, time.Hour, (*owed).committed},
		{"committed and answered", 0, 0, (*owed).answered},
		{"expanded and not sent", 48, time.Hour, (*owed).expanded},
		{"the app is down", 5, time.Hour, (*owed).down},
		{"sent and not answered", 2, time.Hour, (*owed).unanswered},
		{"answered and perhaps not settled", 13, time.Hour, (*owed).unsettled},
		{"settled", 5, time.Hour, (*owed).settled},
		{"settled, and to be sent once more", 3, 0, (*owed).onceMore},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := &owed{cluster: start(t, 1, nil, loopback), t: t, app: newEar(t, "mail")}
			o.node = o.nodes[0]
			o.register(o.app)
			for _, s := range o.furnish("ann", c.sessions, c.ago, o.app) {
				o.stays = append(o.stays, s[0])
			}
			c.run(o)
		})
	}
}

// end ends one session more, beside the server.
func (o *owed) end() stay {
	o.t.Helper()
	s := o.next()
	o.ends(idp.EndSession(s.session))
	return s
}

func (o *owed) next() stay {
	s := o.stays[0]
	o.stays, o.ended = o.stays[1:], append(o.ended, s)
	return s
}

// restart is kill -9, and the next server.
func (o *owed) restart() {
	o.node.kill()
	o.node.up()
}

// done waits until nothing will be sent any more, and then looks whom the app was told of: those whose sessions ended, so often.
func (o *owed) done(times func(stay) int) {
	o.t.Helper()
	until(o.t, "nothing is owed any more", func() bool { return o.looks().quiet() })
	sent, _ := o.app.all()
	rows := o.looks().rows
	for _, s := range o.ended {
		if want := times(s); sent[s.sid] != want {
			o.t.Errorf("told %d times of a session, and not %d", sent[s.sid], want)
		}
		if rows[s.sid].state != string(idp.Confirmed) {
			o.t.Errorf("%+v", rows[s.sid])
		}
		jtis := map[string]bool{}
		for _, g := range o.app.of(s.sid) {
			jtis[g.Jti] = true
		}
		if len(jtis) != sent[s.sid] {
			o.t.Error("a token was sent twice")
		}
		delete(sent, s.sid)
	}
	if len(sent) > 0 {
		o.t.Errorf("told of %d sessions that live", len(sent))
	}
}

func once(stay) int { return 1 }

func (o *owed) committed() {
	o.node.kill()
	var line struct{ ID string }
	o.commandLines(&line, "session", "list", "ann")
	for i, s := range o.stays {
		if s.session.String() == line.ID {
			o.stays[0], o.stays[i] = o.stays[i], o.stays[0]
		}
	}
	o.command(nil, "session", "end", "ann", o.next().session.String())
	if p := o.autopsy(); p.owing != 1 || len(p.rows) != 0 {
		o.t.Fatalf("nobody has worked yet: %+v", p)
	}
	o.node.up()
	o.done(once)
	o.command(nil, "session", "end", "ann", o.next().session.String()) // and beside a server
	o.done(once)
}

// People sign out, and the server dies with its answer.
func (o *owed) answered() {
	rounds := 8
	if long() {
		rounds = 200
	}
	post := newEar(o.t, "post")
	o.addClient("post", "--redirect", "https://post.test/cb", "--first-party", "--backchannel", post.url())
	p := o.people(1)[0]
	for range rounds + 1 {
		if err := p.signInAt("post"); err != nil {
			o.t.Fatal(err)
		}
	}
	var bare, leased, confirmed int
	for _, s := range p.sessions[1:] {
		logout := "csrfmiddlewaretoken=" + s.value("csrftoken")
		if err := p.end(s.all(), http.StatusOK, s.http, "POST", "/accounts/logout/", logout, map[string]string{"Accept": "application/json"}); err != nil || s.cookie != over {
			o.t.Fatal("not signed out:", err)
		}
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		o.node.kill()
		switch d := o.autopsy().rows[s.apps["post"].sid]; d.state {
		case "":
			bare++
		case string(idp.Owed):
			leased++
		default:
			confirmed++
		}
		o.node.up()
	}
	for _, s := range p.sessions[1:] {
		sid := s.apps["post"].sid
		until(o.t, "the app is told", func() bool { return len(post.of(sid)) > 0 && o.looks().rows[sid].state == string(idp.Confirmed) })
	}
	if len(post.of(p.sessions[0].apps["post"].sid)) > 0 {
		o.t.Error("told of a session that lives")
	}
	o.t.Logf("killed right after %d sign-outs were answered: %d not expanded, %d under way, %d confirmed; the app was told of all", rounds, bare, leased, confirmed)
}

// An app that reads nothing has as many calls under way as one may; the other deliveries wait in the database.
func (o *owed) expanded() {
	for _, first := range []string{"app", "server"} {
		o.app.deaf()
		const n = 24
		for range n {
			o.end()
		}
		until(o.t, "all is expanded", func() bool { return len(o.looks().rows) == len(o.ended) })
		o.node.kill()
		p := o.autopsy()
		under, waiting := p.count(idp.Owed, true), p.count(idp.Owed, false)
		if under == 0 || waiting == 0 || under+waiting != n {
			o.t.Errorf("%d under way, %d waiting", under, waiting)
		}
		if first == "server" {
			o.node.up()
			o.app.well(nil)
		} else {
			o.app.well(nil)
			o.node.up()
		}
		o.done(once)
		o.t.Logf("killed with %d deliveries under way to an app that read nothing, and %d waiting; all were told, the %s being back first", under, waiting, first)
	}
}

// An app's machine refuses connections during the sign-out, and comes back while the server is dead, or later.
func (o *owed) down() {
	for _, first := range []string{"app", "server"} {
		o.app.gone()
		s := o.end()
		until(o.t, "an attempt has failed", func() bool { d := o.looks().rows[s.sid]; return d.attempts > 0 && d.due != d.at+30_000 })
		o.node.kill()
		tried := o.autopsy().rows[s.sid].attempts
		if first == "server" {
			o.node.up()
			until(o.t, "the next server tries, too", func() bool { return o.looks().rows[s.sid].attempts > tried })
			o.app.well(nil)
		} else {
			o.app.well(nil)
			o.node.up()
		}
		o.done(once)
	}
}

// The app kills the server three times when it has the token, and answers the fourth.
func (o *owed) unanswered() {
	const kills = 3
	dead := make(chan struct{})
	var n atomic.Int64
	o.app.well(func(w http.ResponseWriter, _ *http.Request, _ claims) {
		if n.Add(1) > kills {
			w.WriteHeader(http.StatusOK)
			return
		}
		o.node.kill()
		dead <- struct{}{}
		panic(http.ErrAbortHandler)
	})
	s := o.end()
	for i := range kills {
		<-dead
		if d := o.autopsy().rows[s.sid]; d.state != string(idp.Owed) || d.attempts != int64(i)+1 {
			o.t.Fatalf("killed %d times: %+v", i+1, d)
		}
		o.node.up()
	}
	o.done(func(stay) int { return kills + 1 })
}

// The app answers 200 and then kills the server, which may have written that down or not.
func (o *owed) unsettled() {
	dead := make(chan struct{})
	var met sync.Map
	o.app.well(func(w http.ResponseWriter, _ *http.Request, c claims) {
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
		http.NewResponseController(w).Flush()
		if _, before := met.LoadOrStore(c.Sid, true); !before {
			time.Sleep(time.Duration(max(0, rand.IntN(2000)-1000)) * time.Microsecond)
			o.node.kill()
			dead <- struct{}{}
		}
	})
	settled := map[string]bool{}
	for range len(o.stays) - 1 {
		s := o.end()
		<-dead
		settled[s.sid] = o.autopsy().rows[s.sid].state == string(idp.Confirmed)
		o.node.up()
		until(o.t, "the app is told again", func() bool { return o.looks().quiet() })
	}
	n := 0
	o.done(func(s stay) int {
		if settled[s.sid] {
			n++
			return 1
		}
		return 2
	})
	o.t.Logf("killed after %d answers: %d were settled and not sent again, %d were not and were", len(o.ended), n, len(o.ended)-n)
}

// What is confirmed or refused stays so; an operator may have it sent again.
func (o *owed) settled() {
	sick := o.stays[1].sid
	o.app.well(func(w http.ResponseWriter, _ *http.Request, c claims) {
		if c.Sid == sick {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	o.end()
	o.end()
	until(o.t, "both are settled", func() bool { p := o.looks(); return len(p.rows) == 2 && p.quiet() })
	o.restart()
	o.end() // that it is told shows that the server works
	until(o.t, "the third is settled", func() bool { p := o.looks(); return len(p.rows) == 3 && p.quiet() })
	if d := o.looks().rows[sick]; d.state != string(idp.Refused) || d.attempts != 1 || len(o.app.of(sick)) != 1 {
		o.t.Errorf("refused: %+v", d)
	}
	o.node.kill()
	o.app.well(nil)
	o.update(func(tx idp.Tx) error {
		name, err := ledger.ParseName(sick)
		if err != nil {
			return err
		}
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		d, err := tx.Deliveries(idp.DeliveryFilter{Dead: true}, idp.Page{Limit: 10})
		if err != nil || len(d) != 1 || d[0].Sid != name {
			o.t.Errorf("dead: %+v", d)
			return err
		}
		_, err = tx.SendAgain(d[0].ID(), now)
		return err
	})
	o.node.up()
	o.done(func(s stay) int {
		if s.sid == sick {
			return 2
		}
		return 1
	})
}

// A delivery that was confirmed and will be sent once more is, by the next server, once.
func (o *owed) onceMore() {
	s := o.end()
	until(o.t, "it is confirmed", func() bool { d := o.looks().rows[s.sid]; return d.state == string(idp.Confirmed) && d.due != 0 })
	o.restart()
	twice := func(stay) int { return 2 }
	o.done(twice)
	o.restart()
	other := o.furnish("ben", 1, time.Hour, o.app)[0][0] // that the app is told of it shows that the server works
	o.ends(idp.EndSession(other.session))
	o.ended = append(o.ended, other)
	o.done(func(each stay) int {
		if each == s {
			return 2
		}
		return 1
	})
}
