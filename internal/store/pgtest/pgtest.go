// Package pgtest runs a Postgres server of a test's own, from Debian's package: a new cluster in a folder of its own, on a
// free loopback port, as a user that is not root, stopped by its own process id. It is for tests only.
package pgtest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running cluster.
type Server struct {
	Dir  string // of its data
	Port int

	bin     string
	as      *syscall.Credential // nil: as this process
	cmd     *exec.Cmd
	exited  chan struct{}
	names   atomic.Int64
	options []string
}

// Find returns the folder of the server's programs, "" if it is not installed.
func Find() string {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	if p, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(p)
	}
	return ""
}

// Start makes a cluster and starts it; options are settings like "max_connections=50". Stop it.
func Start(options ...string) (*Server, error) {
	s, err := prepare(options)
	if err != nil {
		return nil, err
	}
	if err := s.run(filepath.Join(s.bin, "initdb"), "-D", s.Dir, "-U", "exeunt", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-N"); err != nil {
		s.Remove()
		return nil, err
	}
	if err := s.Up(); err != nil {
		s.Remove()
		return nil, err
	}
	return s, nil
}

// Follow makes a streaming standby of a running cluster and starts it.
func (s *Server) Follow(options ...string) (*Server, error) {
	f, err := prepare(options)
	if err != nil {
		return nil, err
	}
	os.Remove(f.Dir)
	if err := f.run(filepath.Join(s.bin, "pg_basebackup"), "-h", "127.0.0.1", "-p", strconv.Itoa(s.Port), "-U", "exeunt", "-D", f.Dir, "-R", "-X", "stream",
		"-c", "fast", "--no-sync"); err != nil {
		f.Remove()
		return nil, err
	}
	if err := f.Up(); err != nil {
		f.Remove()
		return nil, err
	}
	return f, nil
}

// Promote makes a standby the primary.
func (s *Server) Promote() error {
	return s.run(filepath.Join(s.bin, "pg_ctl"), "promote", "-D", s.Dir, "-w", "-t", "30")
}

func prepare(options []string) (*Server, error) {
	s := &Server{bin: Find(), options: options}
	if s.bin == "" {
		return nil, fmt.Errorf("postgres is not installed (Debian's package postgresql)")
	}
	var err error
	if s.Dir, err = os.MkdirTemp("", "exeunt-pg-"); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 {
		if s.as, err = somebody(); err == nil {
			err = os.Chown(s.Dir, int(s.as.Uid), int(s.as.Gid))
		}
		if err != nil {
			return nil, err
		}
	}
	if s.Port, err = FreePort(); err != nil {
		return nil, err
	}
	return s, nil
}

// somebody is a user that may run the server, which refuses to run as root.
func somebody() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("there is no user that may run Postgres")
}

// FreePort is a port of loopback that the system does not give to whoever calls, so that it is free again when a server there has been killed.
func FreePort() (port int, err error) {
	for range 100 {
		port = 15000 + rand.IntN(15000)
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = os.TempDir()
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
	return c
}

func (s *Server) run(name string, args ...string) error {
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, out)
	}
	return nil
}

// Up starts a stopped or killed server and waits until it answers.
func (s *Server) Up() error {
	args := []string{"-D", s.Dir, "-p", strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "shared_buffers=64MB", "-c", "max_wal_senders=5", "-c", "log_min_messages=panic", "-c", "log_min_error_statement=panic"}
	for _, o := range s.options {
		args = append(args, "-c", o)
	}
	var log bytes.Buffer
	s.cmd = s.command(filepath.Join(s.bin, "postgres"), args...)
	s.cmd.Stdout, s.cmd.Stderr = &log, &log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(c *exec.Cmd) { c.Wait(); close(exited) }(s.cmd)
	for limit := time.Now().Add(60 * time.Second); ; {
		c, err := pgx.Connect(context.Background(), s.URL("postgres"))
		if err == nil {
			c.Close(context.Background())
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("postgres ended: %s", &log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(limit) {
			s.Kill()
			return fmt.Errorf("postgres does not answer: %w", err)
		}
	}
}

// URL is the address of a database.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://exeunt@127.0.0.1:%d/%s?sslmode=disable", s.Port, database)
}

// Pid is the server's process id.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Stop stops the server as an operator does who does not wait for clients.
func (s *Server) Stop() { s.signal(syscall.SIGINT) }

// Kill ends the server and its children at once, as a crash does.
func (s *Server) Kill() {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.Pid(), s.Pid()))
	s.signal(syscall.SIGKILL)
	for _, f := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(f); err == nil {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func (s *Server) signal(sig syscall.Signal) {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	s.cmd.Process.Signal(sig)
	<-s.exited
}

// Remove kills the server and deletes its data.
func (s *Server) Remove() {
	if s.cmd != nil {
		s.Kill()
	}
	os.RemoveAll(s.Dir)
}

// Database makes a new, empty database and returns its address.
func (s *Server) Database(t testing.TB) string { t.Helper(); return s.Copy(t, s.URL("template1")) }

// Copy makes a new database that is like another one, to which nobody is connected, and returns its address.
func (s *Server) Copy(t testing.TB, of string) string {
	t.Helper()
	from, err := pgx.ParseConfig(of)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	name := fmt.Sprintf("t%d", s.names.Add(1))
	if _, err := c.Exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+from.Database); err != nil {
		t.Fatal(err)
	}
	return s.URL(name)
}

// Main is a TestMain with a server. Without Postgres the package's tests are skipped, unless EXEUNT_TEST_POSTGRES says that
// it must be there.
func Main(m *testing.M, server **Server, options ...string) {
	if Find() == "" && os.Getenv("EXEUNT_TEST_POSTGRES") == "" {
		fmt.Println("skipped: Postgres is not installed (./test installs it)")
		os.Exit(0)
	}
	s, err := Start(options...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	*server = s
	code := m.Run()
	s.Remove()
	os.Exit(code)
}

// Both is a TestMain that runs the tests on SQLite, with no server, and then, unless they are to be short, again with one;
// EXEUNT_TEST_ON=sqlite or =postgres leaves the other out. What is to be done at the end goes into last.
func Both(m *testing.M, server **Server, last ...func()) {
	code := both(m, server)
	for _, f := range last {
		f()
	}
	os.Exit(code)
}

func both(m *testing.M, server **Server) int {
	flag.Parse()
	code, on := 0, os.Getenv("EXEUNT_TEST_ON")
	if on != "postgres" {
		code = m.Run()
	}
	if testing.Short() || on == "sqlite" {
		return code
	}
	if Find() == "" && os.Getenv("EXEUNT_TEST_POSTGRES") == "" {
		fmt.Println("Postgres is not installed (./test installs it): ran on SQLite only")
		return code
	}
	s, err := Start("autovacuum=off") // which would go round hundreds of databases
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	*server = s
	fmt.Println("on Postgres")
	code = max(code, m.Run())
	s.Remove()
	return code
}

// Set changes a setting of the running server.
func (s *Server) Set(name, value string) error {
	c, err := pgx.Connect(context.Background(), s.URL("postgres"))
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(context.Background(), fmt.Sprintf("ALTER SYSTEM SET %s = '%s'", name, value)); err != nil {
		return err
	}
	_, err = c.Exec(context.Background(), "SELECT pg_reload_conf()")
	return err
}

// Configure adds settings for the next Up.
func (s *Server) Configure(options ...string) { s.options = append(s.options, options...) }
