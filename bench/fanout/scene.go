package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const api = "https://api.example.com"

// scene is the server, the raw process and the guards.
type scene struct {
	dir, issuer, rawAt string
	secret             string // of the app
	apiSecret          string
	processes          []*exec.Cmd
	guards             []*child
	http               *http.Client
}

type child struct {
	in  io.Writer
	out *bufio.Reader
}

func (c *child) say(line string) error {
	_, err := io.WriteString(c.in, line+"\n")
	return err
}

func (c *child) hear() (string, error) {
	line, err := c.out.ReadString('\n')
	return strings.TrimSpace(line), err
}

func newScene(guards int) (*scene, error) {
	dir, err := os.MkdirTemp("", "exeunt-fanout-")
	if err != nil {
		return nil, err
	}
	s := &scene{dir: dir, http: &http.Client{}}
	return s, errors.Join(s.serve(), s.children(guards))
}

func (s *scene) close() {
	for _, c := range s.processes {
		c.Process.Kill()
		c.Wait()
	}
	os.RemoveAll(s.dir)
}

func (s *scene) serve() error {
	binary, conf := filepath.Join(s.dir, "exeunt"), filepath.Join(s.dir, "exeunt.yaml")
	if out, err := exec.Command("go", "build", "-o", binary, "./cmd/exeunt").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	l.Close()
	s.issuer = "http://" + address
	if err := os.WriteFile(conf, []byte("issuer: "+s.issuer+"\nlisten: "+address+"\nlog_level: error\n"), 0o600); err != nil {
		return err
	}
	add := func(args ...string) (string, error) {
		out, err := exec.Command(binary, append([]string{"--config", conf, "--json", "client", "add"}, args...)...).Output()
		var v struct {
			Secret string `json:"client_secret"`
		}
		return v.Secret, errors.Join(err, json.Unmarshal(out, &v))
	}
	if s.apiSecret, err = add("api", "--kind", "api", "--audience", api); err != nil {
		return err
	}
	if s.secret, err = add("app", "--kind", "machine", "--audience", api); err != nil {
		return err
	}
	server := exec.Command(binary, "--config", conf, "serve")
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return err
	}
	s.processes = append(s.processes, server)
	for end := time.Now().Add(10 * time.Second); ; {
		res, err := s.http.Get(s.issuer + "/readyz")
		if err == nil {
			res.Body.Close()
			return nil
		}
		if time.Now().After(end) {
			return err
		}
	}
}

func (s *scene) child(args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.Command(self, args...)
	c.Stderr = os.Stderr
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	if err := errors.Join(err1, err2, c.Start()); err != nil {
		return nil, err
	}
	s.processes = append(s.processes, c)
	return &child{in, bufio.NewReader(out)}, nil
}

func (s *scene) children(guards int) error {
	raw, err := s.child("-role", "raw")
	if err != nil {
		return err
	}
	line, err := raw.hear()
	if err != nil {
		return err
	}
	tcp, web, _ := strings.Cut(line, " ")
	s.rawAt = "http://" + web
	for range 2 {
		c, err := s.child("-role", "guards", "-guards", strconv.Itoa(guards/2))
		if err != nil {
			return err
		}
		s.guards = append(s.guards, c)
		if err := c.say(strings.Join([]string{s.issuer, "api", s.apiSecret, api, tcp}, " ")); err != nil {
			return err
		}
	}
	return s.ready()
}

func (s *scene) ready() error {
	for _, c := range s.guards {
		if line, err := c.hear(); err != nil || line != "ready" {
			return fmt.Errorf("the guards are not ready: %q, %w", line, err)
		}
	}
	return nil
}

// last waits until all have heard.
func (s *scene) last() (last time.Duration, err error) {
	for _, c := range s.guards {
		line, err := c.hear()
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(line, 10, 64)
		if err != nil {
			return 0, err
		}
		last = max(last, time.Duration(n))
	}
	return last, nil
}

func (s *scene) post(path string, form url.Values, into any) error {
	r, err := http.NewRequest(http.MethodPost, s.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.SetBasicAuth("app", s.secret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, res.Status)
	}
	if into == nil {
		_, err := io.Copy(io.Discard, res.Body)
		return err
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// end lets every guard admit a token, ends it, and says how long until the last guard knew, and until the answer.
func (s *scene) end() (all, answered time.Duration, err error) {
	var t struct {
		Access string `json:"access_token"`
	}
	if err := s.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "resource": {api}}, &t); err != nil {
		return 0, 0, err
	}
	for _, c := range s.guards {
		if err := c.say("token " + t.Access); err != nil {
			return 0, 0, err
		}
	}
	if err := s.ready(); err != nil {
		return 0, 0, err
	}
	sent := now()
	if err := s.post("/oauth2/revoke", url.Values{"token": {t.Access}}, nil); err != nil {
		return 0, 0, err
	}
	answered = now() - sent
	last, err := s.last()
	return last - sent, answered, err
}

// write lets the raw process write to everybody.
func (s *scene) write() (time.Duration, error) {
	for _, c := range s.guards {
		if err := c.say("raw"); err != nil {
			return 0, err
		}
	}
	sent := now()
	res, err := s.http.Post(s.rawAt, "text/plain", nil)
	if err != nil {
		return 0, err
	}
	res.Body.Close()
	last, err := s.last()
	return last - sent, err
}
