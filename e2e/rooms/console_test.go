package rooms_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

// Each role and each verb: allowed, or forbidden and nothing changed.
func TestConsole_RolesAndVerbs(t *testing.T) {
	n := start(t)
	victim := n.operator("victim", "")
	sub := string(n.id("victim"))
	roles := map[string]*person{}
	for _, r := range []idp.Role{"", idp.RoleViewer, idp.RoleSupport, idp.RoleAdmin} {
		roles[string(r)] = n.operator("op-"+string(r)+"x", r)
	}
	for _, path := range []string{"/admin", "/admin/people", "/admin/people/" + sub, "/admin/people/" + sub + "/sessions", "/admin/apps", "/admin/apps/books", "/admin/deliveries", "/admin/revocations", "/admin/receipts",
		"/admin/receipts/export", "/admin/keys", "/admin/events", "/admin/events/export", "/admin/operators"} {
		for role, p := range roles {
			want := 200
			if role == "" {
				want = 403
			}
			if a := p.page(path); a.status != want {
				t.Errorf("%s sees %s: %d, want %d", role, path, a.status, want)
			}
		}
		if a := n.person().page(path); a.status != 303 || !strings.HasPrefix(a.location, "/login?again=") {
			t.Errorf("nobody sees %s: %d %s", path, a.status, a.location)
		}
	}
	// A verb whose thing is not there, or in no state for it, answers so to who may, and 403 to who may not.
	const none = "/admin/deliveries/7.ABCDABCDABCDABCD"
	all := []struct {
		to    string
		least idp.Role
		form  []string
	}{
		{"/admin/people/" + sub + "/sessions/nothing/end", idp.RoleSupport, nil},
		{"/admin/people/" + sub + "/end", idp.RoleSupport, nil},
		{"/admin/people/" + sub + "/unlock", idp.RoleSupport, nil},
		{none + "/resend", idp.RoleSupport, nil},
		{none + "/give-up", idp.RoleSupport, nil},
		{"/admin/revocations/ABCDABCDABCDABCD/resend", idp.RoleSupport, nil},
		{"/admin/revocations/ABCDABCDABCDABCD/give-up", idp.RoleSupport, nil},
		{"/admin/people/" + sub + "/lock", idp.RoleAdmin, nil},
		{"/admin/people/" + sub + "/disable", idp.RoleAdmin, nil},
		{"/admin/people/" + sub + "/enable", idp.RoleAdmin, nil},
		{"/admin/people/" + sub + "/delete", idp.RoleAdmin, nil},
		{"/admin/apps", idp.RoleAdmin, []string{"client_id", "new", "kind", "web", "redirect_uris", "https://new.test/cb"}},
		{"/admin/apps/books", idp.RoleAdmin, []string{"name", "Books"}},
		{"/admin/apps/third/secret", idp.RoleAdmin, nil},
		{"/admin/apps/third/secret/end-old", idp.RoleAdmin, nil},
		{"/admin/apps/third/end", idp.RoleAdmin, nil},
		{"/admin/apps/third/disable", idp.RoleAdmin, nil},
		{"/admin/apps/third/enable", idp.RoleAdmin, nil},
		{"/admin/apps/third/delete", idp.RoleAdmin, nil},
		{"/admin/keys/rotate", idp.RoleAdmin, nil},
		{"/admin/keys/ABCDABCDABCDABCD/kill", idp.RoleAdmin, nil},
		{"/admin/operators", idp.RoleAdmin, []string{"username", "victim", "role", "viewer"}},
		{"/admin/operators/" + sub + "/remove", idp.RoleAdmin, nil},
	}
	order := []idp.Role{"", idp.RoleViewer, idp.RoleSupport, idp.RoleAdmin}
	for _, verb := range all {
		enough := false
		for _, role := range order {
			enough = enough || role == verb.least
			a := roles[string(role)].acts(verb.to, verb.form...)
			if (a.status != 403) != enough {
				t.Errorf("%q at %s: %d", role, verb.to, a.status)
			}
			if !enough && role != "" && (victim.user() == "" || n.account(n.id("victim")).State != idp.AccountActive) && verb.to == all[1].to {
				t.Errorf("%q at %s did it", role, verb.to)
			}
		}
	}
	if n.client("third").Disabled || n.account(idp.AccountID(sub)).State == idp.AccountDeleted {
		t.Error("done without the second question")
	}
}

