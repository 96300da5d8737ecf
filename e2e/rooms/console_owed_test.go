package rooms_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

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
