package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Whoever writes a client from docs/clients.md alone gets in and out: what it tells to type is typed, and answered as it says.
func TestClientsDocument(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "openssl", "awk", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Signing in without pages\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) != 2 {
		t.Fatal("the section has", len(blocks), "pieces to type")
	}
	c := start(t, 1, nil, "")
	const password = "correct horse battery"
	add := exec.Command(binary, "--config", c.nodes[0].config, "account", "add", "alice")
	add.Stdin = strings.NewReader(password + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dir := t.TempDir()
	if err := os.Symlink(binary, filepath.Join(dir, "exeunt")); err != nil {
		t.Fatal(err)
	}
	types := func(what string, env ...string) string {
		t.Helper()
		cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", what)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), append([]string{"PATH=" + dir + ":" + os.Getenv("PATH"), "EXEUNT_CONFIG=" + c.nodes[0].config, "ISSUER=" + c.front.URL(), "NAME=alice", "PASSWORD=" + password}, env...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	for i, want := range []string{
		`(?s)^{"success":true}\n{.*"success":1,.*"username":"alice"}\n{"user":{"id":"[^"]+","username":"alice"}}\n{"sessions":\[{"id":"[^"]+","current":true.*}\n{.*}\n{"receipt":"http[^"]*/signout/[^"]+","success":1}\n$`,
		`(?s)"access_token":".*"id_token":"`,
	} {
		if got := types(blocks[i][1]); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%d: %s", i, got)
		}
	}
	_, challenge, _ := strings.Cut(blocks[1][1], "\n") // without the registration
	challenge, _, _ = strings.Cut(challenge, "CODE=")
	// The session is over, whoever has its cookie, and what is refused is refused as it says.
	if got := types("curl -sS -b jar $ISSUER/session/"); got != "{\"user\":null}\n" {
		t.Error("after the sign-out:", got)
	}
	for want, with := range map[string][2]string{
		`^{"msg":"That username[^{]*"success":0,"username":"alice"}\n`: {strings.Split(blocks[0][1], "$TELL $ISSUER/session/")[0], "PASSWORD=wrong"},
		`"error":"access_denied"`:                                      {challenge + "cat answer", "PASSWORD=wrong"},
		`"error":"unauthorized_client"`:                                {`exeunt client add other --kind native --redirect http://127.0.0.1/none && curl -sS -d client_id=other -d username=alice -d password=x $ISSUER/oauth2/challenge`, ""},
		`"error":"csrf"`:                                               {"curl -sS -b jar -H 'Origin: https://elsewhere.example' -d csrfmiddlewaretoken=$(awk '$6 == \"csrftoken\" { print $7 }' jar) $ISSUER/accounts/logout/", ""},
	} {
		if got := types(with[0], with[1]); !regexp.MustCompile("(?m)" + want).MatchString(got) {
			t.Errorf("want %s: %s", want, got)
		}
	}
}
