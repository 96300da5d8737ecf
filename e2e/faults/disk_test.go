package faults

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/guard"
)

// Disk full: sign-out and the token endpoint say 503, nothing is half done, and what ended before stays refused everywhere.
// With room again everything goes on.
func TestDiskFull(t *testing.T) {
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("a small disk needs root: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	c := startAt(t, disk)
	p := c.people(1)[0]
	g := c.newGuard()
	for range 3 {
		if err := p.signIn(); err != nil {
			t.Fatal(err)
		}
	}
	gone, stays := p.sessions[0], p.sessions[1]
	if status, _ := gone.out(t); status != 200 {
		t.Fatal("sign-out:", status)
	}
	for _, s := range gone.all() {
		*s = over
	}
	fill := filepath.Join(disk, "fill")
	full(t, fill)
	token := stays.apps["books"]
	was := *token
	status, header := 200, http.Header{}
	for i := 0; i < 200 && status == 200; i++ { // what room SQLite's log still has
		if status, header = token.exchange(t, p); status == 200 {
			if err := p.renew(token); err != nil && !errors.Is(err, errLost) {
				t.Fatal(err)
			}
			full(t, fill)
		}
	}
	if status != 503 || header.Get("Retry-After") == "" {
		t.Fatalf("token endpoint on a full disk: %d %v", status, header)
	}
	if status, header := stays.out(t); status != 503 || header.Get("Retry-After") == "" {
		t.Fatalf("sign-out on a full disk: %d %v", status, header)
	}
	if _, err := g.Check(was.access); err != nil {
		t.Error("somebody whose sign-out failed:", err)
	}
	if _, err := g.Check(gone.apps["books"].access); !errors.Is(err, guard.ErrEnded) && !errors.Is(err, guard.ErrStale) {
		t.Error("what ended before is admitted:", err)
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if status, _ := p.sessions[2].out(t); status == 200 {
			break
		} else if time.Now().After(limit) {
			t.Fatal("there is room again, but sign-out says", status)
		}
	}
	for _, s := range p.sessions[2].all() {
		*s = over
	}
	if err := p.check(g); err != nil {
		t.Error(err)
	}
}

// out signs a browser out.
func (s *session) out(t *testing.T) (int, http.Header) {
	t.Helper()
	r, err := http.NewRequest("POST", s.of.c.front.URL()+"/accounts/logout/", strings.NewReader("csrfmiddlewaretoken="+s.value("csrftoken")))
	if err != nil {
		t.Fatal(err)
	}
	return answered(t, s.http, r)
}

// exchange asks for tokens and throws them away.
func (a *app) exchange(t *testing.T, p *person) (int, http.Header) {
	t.Helper()
	r, err := http.NewRequest("POST", p.c.front.URL()+"/oauth2/token", strings.NewReader(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.refresh}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(a.name, p.c.secrets[a.name])
	return answered(t, http.DefaultClient, r)
}

func answered(t *testing.T, c *http.Client, r *http.Request) (int, http.Header) {
	t.Helper()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode, res.Header
}

// full writes until nothing more goes in.
func full(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

// The database is gone from its place: everything says 503, /readyz says why, guards go stale and refuse with it, what ended before
// is admitted at no instant, and nobody is signed out by any of that.
func TestDatabaseGone(t *testing.T) {
	c := start(t, 1, nil, "")
	p := c.people(1)[0]
	g := c.newGuard()
	for range 2 {
		if err := p.signIn(); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range p.sessions[0].apps {
		if _, err := g.Check(a.access); err != nil {
			t.Fatal(err)
		}
	}
	gone := p.sessions[1]
	if status, _ := gone.out(t); status != 200 {
		t.Fatal("sign-out:", status)
	}
	for _, s := range gone.all() {
		*s = over
	}
	if err := p.check(g); err != nil { // and until the guard has heard
		t.Fatal(err)
	}
	db, aside := filepath.Join(c.dir, "db"), filepath.Join(c.dir, "aside")
	if err := os.Rename(db, aside); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/readyz", "/session/", "/account"} {
		if status, body, _ := p.do(p.sessions[0].http, "GET", path, "", nil); status != 503 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for what, ask := range map[string]func() (int, http.Header){
		"token endpoint": func() (int, http.Header) { return p.sessions[0].apps["books"].exchange(t, p) },
		"sign-out":       func() (int, http.Header) { return p.sessions[0].out(t) },
	} {
		if status, header := ask(); status != 503 || header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", what, status, header)
		}
	}
	stale := false
	for limit := time.Now().Add(time.Minute); !stale && time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		_, err := g.Check(gone.apps["books"].access)
		if !errors.Is(err, guard.ErrEnded) && !errors.Is(err, guard.ErrStale) {
			t.Fatal("what ended before is admitted:", err)
		}
		_, err = g.Check(p.sessions[0].apps["books"].access)
		stale = errors.Is(err, guard.ErrStale)
		if err != nil && !stale {
			t.Fatal("an outage must not sign out:", err)
		}
	}
	if !stale {
		t.Error("a guard goes on although nobody can vouch")
	}
	if err := os.Rename(aside, db); err != nil {
		t.Fatal(err)
	}
	if err := p.check(g); err != nil {
		t.Error("afterwards:", err)
	}
}
