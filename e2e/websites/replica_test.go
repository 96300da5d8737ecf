package websites_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/internal/store/pgtest"
	"exeunt.dev/provider"
	"exeunt.dev/rp"
	"exeunt.dev/rp/sqlstore"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

// pg is the Postgres that the tests run on; nil: on SQLite.
var pg *pgtest.Server

func TestMain(m *testing.M) {
	if os.Getenv("EXEUNT_TEST_REPLICA") != "" {
		fmt.Fprintln(os.Stderr, replica())
		os.Exit(1)
	}
	pgtest.Both(m, &pg)
}

// replica is one process of a website. It says its address on standard output and runs until it is killed.
func replica() error {
	ctx := context.Background()
	db, err := sql.Open(os.Getenv("DRIVER"), os.Getenv("DATABASE"))
	if err != nil {
		return err
	}
	dialect := sqlstore.SQLite
	if os.Getenv("DRIVER") == "pgx" {
		dialect = sqlstore.Postgres
	}
	store, err := sqlstore.Open(ctx, db, dialect)
	if err != nil {
		return err
	}
	p := provider.OIDC(os.Getenv("ISSUER"), os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"))
	p.Title = "Exeunt"
	if mode := os.Getenv("RESPONSE_MODE"); mode != "" {
		p.Authorize = map[string]string{"response_mode": mode}
	}
	site, err := rp.New(store, rp.Origin(os.Getenv("ORIGIN")), rp.Key([]byte(os.Getenv("KEY"))), rp.CookieName(os.Getenv("CLIENT_ID")), rp.Provider("exeunt", p),
		rp.Timeout(time.Second), rp.Every(50*time.Millisecond), rp.OnError(func(_ context.Context, err error) { fmt.Fprintln(os.Stderr, err) }))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go site.Run(ctx)
	http.Handle("/auth/", site)
	http.Handle("/private/", site.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, _ := rp.FromContext(r.Context())
		fmt.Fprintf(w, "name=%s csrf=%s pid=%d", v.Name, v.CSRF, os.Getpid())
	})))
	http.Handle("/home", site.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, _ := rp.FromContext(r.Context())
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><h1 id="who">%s</h1><form method="post" action="/auth/signout"><input type="hidden" name="csrf" value="%s">
			<button id="here">Sign out</button> <button id="there" name="provider" value="1">Sign out at Exeunt, too</button></form>
			<script>new EventSource("/auth/state").onmessage = e => { if (!JSON.parse(e.data).signed_in) document.title = "signed out" }</script>`,
			html.EscapeString(v.Name), v.CSRF)
	})))
	http.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		v, err := site.Visitor(r)
		if err == nil {
			t, e := site.Token(r.Context(), v, "exeunt")
			if err = e; e == nil {
				io.WriteString(w, t.AccessToken)
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
		}
	})
	fmt.Println("http://" + l.Addr().String())
	return http.Serve(l, nil)
}

// site is a website of several replicas behind a proxy that sends each request to the next one.
type site struct {
	t      *testing.T
	name   string
	secret string
	at     string // the proxy
	env    []string
	before func(*http.Request) // called by the proxy
	stderr io.Writer           // of the replicas

	mu       sync.Mutex
	replicas []*process
	next     int
	by       map[string]int // which replica got the last request to a path
}

type process struct {
	cmd  *exec.Cmd
	at   *url.URL
	over sync.Once
}

// newSite begins a website without replicas, so that its address is known.
func newSite(t *testing.T, name string) *site { return newSiteAt(t, name, "127.0.0.1") }

func newSiteAt(t *testing.T, name, host string) *site {
	s := &site{t: t, name: name, by: map[string]int{}, stderr: os.Stderr}
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	s.at = "http://" + l.Addr().String()
	server := &http.Server{Handler: s}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return s
}

func (s *site) start(issuer, secret string, n int) {
	s.t.Helper()
	s.secret = secret
	driver, dsn := "sqlite", "file:"+filepath.Join(s.t.TempDir(), "site.db")+"?_pragma=journal_mode(wal)"
	if pg != nil {
		driver, dsn = "pgx", pg.Database(s.t)
	}
	s.env = append(os.Environ(), "EXEUNT_TEST_REPLICA=1", "DRIVER="+driver, "DATABASE="+dsn, "ISSUER="+issuer, "CLIENT_ID="+s.name, "CLIENT_SECRET="+secret, "ORIGIN="+s.at,
		"KEY="+strings.Repeat(s.name[:1], 32))
	for range n {
		s.add()
	}
}

func (s *site) add() {
	s.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.SysProcAttr = s.env, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = s.stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	p := &process{cmd: cmd}
	s.t.Cleanup(p.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		p.at, err = url.Parse(strings.TrimSpace(line))
	}
	if err != nil {
		s.t.Fatal("a replica did not start: ", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replicas = append(s.replicas, p)
}

func (p *process) kill() {
	p.over.Do(func() {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	})
}

// kill kills the replica that got the last request to a path.
func (s *site) kill(path string) {
	s.t.Helper()
	s.mu.Lock()
	i, ok := s.by[path]
	s.mu.Unlock()
	if !ok {
		s.t.Error("nobody asked for ", path)
		return
	}
	s.replicas[i].kill()
}

// ServeHTTP passes a request to the next replica, and to the one after if that is not there at all.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if s.before != nil {
		s.before(r)
	}
	for range 3 {
		s.mu.Lock()
		i := s.next % len(s.replicas)
		s.next++
		p := s.replicas[i]
		s.mu.Unlock()
		c, err := net.Dial("tcp", p.at.Host)
		if err != nil {
			continue // dead: the health check of a real proxy
		}
		c.Close()
		s.mu.Lock()
		s.by[r.URL.Path] = i
		s.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		proxy := &httputil.ReverseProxy{Rewrite: func(q *httputil.ProxyRequest) { q.SetURL(p.at); q.Out.Host = q.In.Host },
			FlushInterval: -1, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }}
		proxy.ServeHTTP(w, r)
		return
	}
	w.WriteHeader(http.StatusBadGateway)
}
