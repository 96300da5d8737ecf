package rooms_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

// An authenticator app: it counts once a code was right, ends what is elsewhere, and is asked for from then on.
func TestAuthenticatorApp(t *testing.T) {
	n := start(t)
	p, elsewhere := n.alice(), n.alice()
	kept := p.thief()
	offer := p.post("/account/authenticator/offer", fields(p.get("/account/authenticator").body)).location
	form := fields(p.get(offer).body)
	if a := p.post("/account/authenticator/confirm", with(form, "code", "000000")); a.status != 403 || !strings.Contains(a.body, "not right") || !strings.Contains(a.body, "data:image/png") {
		t.Errorf("a wrong first code: %d", a.status)
	}
	if n.alice().user() != "alice" {
		t.Error("an app counts before its first code was right")
	}
	if a := elsewhere.get(offer); strings.Contains(a.body, "data:image/png") {
		t.Error("another browser sees the key")
	}
	app := p.setUp()
	if p.user() != "alice" || elsewhere.user() != "" || kept.user() != "" {
		t.Errorf("here %q, elsewhere %q, the old cookie %q", p.user(), elsewhere.user(), kept.user())
	}
	if a := p.get(offer); strings.Contains(a.body, "data:image/png") {
		t.Error("an offer outlives a change of credentials")
	}
	if page := p.get("/account/authenticator").body; !strings.Contains(page, "It is on") || !strings.Contains(page, "left: 10") || strings.Contains(page, app.secret) {
		t.Error("the page does not say that it is on, or shows the key again")
	}

	q := n.person()
	step := q.first("/login")
	if q.user() != "" {
		t.Fatal("signed in with one factor of two")
	}
	if a := q.second(step, app.shown); a.status != 403 || q.user() != "" { // it was taken when the app was set up
		t.Errorf("a replayed code: %d", a.status)
	}
	app.later()
	if a := q.second(step, app.code()); a.status != 303 || a.location != "/login" || q.user() != "alice" {
		t.Fatalf("a right code: %d %s", a.status, a.location)
	}
	id := part(t, q.enter("books").ID, 1)
	if fmt.Sprint(id["amr"]) != "[pwd otp mfa]" {
		t.Errorf("amr is %v", id["amr"])
	}
	if a := n.person().second(step, app.codes[0]); a.status == 303 && strings.Contains(a.location, "account") {
		t.Error("a finished step goes on")
	}

	again := n.person()
	step = again.first("/login")
	if a := again.second(step, strings.ToUpper(strings.ReplaceAll(app.codes[3], "-", " "))); a.status != 303 || again.user() != "alice" {
		t.Errorf("a recovery code: %d %s", a.status, a.body)
	}
	third := n.person()
	if a := third.second(third.first("/login"), app.codes[3]); a.status != 403 || third.user() != "" {
		t.Errorf("a recovery code a second time: %d", a.status)
	}
	if a := p.do("GET", "/account/recovery", "", map[string]string{"Accept": "application/json"}); strings.TrimSpace(a.body) != `{"left":9}` {
		t.Errorf("%s", a.body)
	}
	fresh := p.post("/account/recovery", fields(p.get("/account/recovery").body))
	if got := appCode.FindAllStringSubmatch(fresh.body, -1); len(got) != 10 || got[0][1] == app.codes[0] || again.user() != "" || p.user() != "alice" {
		t.Errorf("new codes: %d of them, %q elsewhere", len(got), again.user())
	}
	if a := third.second(third.first("/login"), app.codes[4]); a.status != 403 {
		t.Errorf("an old set's code: %d", a.status)
	}
	if a := p.post("/account/authenticator/remove", fields(p.get("/account/authenticator").body)); !strings.Contains(a.location, "done=removed") {
		t.Errorf("remove: %d %s", a.status, a.body)
	}
	if page := p.get("/account/recovery").body; !strings.Contains(page, "None yet") {
		t.Error("recovery codes outlive the app that they stand in for")
	}
	if n.alice().user() != "alice" {
		t.Error("the password is not enough, although the app is gone")
	}
}

