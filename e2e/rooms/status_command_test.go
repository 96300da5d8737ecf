package rooms_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The command says of a server that runs what its console says, but for what that node alone knows.
func TestStatusCommand(t *testing.T) {
	n := start(t, loopback)
	s := &scene{node: n, t: t, program: build(t)}
	n.toldApp("gone").status.Store(400)
	n.toldApp("down").status.Store(503)
	n.alice()
	p := n.alice()
	p.enter("gone")
	p.enter("down")
	p.sheet(p.post("/account/signout", fields(p.get("/account").body)).location, func(s *sheet) bool { return !s.Working && s.state("gone") == "refused" })
	read := func(text string) (out map[string]any) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		for _, member := range []string{"hours", "as_of"} { // a moment later they may be others
			if out[member] == nil {
				t.Errorf("no %s: %s", member, text)
			}
			delete(out, member)
		}
		sessions, ok := out["sessions"].(map[string]any)
		if !ok {
			t.Fatal(text)
		}
		delete(sessions, "counted_at")
		return out
	}
	said, err := s.tries("--json", "status")
	if err != nil {
		t.Fatal(err, said)
	}
	got, want := read(said), read(n.bearer("GET", "/admin", n.power()).body)
	if want["guards"] == nil || got["guards"] != nil {
		t.Error("guards:", want["guards"], got["guards"])
	}
	delete(want, "guards")
	for _, member := range slices.Sorted(maps.Keys(want)) {
		a, _ := json.Marshal(got[member])
		b, _ := json.Marshal(want[member])
		if string(a) != string(b) {
			t.Errorf("%s: the command says %s, the console %s", member, a, b)
		}
	}
	said, err = s.tries("status")
	for _, line := range []string{"sessions alive ", "deliveries owed ", "the oldest owed since ", "deliveries dead "} {
		if err != nil || !strings.Contains(said, line) {
			t.Errorf("%v: no %q: %s", err, line, said)
		}
	}
}
