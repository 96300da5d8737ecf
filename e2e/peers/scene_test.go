package peers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

const password = "correct horse battery"

// scene is Exeunt in a process of its own, and the websites that are registered there.
type scene struct {
	t        *testing.T
	dir, url string
	listen   string
	cmd      *exec.Cmd
	exited   chan struct{}
	log      bytes.Buffer
	apps     []*app
	people   int
}

// app is a website made with one of the libraries.
type app struct {
	Kind         string `json:"kind"` // the library's package
	Name         string `json:"name"`
	ClientID     string `json:"clientID"`
	ClientSecret string `json:"clientSecret"`
	Issuer       string `json:"issuer"`
	URL          string `json:"base"`
	Alg          string `json:"alg"`   // of ID tokens and logout tokens
	State        string `json:"state"` // where its sessions are kept
	Hooks        string `json:"hooks"`
	site
}

// site is a website that can be away for a time. Its sessions outlive that.
type site interface {
	up(t *testing.T)
	down()
}

// newScene starts Exeunt and a website of each kind. change, if any, has a look at each website before it is registered.
func newScene(t *testing.T, change func(*app, *idp.Client), kinds ...string) *scene {
	t.Helper()
	s := &scene{t: t, dir: t.TempDir(), listen: freeAddress(t, "127.0.0.1")}
	s.url = "http://" + s.listen
	text := fmt.Sprintf("issuer: %s\nlisten: %s\nkey_file: key\ndata: db\nsigning_algs: [ES256, RS256]\nlog_level: warn\npasswords: {memory: 7168, passes: 1}\napps:\n  allow_networks: [127.0.0.0/8]\n", s.url, s.listen)
	if err := os.WriteFile(s.config(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, kind := range kinds {
		s.register(kind, fmt.Sprintf("127.0.0.%d", 21+i), change)
	}
	s.up()
	t.Cleanup(s.kill)
	for _, a := range s.apps {
		a.up(t)
		t.Cleanup(a.down)
	}
	return s
}

func (s *scene) config() string { return filepath.Join(s.dir, "exeunt.yaml") }

// with does something on the database, as a command does beside the server.
func (s *scene) with(do func(ctx context.Context, b *server.Base) error) {
	s.t.Helper()
	c, err := config.Load(s.config())
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := server.Open(s.t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	defer b.Close()
	if err := do(s.t.Context(), b); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) register(kind, host string, change func(*app, *idp.Client)) {
	id := fmt.Sprintf("app%d", len(s.apps)+1)
	a := &app{Kind: kind, Name: kind + " at " + host, ClientID: id, Issuer: s.url, URL: "http://" + freeAddress(s.t, host), Alg: "RS256", State: filepath.Join(s.dir, id+".json")}
	if kind == goOIDC || kind == openidClient {
		a.Alg = "ES256" // the others want RS256 unless told otherwise
	}
	c := idp.Client{
		ID: idp.ClientID(id), Kind: idp.KindWeb, Name: a.Name, AuthMethod: idp.AuthBasic, FirstParty: true, IDTokenAlg: a.Alg,
		RedirectURIs: []string{a.URL + "/callback"}, PostLogoutURIs: []string{a.URL + "/bye"}, LogoutURIs: []string{a.URL + "/bye"},
		GrantTypes: []string{"authorization_code"}, Scopes: []string{"openid", "profile"},
		BackchannelLogoutURI: a.URL + "/backchannel", BackchannelLogoutSessionRequired: true,
	}
	if change != nil {
		change(a, &c)
	}
	s.with(func(ctx context.Context, b *server.Base) (err error) {
		a.ClientSecret, err = b.AddClient(ctx, &c)
		return err
	})
	if kind == goOIDC {
		a.site = newGoSite(a)
	} else {
		a.site = &nodeSite{app: a}
	}
	s.apps = append(s.apps, a)
}

// byItself leaves express-openid-connect as it comes.
func byItself(a *app) { a.Hooks = "default" }

// person makes somebody new.
func (s *scene) person() (username string) {
	s.t.Helper()
	s.people++
	username = fmt.Sprintf("person%d", s.people)
	s.with(func(ctx context.Context, b *server.Base) error {
		return b.AddAccount(ctx, &idp.Account{Username: username}, password)
	})
	return username
}

// up starts Exeunt and waits until it is ready.
func (s *scene) up() {
	s.t.Helper()
	s.log.Reset()
	s.cmd = exec.Command(binary, "--config", s.config(), "serve")
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(c *exec.Cmd) { c.Wait(); close(exited) }(s.cmd)
	s.eventually(2*time.Minute, "Exeunt is not ready", func() bool {
		select {
		case <-exited:
			s.t.Fatalf("Exeunt ended: %s", &s.log)
		default:
		}
		res, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// kill is kill -9.
func (s *scene) kill() {
	s.cmd.Process.Signal(syscall.SIGKILL)
	<-s.exited
}

// eventually asks again and again, until the answer is yes.
func (s *scene) eventually(within time.Duration, otherwise string, yes func() bool) time.Duration {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if yes() {
			return time.Since(began)
		}
		if time.Since(began) > within {
			s.t.Fatalf("%s, after %v", otherwise, within)
		}
	}
}

// knows says as whom the website knows the bearer of a cookie; "" for nobody.
func (a *app) knows(t *testing.T, cookie string) string {
	t.Helper()
	r, err := http.NewRequest("GET", a.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", cookie)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %d: %s %v", a.Name, res.StatusCode, text, err)
	}
	_, rest, signedIn := bytes.Cut(text, []byte(`id="who">`))
	if !signedIn && !bytes.Contains(text, []byte(`id="nobody"`)) {
		t.Fatalf("%s shows another page: %s", a.Name, text)
	}
	who, _, _ := bytes.Cut(rest, []byte("<"))
	return string(who)
}

// freeAddress is a port of a host that nobody listens on.
func freeAddress(t *testing.T, host string) string {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
