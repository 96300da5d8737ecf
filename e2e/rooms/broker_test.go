package rooms_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
)

// Sign up, sign in again, into an app that waits, with code, PKCE, nonce and a state of this browser's.
func TestBroker_SignUpAndIn(t *testing.T) {
	b := startBroker(t)
	p := b.person()
	if a := b.newcomer(p, "alice"); a.status != http.StatusConflict || !strings.Contains(a.body, "taken") {
		t.Errorf("alice's username: %d %s", a.status, a.body)
	}
	if a := b.newcomer(p, "carol@corp.example"); a.status != http.StatusBadRequest || !strings.Contains(a.body, "has no @") || p.user() != "" {
		t.Errorf("a mail address that nobody has shown to be theirs: %d %s", a.status, a.body)
	}
	a := b.newcomer(p, "carol")
	if a.status != http.StatusSeeOther || p.user() != "carol" {
		t.Fatalf("%d %q %s", a.status, a.location, a.body)
	}
	q := b.op.Asked[0]
	if q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || len(q.Get("state")) < 43 || q.Get("redirect_uri") != b.at+"/login/hub/callback" || q.Has("prompt") {
		t.Errorf("asked: %v", q)
	}
	all := b.identities("carol")
	if len(all) != 1 || all[0].Subject != "alice-at-op" || all[0].Issuer != b.op.URL || all[0].Mail != "mail@alice.example" || len(all[0].Tokens) == 0 || strings.Contains(string(all[0].Tokens), "secret") {
		t.Errorf("%+v", all)
	}
	other := b.person()
	a = other.through(other.get(b.authorizeURL("books")).location, "hub", "stay", "yes")
	if a = other.get(a.location); !strings.HasPrefix(a.location, "/oauth2/authorize") {
		t.Fatalf("%d %q %s", a.status, a.location, a.body)
	}
	if got := other.redeem("books", other.get(a.location)); other.user() != "carol" || part(t, got.ID, 1)["sub"] != string(all[0].Account) {
		t.Error("somebody else")
	}
}

