package peers

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/guard"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

const ordersAPI = "https://orders.test"

// device is an app made with openid-client, in a process of its own, that holds a key.
type device struct {
	t    *testing.T
	in   io.Writer
	out  *bufio.Scanner
	url  string
	http *http.Client
}

type said struct{ OK, Error, Scheme string }

func newDevice(t *testing.T, s *scene, id, base, alg string) *device {
	t.Helper()
	settings, err := json.Marshal(map[string]string{"issuer": s.url, "clientID": id, "base": base, "alg": alg, "api": ordersAPI})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", filepath.Join(sites, "dpop.mjs"))
	cmd.Env = append(os.Environ(), "PEER="+string(settings))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), base) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	d := &device{t: t, in: in, out: bufio.NewScanner(out), url: s.url, http: &http.Client{Jar: jar, CheckRedirect: stop, Timeout: 2 * time.Minute}}
	if got := d.hear(); got.OK != "ready" {
		t.Fatal(got)
	}
	return d
}

func (d *device) hear() (out said) {
	d.t.Helper()
	if !d.out.Scan() {
		d.t.Fatal("the app has ended: ", d.out.Err())
	}
	if err := json.Unmarshal(d.out.Bytes(), &out); err != nil {
		d.t.Fatal(err)
	}
	return out
}

func (d *device) do(act string, pairs ...any) said {
	d.t.Helper()
	order := map[string]any{"act": act}
	for i := 0; i < len(pairs); i += 2 {
		order[pairs[i].(string)] = pairs[i+1]
	}
	b, err := json.Marshal(order)
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.in.Write(append(b, '\n')); err != nil {
		d.t.Fatal(err)
	}
	return d.hear()
}

func (d *device) says(want said, act string, pairs ...any) {
	d.t.Helper()
	if got := d.do(act, pairs...); got != want {
		d.t.Errorf("%s %v: %+v, want %+v", act, pairs, got, want)
	}
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// signIn goes where the app sends the person, who signs in if asked, and gives the address that leads back.
func (d *device) signIn(to, username string) string {
	d.t.Helper()
	res, err := d.http.Get(to)
	if err != nil {
		d.t.Fatal(err)
	}
	page, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err == nil && res.StatusCode == http.StatusOK {
		_, main, _ := strings.Cut(string(page), "<main ")
		v := url.Values{"username": {username}, "password": {password}, "act": {"signin"}}
		for _, m := range hiddenField.FindAllStringSubmatch(main, -1) {
			v.Set(m[1], m[2])
		}
		var r *http.Request
		if r, err = http.NewRequest("POST", d.url+"/login", strings.NewReader(v.Encode())); err != nil {
			d.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Origin", d.url)
		if res, err = d.http.Do(r); err == nil {
			res.Body.Close()
		}
	}
	if err != nil || !strings.Contains(res.Header.Get("Location"), "code=") {
		d.t.Fatalf("no way back to the app: %d %q %v", res.StatusCode, res.Header.Get("Location"), err)
	}
	return res.Header.Get("Location")
}

// openid-client speaks DPoP with the server and with an API behind the guard, nonces of both included; what is bound to its key is of no
// use with another.
func TestOpenidClientWithDPoP(t *testing.T) {
	s := newScene(t, nil)
	name := s.person()
	const base = "http://127.0.0.1:9"
	var secret string
	s.with(func(ctx context.Context, b *server.Base) (err error) {
		app := idp.Client{ID: "phone", Name: "Phone", Kind: idp.KindNative, FirstParty: true, AuthMethod: idp.AuthNone, Scopes: []string{"openid", "profile"},
			GrantTypes: []string{"authorization_code", "refresh_token"}, RedirectURIs: []string{base + "/callback"}, Audiences: []string{ordersAPI}, DPoP: idp.DPoPRequired}
		if _, err = b.AddClient(ctx, &app); err != nil {
			return err
		}
		secret, err = b.AddClient(ctx, &idp.Client{ID: "orders", Name: "Orders", Kind: idp.KindAPI, AuthMethod: idp.AuthBasic, Audiences: []string{ordersAPI}})
		return err
	})
	api := httptest.NewUnstartedServer(nil)
	g, err := guard.New(s.url, guard.Audience(ordersAPI), guard.Credentials("orders", secret), guard.ProofNonces(make([]byte, 32)),
		guard.ExternalURL("http://"+api.Listener.Addr().String()))
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
	api.Config.Handler = g.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "orders") }))
	api.Start()
	t.Cleanup(api.Close)

	for _, alg := range []string{"ES256", "Ed25519", "PS256"} {
		t.Run(alg, func(t *testing.T) {
			d := newDevice(t, s, "phone", base, alg)
			back := d.signIn(d.do("begin").OK, name)
			d.says(said{Error: "invalid_grant"}, "finish", "url", back, "key", "other")
			d.says(said{OK: "dpop"}, "finish", "url", back, "key", "own")
			d.says(said{OK: name}, "who", "key", "own")
			d.says(said{}, "repeat") // a proof comes twice, and the app makes another one by itself
			d.says(said{OK: name}, "who", "key", "own")
			d.says(said{OK: "orders"}, "call", "key", "own", "url", api.URL+"/orders?page=1")
			d.says(said{OK: "orders"}, "call", "key", "own", "url", api.URL+"/orders?page=2")
			d.says(said{Error: "invalid_token", Scheme: "dpop"}, "call", "key", "other", "url", api.URL+"/orders")
			d.says(said{Error: "invalid_token", Scheme: "dpop"}, "who", "key", "other")
			d.says(said{Error: "invalid_grant"}, "refresh", "key", "other")
			d.says(said{OK: "dpop"}, "refresh", "key", "own")
			d.says(said{OK: "orders"}, "call", "key", "own", "url", api.URL+"/orders")

			back = d.signIn(d.do("begin", "push", true).OK, name)
			d.says(said{Error: "invalid_grant"}, "finish", "url", back, "key", "other")
			d.says(said{OK: "dpop"}, "finish", "url", back, "key", "own")
			d.says(said{OK: "orders"}, "call", "key", "own", "url", api.URL+"/orders")
		})
	}
}
