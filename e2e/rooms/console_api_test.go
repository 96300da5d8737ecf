package rooms_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

type said = map[string]any

// The JSON API has the console's verbs at the same addresses, for machines with the power; it says which parameter is wrong.
func TestConsole_API(t *testing.T) {
	n := start(t)
	ops := n.machine("ops", idp.ScopeAdmin)
	alice := n.alice()
	sub := string(n.id("alice"))
	get := func(path string) (out said) {
		t.Helper()
		a := n.bearer("GET", path, ops)
		if a.status != 200 || json.Unmarshal([]byte(a.body), &out) != nil {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		return out
	}
	if o := get("/admin"); o["sessions"].(said)["n"].(float64) < 1 || o["sessions"].(said)["counted_at"] != o["as_of"] || len(o["hours"].([]any)) != 24 {
		t.Error(o)
	}
	if l := get("/admin/people?username=al&state=active")["people"].([]any); len(l) != 1 || l[0].(said)["sub"] != sub {
		t.Error(l)
	}
	sheet := get("/admin/people/" + sub)
	ref := sheet["sessions"].([]any)[0].(said)["id"].(string)
	if strings.Contains(alice.cookie("exeunt"), ref) || len(get("/admin/people/" + sub + "/sessions")["sessions"].([]any)) != 1 || get("/admin/people/" + sub + "/sessions/" + ref)["id"] != ref {
		t.Error(sheet)
	}
	why := said{"reason": "by a machine"}
	alive := get("/admin")["sessions"].(said)["n"].(float64)
	if a := n.calls("DELETE", "/admin/people/"+sub+"/sessions/"+ref, ops, why); a.status != 200 || alice.user() != "" || !strings.Contains(a.body, "/signout/") {
		t.Error(a.status, a.body)
	}
	if now := get("/admin")["sessions"].(said)["n"].(float64); now != alive-1 {
		t.Errorf("%v sessions live, and %v when one has ended", alive, now)
	}
	if r := get("/admin/receipts?limit=1")["receipts"].([]any)[0].(said); r["actor"] != "client:ops" || r["reason"] != "by a machine" {
		t.Error(r)
	}
	number := get("/admin/receipts?limit=1")["receipts"].([]any)[0].(said)["number"]
	if number == nil || get("/admin/receipts?sub=" + sub)["receipts"] == nil || get("/admin/keys")["keys"] == nil || get("/admin/operators")["operators"] == nil {
		t.Error("lists")
	}
	if e := get("/admin/events?actor=client%3Aops")["events"].([]any); len(e) != 1 || e[0].(said)["reason"] != "by a machine" {
		t.Error(e)
	}
	made := n.calls("POST", "/admin/apps", ops, said{"reason": "x", "client_id": "shop", "kind": "web", "redirect_uris": []string{"https://shop.test/cb"}, "first_party": true, "backchannel_logout_uri": "https://10.0.0.1/out"})
	var out said
	if made.status != 200 || json.Unmarshal([]byte(made.body), &out) != nil || out["client_secret"] == nil || !strings.Contains(made.body, "allow_networks") || !n.client("shop").FirstParty {
		t.Fatal(made.status, made.body)
	}
	if a := n.calls("POST", "/admin/apps/shop", ops, said{"reason": "x", "name": "The shop", "first_party": false}); a.status != 200 || n.client("shop").Name != "The shop" || n.client("shop").FirstParty {
		t.Error(a.status, a.body)
	}
	if a := n.calls("DELETE", "/admin/apps/shop", ops, why); a.status != 409 || !strings.Contains(a.body, "confirmation_required") || n.client("shop").Deleted {
		t.Error("deleted without the second question:", a.status, a.body)
	}
	if a := n.calls("DELETE", "/admin/apps/shop", ops, said{"reason": "x", "confirm": true}); a.status != 200 || !n.client("shop").Deleted {
		t.Error(a.status, a.body)
	}
	for parameter, c := range map[string]struct {
		method, to string
		body       said
	}{
		"limit":         {"GET", "/admin/people?limit=0", nil},
		"state":         {"GET", "/admin/deliveries?state=nonsense", nil},
		"client_id":     {"GET", "/admin/deliveries?client_id=nobody", nil},
		"after":         {"GET", "/admin/events?after=x", nil},
		"reason":        {"POST", "/admin/people/" + sub + "/end", said{}},
		"overlap":       {"POST", "/admin/apps/books/secret", said{"reason": "x", "overlap": "long"}},
		"redirect_uris": {"POST", "/admin/apps/books", said{"reason": "x", "redirect_uris": []string{}}},
		"nonsense":      {"POST", "/admin/apps/books", said{"reason": "x", "nonsense": "x"}},
		"kind":          {"POST", "/admin/people/" + sub + "/lock", said{"reason": "x", "kind": "x"}},
		"for":           {"POST", "/admin/people/" + sub + "/lock", said{"reason": "x", "for": "12h"}},
		"use":           {"POST", "/admin/keys/rotate", said{"reason": "x", "use": "x"}},
		"knd":           {"POST", "/admin/people/" + sub + "/lock", said{"reason": "x", "knd": "lost-device"}},
	} {
		a := n.calls(c.method, c.to, ops, c.body)
		if a.status != 400 || !strings.Contains(a.body, `"parameter":"`+parameter+`"`) {
			t.Errorf("%s: %d %s", parameter, a.status, a.body)
		}
	}
	if a := n.bearer("GET", "/admin/events?kind=zz", ops); a.status != 400 || !strings.Contains(a.body, "sign-in-failed") {
		t.Error("a kind of event that is none:", a.status, a.body)
	}
	for _, c := range []struct {
		path string
		want int
	}{{"/admin/nothing", 404}, {"/admin/people/nobody", 404}, {"/admin/apps/nobody", 404}, {"/admin/receipts/x", 404}, {"/admin/deliveries/x", 404}} {
		if a := n.bearer("GET", c.path, ops); a.status != c.want || !strings.Contains(a.body, `"error":"not_found"`) {
			t.Errorf("%s: %d %s", c.path, a.status, a.body)
		}
	}
	if a := n.person().page("/admin/nothing"); a.status != 404 || !strings.Contains(a.body, "<h1>") {
		t.Error("a page for people:", a.status, a.body)
	}
	// The same request again finds the first receipt, and ends nothing that was made in between.
	key := map[string]string{"Authorization": "Bearer " + ops, "Content-Type": "application/json", "Idempotency-Key": "k1"}
	n.alice()
	first := n.person().do("POST", "/admin/people/"+sub+"/end", `{"reason":"x"}`, key)
	later := n.alice()
	second := n.person().do("POST", "/admin/people/"+sub+"/end", `{"reason":"x"}`, key)
	if first.status != 200 || first.body != second.body || later.user() == "" {
		t.Error(first.body, second.body)
	}
}

// A key is at most 256 bytes long; with a longer one nothing ends.
func TestIdempotencyKeyIsBounded(t *testing.T) {
	n := start(t)
	ops := n.machine("ops", idp.ScopeAdmin)
	p, other := n.alice(), n.alice()
	p.agree("third")
	p.get("/csrf_token/")
	own := map[string]string{"X-Csrftoken": p.cookie("csrftoken"), "Sec-Fetch-Site": "same-origin"}
	machine := map[string]string{"Authorization": "Bearer " + ops, "Content-Type": "application/json"}
	calls := []struct {
		method, path, body string
		header             map[string]string
	}{
		{"DELETE", "/account/apps/third", "", own},
		{"DELETE", "/account/sessions?which=others", "", own},
		{"DELETE", "/account/sessions?which=all", "", own},
		{"POST", "/admin/people/" + string(n.id("alice")) + "/end", `{"reason":"x"}`, machine},
	}
	try := func(length, want int) {
		t.Helper()
		for _, c := range calls {
			c.header["Idempotency-Key"] = strings.Repeat("x", length)
			if a := p.do(c.method, c.path, c.body, c.header); a.status != want || want == 400 && !strings.Contains(a.body, "Idempotency-Key is too long") {
				t.Errorf("%s %s with a key of %d bytes: %d %s", c.method, c.path, length, a.status, a.body)
			}
		}
	}
	try(257, 400)
	if p.user() == "" || other.user() == "" || !strings.Contains(p.get("/account/apps").body, "third") {
		t.Error("a call that was refused has ended something")
	}
	try(256, 200)
	if p.user() != "" || other.user() != "" {
		t.Error("nothing has ended")
	}
}

// What lives on when a machine's token or client is gone is not a machine's to give: roles, and powers.
func TestAttack_ConsoleMachineKeepsNothing(t *testing.T) {
	n := start(t)
	ops := n.machine("ops", idp.ScopeAdmin)
	n.machine("second", idp.ScopeAdmin)
	n.operator("boss", idp.RoleAdmin)
	for to, body := range map[string]said{
		"/admin/operators":          {"username": "alice", "role": "admin"},
		"/admin/operators/x/remove": {},
		"/admin/apps":               {"client_id": "spare", "kind": "machine", "scopes": []string{idp.ScopeAdmin}},
		"/admin/apps/robot":         {"scopes": []string{idp.ScopeAdmin}},
		"/admin/apps/second/secret": {},
		"/admin/apps/second":        {"name": "x"},
		"/admin/apps/second/enable": {},

		"/admin/apps/second/end":            {"confirm": true},
		"/admin/apps/second/disable":        {"confirm": true},
		"/admin/apps/second/delete":         {"confirm": true},
		"/admin/apps/second/secret/end-old": {},
	} {
		body["reason"] = "x"
		if a := n.calls("POST", to, ops, body); a.status != 403 {
			t.Errorf("%s: %d %s", to, a.status, a.body)
		}
	}
	if err := n.server.Store.Update(t.Context(), func(tx idp.Tx) error {
		c, err := tx.Client("ops")
		if err != nil {
			return err
		}
		c.Scopes = nil
		return tx.UpdateClient(c)
	}); err != nil {
		t.Fatal(err)
	}
	if a := n.bearer("GET", "/admin/people", ops); a.status != 403 {
		t.Error("a power that was taken away:", a.status)
	}
}

// JSON takes no cookies, and pages take no tokens: what another site can send does nothing.
func TestAttack_ConsoleForgery(t *testing.T) {
	n := start(t)
	boss := n.operator("boss", idp.RoleAdmin)
	alice := n.alice()
	sub := string(n.id("alice"))
	csrf := boss.csrf()
	other := n.operator("other", idp.RoleAdmin)
	form := url.Values{"csrf": {csrf}, "reason": {"x"}, "confirm": {"true"}, "client_id": {"evil"}, "kind": {"web"}, "redirect_uris": {"https://evil.test/cb"}, "username": {"alice"}, "role": {"admin"}}
	paths := []string{"/admin/people/" + sub + "/end", "/admin/people/" + sub + "/lock", "/admin/people/" + sub + "/disable", "/admin/people/" + sub + "/delete", "/admin/apps", "/admin/apps/books",
		"/admin/apps/books/secret", "/admin/apps/books/secret/end-old", "/admin/apps/books/end", "/admin/apps/books/disable", "/admin/apps/books/enable", "/admin/apps/books/delete",
		"/admin/deliveries/7.ABCDABCDABCDABCD/resend", "/admin/deliveries/7.ABCDABCDABCDABCD/give-up", "/admin/deliveries/resend", "/admin/revocations/ABCDABCDABCDABCD/resend", "/admin/revocations/ABCDABCDABCDABCD/give-up", "/admin/keys/rotate", "/admin/keys/ABCDABCDABCDABCD/kill", "/admin/operators",
		"/admin/operators/" + sub + "/remove", "/admin/people/" + sub + "/sessions/x/end", "/admin/people/" + sub + "/unlock", "/admin/people/" + sub + "/enable"}
	for _, to := range paths {
		for what, header := range map[string]map[string]string{
			"from another site":           {"Content-Type": formType, "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"},
			"from another origin, no Sec": {"Content-Type": formType, "Origin": "https://evil.test"},
		} {
			if a := boss.do("POST", to, form.Encode(), header); a.status != 403 {
				t.Errorf("%s %s: %d", to, what, a.status)
			}
		}
		if a := boss.post(to, with(form, "csrf", "")); a.status != 403 {
			t.Errorf("%s without proof: %d", to, a.status)
		}
		if a := other.post(to, form); a.status != 403 {
			t.Errorf("%s with the proof of another browser: %d", to, a.status)
		}
		body, _ := json.Marshal(said{"reason": "x", "confirm": true, "username": "alice", "role": "admin"})
		for _, kind := range []string{"application/json", "text/plain"} {
			if a := boss.do("POST", to, string(body), map[string]string{"Content-Type": kind, "Sec-Fetch-Site": "same-origin", "X-CSRFToken": csrf}); a.status != 401 {
				t.Errorf("%s as %s by cookie: %d", to, kind, a.status)
			}
		}
	}
	if alice.user() == "" || n.client("books").Disabled || !n.client("books").OldSecret.IsZero() {
		t.Error("something was done")
	}
	for _, to := range []string{"/admin/people/" + sub, "/admin/apps/books", "/admin/people/" + sub + "/sessions/x"} {
		if a := boss.do("DELETE", to, `{"reason":"x","confirm":true}`, map[string]string{"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin", "X-CSRFToken": csrf}); a.status != 401 {
			t.Errorf("DELETE %s by cookie: %d", to, a.status)
		}
	}
	// A role that somebody writes into the request is none.
	viewer := n.operator("viewer", idp.RoleViewer)
	for _, pairs := range [][]string{{"role", "admin"}, {"duty", "read"}, {"actor", "operator:boss"}} {
		if a := viewer.acts("/admin/people/"+sub+"/end", pairs...); a.status != 403 {
			t.Errorf("%v: %d", pairs, a.status)
		}
	}
	if a := viewer.do("GET", "/admin/people", "", map[string]string{"Accept": "text/html", "X-Role": "admin", "Authorization": "Bearer x"}); a.status != 401 {
		t.Error("a cookie beside a bad token:", a.status)
	}
	// Pages of operators are framed by nobody, kept by nobody, and run nothing.
	h := boss.page("/admin/people/" + sub).header
	if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || strings.Contains(h.Get("Content-Security-Policy"), "unsafe") || h.Get("Cache-Control") != "no-store" {
		t.Error(h)
	}
}

// Where many sessions live, no page waits for their count: page, JSON and the question before a key is killed say that they are being
// counted, and then how many there are, and when that was.
func TestConsole_ManySessions(t *testing.T) {
	n := start(t)
	boss, ops := n.operator("boss", idp.RoleAdmin), n.machine("ops", idp.ScopeAdmin)
	kid := ""
	if err := n.server.Store.Update(t.Context(), func(tx idp.Tx) error {
		a, err := tx.AccountByUsername("boss")
		if err != nil {
			return err
		}
		e, err := tx.Epochs(a.ID, "")
		if err != nil {
			return err
		}
		keys, err := tx.Keys()
		if err != nil {
			return err
		}
		kid = keys[0].Kid.String()
		now, err := tx.Mint()
		for range 1200 {
			if err == nil {
				err = tx.InsertSession(idp.Session{Name: ledger.NewName(), Ref: ledger.NewName().String(), Account: a.ID, Realm: e.Realm, Epoch: e.Account,
					Cookie: idp.HashOf(idp.NewSecret(32)), CreatedAt: now, AuthTime: now, ExpiresAt: now + 3_600_000, Idle: time.Hour})
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if page := boss.page("/admin").body; !strings.Contains(page, "being counted") {
		t.Error(page)
	}
	counted := func() (out struct {
		Sessions *struct {
			N  int64
			At time.Time `json:"counted_at"`
		}
	}) {
		a := n.bearer("GET", "/admin", ops)
		if a.status != 200 || json.Unmarshal([]byte(a.body), &out) != nil {
			t.Fatal(a.status, a.body)
		}
		return out
	}
	until(t, "the sessions are counted", func() bool { return counted().Sessions != nil })
	if s := counted().Sessions; s.N != 1201 || s.At.IsZero() {
		t.Error(s)
	}
	if page := boss.page("/admin").body; !strings.Contains(page, `1201, counted at <time class="clock"`) {
		t.Error(page)
	}
	if ask := boss.acts("/admin/keys/" + kid + "/kill").body; !strings.Contains(ask, `1201 sessions, counted at <time`) {
		t.Error(ask)
	}
	if a := n.calls("POST", "/admin/keys/"+kid+"/kill", ops, said{"reason": "copied"}); a.status != 409 || !strings.Contains(a.body, `"n":1201`) {
		t.Error(a.status, a.body)
	}
}
