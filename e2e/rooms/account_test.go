package rooms_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

type listed struct {
	Sessions []struct {
		ID      string
		Current bool
		Apps    []struct {
			ClientID string `json:"client_id"`
		}
	}
}

func (n *node) list(a answer) (out listed) {
	n.t.Helper()
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 {
		n.t.Fatalf("%d %s", a.status, a.body)
	}
	return out
}

// R3.3: everywhere by bearer token. An ended token gets 400 here, and 401 elsewhere; a retry with its key gets the same receipt.
func TestEverywhereByBearer(t *testing.T) {
	n := start(t)
	p, q := n.alice(), n.alice()
	one, two := p.enter("books"), q.enter("news")
	const path = "/customers/me/logout"
	first := n.bearer("POST", path, one.Access, "Idempotency-Key", "k1")
	if first.status != 200 || !strings.Contains(first.body, n.at+"/signout/") {
		t.Fatalf("%d %s", first.status, first.body)
	}
	again := n.alice()
	if a := n.bearer("POST", path, one.Access, "Idempotency-Key", "k1"); a.status != 200 || a.body != first.body {
		t.Errorf("the retry: %d %s", a.status, a.body)
	}
	if again.user() != "alice" {
		t.Error("the retry ended a sign-in that was made in between")
	}
	for _, token := range []string{one.Access, two.Access} {
		if a := n.bearer("POST", "/v1"+path, token); a.status != 400 || !strings.Contains(a.body, `"message":"Access Token has been revoked"`) {
			t.Errorf("an ended token: %d %s", a.status, a.body)
		}
		if a := n.bearer("GET", "/oauth2/userInfo", token); a.status != 401 || !strings.Contains(a.header.Get("WWW-Authenticate"), "Access Token has been revoked") {
			t.Errorf("userinfo: %d %q", a.status, a.header.Get("WWW-Authenticate"))
		}
		if a := n.bearer("GET", "/account/sessions", token); a.status != 401 {
			t.Errorf("list: %d", a.status)
		}
	}
	if a := n.bearer("POST", path, two.Access, "Idempotency-Key", "k1"); a.status != 400 {
		t.Errorf("another token with the first one's key: %d", a.status)
	}
	p = n.alice()
	three := p.enter("books")
	for i, want := range []int{200, 400} {
		if a := n.bearer("POST", path, three.Access); a.status != want {
			t.Errorf("call %d without a key: %d, not %d", i+1, a.status, want)
		}
	}
	again = n.alice()
	if a := n.bearer("POST", path, one.Access, "Idempotency-Key", "k1"); a.status != 200 {
		t.Errorf("the retry: %d", a.status)
	}
	if p.user() != "" || q.user() != "" || n.refreshes("books", one) || n.refreshes("news", two) {
		t.Error("something lives on")
	}
	if again.user() != "alice" {
		t.Error("the retry ended the sign-in made in between")
	}
	if a := n.person().do("POST", path, "", nil); a.status != 401 {
		t.Errorf("no token: %d", a.status)
	}
	robot, status := n.token("robot", with(nil, "grant_type", "client_credentials"))
	if status != 200 {
		t.Fatal(status)
	}
	if a := n.bearer("POST", path, robot.Access); a.status != 403 {
		t.Errorf("a machine's token: %d", a.status)
	}
}

