package rooms_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exeunt.dev/guard"
	"exeunt.dev/internal/idp"
)

// until waits for what comes by itself.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	late := time.After(2 * time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-late:
			t.Fatal("waited in vain until", what)
		case <-tick.C:
		}
	}
}

func (s *scene) view(f func(idp.View) error) {
	s.t.Helper()
	until(s.t, "the database answers", func() bool {
		err := s.server.Store.View(s.t.Context(), f)
		if err != nil && !errors.Is(err, idp.ErrUnavailable) {
			s.t.Fatal(err)
		}
		return err == nil
	})
}

func (s *scene) head() (number uint64) {
	s.t.Helper()
	s.view(func(v idp.View) error {
		h, err := v.Head()
		number = h.Number
		return err
	})
	return number
}

// receivers are the apps' back channels, one path for each. They keep what they are told of.
func (s *scene) receivers() string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw := r.PostFormValue("logout_token")
		if strings.Count(raw, ".") != 2 {
			s.t.Errorf("no logout token: %q", raw)
			return
		}
		claims := part(s.t, raw, 1)
		if "/"+fmt.Sprint(claims["aud"]) != r.URL.Path {
			s.t.Errorf("%s has a token for %v", r.URL.Path, claims["aud"])
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.heard[fmt.Sprint(claims["sid"])] = true
	}))
	s.t.Cleanup(server.Close)
	return server.URL
}

// messages are the sids that apps were told of.
func (s *scene) messages() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.heard)
}

// protect starts an API with a guard before it.
func (s *scene) protect() {
	t := s.t
	t.Helper()
	g, err := guard.New(s.at, guard.Audience(sceneAPI), guard.Credentials("orders", s.secrets["orders"]), guard.MaxStaleness(5*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- g.Run(ctx) }()
	t.Cleanup(func() { stop(); <-stopped })
	if err := g.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(g.Require()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })))
	t.Cleanup(api.Close)
	s.api = api.URL
}

// admitted asks the API.
func (s *scene) admitted(token string) bool {
	s.t.Helper()
	a := s.person().do("GET", s.api, "", map[string]string{"Authorization": "Bearer " + token})
	if a.status != http.StatusNoContent && (a.status != http.StatusUnauthorized || !strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token")) {
		s.t.Errorf("the API: %d %s", a.status, a.header.Get("WWW-Authenticate"))
	}
	return a.status == http.StatusNoContent
}

// accesses files an access token. API and introspection must be of one mind about it.
func (s *scene) accesses(x thing, token string) {
	x.token = token
	x.lives = func() bool {
		admitted := s.admitted(token)
		if active := object(s.t, s.asked("orders", "/oauth2/introspect", "application/json", token))["active"]; active != admitted {
			s.t.Errorf("%s: the API says %t, introspection %v", x.what, admitted, active)
		}
		return admitted
	}
	s.access = append(s.access, x)
}

func (s *scene) machineToken(id string, scope ...string) string {
	s.t.Helper()
	out, status := s.token(id, url.Values{"grant_type": {"client_credentials"}, "scope": scope})
	if status != http.StatusOK {
		s.t.Fatal("machine:", status)
	}
	return out.Access
}

// catchUp waits until the guard has heard of an ending that is younger than the act's, and so of all before.
func (s *scene) catchUp() {
	s.t.Helper()
	mark := s.machineToken("marker")
	if a := s.asked("marker", "/oauth2/revoke", "", mark); a.status != http.StatusOK {
		s.t.Fatal("revoke:", a.status)
	}
	until(s.t, "the guard has heard of it", func() bool { return !s.admitted(mark) })
}

// command runs the program beside the server, as an operator does.
func (s *scene) command(args ...string) {
	s.t.Helper()
	if said, err := s.tries(args...); err != nil {
		s.t.Fatalf("exeunt %v: %v: %s", args, err, said)
	}
}

func (s *scene) tries(args ...string) (string, error) {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "exeunt.yaml")
	text := fmt.Sprintf("issuer: %s\nkey_file: %s\n", s.at, s.config.KeyFile)
	if url := s.config.Postgres.URL; url != "" {
		text += "postgres:\n  url: " + url + "\n"
	} else {
		text += "data: " + s.config.Data + "\n"
	}
	if m := s.config.Mail; m.Host != "" {
		text += fmt.Sprintf("mail:\n  smtp: %s:%d\n  tls: none\n  from: %s\n", m.Host, m.Port, m.From)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), s.program, append([]string{"--config", path}, args...)...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	return said.String(), err
}
