package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

// beside is a server with an app that is well and people who will be signed out, and maybe very much that is owed to another app.
type beside struct {
	*cluster
	app   *ear
	token string // of an incident tool, that signs people out
	took  []time.Duration
}

func newBeside(t *testing.T, people int) *beside {
	b := &beside{cluster: start(t, 1, nil, loopback), app: newEar(t, "well")}
	b.register(b.app)
	b.app.heard = make(chan told, people)
	b.addClient("tool", "--kind", "machine", "--scope", idp.ScopeGlobalRevocation)
	b.inside(func(s idp.Store) {
		for i := range people {
			b.furnishIn(s, fmt.Sprint("person", i), 1, time.Hour, b.app)
		}
	})
	p := &person{c: b.cluster, from: "10.1.1.1"}
	v := url.Values{"grant_type": {"client_credentials"}, "scope": {idp.ScopeGlobalRevocation}}
	status, body, err := p.do(http.DefaultClient, "POST", "/oauth2/token", v.Encode(), b.basic("tool"))
	var out struct {
		Access string `json:"access_token"`
	}
	if err == nil {
		err = json.Unmarshal(body, &out)
	}
	if err != nil || out.Access == "" {
		t.Fatalf("no token for the tool: %d %s %v", status, body, err)
	}
	b.token = out.Access
	return b
}

// signOut ends all that a person has, and waits until the app that is well is told.
func (b *beside) signOut(i int) {
	b.t.Helper()
	p := &person{c: b.cluster, from: "10.1.1.1"}
	body := fmt.Sprintf(`{"sub_id":{"format":"iss_sub","iss":%q,"sub":"person%d"}}`, b.front.URL(), i)
	begun := time.Now()
	status, text, err := p.do(http.DefaultClient, "POST", "/oauth2/global-token-revocation", body, map[string]string{"Authorization": "Bearer " + b.token})
	if err != nil || status != http.StatusNoContent {
		b.t.Fatalf("person %d cannot be signed out: %d %s %v", i, status, text, err)
	}
	select {
	case <-b.app.heard:
		b.took = append(b.took, time.Since(begun))
	case <-time.After(time.Minute):
		b.t.Fatal("an app that is well is not told within a minute")
	}
}

// memory is what the server's process has in RAM.
func (n *node) memory() string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(text)) {
		if size, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(size)
		}
	}
	return "unknown"
}

func spread(took []time.Duration) string {
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %v, p99 %v", at(0.5), at(0.99))
}

// Very much is owed to an app that is dead: one that is well is told all the same. How soon, beside a server that owes nothing, is
// printed; this machine may be busy.
func TestBacklogOfADeadApp(t *testing.T) {
	owe, people := 10_000, 60
	if long() {
		owe, people = 100_000, 1000
	}
	with, without := newBeside(t, people), newBeside(t, people)
	dead := newEar(t, "dead")
	dead.deaf()
	with.register(dead)
	before := with.nodes[0].memory()
	with.furnish("crowd", owe/100, time.Hour, slices.Repeat([]*ear{dead}, 100)...)
	begun := time.Now()
	with.ends(idp.EndClient("dead", false))
	// Those that come meanwhile are told, too, whatever there is to expand before them.
	with.signOut(0)
	without.signOut(0)
	meanwhile := fmt.Sprintf("%v (%v)", with.took[0].Round(time.Millisecond), without.took[0].Round(time.Millisecond))
	until(t, "all is expanded", func() bool { return with.number(`SELECT count(*) FROM receipt WHERE told_at = 0`) == 0 })
	expanded := time.Since(begun).Round(time.Millisecond)
	after := with.nodes[0].memory()
	with.took, without.took = nil, nil
	for i := 1; i < people; i++ {
		for _, b := range []*beside{with, without} {
			b.signOut(i)
		}
	}
	if n := with.number(`SELECT count(*) FROM delivery WHERE state = 'owed'`); n != owe {
		t.Errorf("%d owed of %d", n, owe)
	}
	t.Logf("%d deliveries owed to an app that reads nothing, expanded in %v; sign-out sent → another app told: %s; beside a server that owes nothing: %s; in the middle of the expansion: %s",
		owe, expanded, spread(with.took), spread(without.took), meanwhile)
	t.Logf("memory: %s before, %s when all was expanded, %s at the end; the other server %s", before, after, with.nodes[0].memory(), without.nodes[0].memory())
	with.nodes[0].kill()
	dead.well(nil)
	with.nodes[0].up()
	begun = time.Now()
	some := 1000
	if long() {
		some = 10_000
	}
	until(t, "the dead app, come back, is told", func() bool { sent, _ := dead.all(); return len(sent) >= some })
	t.Logf("after kill -9, and come back, it was told of the first %d within %v; memory %s", some, time.Since(begun).Round(time.Millisecond), with.nodes[0].memory())
}
