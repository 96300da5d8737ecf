package websites_test

import (
	"bytes"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

// The complete website of the documentation, in under 60 lines, as it is.
func TestExample(t *testing.T) {
	source, err := os.ReadFile("../../examples/website/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte("\n")); n >= 60 {
		t.Errorf("%d lines", n)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "website")
	if out, err := exec.Command("go", "build", "-o", program, "exeunt.dev/examples/website").CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	x := newExeunt(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := l.Addr().String()
	l.Close()
	at := "http://" + listen
	secret, err := x.base.AddClient(t.Context(), &idp.Client{
		ID: "website", Name: "Website", Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scopes: []string{"openid", "profile", "email"}, RedirectURIs: []string{at + "/auth/callback/exeunt"}, PostLogoutURIs: []string{at + "/auth/logout/exeunt/return"},
		BackchannelLogoutURI: at + "/auth/logout/exeunt/backchannel", BackchannelLogoutSessionRequired: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	logged, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer logged.Close()
	cmd.Dir, cmd.Stderr, cmd.SysProcAttr = dir, logged, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(os.Environ(), "LISTEN="+listen, "ORIGIN="+at, "ISSUER="+x.at, "CLIENT_ID=website", "CLIENT_SECRET="+secret, "KEY="+strings.Repeat("5a", 32))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", listen); err == nil {
			c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("the example does not listen")
		}
	}
	p := newPerson(t)
	if a := p.get(at); !strings.Contains(a.body, "Sign in") {
		t.Fatal(a)
	}
	if a := p.prove(x, p.get(at+"/private/")); a.body != "Only you see this, Alice" {
		t.Fatal(a)
	}
	a := p.get(at)
	if !strings.Contains(a.body, "Signed in as <b>Alice</b>") {
		t.Fatal(a)
	}
	form := fields(a.body)
	for _, box := range []string{"everywhere", "revoke", "provider"} {
		form.Set(box, "on")
	}
	if form.Get("csrf") == "" {
		t.Fatal(a)
	}
	a = p.send("POST", at+"/auth/signout", form)
	if a.status != http.StatusOK || !strings.Contains(a.body, `data-layer="consent" data-state="done"`) || !strings.Contains(a.body, `data-layer="provider" data-state="returned"`) {
		t.Error(a)
	}
	if a := p.get(at); strings.Contains(a.body, "Alice") {
		t.Error(a)
	}
	if a := p.send("POST", at+"/auth/signout", url.Values{}); a.status != http.StatusOK {
		t.Error("pressed twice:", a)
	}
	// Its log has the cause of what went wrong.
	if a := p.send("POST", at+"/auth/logout/exeunt/backchannel", url.Values{"logout_token": {"x"}}); a.status != http.StatusBadRequest {
		t.Error(a)
	}
	if said, err := os.ReadFile(logged.Name()); err != nil || !regexp.MustCompile("rp: exeunt: a logout token was refused: .*[a-z]").Match(said) || bytes.Contains(said, []byte("nil")) {
		t.Error(string(said), err)
	}
}