// What an operator does says who did it and why, in the receipt and in the audit log, and takes hold at once.
func TestConsole_People(t *testing.T) {
	n := start(t)
	boss := n.operator("boss", idp.RoleAdmin)
	alice := n.alice()
	books := alice.enter("books")
	id := n.id("alice")
	at := "/admin/people/" + string(id)
	if a := boss.page("/admin/people?username=ALI"); a.status != 200 || !strings.Contains(a.body, at) || strings.Contains(a.body, ">bob<") {
		t.Error("search:", a.status, a.body)
	}
	page := boss.page(at)
	if page.status != 200 || !strings.Contains(page.body, "books") || !strings.Contains(page.body, at+"/sessions/") {
		t.Fatal(page.status, page.body)
	}
	for what, reason := range map[string]string{"none": "", "spaces": "  ", "two lines": "a\nb", "too long": strings.Repeat("x", 201), "turned around": "a\u202eb"} {
		if a := boss.acts(at+"/end", "reason", reason); a.status != 400 || alice.user() == "" {
			t.Errorf("a reason that is %s: %d", what, a.status)
		}
	}
	if a := boss.acts(at+"/end", "reason", "=1+1 lost <b>phone</b>"); a.status != 303 || a.location != at+"?done=ended" {
		t.Fatal(a.status, a.location, a.body)
	}
	if alice.user() != "" || n.alive(books.Access) {
		t.Error("not ended")
	}
	byBoss := `<a href="/admin/people/` + string(n.id("boss")) + `">boss</a>`
	if all := boss.page("/admin/receipts"); !strings.Contains(all.body, `<a href="`+at+`">alice</a>`) {
		t.Error("the list of receipts does not name her:", all.body)
	}
	if one := boss.page("/admin/receipts?username=Alice"); !strings.Contains(one.body, "lost &lt;b&gt;phone") || !strings.Contains(one.body, "export?sub="+string(id)) {
		t.Error("receipts by username:", one.status, one.body)
	}
	if a := boss.page("/admin/receipts?username=nobody"); a.status != 400 {
		t.Error("receipts of nobody:", a.status)
	}
	list := boss.page("/admin/receipts?sub=" + string(id))
	if !strings.Contains(list.body, byBoss) || !strings.Contains(list.body, "lost &lt;b&gt;phone") || strings.Contains(list.body, "<b>phone") {
		t.Error(list.body)
	}
	log := boss.page("/admin/events?sub=" + string(id))
	if !strings.Contains(log.body, byBoss) || !strings.Contains(log.body, "lost &lt;b&gt;phone") {
		t.Error(log.body)
	}
	for _, step := range []struct {
		verb string
		want int
		then idp.AccountState
	}{{"unlock", 409, idp.AccountActive}, {"lock", 303, idp.AccountLocked}, {"unlock", 303, idp.AccountActive}, {"disable", 303, idp.AccountDisabled}, {"lock", 409, idp.AccountDisabled},
		{"unlock", 409, idp.AccountDisabled}, {"enable", 303, idp.AccountActive}, {"enable", 409, idp.AccountActive}} {
		if a := boss.acts(at + "/" + step.verb); a.status != step.want || n.account(id).State != step.then {
			t.Errorf("%s: %d, then %s; want %d, %s", step.verb, a.status, n.account(id).State, step.want, step.then)
		}
	}
	again := n.alice()
	sheet := boss.page(at).body
	ref := sheet[strings.Index(sheet, at+"/sessions/")+len(at+"/sessions/"):]
	ref = ref[:strings.IndexByte(ref, '"')]
	if a := boss.page(at + "/sessions/" + ref); a.status != 200 || !strings.Contains(a.body, "127.0.0.1") {
		t.Error("its page:", a.status, a.body)
	}
	if a := boss.acts("/admin/people/" + string(n.id("bob")) + "/sessions/" + ref + "/end"); a.status != 404 || again.user() == "" {
		t.Error("a session of somebody else under bob's name:", a.status)
	}
	if a := boss.acts(at + "/sessions/" + ref + "/end"); a.status != 303 || again.user() != "" {
		t.Error("that session:", a.status)
	}
	ask := boss.acts(at + "/delete")
	if ask.status != 200 || n.account(id).State == idp.AccountDeleted || !strings.Contains(ask.body, "cannot be undone") {
		t.Fatal("delete asks:", ask.status, ask.body)
	}
	if a := boss.post(at+"/delete", fields(ask.body)); a.status != 303 || n.account(id).State != idp.AccountDeleted {
		t.Fatal("delete:", a.status, a.body)
	}
	if a := boss.acts(at + "/end"); a.status != 409 {
		t.Error("end of somebody deleted:", a.status)
	}
}