// R1.4, R1.6: that one, the others, everywhere, from the page.
func TestAccountPage(t *testing.T) {
	n := start(t)
	p, q, r, bob := n.alice(), n.alice(), n.alice(), n.person()
	bob.signIn("/login", "bob", bobPW)
	mine, theirs := p.enter("books"), q.enter("news")
	all := n.list(p.get("/account/sessions"))
	if len(all.Sessions) != 3 {
		t.Fatalf("%d sessions", len(all.Sessions))
	}
	ref, own := "", ""
	for _, s := range all.Sessions {
		switch {
		case s.Current:
			own = s.ID
		case len(s.Apps) == 1 && s.Apps[0].ClientID == "news":
			ref = s.ID
		}
	}
	page := p.get("/account")
	form := fields(page.body)
	for _, part := range []string{ref, own, "this one", "Apps: Books", "Apps: News"} {
		if part == "" || !strings.Contains(page.body, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	if a := bob.post("/account/sessions/"+ref+"/end", fields(bob.get("/account").body)); a.status != 404 || q.user() != "alice" {
		t.Errorf("bob ends alice's session: %d", a.status)
	}
	for _, path := range []string{"/account/sessions/" + ref + "/end", "/account/sessions/others/end", "/account/sessions/all/end", "/account/signout", "/account/password"} {
		if a := p.post(path, with(form, "csrf", "a")); a.status != 403 {
			t.Errorf("%s with a made-up CSRF token: %d", path, a.status)
		}
	}
	if a := p.post("/account/sessions/"+ref+"/end", form); !strings.HasPrefix(a.location, "/account?done=one&receipt=") || q.user() != "" || n.alive(theirs.Access) {
		t.Errorf("end that one: %d to %q", a.status, a.location)
	}
	if r.user() != "alice" || !n.alive(mine.Access) {
		t.Error("ending that one ended another")
	}
	kept := p.thief()
	if a := p.post("/account/sessions/others/end", form); !strings.HasPrefix(a.location, "/account?done=others&receipt=") || r.user() != "" || p.user() != "alice" {
		t.Errorf("end the others: %d to %q; %q %q", a.status, a.location, r.user(), p.user())
	}
	if kept.user() != "" {
		t.Error("a copy of the acting cookie from before still works")
	}
	if n.alive(mine.Access) || !n.refreshes("books", mine) {
		t.Error("the acting session's app is not renewed by a refresh")
	}
	q = n.alice()
	copyOf := p.thief()
	first := p.post("/account/sessions/all/end", form)
	if !strings.HasPrefix(first.location, "/signout/") || q.user() != "" || p.user() != "" || bob.user() != "bob" {
		t.Errorf("everywhere: %d to %q", first.status, first.location)
	}
	if a := copyOf.post("/account/sessions/all/end", form); a.location != first.location {
		t.Errorf("pressed twice: %q, not %q", a.location, first.location)
	}
	if h := first.header; h.Get("Set-Login") != "logged-out" || p.cookie("exeunt") != "" {
		t.Error("the browser is not told")
	}
}

// R1.5: a password change ends every other session, a stolen cookie with them, and says which.
func TestPasswordChange(t *testing.T) {
	n := start(t)
	p, q := n.alice(), n.alice()
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	for range 2 {
		x := n.person()
		page := x.get("/login")
		x.do("POST", "/login", with(fields(page.body), "username", "alice", "password", alicePW).Encode(),
			map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "same-origin", "User-Agent": firefox})
		if x.user() != "alice" {
			t.Fatal("not signed in")
		}
	}
	left := n.alice()
	left.get("/csrf_token/")
	left.post("/accounts/logout/", with(nil, "csrfmiddlewaretoken", left.cookie("csrftoken"))) // this one is over before
	stolen := p.thief()
	form := fields(p.get("/account").body)
	const next = "a new and longer one"
	if a := p.post("/account/password", with(form, "old", "not the old one", "new", next)); a.status != 403 || q.user() != "alice" {
		t.Errorf("wrong old password: %d", a.status)
	}
	if a := p.post("/account/password", with(form, "old", alicePW, "new", "short")); a.status != 400 || q.user() != "alice" {
		t.Errorf("short password: %d", a.status)
	}
	a := p.post("/account/password", with(form, "old", alicePW, "new", next))
	const said = "Your password is changed. 3 other sessions were ended: Firefox on Linux (2), a Go program."
	if page := p.get(a.location).body; a.status != 303 || !strings.Contains(page, said) {
		t.Errorf("%d to %q: %s", a.status, a.location, page)
	}
	bob := n.person()
	bob.signIn("/login", "bob", bobPW)
	if page := bob.get(a.location).body; strings.Contains(page, "Firefox") || strings.Contains(page, "3 other") {
		t.Error("bob reads of alice's sessions")
	}
	alone := bob.post("/account/password", with(fields(bob.get("/account").body), "old", bobPW, "new", next))
	if page := bob.get(alone.location).body; !strings.Contains(page, "Your password is changed. There were no other sessions.") {
		t.Errorf("bob was alone: %s", page)
	}
	if p.user() != "alice" || q.user() != "" || stolen.user() != "" {
		t.Errorf("%q %q %q", p.user(), q.user(), stolen.user())
	}
	if x := n.person(); x.signIn("/login", "alice", alicePW).status != 403 {
		t.Error("the old password works")
	} else if x.signIn("/login", "alice", next); x.user() != "alice" {
		t.Error("the new password does not work")
	}
}

// The JSON: by cookie with the CSRF header, by bearer with the scope; a repeated call keeps the cookie alive.
func TestSessionsAPI(t *testing.T) {
	n := start(t)
	p, q, r := n.alice(), n.alice(), n.alice()
	own, theirs := p.enter("books"), r.enter("news")
	if a := p.do("DELETE", "/account/sessions?which=others", "", nil); a.status != 403 || q.user() != "alice" {
		t.Errorf("without CSRF header: %d", a.status)
	}
	p.get("/csrf_token/")
	h := map[string]string{"X-Csrftoken": p.cookie("csrftoken"), "Sec-Fetch-Site": "same-origin", "Idempotency-Key": "once"}
	if a := p.do("DELETE", "/account/sessions?which=some", "", h); a.status != 400 {
		t.Errorf("which=some: %d", a.status)
	}
	first := p.do("DELETE", "/account/sessions?which=others", "", h)
	if first.status != 200 || q.user() != "" || r.user() != "" || p.user() != "alice" || n.alive(theirs.Access) {
		t.Errorf("others: %d %s", first.status, first.body)
	}
	if a := p.do("DELETE", "/account/sessions?which=others", "", h); a.status != 200 || a.body != first.body || p.user() != "alice" {
		t.Errorf("repeated: %d %s; %q is signed in", a.status, a.body, p.user())
	}
	q = n.alice()
	own = p.enter("books")
	all := n.list(n.bearer("GET", "/account/sessions", own.Access))
	for _, s := range all.Sessions {
		if s.Current {
			continue
		}
		if a := n.bearer("DELETE", "/account/sessions/"+s.ID, own.Access); a.status != 200 || q.user() != "" || p.user() != "alice" {
			t.Errorf("end one by bearer: %d", a.status)
		}
	}
	if a := n.bearer("DELETE", "/account/sessions/AAAAAAAAAAAAAAAA", own.Access); a.status != 404 {
		t.Errorf("no such session: %d", a.status)
	}
	h["Idempotency-Key"] = "once" // a key is for one kind of act
	if a := p.do("DELETE", "/account/sessions?which=all", "", h); a.status != 200 || p.user() != "" || n.alive(own.Access) {
		t.Errorf("all: %d %s", a.status, a.body)
	}
}

// Where the sign-in is not recent, a dangerous act asks who it is first, and nothing has happened yet. Leaving is never hindered.
func TestRecentSignIn(t *testing.T) {
	n := start(t, func(c *config.Config) { c.Policy.RecentSignIn = time.Nanosecond })
	p, q := n.alice(), n.alice()
	p.agree("third")
	n.alice() // a check of a password is long after, as ledger time goes
	page := p.get("/account")
	if !strings.Contains(page.body, "you will be asked who you are") {
		t.Error("the page does not say so")
	}
	form := fields(page.body)
	for _, l := range n.list(q.get("/account/sessions")).Sessions {
		if !l.Current {
			continue
		}
		for path, back := range map[string]string{"/account/sessions/others/end": "/account", "/account/sessions/" + l.ID + "/end": "/account", "/account/apps/third/withdraw": "/account/apps",
			"/account/close": "/account/close"} {
			if a := p.post(path, with(form, "username", "alice")); a.status != 303 || a.location != "/login?again="+url.QueryEscape(back) || q.user() != "alice" || p.user() != "alice" {
				t.Errorf("%s: %d to %q", path, a.status, a.location)
			}
		}
		p.get("/csrf_token/")
		proof := map[string]string{"X-Csrftoken": p.cookie("csrftoken"), "Sec-Fetch-Site": "same-origin"}
		for _, path := range []string{"/account/sessions?which=others", "/account/sessions?which=all", "/account/sessions/" + l.ID, "/account/apps/third", "/account/authenticator"} {
			if a := p.do("DELETE", path, "", proof); a.status != 403 || !strings.Contains(a.body, `"login_required"`) || q.user() != "alice" || p.user() != "alice" {
				t.Errorf("DELETE %s: %d %s", path, a.status, a.body)
			}
		}
	}
	if a := p.get("/account/apps"); !strings.Contains(a.body, "Third") && a.status == 200 {
		t.Error("access was taken away all the same")
	}
	if a := p.post("/account/signout", form); a.status != 303 || p.user() != "" {
		t.Errorf("leaving: %d", a.status)
	}
}

// The receipt names what ended and no person; apps of the session that lives on are not on it.
func TestReceipt(t *testing.T) {
	n := start(t)
	p := n.alice()
	p.enter("books")
	form := fields(p.get("/account").body)
	program := map[string]string{"Accept": "application/json"}
	p.get("/csrf_token/")
	others := p.do("DELETE", "/account/sessions?which=others", "", map[string]string{"X-Csrftoken": p.cookie("csrftoken"), "Sec-Fetch-Site": "same-origin"})
	var out struct{ Receipt string }
	if err := json.Unmarshal([]byte(others.body), &out); err != nil {
		t.Fatal(err, others.body)
	}
	if a := p.do("GET", out.Receipt, "", program); a.status != 200 || strings.Contains(a.body, "books") {
		t.Errorf("the app that lives on is on the receipt: %d %s", a.status, a.body)
	}
	left := p.post("/account/signout", form)
	a := p.do("GET", left.location, "", program)
	for end := time.Now().Add(time.Minute); strings.Contains(a.body, `"working":true`) && time.Now().Before(end); {
		a = p.do("GET", left.location, "", program)
	}
	if a.status != 200 || !strings.Contains(a.body, `"cannot-be-told"`) || !strings.Contains(a.body, `"books"`) || strings.Contains(a.body, "alice") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if page := p.get(left.location); !strings.Contains(page.body, "You are signed out") || strings.Contains(page.body, "alice") || page.header.Get("Cache-Control") != "no-store" {
		t.Errorf("page: %d", page.status)
	}
	for what, at := range map[string]string{"no such receipt": "/signout/" + idp.NewSecret(16), "another browser's": left.location, "its signed copy": left.location + "/receipt.jwt"} {
		if a := n.person().get(at); a.status != 404 {
			t.Errorf("%s: %d", what, a.status)
		}
	}
}
