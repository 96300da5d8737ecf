// Package deploy has no program: its files are for systemd, Docker and Grafana. The tests keep them true.
package deploy

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
)

// What the nodes of compose.yaml are configured with can be used.
func TestNodeConfigurations(t *testing.T) {
	for _, name := range []string{"node1.yaml", "node2.yaml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		secret := t.TempDir() + "/db-password"
		if err := os.WriteFile(secret, []byte("x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse(name, []byte(strings.ReplaceAll(string(text), "/run/secrets/db-password", secret)))
		if err != nil || !strings.Contains(c.Postgres.URL, "exeunt:x@") {
			t.Errorf("%v", err)
		}
	}
}

// The dashboard asks for metrics that exist, and for all of them; what is counted by label only once it happens
// is shown as nothing, and not as "no data".
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Fatal("grafana.json is no JSON")
	}
	source, err := os.ReadFile("../internal/server/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`exeunt_[a-z_]+`).FindAllString(string(text), -1) {
		if !strings.Contains(string(source), `"`+strings.TrimSuffix(name, "_bucket")+`"`) {
			t.Errorf("%s is not a metric of the server", name)
		}
	}
	for _, name := range regexp.MustCompile(`"exeunt_[a-z_]+"`).FindAllString(string(source), -1) {
		if !strings.Contains(string(text), strings.Trim(name, `"`)) {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			if regexp.MustCompile(`exeunt_(deliveries|delivery_attempts_total|requests_total)`).MatchString(target.Expr) && !strings.HasSuffix(target.Expr, " or vector(0)") {
				t.Errorf("%s: %s has no data where nothing happens", p.Title, target.Expr)
			}
		}
	}
}

// systemd accepts the unit, where there is a systemd.
func TestUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("no systemd here")
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", "./exeunt.service").CombinedOutput()
	if err != nil && !strings.Contains(string(out), "is not executable") && !strings.Contains(string(out), "No such file") {
		t.Errorf("%v: %s", err, out)
	}
}

// Certificates by ACME are kept where the unit may write.
func TestCacheOfTheUnit(t *testing.T) {
	state := line(t, "exeunt.service", `StateDirectory=(.+)`)[0]
	if cache := line(t, "../docs/operations.md", `    cache: (\S+).*`)[0]; !strings.HasPrefix(cache, "/var/lib/"+state+"/") {
		t.Error(cache)
	}
}
