package rooms_test

import (
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

// A sign-in that is too old to act is made new by its own person only, and in its own browser only.
func TestAttack_ConsoleStepUpOfSomebodyElse(t *testing.T) {
	n := start(t)
	boss := n.operator("boss", idp.RoleAdmin)
	mallory := idp.Account{Username: "mallory"}
	const hers = "quite another phrase 42"
	if err := n.server.AddAccount(t.Context(), &mallory, hers); err != nil {
		t.Fatal(err)
	}
	n.give(mallory.ID, idp.RoleAdmin)
	alice := n.alice()
	at := "/admin/people/" + string(n.id("alice"))
	csrf := boss.csrf()
	boss.stale()
	refused := func(what string) {
		t.Helper()
		a := boss.post(at+"/end", url.Values{"csrf": {csrf}, "reason": {"x"}, "confirm": {"true"}})
		if a.status == 303 && !strings.HasPrefix(a.location, "/login?again=") || a.status == 200 || alice.user() == "" {
			t.Errorf("%s: %d %s", what, a.status, a.location)
		}
	}
	refused("an old sign-in")
	again := "/login?again=" + url.QueryEscape(at)
	page := boss.get(again)
	// The password of another admin, under either name, is not boss's.
	for _, name := range []string{"mallory", "boss"} {
		if a := boss.post("/login", with(fields(page.body), "username", name, "password", hers, "act", "signin")); a.status == 303 || boss.user() != "boss" {
			t.Errorf("a step-up as %s: %d %s", name, a.status, a.location)
		}
		refused("a step-up as " + name)
	}
	// Boss proves who it is in another browser: this one is as old as it was.
	other := n.person()
	other.signIn("/login", "boss", alicePW)
	if a := other.page(at); strings.Contains(a.body, "too old") {
		t.Error("a new sign-in is too old")
	}
	refused("a step-up in another browser")
	// The step-up form of another browser is of no use in this one.
	mine := other.get("/login?again=" + url.QueryEscape(at))
	boss.post("/login", with(fields(mine.body), "username", "boss", "password", alicePW, "act", "signin"))
	refused("the form of another browser")
	if a := boss.post("/login", with(fields(boss.get(again).body), "username", "boss", "password", alicePW, "act", "signin")); a.status != 303 {
		t.Fatal("boss is refused:", a.status, a.body)
	}
	if a := boss.acts(at + "/end"); a.status != 303 || a.location != at+"?done=ended" || alice.user() != "" {
		t.Error("boss cannot act after the step-up:", a.status, a.location)
	}
}

// A form that is sent twice does once: what has begun in between lives on. A question that somebody else was asked is answered by nobody else.
func TestAttack_ConsoleReplay(t *testing.T) {
	n := start(t)
	boss, support := n.operator("boss", idp.RoleAdmin), n.operator("help", idp.RoleSupport)
	n.alice()
	at := "/admin/people/" + string(n.id("alice")) + "/end"
	form := url.Values{"csrf": {boss.csrf()}, "reason": {"x"}, "nonce": {"one-press"}}
	if a := boss.post(at, form); a.status != 303 {
		t.Fatal(a.status)
	}
	later := n.alice()
	if a := boss.post(at, form); a.status != 303 || later.user() == "" {
		t.Error("sent twice:", a.status)
	}
	if a := boss.post(at, with(form, "nonce", "another")); a.status != 303 || later.user() != "" {
		t.Error("pressed again:", a.status)
	}
	ask := boss.acts("/admin/apps/books/end")
	if ask.status != 200 || !strings.Contains(ask.body, "End all of this app") {
		t.Fatal(ask.status, ask.body)
	}
	answer := fields(ask.body)
	if a := support.post("/admin/apps/books/end", answer); a.status != 403 {
		t.Error("the admin's question, answered in the browser of support:", a.status)
	}
	if a := support.post("/admin/apps/books/end", with(answer, "csrf", support.csrf())); a.status != 403 {
		t.Error("with the proof of that browser:", a.status)
	}
	n.take(n.id("boss"))
	if a := boss.post("/admin/apps/books/end", answer); a.status != 403 {
		t.Error("answered by who is no operator any more:", a.status)
	}
}

// The JSON API is for machines with the power; what people carry opens nothing, whatever role they have.
func TestAttack_ConsolePeoplesTokens(t *testing.T) {
	n := start(t)
	boss := n.operator("boss", idp.RoleAdmin)
	tokens := boss.enter("books")
	alice := n.alice()
	sub := string(n.id("alice"))
	robot := n.machine("idle", "orders:read")
	for what, token := range map[string]string{"an admin's access token": tokens.Access, "an admin's ID token": tokens.ID, "an admin's refresh token": tokens.Refresh, "a machine's without the power": robot, "nothing": ""} {
		for _, c := range []struct{ method, to string }{{"GET", "/admin"}, {"GET", "/admin/people"}, {"GET", "/admin/receipts/export"}, {"POST", "/admin/people/" + sub + "/end"}, {"DELETE", "/admin/people/" + sub},
			{"POST", "/admin/apps"}, {"POST", "/admin/keys/rotate"}, {"POST", "/admin/operators"}, {"POST", "/admin/deliveries/resend"}, {"POST", "/admin/revocations/ABCDABCDABCDABCD/give-up"}} {
			if a := n.calls(c.method, c.to, token, said{"reason": "x", "confirm": true}); a.status != 401 && a.status != 403 {
				t.Errorf("%s: %s %s: %d", what, c.method, c.to, a.status)
			}
		}
	}
	// A form beside a token is a program's, and a form to DELETE is a person's, with the same role and proof.
	viewer := n.operator("viewer", idp.RoleViewer)
	form := url.Values{"csrf": {viewer.csrf()}, "reason": {"x"}, "confirm": {"true"}}.Encode()
	for what, header := range map[string]map[string]string{
		"DELETE by form":     {"Content-Type": formType, "Sec-Fetch-Site": "same-origin"},
		"DELETE, other type": {"Content-Type": "multipart/form-data; boundary=x", "Sec-Fetch-Site": "same-origin"},
		"DELETE and a token": {"Content-Type": formType, "Sec-Fetch-Site": "same-origin", "Authorization": "Bearer " + tokens.Access},
	} {
		if a := viewer.do("DELETE", "/admin/people/"+sub, form, header); a.status < 400 {
			t.Errorf("%s: %d", what, a.status)
		}
	}
	for _, to := range []string{"/admin//people/" + sub + "/end", "/admin/people/" + sub + "/end/", "/Admin/people/" + sub + "/end", "/admin/people/x/../" + sub + "/end", "/admin/people/" + sub + "%2Fend"} {
		if a := viewer.post(to, url.Values{"csrf": {viewer.csrf()}, "reason": {"x"}}); a.status == 200 || a.status == 303 && strings.Contains(a.location, "done=") {
			t.Errorf("%s: %d %s", to, a.status, a.location)
		}
	}
	if alice.user() == "" || n.account(n.id("alice")).State != idp.AccountActive {
		t.Error("something was done")
	}
}
