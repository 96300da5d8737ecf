package rooms_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

// Among receipts an operator finds those that still owe something: in the console, by the API, in the export and by command.
func TestConsole_OwedReceipts(t *testing.T) {
	n := start(t, loopback)
	s := &scene{node: n, t: t, program: build(t)}
	support := n.operator("help", idp.RoleSupport)
	n.toldApp("up")
	n.toldApp("down").status.Store(503)
	leaves := func(app string, done func(*sheet) bool) uint64 {
		p := n.alice()
		p.enter(app)
		return p.sheet(p.post("/account/signout", fields(p.get("/account").body)).location, func(s *sheet) bool { return !s.Working && done(s) }).Number
	}
	owing := leaves("down", func(s *sheet) bool { return s.Owed > 0 })
	settled := leaves("up", func(s *sheet) bool { return s.Owed == 0 })

	listed := func(query string) (out []uint64) {
		t.Helper()
		a := n.bearer("GET", "/admin/receipts?"+query, n.power())
		var list struct {
			Receipts []struct {
				Number uint64
				Owed   idp.Counted `json:"deliveries_owed"`
			}
		}
		if a.status != 200 || json.Unmarshal([]byte(a.body), &list) != nil {
			t.Fatal(a.status, a.body)
		}
		for _, r := range list.Receipts {
			if out = append(out, r.Number); (r.Owed.N == 1) != (r.Number == owing) {
				t.Errorf("%s: %d owes %+v", query, r.Number, r.Owed)
			}
		}
		return out
	}
	sub := "&sub=" + string(n.id("alice"))
	for query, want := range map[string][]uint64{"": {settled, owing}, "owed=false": {settled, owing}, "owed=true": {owing}, "owed=true" + sub: {owing}, "owed=true&sub=nobody": nil} {
		if got := listed(query); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
	if a := n.bearer("GET", "/admin/receipts?owed=x", n.power()); a.status != 400 || !strings.Contains(a.body, `"parameter":"owed"`) {
		t.Error(a.status, a.body)
	}
	if a := n.bearer("GET", "/admin/receipts/export?owed=true", n.power()); strings.Count(a.body, "\n") != 1 || !strings.Contains(a.body, fmt.Sprintf(`"number":%d,`, owing)) {
		t.Error("the export:", a.body)
	}
	// What was written into a filter stays, to be corrected.
	if a := support.page("/admin/receipts?username=aliec&owed=true"); a.status != 400 || !strings.Contains(a.body, `value="aliec"`) || !strings.Contains(a.body, "There is nobody with this username.") || strings.Contains(a.body, "<table") {
		t.Error("a misspelled filter:", a.status, a.body)
	}
	page := support.page("/admin/receipts?username=&owed=true").body
	link := func(n uint64) string { return fmt.Sprintf(`"/admin/receipts/%d"`, n) }
	if !strings.Contains(page, link(owing)) || strings.Contains(page, link(settled)) || !strings.Contains(page, `value="true" checked`) || !strings.Contains(page, "export?owed=true") {
		t.Error("the page:", page)
	}
	if all := support.page("/admin/receipts").body; !strings.Contains(all, link(settled)) || !strings.Contains(all, `data-label="Owed">1<`) {
		t.Error("the page of all:", all)
	}
	for want, args := range map[string][]string{fmt.Sprint(owing): {"receipt", "list", "--owed"}, fmt.Sprint(settled): {"receipt", "list"}} {
		said, err := s.tries(args...)
		if lines := strings.Split(said, "\n"); err != nil || len(lines) < 2 || !strings.HasPrefix(lines[1], want+" ") || strings.Contains(said, "\n"+fmt.Sprint(settled)+" ") != (len(args) == 2) {
			t.Errorf("%v: %v\n%s", args, err, said)
		}
	}
}

// What apps refused is sent again, all of one app or in one state at once, in the console, by the API and by command: in the first two with
// the right, the proof and the words that one by its id asks for, and each in the audit log.
func TestConsole_ResendMany(t *testing.T) {
	n := start(t, loopback)
	support, viewer := n.operator("help", idp.RoleSupport), n.operator("looks", idp.RoleViewer)
	s := &scene{node: n, t: t, program: build(t)}
	one, other, last := n.toldApp("one"), n.toldApp("other"), n.toldApp("last")
	for _, app := range []*toldApp{one, other, last} {
		app.status.Store(400)
	}
	dead := func(client string) (count int) {
		t.Helper()
		var list struct{ Deliveries []struct{ ID string } }
		a := n.bearer("GET", "/admin/deliveries?state=dead&client_id="+client, n.power())
		if a.status != 200 || json.Unmarshal([]byte(a.body), &list) != nil {
			t.Fatal(a.status, a.body)
		}
		return len(list.Deliveries)
	}
	for range 2 {
		p := n.alice()
		p.enter("one")
		p.enter("other")
		p.enter("last")
		p.sheet(p.post("/account/signout", fields(p.get("/account").body)).location, func(s *sheet) bool { return !s.Working && s.Owed == 0 })
	}
	if dead("one") != 2 || dead("") != 6 {
		t.Fatal("not refused:", dead("one"), dead(""))
	}
	const page, act = "/admin/deliveries", "/admin/deliveries/resend"
	if !strings.Contains(support.page(page).body, act) || strings.Contains(viewer.page(page).body, act) || strings.Contains(support.page(page+"?state=owed").body, act) {
		t.Error("who is offered to send many again")
	}
	for what, c := range map[string]struct {
		got  answer
		want int
	}{
		"a viewer":          {viewer.acts(act), 403},
		"without a proof":   {support.acts(act, "csrf", ""), 403},
		"without a reason":  {support.acts(act, "reason", ""), 400},
		"of no app":         {support.acts(act, "client_id", "nobody"), 400},
		"what is owed":      {support.acts(act, "state", "owed"), 400},
		"in no state":       {support.acts(act, "state", "x"), 400},
		"a program, no why": {n.calls("POST", act, n.power(), said{"client_id": "one"}), 400},
		"misspelled":        {n.calls("POST", act, n.power(), said{"clientid": "one", "reason": "x"}), 400},
	} {
		if c.got.status != c.want {
			t.Errorf("%s: %d, want %d", what, c.got.status, c.want)
		}
	}
	if dead("") != 6 {
		t.Error("something was sent again")
	}
	if list := support.page("/admin/receipts").body; strings.Count(list, `data-label="Not told"><span class="tag bad">3</span>`) != 2 {
		t.Error("the receipts do not say that apps were not told:", list)
	}
	one.status.Store(200)
	a := support.acts(act, "client_id", "one")
	if a.status != 303 || a.location != page+"?done=sent-again&n=2" {
		t.Fatal(a.status, a.location, a.body)
	}
	if told := support.page(a.location).body; !strings.Contains(told, "2 deliveries are owed again") {
		t.Error("the page does not say how many:", told)
	}
	last.status.Store(200)
	if said, err := s.tries("--json", "delivery", "resend", "--client", "last", "--reason", "by hand"); err != nil || said != "{\"owed_again\":2}\n" || dead("") != 2 {
		t.Error("by command:", said, err)
	}
	other.status.Store(200)
	if a := n.calls("POST", act, n.power(), said{"state": "given-up", "reason": "mended"}); a.status != 200 || !strings.Contains(a.body, `"owed_again":0`) {
		t.Error("in a state that nothing is in:", a.status, a.body)
	}
	if a := n.calls("POST", act, n.power(), said{"state": "refused", "reason": "mended"}); a.status != 200 || !strings.Contains(a.body, `"owed_again":2`) || dead("") != 0 {
		t.Error(a.status, a.body)
	}
	log := n.bearer("GET", "/admin/events?kind=operator&limit=10", n.power()).body
	for client, why := range map[string]string{"one": "a test", "other": "mended", "last": "by hand"} {
		if strings.Count(log, fmt.Sprintf(`"client_id":%q`, client)) != 2 || strings.Count(log, fmt.Sprintf(`"reason":%q`, why)) != 2 {
			t.Errorf("the audit log about %s: %s", client, log)
		}
	}
	for end := time.Now().Add(time.Minute); one.calls.Load() < 4 || other.calls.Load() < 4; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not sent:", one.calls.Load(), other.calls.Load())
		}
	}
	if p := support.acts(act); !strings.HasSuffix(p.location, "n=0") || !strings.Contains(support.page(p.location).body, "Nothing was to be sent again") {
		t.Error("when nothing is dead:", p.location)
	}
	support.stale()
	if a := support.acts(act); a.status != 303 || !strings.HasPrefix(a.location, "/login?again=") {
		t.Error("with an old sign-in:", a.status, a.location)
	}
}