// Whoever has the password does not get round the second factor.
func TestSecondFactorAttacks(t *testing.T) {
	n := start(t)
	p := n.alice()
	app := p.setUp()
	half := func() (*person, string) { q := n.person(); return q, q.first("/login") }

	t.Run("another browser's", func(t *testing.T) {
		_, step := half()
		app.later()
		other := n.person()
		form := with(fields(other.get("/login").body), "step", mustParse(t, step).Query().Get("step"), "code", app.code(), "act", "code")
		if a := other.post("/login", form); other.user() != "" || a.status == 303 {
			t.Errorf("%d %s", a.status, a.location)
		}
		app.later()
		own := other.first("/login") // the app's code was not used up by that
		if a := other.second(own, app.code()); a.status != 303 || other.user() != "alice" {
			t.Errorf("%d", a.status)
		}
	})
	t.Run("skipped", func(t *testing.T) {
		q := n.person()
		pending := q.get(n.authorizeURL("books")).location
		step := q.first(pending)
		for _, at := range []string{strings.Replace(pending, "/login?", "/oauth2/authorize?", 1), strings.Replace(step, "/login?", "/oauth2/authorize?", 1), n.authorizeURL("books")} {
			if a := q.get(at); !strings.HasPrefix(a.location, "/login?") {
				t.Errorf("%s leads to %d %s", at, a.status, a.location)
			}
		}
		if a := q.get(n.authorizeURL("books", "prompt", "none")); !strings.Contains(a.location, "error=login_required") {
			t.Errorf("prompt=none: %s", a.location)
		}
		if a := q.post("/login", with(fields(q.get(pending).body), "act", "continue", "shown", string(n.id("alice")))); strings.HasPrefix(a.location, "https:") || q.user() != "" {
			t.Errorf("continue: %d %s", a.status, a.location)
		}
		// The step is no request, and no ticket for anything else.
		if a := q.get("/oauth2/authorize?pending=" + mustParse(t, step).Query().Get("step")); a.status != 400 {
			t.Errorf("the step as a request: %d %s", a.status, a.location)
		}
		if a := q.get("/login?step=" + mustParse(t, pending).Query().Get("pending")); strings.Contains(a.body, "Second step") {
			t.Error("a request as a step")
		}
		app.later()
		if a := q.follow(q.second(step, app.code())); !strings.HasPrefix(a.location, "https://books.test/cb?") {
			t.Errorf("and then rightly: %d %s", a.status, a.location)
		}
	})
	t.Run("guessing", func(t *testing.T) {
		q, step := half()
		for i := range 4 {
			if a := q.second(step, fmt.Sprintf("%06d", i)); a.status != 403 || !strings.Contains(a.body, "Second step") {
				t.Fatalf("guess %d: %d", i, a.status)
			}
		}
		if a := q.second(step, "000009"); a.status != 403 || !strings.Contains(a.body, "from the beginning") {
			t.Errorf("the fifth: %d", a.status)
		}
		app.later()
		if a := q.post("/login", with(fields(q.get(step).body), "step", mustParse(t, step).Query().Get("step"), "code", app.code(), "act", "code")); q.user() != "" {
			t.Errorf("the sixth is right, and goes on: %d", a.status)
		}
		q, step = half()
		limited := 0
		for i := range 8 {
			if i == 4 {
				step = q.first("/login")
			}
			a := q.second(step, fmt.Sprintf("%06d", i))
			if a.status == 429 && a.header.Get("Retry-After") != "" {
				limited++
			}
		}
		if limited == 0 {
			t.Error("guesses at an account are not limited")
		}
		known := p.thief() // the owner's browser has turns of its own
		known.put("exeunt", "")
		app.later()
		if a := known.second(known.first("/login"), app.code()); a.status != 303 || known.user() != "alice" {
			t.Errorf("the owner waits for the thief of the password: %d", a.status)
		}
	})
}