// Roles are read at each request: who loses one has lost it, wherever the page is open. Nobody takes the last admin's.
func TestConsole_Operators(t *testing.T) {
	n := start(t)
	boss, other := n.operator("boss", idp.RoleAdmin), n.operator("other", "")
	id := n.id("other")
	if a := boss.acts("/admin/operators", "username", "other", "role", "king"); a.status != 400 {
		t.Error("a role that is none:", a.status)
	}
	if a := boss.acts("/admin/operators", "username", "nobody", "role", "viewer"); a.status != 400 {
		t.Error("nobody:", a.status)
	}
	if a := boss.acts("/admin/operators", "username", "other", "role", "support"); a.status != 303 || other.page("/admin").status != 200 {
		t.Fatal("given:", a.status)
	}
	if a := other.acts("/admin/operators", "username", "other", "role", "admin"); a.status != 403 {
		t.Error("made himself admin:", a.status)
	}
	alice := n.alice()
	n.take(id)
	if a := other.acts("/admin/people/" + string(n.id("alice")) + "/end"); a.status != 403 || alice.user() == "" {
		t.Error("acted after the role was taken:", a.status)
	}
	if a := other.page("/admin/people"); a.status != 403 {
		t.Error("reads after the role was taken:", a.status)
	}
	mine := string(n.id("boss"))
	for _, to := range []string{"/admin/operators/" + mine + "/remove", "/admin/people/" + mine + "/disable", "/admin/people/" + mine + "/lock"} {
		if a := boss.acts(to); a.status != 409 {
			t.Errorf("%s of the last admin: %d", to, a.status)
		}
	}
	if a := boss.acts("/admin/people/"+mine+"/delete", "confirm", "true"); a.status != 409 {
		t.Error("delete of the last admin:", a.status)
	}
	if a := boss.acts("/admin/operators", "username", "boss", "role", "viewer"); a.status != 409 {
		t.Error("the last admin, made a viewer:", a.status)
	}
	n.give(id, idp.RoleAdmin)
	if a := other.acts("/admin/operators/" + mine + "/remove"); a.status != 303 || boss.page("/admin").status != 403 {
		t.Error("remove one of two:", a.status)
	}
	// A session that has ended is nobody's, with whatever role.
	thief := other.thief()
	if a := other.acts("/admin/people/" + string(id) + "/end"); a.status != 303 {
		t.Fatal(a.status)
	}
	if a := thief.page("/admin"); a.status != 303 {
		t.Error("a stolen cookie after the end:", a.status)
	}
}

// A sign-in that is not recent reads, and acts only after another one, which leads back.
func TestConsole_StepUp(t *testing.T) {
	n := start(t, func(c *config.Config) { c.Policy.RecentSignIn = time.Nanosecond })
	boss := n.operator("boss", idp.RoleAdmin)
	alice := n.alice()
	at := "/admin/people/" + string(n.id("alice"))
	a := boss.page(at)
	if a.status != 200 || !strings.Contains(a.body, "/login?again="+strings.ReplaceAll(url.QueryEscape(at), "&", "&amp;")) {
		t.Fatal(a.status, a.body)
	}
	if a := boss.acts(at + "/end"); a.status != 303 || a.location != "/login?again="+url.QueryEscape(at) || alice.user() == "" {
		t.Error(a.status, a.location)
	}
}

