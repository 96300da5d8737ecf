package rooms_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
)

const wayOut = `action="/account/signout"`

// Every page that somebody sees who is signed in has the way out, whosever page it is; nobody else sees one.
func TestStrip(t *testing.T) {
	n := start(t, func(c *config.Config) { c.Policy.RecentSignIn = time.Millisecond })
	p, q := n.alice(), n.alice()
	page := p.get("/account")
	ended := p.post("/account/sessions/others/end", fields(page.body))
	if ended.location != "/login?again=%2Faccount" {
		t.Fatalf("no step-up: %d %s", ended.status, ended.location)
	}
	third := p.get(p.get(n.authorizeURL("third")).location)
	for what, a := range map[string]answer{
		"account": page, "step-up": p.get(ended.location), "consent": third, "no such page": p.browse("/nowhere"), "a bad request": p.get("/oauth2/authorize?client_id=nobody"),
		"a sign-out that is not right": p.get("/logout?id_token_hint=x"), "forgotten": p.get("/login/forgot"), "locked": p.get("/login/locked"), "a receipt that is not there": p.get("/signout/unknown"),
		"a wrong password at the step-up": p.post("/login", with(fields(p.get(ended.location).body), "password", "wrong", "act", "signin")),
	} {
		if !strings.Contains(a.body, wayOut) || !strings.Contains(a.body, "<span>alice</span>") {
			t.Errorf("%s: no way out for alice: %d %s", what, a.status, a.body)
		}
	}
	// The strip of a page that asks for something else works, too.
	out := q.post("/account/signout", fields(strings.Replace(q.browse("/nowhere").body, "<header", "<main ", 1)))
	if !strings.HasPrefix(out.location, "/signout/") || q.user() != "" {
		t.Fatalf("%d %s", out.status, out.body)
	}
	for what, a := range map[string]answer{"own receipt": q.get(out.location), "sign-in": q.get("/login"), "no such page": q.browse("/nowhere"), "somebody else": n.person().browse("/nowhere")} {
		if strings.Contains(a.body, wayOut) {
			t.Errorf("%s: a way out for nobody", what)
		}
	}
	if a := p.get(out.location); !strings.Contains(a.body, wayOut) || !strings.Contains(a.body, "Receipt of a sign-out") {
		t.Errorf("the receipt, seen from another browser of hers: %s", a.body)
	}
}

// "Sign out?" offers everywhere, too, and goes back where it was asked to.
func TestAskEverywhere(t *testing.T) {
	n := start(t)
	p, q := n.alice(), n.alice()
	bob := n.person()
	bob.signIn("/login", "bob", bobPW)
	books := q.enter("books")
	ask := p.get("/logout?client_id=books&post_logout_redirect_uri=" + url.QueryEscape(booksHome) + "&state=x")
	form := with(fields(ask.body), "act", "everywhere")
	if a := p.post("/logout/confirm", with(form, "csrf", "a")); a.status != http.StatusForbidden || q.user() != "alice" {
		t.Fatalf("forged: %d", a.status)
	}
	if a := p.post("/logout/confirm", form); a.location != booksHome+"&state=x" || p.user() != "" || q.user() != "" || bob.user() != "bob" {
		t.Fatalf("%d %q: %q, %q, %q", a.status, a.location, p.user(), q.user(), bob.user())
	}
	if _, status := q.token("books", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {books.Refresh}}); status != http.StatusBadRequest {
		t.Errorf("a refresh afterwards: %d", status)
	}
	r := n.alice()
	page := r.get("/logout")
	if !strings.Contains(page.body, `value="everywhere"`) || !strings.Contains(page.body, "shared computer") {
		t.Fatal(page.body)
	}
	twice := r.thief()
	first := r.post("/logout/confirm", with(fields(page.body), "act", "everywhere"))
	if again := twice.post("/logout/confirm", with(fields(page.body), "act", "everywhere")); first.location == "" || again.location != first.location {
		t.Errorf("pressed twice: %q, then %q", first.location, again.location)
	}
	if a := r.get(first.location); !strings.Contains(a.body, "All sessions of the account were ended.") {
		t.Error(a.body)
	}
}

// Where no letters are sent, nobody is led to a page that would send one.
func TestForgottenWithoutMail(t *testing.T) {
	link, instead := `href="/login/forgot"`, "The people who run this site can give you a new one."
	if page := start(t).person().get("/login"); strings.Contains(page.body, link) || !strings.Contains(page.body, instead) {
		t.Errorf("without mail: %s", page.body)
	}
	if page := startMailed(t).person().get("/login"); !strings.Contains(page.body, link) || strings.Contains(page.body, instead) {
		t.Errorf("with mail: %s", page.body)
	}
}

// An answer to a form can be had in the other language, too: by a link to where its page is, or, on the account's pages, by the form in the foot.
func TestLanguageOfAnswers(t *testing.T) {
	n := start(t)
	p := n.person()
	page := p.get(p.get(n.authorizeURL("books")).location)
	wrong := p.post("/login", with(fields(page.body), "username", "alice", "password", "wrong", "act", "signin"))
	link := regexpLang.FindStringSubmatch(wrong.body)
	if wrong.status != http.StatusForbidden || link == nil {
		t.Fatalf("%d %s", wrong.status, wrong.body)
	}
	german := p.get(strings.ReplaceAll(link[1], "&amp;", "&"))
	if speaks(t, german) != "de" || fields(german.body).Get("pending") != fields(page.body).Get("pending") {
		t.Errorf("in the other language it is another page: %s", german.body)
	}
	if a := p.post("/login", with(fields(german.body), "username", "alice", "password", alicePW, "act", "signin")); p.user() != "alice" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	bad := p.post("/account/password", with(fields(p.get("/account/password").body), "old", "wrong", "new", "vier Worte ohne Sinn"))
	if !strings.Contains(bad.body, `name="at" value="/account/password"`) || !strings.Contains(bad.body, `value="en"`) {
		t.Errorf("no choice on an answer of the account: %s", bad.body)
	}
}
