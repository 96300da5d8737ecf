package websites_test

import (
	"bufio"
	"bytes"
	"html"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"exeunt.dev/rp"
)

// newOP starts npm's oidc-provider for a site with these addresses. npm's packages are laid by the test, from the committed lock file.
func newOP(t *testing.T, callback, left, logout, secret string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("a provider of npm's is not for the inner loop")
	}
	// The lock file may not say where packages come from: that is the business of whoever installs them.
	if lock, err := os.ReadFile("op/package-lock.json"); err != nil || !bytes.Contains(lock, []byte(`"integrity": "sha512-`)) || bytes.Contains(lock, []byte(`"resolved"`)) {
		t.Fatal("op/package-lock.json: write it with npm install --omit-lockfile-registry-resolved", err)
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = "op"
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v: %s (./test installs npm)", err, out)
	}
	cmd := exec.Command("node", "op.mjs")
	var said bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.SysProcAttr = "op", &said, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(os.Environ(), "CALLBACK="+callback, "LEFT="+left, "LOGOUT="+logout, "CLIENT_SECRET="+secret)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		for line := range strings.Lines(said.String()) {
			if !strings.Contains(line, "WARNING") && !strings.Contains(line, "NOTICE") {
				t.Log(line)
			}
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err, said.String())
	}
	op := strings.TrimSpace(line)
	res, err := http.Get(op + "/.well-known/openid-configuration") // its first answer takes longer than a website waits on a busy machine
	if err != nil {
		t.Fatal(err, said.String())
	}
	res.Body.Close()
	return op
}

var formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
var formInput = regexp.MustCompile(`<input[^>]* type="hidden" name="([^"]+)" value="([^"]*)"`)

// answer posts the form of a page of the provider.
func (p *person) answer(a answer, more url.Values) answer {
	p.t.Helper()
	m := formAction.FindStringSubmatch(a.body)
	if m == nil {
		p.t.Fatal("no form: ", a)
	}
	to, err := a.at.Parse(html.UnescapeString(m[1]))
	if err != nil {
		p.t.Fatal(err)
	}
	form := url.Values{}
	for _, m := range formInput.FindAllStringSubmatch(a.body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for k, v := range more {
		form[k] = v
	}
	return p.send("POST", to.String(), form)
}

// enter signs in to the website by way of the provider's pages: sign-in, consent.
func (p *person) enter(s *site) string {
	p.t.Helper()
	a := p.get(s.at + "/auth/login/exeunt?return=/private/")
	for range 4 {
		if strings.HasPrefix(a.at.String(), s.at) {
			break
		}
		a = p.answer(a, url.Values{"login": {"alice"}, "password": {"any"}})
	}
	m := csrfText.FindStringSubmatch(a.body)
	if m == nil {
		p.t.Fatal(a)
	}
	return m[1]
}

// The same against a provider that we did not write: each layer, and its logout tokens.
func TestForeignProvider(t *testing.T) {
	s := newSite(t, "site")
	const secret = "a secret that is long enough"
	op := newOP(t, s.at+"/auth/callback/exeunt", s.at+"/auth/logout/exeunt/return", s.at+"/auth/logout/exeunt/backchannel", secret)
	s.start(op, secret, 1)
	p, phone := newPerson(t), newPerson(t)
	csrf := p.enter(s)
	phone.enter(s)
	tok := p.get(s.at + "/token").body
	introspect := func() string {
		r, _ := http.NewRequest("POST", op+"/token/introspection", strings.NewReader(url.Values{"token": {tok}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("site", url.QueryEscape(secret))
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var b bytes.Buffer
		b.ReadFrom(res.Body)
		return b.String()
	}
	if i := introspect(); !strings.Contains(i, `"active":true`) {
		t.Fatal(i)
	}
	if y := report(t, p.send("POST", s.at+"/auth/signout", url.Values{"csrf": {csrf}, "revoke": {"1"}}, "Accept", "application/json")); y[rp.LayerConsent].State != rp.Done || y[rp.LayerProvider].State != rp.Open {
		t.Error(y)
	}
	if i := introspect(); !strings.Contains(i, `"active":false`) || p.signedIn(s) || !phone.signedIn(s) {
		t.Error(i)
	}

	// Out through the provider and back.
	csrf = p.enter(s)
	a := p.send("POST", s.at+"/auth/signout", url.Values{"csrf": {csrf}, "provider": {"1"}})
	if !strings.HasPrefix(a.at.String(), op) {
		t.Fatal("not at the provider: ", a)
	}
	if a = p.answer(a, url.Values{"logout": {"yes"}}); a.at.Path != "/auth/logout/exeunt/return" || !strings.Contains(a.body, `data-state="returned"`) {
		t.Error(a)
	}

	// Signed out there, told here: this browser and no other.
	p.enter(s)
	p.answer(p.get(op+"/session/end"), url.Values{"logout": {"yes"}})
	p.gone(s)
	if !phone.signedIn(s) {
		t.Error("another device was signed out")
	}
	p.enter(s)
	if !p.signedIn(s) {
		t.Error("the next sign-in is refused")
	}
}