// An app's life: registered, changed, its secret followed by another, disabled, enabled, ended, deleted; and people are counted first.
func TestConsole_Apps(t *testing.T) {
	n := start(t)
	boss := n.operator("boss", idp.RoleAdmin)
	a := boss.acts("/admin/apps", "client_id", "shop", "kind", "web", "name", `<script>alert(1)</script>`, "redirect_uris", "https://shop.test/cb\r\nhttps://shop.test/cb2", "first_party", "true",
		"switches", "first_party offline", "backchannel_logout_uri", "http://127.0.0.1:9/out", "scopes", "openid profile")
	if a.status != 200 || !strings.Contains(a.body, "not be told of sign-outs") || !strings.Contains(a.body, "allow_networks") || strings.Contains(a.body, "<script>alert") {
		t.Fatal(a.status, a.body)
	}
	secret := a.body[strings.Index(a.body, `class="secret">`)+len(`class="secret">`):]
	n.secrets["shop"] = secret[:strings.Index(secret, "<")]
	c := n.client("shop")
	if len(c.RedirectURIs) != 2 || !c.FirstParty || c.Offline || len(c.Scopes) != 2 || !c.BackchannelLogoutSessionRequired {
		t.Errorf("%+v", c)
	}
	for _, path := range []string{"/admin/apps", "/admin/apps/shop"} {
		if page := boss.page(path); page.status != 200 || strings.Contains(page.body, "<script>alert") || !strings.Contains(page.body, "&lt;script&gt;") {
			t.Error(path, page.status)
		}
	}
	if a := boss.acts("/admin/apps", "client_id", "shop", "kind", "web", "redirect_uris", "https://shop.test/cb"); a.status != 400 {
		t.Error("the same id again:", a.status)
	}
	for field, value := range map[string]string{"redirect_uris": "http://shop.test/cb", "kind": "api", "id": "x", "scopes": "exeunt.admin", "registration": "x", "name": "a\u202eb", "backchannel_logout_uri": "javascript:alert(1)"} {
		if a := boss.acts("/admin/apps/shop", field, value); a.status != 400 {
			t.Errorf("%s=%q: %d", field, value, a.status)
		}
	}
	german := boss.do("POST", "/admin/apps/shop", url.Values{"csrf": {boss.csrf()}, "reason": {"x"}, "redirect_uris": {"http://shop.test/<b>"}}.Encode(),
		map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "same-origin", "Accept-Language": "de"})
	if german.status != 400 || !strings.Contains(german.body, "http://shop.test/&lt;b&gt; muss https sein") {
		t.Error("in German:", german.status, german.body)
	}
	if a := boss.acts("/admin/apps/shop", "name", "Shop", "switches", "first_party", "first_party", "true"); a.status != 303 || n.client("shop").Name != "Shop" || len(n.client("shop").RedirectURIs) != 2 {
		t.Error("changed:", a.status, a.body)
	}
	alice := n.alice()
	was := n.secrets["shop"]
	tokens := alice.enter("shop")
	rotated := boss.acts("/admin/apps/shop/secret", "overlap", "24h0m0s")
	next := rotated.body[strings.Index(rotated.body, `class="secret">`)+len(`class="secret">`):]
	next = next[:strings.Index(next, "<")]
	for what, s := range map[string]string{"the new secret": next, "the old one": was} {
		if n.secrets["shop"] = s; !n.refreshesInto("shop", &tokens) {
			t.Error(what, "is refused")
		}
	}
	if a := boss.acts("/admin/apps/shop/secret"); a.status != 409 {
		t.Error("a third secret:", a.status)
	}
	if a := boss.acts("/admin/apps/shop/secret/end-old"); a.status != 303 {
		t.Error(a.status)
	}
	if n.secrets["shop"] = was; n.refreshesInto("shop", &tokens) {
		t.Error("the old secret still works")
	}
	if n.secrets["shop"] = next; !n.refreshesInto("shop", &tokens) {
		t.Error("the new one does not")
	}
	for _, step := range []struct {
		verb     string
		disabled bool
	}{{"end", false}, {"disable", true}} {
		tokens := alice.enter("shop")
		ask := boss.acts("/admin/apps/shop/" + step.verb)
		if ask.status != 200 || !strings.Contains(ask.body, "one person") || !n.alive(tokens.Access) {
			t.Fatalf("%s asks: %d %s", step.verb, ask.status, ask.body)
		}
		if a := boss.post("/admin/apps/shop/"+step.verb, fields(ask.body)); a.status != 303 || n.alive(tokens.Access) || n.client("shop").Disabled != step.disabled {
			t.Errorf("%s: %d", step.verb, a.status)
		}
	}
	if a := alice.get(n.authorizeURL("shop")); strings.Contains(a.location, "code=") {
		t.Error("a disabled app signs in")
	}
	if a := boss.acts("/admin/apps/shop/enable"); a.status != 303 {
		t.Error(a.status)
	}
	if alice.enter("shop"); n.client("shop").Disabled {
		t.Error("not enabled")
	}
	if a := boss.acts("/admin/apps/shop/delete", "confirm", "true"); a.status != 303 || !n.client("shop").Deleted {
		t.Error(a.status)
	}
	if a := boss.acts("/admin/apps/shop/enable"); a.status != 409 {
		t.Error("enabled after it was deleted:", a.status)
	}
	if page := boss.page("/admin/apps"); strings.Contains(page.body, "/admin/apps/shop") {
		t.Error("a deleted app is listed")
	}
}

