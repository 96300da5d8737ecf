package rooms_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"exeunt.dev/internal/idp"
)

// pad is a log that may be read while it is written.
type pad struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *pad) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *pad) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// Whatever lets somebody in is in no file of the database and in no line of the log, at any level: passwords, right and wrong, cookies, codes,
// tokens, clients' secrets. Signing keys are encrypted with what is in the key file.
func TestSecretsAreNowhere(t *testing.T) {
	log := &pad{}
	n := &node{t: t, log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	n.start(nil)
	secret := map[string]string{"password": alicePW, "wrong password": "not the one of alice", "client's secret": n.secrets["books"]}
	n.person().signIn("/login", "alice", secret["wrong password"])
	p := n.alice()
	for _, name := range []string{"exeunt", "exeunt-browser", "csrftoken"} {
		if secret["cookie "+name] = p.cookie(name); secret["cookie "+name] == "" && name != "csrftoken" {
			t.Fatalf("no cookie %s", name)
		}
	}
	a := p.get(n.authorizeURL("books"))
	u, err := url.Parse(a.location)
	if err != nil {
		t.Fatal(err)
	}
	secret["code"] = u.Query().Get("code")
	got := p.redeem("books", a)
	secret["first access token"], secret["first refresh token"], secret["ID token"] = got.Access, got.Refresh, got.ID
	next, status := n.token("books", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}})
	if status != 200 {
		t.Fatal(status)
	}
	secret["access token"], secret["refresh token"] = next.Access, next.Refresh
	n.asked("books", "/oauth2/introspect", "", next.Refresh)
	n.asked("books", "/oauth2/revoke", "", got.Access)
	if !n.alive(next.Access) {
		t.Fatal("the token does not work")
	}
	n.token("books", url.Values{"grant_type": {"authorization_code"}, "code": {secret["code"]}, "redirect_uri": {"https://books.test/cb"}, "code_verifier": {verifier}}) // once more
	if a := p.get("/logout?" + url.Values{"id_token_hint": {got.ID}}.Encode()); a.status >= 400 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if !strings.Contains(log.String(), `"path":"/logout"`) {
		t.Fatal("nothing is logged")
	}
	look := func(where, text string) {
		for what, s := range secret {
			if s != "" && strings.Contains(text, s) {
				t.Errorf("the %s is in %s", what, where)
			}
		}
	}
	look("the log", log.String())
	var rows []idp.Key
	if err := n.server.Store.View(t.Context(), func(v idp.View) (err error) { rows, err = v.Keys(); return err }); err != nil || len(rows) == 0 {
		t.Fatal(rows, err)
	}
	for _, k := range rows {
		_, err1 := x509.ParsePKCS8PrivateKey(k.Private)
		_, err2 := x509.ParseECPrivateKey(k.Private)
		if err1 == nil || err2 == nil || len(k.Private) == 32 || len(k.Private) == 64 {
			t.Errorf("the private key %s is in the clear", k.Kid)
		}
	}
	if n.config.Postgres.URL != "" {
		return // its files are not for us to read
	}
	files, err := filepath.Glob(n.config.Data + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	all := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all += len(text)
		look(filepath.Base(f), string(text))
	}
	if !strings.Contains(fmt.Sprint(files), "wal") || all < 100<<10 {
		t.Errorf("this looked at %v, %d bytes", files, all)
	}
}