// A half-finished sign-in dies with what it was begun under.
func TestHalfSignInDies(t *testing.T) {
	for what, end := range map[string]func(p *person){
		"a new password": func(p *person) {
			if a := p.post("/account/password", with(fields(p.get("/account").body), "old", alicePW, "new", "something longer and new")); a.status != 303 {
				t.Fatal("password:", a.status)
			}
		},
		"everywhere": func(p *person) { p.post("/account/sessions/all/end", fields(p.get("/account").body)) },
		"lock": func(p *person) {
			cause := idp.Cause{Kind: idp.CauseLock, Actor: idp.ActorOperator("test")}
			if _, err := p.server.Door().End(t.Context(), idp.EndAccount(p.id("alice"), idp.AccountLocked), cause); err != nil {
				t.Fatal(err)
			}
		},
		"new recovery codes": func(p *person) { p.post("/account/recovery", fields(p.get("/account/recovery").body)) },
	} {
		t.Run(what, func(t *testing.T) {
			n := start(t)
			p := n.alice()
			app := p.setUp()
			q := n.person()
			step := q.first("/login")
			form := with(fields(q.get(step).body), "code", app.codes[0], "act", "code")
			end(p)
			if a := q.post("/login", form); a.status == 303 || q.user() != "" {
				t.Errorf("it goes on: %d %s", a.status, a.location)
			}
		})
	}
}

// The accounts API says what is missing, after the right password only, and takes the code with it.
func TestSecondFactorAtTheAPI(t *testing.T) {
	n := start(t)
	app := n.alice().setUp()
	p := n.person()
	login := func(password, code string) (answer, map[string]any) {
		p.get("/csrf_token/")
		body, _ := json.Marshal(map[string]string{"username": "alice", "password": password, "otp": code})
		a := p.do("POST", "/accounts/login/", string(body), map[string]string{"Content-Type": "application/json", "X-Csrftoken": p.cookie("csrftoken"), "Origin": n.at})
		out := map[string]any{}
		if err := json.Unmarshal([]byte(a.body), &out); err != nil {
			t.Fatal(a.body)
		}
		return a, out
	}
	if a, out := login("wrong wrong wrong", app.code()); a.status != 403 || out["error"] != nil || strings.Contains(a.body, "factor") {
		t.Errorf("a wrong password: %d %s", a.status, a.body)
	}
	if a, out := login(alicePW, ""); a.status != 403 || out["error"] != "mfa_required" || p.user() != "" {
		t.Errorf("no code: %d %s", a.status, a.body)
	}
	if a, out := login(alicePW, "123123"); a.status != 403 || out["error"] != "invalid_otp" || p.user() != "" {
		t.Errorf("a wrong code: %d %s", a.status, a.body)
	}
	app.later()
	if a, out := login(alicePW, app.code()); a.status != 200 || out["success"] != 1.0 || p.user() != "alice" {
		t.Errorf("a right code: %d %s", a.status, a.body)
	}
}

