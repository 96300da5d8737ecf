package delivery_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

// leave signs out of a session of its own at one app.
func (w *world) leave(app idp.ClientID) (idp.Receipt, idp.Name) {
	w.t.Helper()
	session, sids := w.signIn(time.Hour, app)
	return w.end(idp.EndSession(session)), sids[app]
}

// blinking is an app that drops calls while it is down, all that come together at once.
type blinking struct {
	down        atomic.Bool
	calls, told atomic.Int64
	leave       chan struct{}
}

func (w *world) addBlinking(id idp.ClientID, together int64) *blinking {
	b := &blinking{leave: make(chan struct{})}
	b.down.Store(true)
	w.addApp(id, func(int, http.ResponseWriter, *http.Request) {
		if n := b.calls.Add(1); b.down.Load() {
			if n == together {
				close(b.leave)
			}
			<-b.leave
			panic(http.ErrAbortHandler)
		}
		b.told.Add(1)
	})
	return b
}

// What is owed to an app that does not answer runs out of time, however many there are.
func TestTimeOfADeadAppIsOver(t *testing.T) {
	w := withClock(t)
	b := w.addBlinking("dead", 5)
	const n = 60
	for range n {
		w.leave("dead")
	}
	w.work(72 * time.Hour)
	eventually(t, "five calls", func() bool { return b.calls.Load() >= 5 })
	w.turn(80 * time.Hour)
	eventually(t, "their time is over", func() bool {
		counts := map[idp.DeliveryState]int64{}
		err := w.store.View(t.Context(), func(v idp.View) error {
			all, err := v.DeliveryCounts()
			for _, c := range all {
				counts[c.State] += c.Count
			}
			return err
		})
		return err == nil && counts[idp.Owed] == 0 && counts[idp.OutOfTime] == n
	})
}

// An app that dropped all calls of a moment is asked again soon.
func TestAppThatBlinked(t *testing.T) {
	w := newWorld(t)
	b := w.addBlinking("blinks", 16)
	for range 16 {
		w.leave("blinks")
	}
	w.work(72 * time.Hour)
	eventually(t, "16 calls", func() bool { return b.calls.Load() == 16 })
	b.down.Store(false)
	eventually(t, "all told", func() bool { return b.told.Load() >= 16 })
}

// A browser waits for no app that is known not to answer.
func TestAwaitsNoDeadApp(t *testing.T) {
	w := newWorld(t)
	b := w.addBlinking("dead", 8)
	for range 8 {
		w.leave("dead")
	}
	w.work(72 * time.Hour)
	eventually(t, "8 calls", func() bool { return b.calls.Load() >= 8 })
	eventually(t, "the app is left alone", func() bool {
		before := b.calls.Load()
		w.leave("dead")
		time.Sleep(50 * time.Millisecond)
		return b.calls.Load() == before
	})
	quick := 0 // one may meet the call that is let through
	for range 3 {
		r, _ := w.leave("dead")
		before := b.calls.Load()
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		w.workers[0].Await(ctx, r.ID, func(idp.ClientID) bool { return true })
		if ctx.Err() == nil && b.calls.Load() == before {
			quick++
		}
		stop()
	}
	if quick < 2 {
		t.Errorf("of three browsers %d did not wait for a call", quick)
	}
}

// An app that confirmed while an operator asked for another attempt has confirmed, whatever it says of the second.
func TestConfirmedBeforeSentAgain(t *testing.T) {
	w := newWorld(t)
	hold, came := make(chan struct{}), make(chan struct{}, 8)
	w.addApp("books", func(n int, rw http.ResponseWriter, _ *http.Request) {
		came <- struct{}{}
		if n == 1 {
			<-hold
			return
		}
		http.Error(rw, `{"error":"unknown_session"}`, http.StatusBadRequest)
	})
	w.work(time.Hour)
	r, sid := w.leave("books")
	<-came
	w.update(func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err == nil {
			_, err = tx.SendAgain(idp.DeliveryID{Receipt: r.Number, Sid: sid}, now)
		}
		return err
	})
	close(hold)
	<-came
	if d := w.state(r, sid, idp.Confirmed); d.ConfirmedAt == 0 {
		t.Errorf("%+v", d)
	}
}

// One host by several spellings has one bound.
func TestHostBySeveralSpellings(t *testing.T) {
	w := newWorld(t)
	var now, most atomic.Int64
	hold := make(chan struct{})
	a := w.addApp("books", func(int, http.ResponseWriter, *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-hold
		now.Add(-1)
	})
	apps := []idp.ClientID{"books"}
	for id, host := range map[idp.ClientID]string{"dotted": "[::ffff:127.0.0.1]", "hex": "[::ffff:7f00:1]"} {
		w.addClient(id, strings.Replace(a.url, "127.0.0.1", host, 1))
		apps = append(apps, id)
	}
	for range 20 {
		w.signIn(time.Hour, apps...)
	}
	w.end(idp.EndAccount(w.account, idp.AccountActive))
	w.work(time.Hour)
	eventually(t, "16 calls", func() bool { return now.Load() == 16 })
	time.Sleep(100 * time.Millisecond)
	close(hold)
	eventually(t, "all told", func() bool { return len(a.got()) == 60 })
	if n := most.Load(); n != 16 {
		t.Errorf("%d calls at once to one host", n)
	}
}
