package delivery_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

const long = time.Hour // a grant's age at which its app has surely made its session

// A logout token is that of errata 1: these claims and no other, signed as the app's ID tokens are, new with each attempt.
func TestLogoutToken(t *testing.T) {
	w := newWorld(t, "RS256")
	a := w.addApp("books", func(n int, w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil || len(r.PostForm) != 1 {
			t.Errorf("%s of %s with %v", r.Method, r.Header.Get("Content-Type"), r.PostForm)
		}
		if n == 1 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	w.update(func(tx idp.Tx) error {
		return tx.UpdateClient(idp.Client{ID: "books", BackchannelLogoutURI: a.url, IDTokenAlg: "RS256"})
	})
	w.work(long)
	session, sids := w.signIn(long, "books")
	r := w.end(idp.EndSession(session))
	w.state(r, sids["books"], idp.Confirmed)
	tokens := a.got()
	if len(tokens) != 2 {
		t.Fatalf("sent %d times", len(tokens))
	}
	jtis := map[any]bool{}
	for _, raw := range tokens {
		typ, alg, c := w.claims(raw)
		if typ != "logout+jwt" || alg != "RS256" {
			t.Error("header:", typ, alg)
		}
		jtis[c["jti"]] = true
		events, _ := c["events"].(map[string]any)
		body, there := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
		if len(events) != 1 || !there || len(body) != 0 {
			t.Error("events:", c["events"])
		}
		if c["iss"] != "https://id.example.com" || c["aud"] != "books" || c["sub"] != "alice" || c["sid"] != sids["books"].String() || c["exp"].(float64)-c["iat"].(float64) != 120 || len(c) != 8 {
			t.Error("claims:", c)
		}
	}
	if len(jtis) != 2 {
		t.Error("a token was sent twice")
	}
}

// An app that goes by sid only is told of nobody: it would end all that it knows of a person by sub.
func TestLogoutToken_SidOnly(t *testing.T) {
	w := newWorld(t)
	a := w.addApp("books", nil)
	w.update(func(tx idp.Tx) error {
		return tx.UpdateClient(idp.Client{ID: "books", BackchannelLogoutURI: a.url, BackchannelSidOnly: true})
	})
	w.work(long)
	session, sids := w.signIn(long, "books")
	w.state(w.end(idp.EndSession(session)), sids["books"], idp.Confirmed)
	_, _, c := w.claims(a.got()[0])
	if _, named := c["sub"]; named || c["sid"] != sids["books"].String() || len(c) != 7 {
		t.Error("claims:", c)
	}
}

// An app that has taken its address away while it was owed something is not called at the old one, and operators read why.
func TestAddressTakenAway(t *testing.T) {
	w := withClock(t)
	a := w.addApp("books", func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	w.work(long)
	session, sids := w.signIn(long, "books")
	r := w.end(idp.EndSession(session))
	eventually(t, "one attempt", func() bool { d := w.delivered(r, sids["books"]); return d.Attempts == 1 && settled(d) })
	w.update(func(tx idp.Tx) error { return tx.UpdateClient(idp.Client{ID: "books"}) })
	w.turn(time.Minute)
	if d := w.state(r, sids["books"], idp.Refused); len(a.got()) != 1 || !strings.Contains(d.Error, "backchannel_logout_uri") {
		t.Errorf("called %d times; %+v", len(a.got()), d)
	}
}

// What each answer means: done, final, or to be tried again.
func TestAnswers(t *testing.T) {
	w := newWorld(t)
	w.patience = 5 * time.Second // with who hangs
	status := func(code int, header ...string) func(int, http.ResponseWriter, *http.Request) {
		return func(_ int, w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	w.work(long)
	for name, c := range map[string]struct {
		answer func(int, http.ResponseWriter, *http.Request)
		want   idp.DeliveryState
		wait   time.Duration // at least until the next attempt
	}{
		"200":                     {answer: status(200), want: idp.Confirmed},
		"204":                     {answer: status(204), want: idp.Confirmed},
		"200 and very much of it": {answer: func(_ int, w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1<<20)) }, want: idp.Confirmed},
		"201":                     {answer: status(201), want: idp.Refused}, "400": {answer: status(400), want: idp.Refused}, "401": {answer: status(401), want: idp.Refused},
		"404": {answer: status(404), want: idp.Refused}, "302": {answer: status(302, "Location", "/elsewhere"), want: idp.Refused},
		"500 and very much of it": {answer: func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); w.Write(make([]byte, 1<<20)) }, want: idp.Owed},
		"408":                     {answer: status(408), want: idp.Owed}, "425": {answer: status(425), want: idp.Owed}, "500": {answer: status(500), want: idp.Owed}, "502": {answer: status(502), want: idp.Owed},
		"429":          {answer: status(429, "Retry-After", "900"), want: idp.Owed, wait: 15 * time.Minute},
		"503":          {answer: status(503, "Retry-After", "1200"), want: idp.Owed, wait: 20 * time.Minute},
		"503 for ages": {answer: status(503, "Retry-After", "99999999999999999999"), want: idp.Owed, wait: 59 * time.Minute},
		"cut off":      {answer: func(int, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, want: idp.Owed},
		"hangs":        {answer: func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, want: idp.Owed},
	} {
		t.Run(name, func(t *testing.T) {
			id := idp.ClientID("app-" + strings.ReplaceAll(name, " ", "."))
			w.addApp(id, c.answer)
			session, sids := w.signIn(long, id)
			r := w.end(idp.EndSession(session))
			var d idp.Delivery
			eventually(t, "one attempt", func() bool {
				d = w.delivered(r, sids[id])
				return d.State != idp.Owed || d.Error != ""
			})
			if d.State != c.want || (c.want == idp.Confirmed) != (d.ConfirmedAt != 0) || (d.Due != 0) != (c.want == idp.Owed) {
				t.Errorf("%+v", d)
			}
			if c.want == idp.Owed && time.Duration(d.Due-d.AttemptedAt)*time.Millisecond < max(c.wait, waitAtLeast) {
				t.Errorf("tried again after %d ms", d.Due-d.AttemptedAt)
			}
			if d.Due > d.CreatedAt.Add(long) {
				t.Error("the next attempt comes when the time is over")
			}
			if c.want != idp.Confirmed && d.Error == "" {
				t.Error("nobody is told why")
			}
		})
	}
}

const waitAtLeast = 400 * time.Millisecond

func (w *world) delivered(r idp.Receipt, sid idp.Name) (d idp.Delivery) {
	w.store.View(w.t.Context(), func(v idp.View) (err error) {
		d, err = v.Delivery(idp.DeliveryID{Receipt: r.Number, Sid: sid})
		if err != nil {
			d = idp.Delivery{State: idp.Owed}
		}
		return nil
	})
	return d
}

// Addresses that the operator has not allowed are not called, whatever the client's row says.
func TestAddressNotAllowed(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here")
	}
	defer l.Close()
	called := make(chan struct{}, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			c.Close()
			called <- struct{}{}
		}
	}()
	w.addClient("inner", "http://"+l.Addr().String()+"/")
	w.work(long)
	session, sids := w.signIn(long, "inner")
	d := w.state(w.end(idp.EndSession(session)), sids["inner"], idp.Refused)
	if len(called) > 0 || !strings.Contains(d.Error, "not allowed") {
		t.Errorf("%+v", d)
	}
}

