package faults

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/guard"
)

// deployed is nodes behind nginx, with the proxy's and the nodes' settings of deploy/, as far as they are not addresses.
func deployed(t *testing.T, people int) *scene {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	drain := regexp.MustCompile(`(?m)^drain: .*\n`).FindString(read("node1.yaml"))
	if drain == "" {
		t.Fatal("the nodes of deploy do not drain")
	}
	s := sceneOf(t, start(t, 2, postgres(t), drain+loopback), people)
	conf := read("nginx.conf")
	for i, n := range s.nodes {
		was := fmt.Sprintf("server 127.0.0.1:808%d ", i+1)
		if !strings.Contains(conf, was) {
			t.Fatal("nginx.conf has no", was)
		}
		conf = strings.Replace(conf, was, "server "+n.address()+" ", 1)
	}
	port := freePort(t)
	s.front.Aim(runNginx(t, port, strings.Replace(conf, "listen 8080;", fmt.Sprintf("listen 127.0.0.1:%d;", port), 1)))
	return s
}

// The files of deploy/ keep what operations.md says of them: while one node after the other is restarted no request fails, whatever it is; guards
// that know the proxy only stay fresh.
func TestDeploy_RollingRestart(t *testing.T) {
	s := deployed(t, 4)
	g := s.newGuard(guard.Feeds(s.front.URL()))
	stop := make(chan struct{})
	acting := load(t, s.people, stop)
	s.lost.Store(0)
	asked, still := s.asking(stop), standstill(t)
	for _, n := range s.nodes {
		n.signal(syscall.SIGTERM)
		select {
		case <-n.exited:
		case <-time.After(time.Minute):
			t.Fatal("the node does not stop")
		}
		n.up()
		time.Sleep(2500 * time.Millisecond) // until nginx asks it again: fail_timeout
	}
	close(stop)
	acting.Wait()
	n, failed := asked()
	switch lost, d := s.lost.Load(), still(); {
	case failed+lost == 0:
		t.Logf("%d requests besides those of people, none failed", n)
	case failed == 0 && lost <= int64(len(s.nodes)) && d > 100*time.Millisecond:
		// Where nobody gets to run, a connection still waits to be taken when its node closes, and nginx must not send a POST twice.
		t.Logf("%d requests of people's failed (%s), but this machine stood still for %v", lost, s.loss(), d)
	default:
		t.Errorf("%d of %d requests failed, and of people's %d: %v", failed, n, lost, s.loss())
	}
	if _, err := g.Check("x.y.z"); errors.Is(err, guard.ErrStale) {
		t.Error("a guard behind the proxy is stale after a rolling restart")
	}
}

// A node that has lost the database is not asked any more, and what it refused goes to the next; what is not asked twice is refused at most once
// in a while. Where nobody is left, nginx says 503 as a node would.
func TestDeploy_NodeWithoutDatabase(t *testing.T) {
	s := deployed(t, 1)
	s.nodes[0].db.Aim()
	for limit := time.Now().Add(time.Minute); s.nodes[0].isReady(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("a node without its database is ready")
		}
	}
	status := func(method, path, body string) int {
		t.Helper()
		r, err := http.NewRequest(method, s.front.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("orders", s.secrets["orders"])
		if body != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		r.AddCookie(&http.Cookie{Name: "exeunt", Value: strings.Repeat("A", 43)})
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode == 503 && (res.Header.Get("Retry-After") == "" || res.Header.Get("Content-Type") != "application/json") {
			t.Errorf("%s %s: a 503 with %v", method, path, res.Header)
		}
		return res.StatusCode
	}
	refused := 0
	for began := time.Now(); time.Since(began) < 5*time.Second; {
		for _, ask := range [][3]string{{"GET", "/session/", ""}, {"POST", "/oauth2/introspect", "token=x"}, {"POST", "/oauth2/revoke", "token=x"}} {
			if got := status(ask[0], ask[1], ask[2]); got != 200 {
				t.Fatalf("%s %s: %d", ask[0], ask[1], got)
			}
		}
		if status("POST", "/oauth2/token", "grant_type=authorization_code&code=x") == 503 {
			refused++
		}
	}
	t.Logf("%d times a token was refused with 503", refused)
	if refused > 5 { // once each fail_timeout
		t.Errorf("the node is still asked: %d times", refused)
	}
	s.nodes[1].kill()
	for _, ask := range [][2]string{{"GET", "/session/"}, {"POST", "/oauth2/token"}, {"POST", "/ledger/beat"}} {
		if got := status(ask[0], ask[1], "x=y"); got != 503 {
			t.Errorf("nobody is there, and %s %s is %d", ask[0], ask[1], got)
		}
	}
}
