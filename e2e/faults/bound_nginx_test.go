package faults

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nginx is Debian's, before one server. Settings stand in its location.
func nginx(t *testing.T, to, settings string) (address string) {
	t.Helper()
	port := freePort(t)
	return runNginx(t, port, fmt.Sprintf("server { listen 127.0.0.1:%d; location / { proxy_pass http://%s; %s } }", port, to, settings))
}

// runNginx runs it with a server of a port.
func runNginx(t *testing.T, port int, server string) (address string) {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx"
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("EXEUNT_TEST_POSTGRES") != "" { // ./test, which installs what it needs
			t.Fatal(err)
		}
		t.Skip("nginx is not installed (./test installs it)")
	}
	dir := t.TempDir()
	text := fmt.Sprintf(`daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  proxy_cache_path cache keys_zone=kept:1m;
  %s
}`, server)
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-p", dir, "-c", conf)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	address = fmt.Sprintf("127.0.0.1:%d", port)
	until(t, "nginx listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return address
}

// cached keeps every answer, whatever its headers say, and gives it to whoever asks.
const cached = `proxy_cache kept; proxy_cache_valid any 10m; proxy_cache_key $request_method$uri; proxy_cache_methods GET HEAD POST;
	proxy_ignore_headers Cache-Control Expires Set-Cookie Vary X-Accel-Expires X-Accel-Buffering;`

func (w *world) nginxes(t *testing.T) {
	through := func(name, settings string, outage bool, fault func(s *plight, nginx string)) {
		w.row(t, name, outage, func(t *testing.T, row *line) {
			address := nginx(t, w.c.nodes[0].address(), settings)
			fault(w.on(t, row, 6), address)
		})
	}
	all := func(s *plight, nginx string) {
		s.link.Aim(nginx)
		s.follow()
		s.ends(s.left(), staleness)
		s.settle()
	}
	// The server asks proxies not to hold its answers back, and nginx obeys by default.
	through("nginx as Debian has it", "", false, all)
	// Caught: a guard that lives on the tail alone; it holds nothing back for ever only because of the beats.
	through("nginx that holds every answer back", "proxy_ignore_headers X-Accel-Buffering; proxy_buffers 8 64k; proxy_buffer_size 64k;", false, all)
	// Caught: a guard that does not look at the nonce.
	through("nginx that keeps every answer", cached, true, func(s *plight, nginx string) {
		s.follow()
		s.link.Aim(nginx)
		s.ends(s.left(), staleness)
		time.Sleep(staleness)
		s.heal(func() { s.link.Aim(s.c.nodes[0].address()) })
		s.settle()
	})
	// A guard that starts after the ends with a snapshot from before them. Caught: a guard that takes a snapshot for fresh.
	through("nginx that keeps an old snapshot", strings.Replace(cached, "POST", "", 1), false, func(s *plight, nginx string) {
		r, err := http.NewRequest("GET", "http://"+nginx+"/ledger/snapshot", nil)
		s.must(err)
		r.SetBasicAuth("orders", s.c.secrets["orders"])
		res, err := http.DefaultClient.Do(r)
		s.must(err)
		res.Body.Close()
		if res.StatusCode != 200 {
			s.t.Fatal(res.Status)
		}
		s.ends(4, 0)
		time.Sleep(staleness) // so that none of them may be admitted any more
		s.link.Aim(nginx)
		s.link.Delay(staleness / 20) // between the snapshot and the first answer there is time
		s.at.guard(s.t, s.c, s.id, s.link.URL())
		s.try("")
		s.at.ask(s.t, "GET", "/"+s.id+"/ready", nil, nil)
		s.ends(s.left(), staleness)
		s.settle()
	})
}