// An app that was just being signed in is told once more, 15 seconds after it has confirmed; others are not.
func TestToldOnceMore(t *testing.T) {
	w := withClock(t)
	young, old := w.addApp("young", nil), w.addApp("old", nil)
	w.work(long)
	s1, sids1 := w.signIn(50*time.Second, "young")
	s2, sids2 := w.signIn(70*time.Second, "old")
	r1, r2 := w.end(idp.EndSession(s1)), w.end(idp.EndSession(s2))
	d := w.state(r1, sids1["young"], idp.Confirmed)
	w.state(r2, sids2["old"], idp.Confirmed)
	if wait := d.Due - d.ConfirmedAt; wait < 14_900 || wait > 16_000 {
		t.Error("once more after", wait, "ms")
	}
	w.turn(14 * time.Second)
	time.Sleep(600 * time.Millisecond) // two polls
	if len(young.got()) != 1 {
		t.Error("too early")
	}
	w.turn(2 * time.Second)
	eventually(t, "told once more", func() bool { return len(young.got()) == 2 })
	eventually(t, "and then no more", func() bool { return w.delivery(r1, sids1["young"]).Due == 0 })
	if again := w.delivery(r1, sids1["young"]); again.ConfirmedAt != d.ConfirmedAt || again.State != idp.Confirmed || len(old.got()) != 1 {
		t.Errorf("%+v; the old one was told %d times", again, len(old.got()))
	}
}

