package rooms_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

// What an app was not told, in an operator's hands: sent again it stays as old as it is, given up it keeps why, and what could not be told
// can be when its app has a back channel.
func TestConsole_Deliveries(t *testing.T) {
	n := start(t, loopback)
	support := n.operator("help", idp.RoleSupport)
	app := n.toldApp("no")
	app.status.Store(503)
	p := n.alice()
	p.enter("no")
	p.enter("books") // has no back channel
	p.post("/account/signout", fields(p.get("/account").body))
	number := uint64(0)
	receipt := func() (out struct {
		Number     uint64
		Deliveries []struct {
			ID, State, Why string
			ClientID       string    `json:"client_id"`
			Created        time.Time `json:"created_at"`
			Resent         time.Time `json:"resent_at"`
			Attempts       int
		}
	}) {
		t.Helper()
		a := n.bearer("GET", fmt.Sprintf("/admin/receipts/%d", number), n.power())
		if a.status != 200 || json.Unmarshal([]byte(a.body), &out) != nil {
			t.Fatal(a.status, a.body)
		}
		return out
	}
	err := n.server.Store.View(t.Context(), func(v idp.View) error {
		rows, err := v.Receipts(n.id("alice"), 0, 1)
		number = rows[0].Number
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	until := func(what string, yes func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !yes(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal(what, receipt())
			}
		}
	}
	of := func(client string) int {
		for i, d := range receipt().Deliveries {
			if d.ClientID == client {
				return i
			}
		}
		return -1
	}
	until("not attempted", func() bool { i := of("no"); return i >= 0 && receipt().Deliveries[i].Why != "" })
	first := receipt().Deliveries[of("no")]
	at := "/admin/deliveries/" + first.ID
	headed := func(at, head string) bool {
		return strings.Contains(support.page(at).body, `role="columnheader">`+head)
	}
	sheet := fmt.Sprintf("/admin/receipts/%d", number)
	if page := support.page(sheet); !strings.Contains(page.body, at) {
		t.Error("the receipt does not lead to its deliveries:", page.body)
	}
	if !headed(sheet, "Next attempt") || !headed("/admin/deliveries", "Next attempt") {
		t.Error("nobody reads when the next attempt is")
	}
	if headed(sheet, "Confirmed") {
		t.Error("a column has nothing in it")
	}
	if a := support.acts(at + "/give-up"); a.status != 303 {
		t.Fatal(a.status, a.body)
	}
	gone := receipt().Deliveries[of("no")]
	if gone.State != "given-up" || gone.Why == "" || gone.Created != first.Created {
		t.Errorf("given up: %+v, was %+v", gone, first)
	}
	if page := support.page("/admin/deliveries?state=dead&client_id=no"); page.status != 200 || !strings.Contains(page.body, at) {
		t.Error(page.status, page.body)
	}
	if page := support.page("/admin/deliveries?client_id=nobody"); page.status != 400 || !strings.Contains(page.body, "no such app") {
		t.Error(page.status, page.body)
	}
	if a := support.page(at); a.header.Get("Refresh") != "" {
		t.Error("a page on which nothing happens is loaded again")
	}
	if a := support.acts(at + "/resend"); a.status != 303 || a.location != at+"?done=owed" {
		t.Fatal(a.status, a.location)
	}
	if a := support.page(at + "?done=owed"); a.header.Get("Refresh") != "2; url="+at || !strings.Contains(a.body, "It is being sent") {
		t.Error("while it is being sent:", a.header, a.body)
	}
	app.status.Store(200)
	until("not told", func() bool { return receipt().Deliveries[of("no")].State == "confirmed" })
	if a := support.page(at); a.header.Get("Refresh") != "" || strings.Contains(a.body, "It is being sent") {
		t.Error("when it was sent:", a.header, a.body)
	}
	if !headed(sheet, "Confirmed") {
		t.Error("the receipt's page does not say when its app confirmed")
	}
	if again := receipt().Deliveries[of("no")]; again.Created != first.Created || again.Resent.Before(first.Created) {
		t.Errorf("sent again: %+v, was %+v", again, first)
	}
	if a := support.acts(at + "/resend"); a.status != 409 {
		t.Error("what was confirmed:", a.status)
	}

	hers := n.alice().page("/account/activity").body
	for _, what := range []string{"An app was to be told of a sign-out again</strong> · No", "Telling an app of a sign-out was given up</strong> · No"} {
		if !strings.Contains(hers, what) || strings.Contains(hers, "Something was done") {
			t.Errorf("its person does not read %q: %s", what, hers)
		}
		_, line, _ := strings.Cut(hers, what)
		if line, _, _ = strings.Cut(line, "</li>"); strings.Contains(line, "127.0.0.1") || !strings.Contains(hers, "127.0.0.1") {
			t.Errorf("its person reads where an operator works: %s", line)
		}
	}

	untold := "/admin/deliveries/" + receipt().Deliveries[of("books")].ID
	if a := support.acts(untold + "/resend"); a.status != 409 || !strings.Contains(a.body, "back channel") {
		t.Error("an app that cannot be told:", a.status)
	}
	other := n.toldApp("other")
	err = n.server.Store.Update(t.Context(), func(tx idp.Tx) error {
		c, err := tx.Client("books")
		if err != nil {
			return err
		}
		o, err := tx.Client("other")
		c.BackchannelLogoutURI = o.BackchannelLogoutURI
		if err != nil {
			return err
		}
		return tx.UpdateClient(c)
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := support.acts(untold + "/resend"); a.status != 303 {
		t.Fatal(a.status, a.body)
	}
	until("not told", func() bool { return receipt().Deliveries[of("books")].State == "confirmed" && other.calls.Load() == 1 })
}

// A delivery says where its app is told now, and nothing if it cannot be told any more.
func TestDeliverySaysWhere(t *testing.T) {
	n := start(t, loopback)
	s := &scene{node: n, t: t, program: build(t)}
	support := n.operator("help", idp.RoleSupport)
	n.toldApp("no").status.Store(503)
	p := n.alice()
	p.enter("no")
	p.post("/account/signout", fields(p.get("/account").body))
	var list struct{ Deliveries []struct{ ID string } }
	for end := time.Now().Add(time.Minute); len(list.Deliveries) == 0; time.Sleep(10 * time.Millisecond) {
		a := n.bearer("GET", "/admin/deliveries?client_id=no", n.power())
		if a.status != 200 || json.Unmarshal([]byte(a.body), &list) != nil || time.Now().After(end) {
			t.Fatal(a.status, a.body)
		}
	}
	id := list.Deliveries[0].ID
	command := func(args ...string) string {
		t.Helper()
		said, err := s.tries(append(args, "delivery", "show", id)...)
		if err != nil {
			t.Fatal(err, said)
		}
		return said
	}
	for _, uri := range []string{"https://no.test/moved?backchannel", ""} {
		err := n.server.Store.Update(t.Context(), func(tx idp.Tx) error {
			c, err := tx.Client("no")
			c.BackchannelLogoutURI = uri
			if err != nil {
				return err
			}
			return tx.UpdateClient(c)
		})
		if err != nil {
			t.Fatal(err)
		}
		for where, said := range map[string]string{"command": command(), "its JSON": command("--json"), "JSON": n.bearer("GET", "/admin/deliveries/"+id, n.power()).body,
			"page": support.page("/admin/deliveries/" + id).body} {
			if !strings.Contains(said, id) || strings.Contains(said, "backchannel") != (uri != "") || !strings.Contains(said, uri) {
				t.Errorf("%s, to %q: %s", where, uri, said)
			}
		}
	}
}

// power is a token of a machine that may all.
func (n *node) power() string {
	n.t.Helper()
	if n.secrets["power"] == "" {
		return n.machine("power", idp.ScopeAdmin)
	}
	out, _ := n.token("power", url.Values{"grant_type": {"client_credentials"}, "scope": {idp.ScopeAdmin}})
	return out.Access
}
