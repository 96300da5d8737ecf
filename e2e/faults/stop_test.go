package faults

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/ledger"
)

// reads follows the feed as a guard does, and says how it ended: nil is a proper end of the stream.
func (n *node) reads(t *testing.T) <-chan error {
	t.Helper()
	ask := func(path string) *http.Response {
		r, _ := http.NewRequest("GET", "http://"+n.address()+path, nil)
		r.SetBasicAuth("orders", n.c.secrets["orders"])
		res, err := http.DefaultClient.Do(r)
		if err != nil || res.StatusCode != 200 {
			t.Fatal(path, res, err)
		}
		return res
	}
	res := ask(ledger.PathSnapshot)
	snapshot, err := ledger.NewSnapshotReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	head := snapshot.Head()
	res.Body.Close()
	q := url.Values{ledger.ParamLineage: {head.Lineage.String()}, ledger.ParamAfter: {fmt.Sprint(head.Number)}}
	tail := ask(ledger.PathTail + "?" + q.Encode()).Body
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, tail)
		ended <- err
	}()
	return ended
}

// stops waits for the end of the process and says how long after began it came.
func (n *node) stops(t *testing.T, began time.Time, within time.Duration) {
	t.Helper()
	select {
	case <-n.exited:
	case <-time.After(within - time.Since(began)):
		t.Fatalf("the server has not stopped within %v", within)
	}
	t.Logf("stopped after %v", time.Since(began))
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d: %s", code, &n.log)
	}
}

// SIGTERM while people sign in, refresh and sign out: what was begun before /readyz said so is answered, readers of the feed are
// told by a proper end, the process is gone with 0 at once, and what it acknowledged holds.
func TestStopUnderLoad(t *testing.T) {
	c := start(t, 1, nil, "drain: 300ms\npasswords: {memory: 19456, passes: 2}\n")
	people, n := c.people(6), c.nodes[0]
	for _, p := range people {
		for range 3 {
			if err := p.signIn(); err != nil {
				t.Fatal(err)
			}
		}
	}
	g := c.newGuard()
	reader := n.reads(t)
	stop := make(chan struct{})
	var answered atomic.Int64
	var wg sync.WaitGroup
	for who, p := range people {
		wg.Go(func() {
			stays, goes := p.sessions[0], p.sessions[1:]
			for i := who; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				var err error
				switch {
				case i%3 == 0: // takes long: argon2
					var status int
					var body []byte
					login := fmt.Sprintf(`{"username":%q,"password":%q}`, p.name, p.pw)
					status, body, err = p.do(stays.http, "POST", "/accounts/login/", login, map[string]string{"X-CSRFToken": stays.value("csrftoken")})
					if err == nil && status != 200 && status != 429 {
						err = fmt.Errorf("sign-in: %d %s", status, body)
					}
				case i%3 == 1 && len(goes) > 0 && i > 5:
					s := goes[0]
					goes = goes[1:]
					err = p.end(s.all(), 200, s.http, "POST", "/accounts/logout/", "csrfmiddlewaretoken="+s.value("csrftoken"), map[string]string{"Accept": "application/json"})
					if err == nil && s.cookie != over {
						err = errLost
					}
				default:
					err = p.renew(stays.apps["books"])
				}
				if err != nil {
					t.Errorf("%s, request %d: %v", p.name, i, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	for answered.Load() < 60 && !t.Failed() {
		time.Sleep(time.Millisecond)
	}
	before := answered.Load()
	began := time.Now()
	n.signal(syscall.SIGTERM)
	for n.isReady() { // as a proxy does that asks
		time.Sleep(time.Millisecond)
	}
	close(stop)
	wg.Wait()
	t.Logf("%d requests answered, %d of them after SIGTERM", answered.Load(), answered.Load()-before)
	n.stops(t, began, time.Minute)
	if err := <-reader; err != nil {
		t.Error("a reader of the feed was cut off:", err)
	}
	if t.Failed() {
		return
	}
	n.up()
	for _, p := range people {
		if err := p.check(g); err != nil {
			t.Error(err)
		}
	}
}

// Whoever never finishes a request, and a reader of the feed that reads nothing, do not hold the end up.
func TestStopInBounds(t *testing.T) {
	t.Parallel()
	c := start(t, 1, nil, "")
	n := c.nodes[0]
	for range 3 {
		conn, err := net.Dial("tcp", n.address())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /accounts/login/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
	}
	reader := n.reads(t)
	began := time.Now()
	n.signal(syscall.SIGTERM)
	if err := <-reader; err != nil { // by a proper end, which comes at the beginning; at the end of the drain it would be cut off
		t.Errorf("the feed ended after %v: %v", time.Since(began), err)
	}
	n.stops(t, began, time.Minute)
}