// refreshesInto refreshes and keeps what came of it.
func (n *node) refreshesInto(app string, t *tokens) bool {
	n.t.Helper()
	out, status := n.token(app, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.Refresh}})
	if status == 200 {
		*t = out
	}
	return status == 200
}

// Keys: rotating ends nothing, killing asks first.
func TestConsole_Keys(t *testing.T) {
	n := start(t)
	boss := n.operator("boss", idp.RoleAdmin)
	tokens := n.alice().enter("books")
	if a := boss.acts("/admin/keys/rotate", "use", "all"); a.status != 303 || !n.alive(tokens.Access) {
		t.Fatal(a.status, a.body)
	}
	if a := boss.acts("/admin/keys/rotate", "use", "id"); a.status != 409 || !strings.Contains(a.body, "five minutes") {
		t.Error("again, before apps can have the next key:", a.status, a.body)
	}
	kid := fmt.Sprint(head(t, tokens.Access)["kid"])
	ask := boss.acts("/admin/keys/" + kid + "/kill")
	if ask.status != 200 || !strings.Contains(ask.body, "sessions") || !n.alive(tokens.Access) {
		t.Fatal(ask.status, ask.body)
	}
	if a := boss.post("/admin/keys/"+kid+"/kill", fields(ask.body)); a.status != 303 || n.alive(tokens.Access) {
		t.Error(a.status, a.body)
	}
	if page := boss.page("/admin/keys"); !strings.Contains(page.body, "killed") {
		t.Error(page.body)
	}
}

func head(t *testing.T, jwt string) map[string]any { t.Helper(); return part(t, jwt, 0) }

// Exports are lines of JSON, whatever people have written into them.
func TestConsole_Exports(t *testing.T) {
	n := start(t)
	boss := n.operator("boss", idp.RoleAdmin)
	at := "/admin/people/" + string(n.id("alice"))
	for _, reason := range []string{"=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", `","x`} {
		if n.alice(); boss.acts(at+"/end", "reason", reason).status != 303 {
			t.Fatal(reason)
		}
	}
	for _, path := range []string{"/admin/receipts/export", "/admin/events/export"} {
		a := boss.page(path)
		if a.header.Get("Content-Type") != "application/x-ndjson" || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
			t.Error(path, a.header)
		}
		found := 0
		for line := range strings.Lines(a.body) {
			var one struct{ Reason, Actor string }
			if line[0] != '{' || json.Unmarshal([]byte(line), &one) != nil {
				t.Errorf("%s: %q", path, line)
			}
			if one.Reason == "=HYPERLINK(1)" && strings.HasPrefix(one.Actor, "operator:boss/") {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s: the act is there %d times", path, found)
		}
	}
}