// The authorization challenge endpoint asks for the code in a second request, of the same app.
func TestSecondFactorAtTheChallenge(t *testing.T) {
	n := start(t)
	app := n.alice().setUp()
	ask := func(client string, pairs ...string) (answer, map[string]any) {
		v := with(url.Values{"redirect_uri": {"https://" + client + ".test/cb"}, "scope": {"openid"}, "code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
			"client_id": {client}, "client_secret": {n.secrets[client]}}, pairs...)
		a := n.person().do("POST", "/oauth2/challenge", v.Encode(), map[string]string{"Content-Type": formType})
		return a, object(t, a)
	}
	_, wrong := ask("books", "username", "alice", "password", "wrong wrong wrong")
	if wrong["error"] != "access_denied" {
		t.Errorf("a wrong password: %v", wrong)
	}
	a, out := ask("books", "username", "alice", "password", alicePW)
	session, _ := out["auth_session"].(string)
	if a.status != 400 || out["error"] != "insufficient_authorization" || session == "" || out["authorization_code"] != nil {
		t.Fatalf("one factor: %d %v", a.status, out)
	}
	app.later()
	if _, out := ask("news", "auth_session", session, "otp", app.code()); out["error"] != "invalid_session" {
		t.Errorf("another app's: %v", out)
	}
	if _, out := ask("books", "auth_session", session, "otp", "000000"); out["error"] != "insufficient_authorization" || out["auth_session"] != session {
		t.Errorf("a wrong code: %v", out)
	}
	_, out = ask("books", "auth_session", session, "otp", app.code())
	code, _ := out["authorization_code"].(string)
	got, status := n.token("books", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://books.test/cb"}, "code_verifier": {verifier}})
	if status != 200 || fmt.Sprint(part(t, got.ID, 1)["amr"]) != "[pwd otp mfa]" {
		t.Errorf("both factors: %d %v", status, out)
	}
	if _, out := ask("books", "auth_session", session, "otp", app.codes[0]); out["error"] != "invalid_session" {
		t.Errorf("a finished one: %v", out)
	}
	if _, out := ask("books", "username", "alice", "password", alicePW, "otp", app.codes[1]); out["authorization_code"] == nil {
		t.Errorf("both at once: %v", out)
	}
	_, out = ask("books", "username", "alice", "password", alicePW)
	if _, err := n.server.Door().End(t.Context(), idp.EndClient("books", false), idp.Cause{Kind: idp.CauseClientEnded, Actor: idp.ActorOperator("test")}); err != nil {
		t.Fatal(err)
	}
	if _, out := ask("books", "auth_session", out["auth_session"].(string), "otp", app.codes[2]); out["error"] != "invalid_session" {
		t.Errorf("what waited when the app was ended: %v", out)
	}
}

// Step-up: who is signed in proves it again, in the same session, and comes back to a page of ours.
func TestStepUp(t *testing.T) {
	n := start(t)
	p := n.alice()
	access := p.enter("books").Access
	const at = "/login?again=%2Faccount%2Fauthenticator"
	if a := p.get(at); a.location != "/account/authenticator" {
		t.Errorf("a recent sign-in: %d %s", a.status, a.location)
	}
	p.stale()
	old := p.cookie("exeunt")
	a := p.post("/account/authenticator/offer", fields(p.get("/account/authenticator").body))
	if a.location != at {
		t.Fatalf("no step-up: %d %s", a.status, a.location)
	}
	page := p.get(at)
	if !strings.Contains(page.body, `value="alice" required readonly`) {
		t.Error("the username is not fixed")
	}
	form := fields(page.body)
	if a := p.post("/login", with(form, "username", "bob", "password", bobPW, "act", "signin")); a.status != 403 || p.user() != "alice" {
		t.Errorf("somebody else: %d, %s", a.status, p.user())
	}
	a = p.post("/login", with(form, "username", "bob", "password", alicePW, "act", "signin"))
	if a.location != at || p.get(at).location != "/account/authenticator" || p.user() != "alice" || p.cookie("exeunt") == old || !n.alive(access) {
		t.Errorf("%d %s, %s", a.status, a.location, p.user())
	}
	app := p.setUp()
	p.stale()
	a = p.post("/login", with(fields(p.get(at).body), "password", alicePW, "act", "signin"))
	if p.get(at).status != 200 {
		t.Error("recent by one factor of two")
	}
	app.later()
	if a = p.second(a.location, app.code()); a.location != at || p.get(at).location != "/account/authenticator" {
		t.Errorf("%d %s", a.status, a.location)
	}
	for _, path := range []string{"https://evil.test/account", "//evil.test/account", "/\\evil.test/account", "/account\\..\\x", "/account/../login", "/account/%2e%2e/logout", "/accounting",
		"/account//evil", "/login", "account", "javascript:alert(1)//account", "/account#x", "/account\r\nx", "/admin.evil", "/account/%5cx", "/account/%2f%2fevil"} {
		if a := p.get("/login?again=" + url.QueryEscape(path)); a.status != 400 || a.location != "" {
			t.Errorf("back to %q: %d %s", path, a.status, a.location)
		}
	}
	for _, path := range []string{"/account", "/admin", "/admin/people?after=x&q=%20y", "/account/sessions"} {
		if a := p.get("/login?again=" + url.QueryEscape(path)); a.location != path {
			t.Errorf("back to %q: %d %s", path, a.status, a.location)
		}
	}
	q := n.person() // nobody is signed in: a plain sign-in
	if a := q.second(q.first(at), app.codes[0]); q.follow(a).status != 200 || q.user() != "alice" {
		t.Errorf("a plain sign-in first: %d %s", a.status, a.location)
	}
}

// No bearer token shows or changes factors, and scripts need the token against forgery and a recent sign-in.
func TestFactorsJSON(t *testing.T) {
	n := start(t)
	p := n.alice()
	access := p.enter("books").Access
	p.setUp()
	access2 := p.enter("books").Access
	for _, path := range []string{"/account/authenticator", "/account/recovery"} {
		if a := n.bearer("GET", path, access2); a.status != 403 {
			t.Errorf("%s by a bearer token: %d", path, a.status)
		}
		if a := n.person().do("GET", path, "", map[string]string{"Accept": "application/json"}); a.status != 401 {
			t.Errorf("%s by nobody: %d", path, a.status)
		}
	}
	remove := func(header ...string) answer {
		h := map[string]string{"Sec-Fetch-Site": "same-origin", "Accept": "application/json"}
		for i := 0; i < len(header); i += 2 {
			h[header[i]] = header[i+1]
		}
		return p.do("DELETE", "/account/authenticator", "", h)
	}
	p.get("/csrf_token/")
	if a := n.bearer("DELETE", "/account/authenticator", access); a.status != 403 {
		t.Errorf("removed by a bearer token: %d", a.status)
	}
	if a := remove(); a.status != 403 {
		t.Errorf("removed without the token: %d", a.status)
	}
	p.stale()
	if a := remove("X-Csrftoken", p.cookie("csrftoken")); a.status != 403 || !strings.Contains(a.body, "login_required") {
		t.Errorf("removed by an old sign-in: %d %s", a.status, a.body)
	}
	if a := p.do("GET", "/account/authenticator", "", map[string]string{"Accept": "application/json"}); object(t, a)["on"] != true {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func mustParse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A code is taken once, however many come with it at the same moment; so is the answer to a passkey's challenge.
func TestTakenOnce(t *testing.T) {
	n := startNamed(t)
	owner, key := n.enrolled()
	app := owner.setUp()
	together := func(what string, tries []func() bool) {
		t.Helper()
		won := make(chan bool)
		for _, try := range tries {
			go func() { won <- try() }()
		}
		taken := 0
		for range tries {
			if <-won {
				taken++
			}
		}
		if taken != 1 {
			t.Errorf("%s: taken %d times", what, taken)
		}
	}
	app.later()
	now := app.code()
	for what, code := range map[string]string{"the app's code": now, "a recovery code": app.codes[0]} {
		var tries []func() bool
		for range 6 {
			q := n.person()
			at := q.first("/login")
			form := with(fields(q.get(at).body), "code", code, "act", "code")
			tries = append(tries, func() bool { return q.post("/login", form).status == 303 })
		}
		together(what, tries)
	}
	q := n.person()
	key.count++
	c := q.asks("/login", "/login/passkey")
	form := with(fields(q.get("/login").body), "act", "passkey", "ceremony", c.Ceremony, "credential", key.get(c))
	var tries []func() bool
	for range 4 {
		tries = append(tries, func() bool { return q.thief().post("/login", form).status == 303 })
	}
	together("a passkey's answer", tries)
}
