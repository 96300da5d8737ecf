package rooms_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var regexpLang = regexp.MustCompile(`<a href="([^"]+ui_locales=de[^"]*)" lang="de"`)

// fromElsewhere sends what another site's page makes a browser POST to us: without our Lax cookies.
func (n *node) fromElsewhere(to string, form url.Values) answer {
	n.t.Helper()
	return n.person().do("POST", to, form.Encode(), map[string]string{"Content-Type": formType, "Origin": "https://books.test", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
}

// An authorization request that another site's page has POSTed is decided at a GET, where the browser's cookies are, and voids no form that is
// open there.
func TestPostedAuthorize(t *testing.T) {
	n := start(t)
	p := n.person()
	open := p.get("/login")
	u, err := url.Parse(n.authorizeURL("books"))
	if err != nil {
		t.Fatal(err)
	}
	post := func(q url.Values) string {
		t.Helper()
		a := n.fromElsewhere("/oauth2/authorize", q)
		if a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, "/oauth2/authorize?posted=") || len(a.header["Set-Cookie"]) != 0 {
			t.Fatalf("%d %q %q", a.status, a.location, a.header["Set-Cookie"])
		}
		return a.location
	}
	at := post(u.Query())
	a := p.get(at)
	if !strings.HasPrefix(a.location, "/login?pending=") {
		t.Fatalf("%d %q %s", a.status, a.location, a.body)
	}
	p.post("/login", with(fields(open.body), "username", "alice", "password", alicePW, "act", "signin"))
	if p.user() != "alice" {
		t.Error("the form that was open does nothing any more")
	}
	if other := n.person().get(a.location); other.status != http.StatusBadRequest {
		t.Errorf("what waits is another browser's, too: %d", other.status)
	}
	p.redeem("books", p.get(at)) // she is signed in: seen at the GET
	if got := p.get(post(with(u.Query(), "redirect_uri", "https://evil.test/cb"))); got.status != http.StatusBadRequest || got.location != "" {
		t.Errorf("an address that is not registered: %d %q", got.status, got.location)
	}
	if got := p.get(post(with(u.Query(), "prompt", "none", "max_age", "x"))); !strings.HasPrefix(got.location, "https://books.test/cb?error=") {
		t.Errorf("a bad request goes back to the app: %d %q", got.status, got.location)
	}
	logout := n.fromElsewhere("/logout", url.Values{"state": {"x"}})
	_, id, _ := strings.Cut(logout.location, "=")
	for _, made := range []string{"", "x", id, strings.TrimPrefix(a.location, "/login?pending=")} {
		if got := p.get("/oauth2/authorize?posted=" + made); got.status != http.StatusBadRequest {
			t.Errorf("%q is no posted request: %d", made, got.status)
		}
	}
	if got := p.get(strings.Replace(at, "/oauth2/authorize?posted=", "/logout?pending=", 1)); got.status != http.StatusBadRequest {
		t.Errorf("a posted request is no sign-out: %d", got.status)
	}
	if got := n.fromElsewhere("/oauth2/authorize", with(u.Query(), "state", strings.Repeat("x", 20_000))); got.status != http.StatusBadRequest {
		t.Errorf("too long: %d", got.status)
	}
}

// Nothing that another site makes a browser POST here gives it a new id: the forms that are open in it stay good.
func TestPostsFromElsewhereVoidNothing(t *testing.T) {
	n := startBroker(t)
	for _, to := range []string{"/oauth2/authorize", "/logout", "/logout/confirm", "/login", "/login/passkey", "/login/forgot", "/login/reset", "/login/lock", "/login/hub", "/login/hub/callback",
		"/login/hub/signup", "/login/hub/logout", "/accounts/login/", "/accounts/logout/", "/account/signout", "/account/sessions/all/end", "/account/password", "/account/lock", "/account/language",
		"/account/passkeys/challenge", "/account/providers/hub/link", "/account/providers/unlink", "/signout/x/offline", "/signout/x/providers/hub/leave", "/admin/people/x/lock"} {
		a := n.fromElsewhere(to, url.Values{"csrf": {"x"}, "csrfmiddlewaretoken": {"x"}, "state": {"x"}, "username": {"alice"}, "password": {alicePW}})
		for _, c := range a.header["Set-Cookie"] {
			if strings.Contains(c, "exeunt-browser=") || strings.HasPrefix(c, "exeunt=") {
				t.Errorf("%s: %d with %s", to, a.status, c)
			}
		}
	}
}