// What cannot be delivered is tried less and less often, until its time is over; then an operator sees it, and can have it sent
// again.
func TestOutOfTime(t *testing.T) {
	w := withClock(t)
	dead := atomic.Bool{}
	dead.Store(true)
	a := w.addApp("books", func(_ int, w http.ResponseWriter, _ *http.Request) {
		if dead.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	w.work(72 * time.Hour)
	session, sids := w.signIn(long, "books")
	r := w.end(idp.EndSession(session))
	for n := 1; n <= 7; n++ {
		eventually(t, fmt.Sprint("attempt ", n), func() bool {
			d := w.delivered(r, sids["books"])
			return d.Attempts == n && d.Status == 502 && d.Due < d.AttemptedAt+7_300_000 && settled(d)
		})
		d := w.delivery(r, sids["books"])
		wait := d.Due - d.AttemptedAt
		if wait < 500<<(n-1) || wait > 3_700_000 {
			t.Errorf("attempt %d is followed after %d ms", n, wait)
		}
		w.turn(time.Duration(wait) * time.Millisecond)
	}
	w.turn(72 * time.Hour)
	d := w.state(r, sids["books"], idp.OutOfTime)
	if d.Due != 0 {
		t.Errorf("%+v", d)
	}
	before := len(a.got())
	w.update(func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		_, err = tx.SendAgain(d.ID(), now)
		return err
	})
	eventually(t, "the first attempt since", func() bool { d = w.delivered(r, sids["books"]); return d.Attempts == 1 && settled(d) })
	if d.State != idp.Owed {
		t.Errorf("what was sent again has no time: %+v", d)
	}
	dead.Store(false)
	w.turn(time.Minute)
	w.state(r, sids["books"], idp.Confirmed)
	if len(a.got()) != before+2 {
		t.Error("sent", len(a.got())-before, "times")
	}
}

// settled says that no attempt is under way: a lease lasts longer than the waits of the first attempts, and shorter than the rest.
func settled(d idp.Delivery) bool { return d.Due-d.AttemptedAt != 30_000 }

// What a worker had leased when it died is taken over when the lease ends, and not before.
func TestLeaseTakenOver(t *testing.T) {
	w := withClock(t)
	a := w.addApp("books", nil)
	sid := ledger.NewName()
	now, err := w.store.Now()
	if err != nil {
		t.Fatal(err)
	}
	w.update(func(tx idp.Tx) error {
		return tx.InsertDelivery(idp.Delivery{Receipt: 1, Sid: sid, Client: "books", Account: "alice", State: idp.Owed, CreatedAt: now, Due: now.Add(30 * time.Second), Attempts: 1, AttemptedAt: now})
	})
	w.work(long)
	time.Sleep(600 * time.Millisecond)
	if len(a.got()) != 0 {
		t.Fatal("taken from a worker that may live")
	}
	w.turn(30 * time.Second)
	w.state(idp.Receipt{Number: 1}, sid, idp.Confirmed)
	if len(a.got()) != 1 {
		t.Error("sent", len(a.got()), "times")
	}
}

// Who is alone with its database takes over at the start what was leased, and leaves in peace what waits for its next attempt.
func TestAloneTakesOverAtOnce(t *testing.T) {
	w := newWorld(t)
	a := w.addApp("books", nil)
	leased, waiting := ledger.NewName(), ledger.NewName()
	now, err := w.store.Now()
	if err != nil {
		t.Fatal(err)
	}
	w.update(func(tx idp.Tx) error {
		d := idp.Delivery{Receipt: 1, Sid: leased, Client: "books", Account: "alice", State: idp.Owed, CreatedAt: now, Due: now.Add(30 * time.Second), Attempts: 1, AttemptedAt: now}
		if err := tx.InsertDelivery(d); err != nil {
			return err
		}
		d.Sid, d.Due = waiting, now.Add(time.Hour)
		return tx.InsertDelivery(d)
	})
	w.alone = true
	w.work(long)
	w.state(idp.Receipt{Number: 1}, leased, idp.Confirmed)
	if d := w.delivery(idp.Receipt{Number: 1}, waiting); d.Attempts != 1 || d.Due != now.Add(time.Hour) || len(a.got()) != 1 {
		t.Errorf("sent %d times; %+v", len(a.got()), d)
	}
}

// Who awaits an app waits for it, but not for one that is down, and not beyond its time.
func TestAwait(t *testing.T) {
	w := newWorld(t)
	go1 := make(chan struct{})
	w.addApp("slow", func(int, http.ResponseWriter, *http.Request) { <-go1 })
	w.addApp("down", func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	w.work(long)
	await := func(id idp.ClientID, within time.Duration) bool {
		session, _ := w.signIn(long, id)
		r := w.end(idp.EndSession(session))
		ctx, stop := context.WithTimeout(t.Context(), within)
		defer stop()
		w.workers[0].Await(ctx, r.ID, func(c idp.ClientID) bool { return c == id })
		return ctx.Err() != nil
	}
	if over := await("slow", 50*time.Millisecond); !over {
		t.Error("did not wait")
	}
	if over := await("down", 2*time.Minute); over {
		t.Error("waited for an app that is down")
	}
	close(go1)
	if over := await("slow", 2*time.Minute); over {
		t.Error("waited although it has confirmed")
	}
}
