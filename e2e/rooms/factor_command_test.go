package rooms_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// Who has lost the telephone and the codes asks an operator: the factor goes, and everything that was signed in.
func TestFactorCommand(t *testing.T) {
	n := start(t)
	p := n.alice()
	p.setUp()
	s := &scene{node: n, t: t, program: build(t)}
	said, err := s.tries("account", "factor", "list", "alice", "--json")
	var line struct {
		ID, Kind string
		Codes    int `json:"recovery_codes"`
	}
	if err != nil || json.Unmarshal([]byte(said), &line) != nil || line.Kind != "totp" || line.Codes != 10 {
		t.Fatalf("%v: %s", err, said)
	}
	if said, err := s.tries("account", "factor", "remove", "bob", line.ID); err == nil || !strings.Contains(said, "bob has no factor") || p.user() != "alice" {
		t.Errorf("of somebody else: %v: %s", err, said)
	}
	s.command("account", "factor", "remove", "alice", line.ID, "--reason", "lost in the sea")
	if p.user() != "" {
		t.Error("what was signed in goes on")
	}
	if said, err := s.tries("account", "factor", "list", "alice", "--json"); err != nil || said != "" {
		t.Errorf("%v: %s", err, said)
	}
	if q := n.alice(); !strings.Contains(q.get("/account/recovery").body, "None yet") {
		t.Error("recovery codes outlive what they stand in for")
	}
}

// What an operator's command changes about how somebody signs in, they are told by letter, without a link: it was none of theirs.
func TestOperatorsChangesAreTold(t *testing.T) {
	m := startMailed(t)
	p := m.alice()
	p.setUp()
	m.letter(aliceMail, "An authenticator app was added")
	s := &scene{node: m.node, t: t, program: build(t)}
	said, err := s.tries("account", "factor", "list", "alice", "--json")
	var line struct{ ID string }
	if err != nil || json.Unmarshal([]byte(said), &line) != nil {
		t.Fatalf("%v: %s", err, said)
	}
	s.command("account", "factor", "remove", "alice", line.ID, "--reason", "lost in the sea")
	l := m.letter(aliceMail, "The authenticator app was removed")
	if !strings.Contains(l.Text, "The people who run this site") || strings.Contains(l.Text, "/login/lock") || strings.Contains(l.Text, "lost in the sea") {
		t.Errorf("%s", l.Text)
	}
	s.command("account", "password", "alice", "--generate", "--reason", "forgotten")
	m.letter(aliceMail, "Your password was changed")
}