// Nobody is linked by a mail address, and a provider that takes no newcomers makes no account.
func TestBroker_MailLinksNobody(t *testing.T) {
	b := startBroker(t, func(c *config.Config) { c.Providers[0].SignUp = false })
	err := b.server.Store.Update(t.Context(), func(tx idp.Tx) error {
		a, err := tx.AccountByUsername("alice")
		a.Email, a.EmailVerified = "mail@alice.example", true
		if err == nil {
			err = tx.UpdateAccount(a)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p := b.person()
	if a := p.through("/login", "hub"); a.status != http.StatusForbidden || p.user() != "" || !strings.Contains(a.body, "Nobody here has linked") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestBroker_LinkAndUnlink(t *testing.T) {
	b := startBroker(t)
	elsewhere := b.alice()
	p := b.alice()
	old := p.thief()
	if a := p.link("hub"); a.location != "/account/providers?done=linked" {
		t.Fatalf("%d %q %s", a.status, a.location, a.body)
	}
	if elsewhere.user() != "" || old.user() != "" || p.user() != "alice" {
		t.Error("another way in is a credential changed: all others end")
	}
	if q := b.op.Asked[0]; q.Get("prompt") != "login" {
		t.Errorf("linking does not ask who: %v", q)
	}
	if a := p.link("hub"); a.location != "/account/providers?done=already" || p.user() != "alice" {
		t.Errorf("linked twice: %d %q", a.status, a.location)
	}
	in := b.person()
	if in.through("/login", "hub"); in.user() != "alice" {
		t.Fatal("cannot sign in by what was linked")
	}
	bob := b.person()
	bob.signIn("/login", "bob", bobPW)
	if a := bob.link("hub"); a.status != http.StatusConflict || len(b.identities("bob")) != 0 {
		t.Errorf("another's identity: %d %s", a.status, a.body)
	}
	page := p.get("/account/providers")
	a := p.post("/account/providers/unlink", fields(page.body))
	if a.location != "/account/providers?done=unlinked" || in.user() != "" || p.user() != "alice" || len(b.identities("alice")) != 0 {
		t.Errorf("%d %q", a.status, a.location)
	}
	b.revoked(1)
	if a := in.through("/login", "hub"); in.user() != "" || !strings.HasPrefix(a.location, "/login/hub/signup") {
		t.Error("unlinked, and signs in")
	}
}

// The last way in is not taken away.
func TestBroker_LastWayIn(t *testing.T) {
	b := startBroker(t)
	p := b.person()
	b.newcomer(p, "carol")
	if a := p.post("/account/providers/unlink", fields(p.get("/account/providers").body)); a.status != http.StatusConflict || len(b.identities("carol")) != 1 || p.user() != "carol" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// Ways in are changed by a recent sign-in only, and by a form of ours.
func TestBroker_LinkNeedsProof(t *testing.T) {
	b := startBroker(t, func(c *config.Config) { c.Policy.RecentSignIn = 1 })
	p := b.alice()
	if a := p.post("/account/providers/hub/link", fields(p.get("/account").body)); a.location != "/login?again=%2Faccount%2Fproviders" {
		t.Errorf("not recent: %d %q", a.status, a.location)
	}
	for path, v := range map[string]url.Values{"/account/providers/hub/link": nil, "/account/providers/unlink": {"identity": {"x"}}, "/login/hub": {"csrf": {"made up"}}} {
		if a := p.post(path, v); a.status != http.StatusForbidden {
			t.Errorf("%s without proof: %d", path, a.status)
		}
		a := p.do("POST", path, with(fields(p.get("/account").body), "identity", "x").Encode(), map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})
		if a.status != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, a.status)
		}
	}
	if a := p.get("/login/hub?pending=x"); a.status != http.StatusSeeOther || a.location != "/login?pending=x" {
		t.Errorf("a link begins a trip: %d %q", a.status, a.location)
	}
	if len(b.op.Asked) != 0 {
		t.Error("somebody was sent away")
	}
}

// After a sign-out the next trip asks who; nobody is sent to the only provider by itself.
func TestBroker_NoSilentWayBack(t *testing.T) {
	b := startBroker(t)
	p := b.linked()
	p.post("/account/signout", fields(p.get("/account").body))
	in := b.person()
	in.through("/login", "hub")
	for i, leave := range []func(){
		func() { in.post("/account/signout", fields(in.get("/account").body)) },
		func() { // from another device
			other := b.alice()
			other.post("/account/sessions/all/end", fields(other.get("/account").body))
		},
	} {
		if in.user() != "alice" {
			t.Fatal("not signed in")
		}
		leave()
		if a := in.get(b.authorizeURL("books", "prompt", "none")); !strings.Contains(a.location, "error=login_required") {
			t.Errorf("%d: %q", i, a.location)
		}
		if a := in.follow(in.get(b.authorizeURL("books"))); a.status != http.StatusOK || !strings.Contains(a.body, "Continue with Hub") {
			t.Errorf("%d: nobody is asked: %d %q", i, a.status, a.location)
		}
		in.through("/login", "hub")
		if q := b.op.Asked[len(b.op.Asked)-1]; q.Get("prompt") != "login" {
			t.Errorf("%d: the provider does not ask: %v", i, q)
		}
	}
	again := b.person()
	again.through("/login", "hub")
	if q := b.op.Asked[len(b.op.Asked)-1]; q.Has("prompt") {
		t.Errorf("somebody who has not left is asked: %v", q)
	}
}

// Who must prove it again can do so by an identity of their own only.
func TestBroker_StepUp(t *testing.T) {
	b := startBroker(t)
	p := b.person()
	b.newcomer(p, "carol")
	b.op.Set(func() { b.op.Sub = "somebody-else" })
	other := b.alice()
	if a := other.link("hub"); a.location != "/account/providers?done=linked" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	// carol's step-up by alice's identity renews nothing.
	page := p.get("/account/providers")
	a := p.post("/login/hub", with(fields(page.body), "again", "/account/providers"))
	if a = p.get(p.there(a).location); a.status != http.StatusForbidden || p.user() != "carol" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// The list of sessions, its JSON and the console say through whom somebody came.
func TestBroker_SessionsSayThroughWhom(t *testing.T) {
	b := startBroker(t)
	p := b.linked()
	q := b.person()
	q.through("/login", "hub")
	boss := b.operator("boss", idp.RoleAdmin)
	if page := p.page("/account").body; strings.Count(page, "by password") != 1 || strings.Count(page, "by Hub") != 1 || strings.Contains(page, "another provider") {
		t.Error("the page:", page)
	}
	if a := p.get("/account/sessions"); strings.Count(a.body, `"providers":["Hub"]`) != 1 || strings.Count(a.body, `"providers"`) != 1 {
		t.Error("the JSON:", a.body)
	}
	at := "/admin/people/" + string(b.id("alice"))
	var sheet struct{ Sessions []operate.Session }
	if err := json.Unmarshal([]byte(b.calls("GET", at, b.machine("ops", idp.ScopeAdmin), nil).body), &sheet); err != nil || len(sheet.Sessions) != 2 || strings.Join(sheet.Sessions[0].Providers, " ") != "hub" || sheet.Sessions[1].Providers != nil {
		t.Fatalf("the console's JSON: %+v, %v", sheet, err)
	}
	if page := boss.page(at + "/sessions/" + sheet.Sessions[0].ID).body; !strings.Contains(page, ">hub<") || strings.Contains(page, "another provider") {
		t.Error("the console:", page)
	}
}
