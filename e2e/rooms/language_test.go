package rooms_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

var (
	tongue = regexp.MustCompile(`<html lang="(\w+)">`)
	form   = regexp.MustCompile(`action="/account/language"><input type="hidden" name="csrf" value="([^"]+)">`)
)

// speaks is the language of a page, which its header must say, too.
func speaks(t *testing.T, a answer) string {
	t.Helper()
	m := tongue.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no page: %d %s", a.status, a.body)
	}
	if said := a.header.Get("Content-Language"); said != m[1] {
		t.Errorf("the page is in %s, the header says %s", m[1], said)
	}
	if !strings.Contains(a.header.Get("Vary"), "Accept-Language") {
		t.Errorf("Vary: %s", a.header.Get("Vary"))
	}
	return m[1]
}

// The language of a page: what its request asks by ui_locales, else what a request before it asked, else what the person has chosen, else what
// the browser prefers, else English.
func TestLanguageOfPages(t *testing.T) {
	n := start(t)
	for header, want := range map[string]string{
		"": "en", "de": "de", "de-AT,en;q=0.5": "de", "en;q=0.5,de;q=0.8": "de", "fr,de;q=0.1": "de", "fr": "en", "de;q=0, en;q=0.1": "en", "DE": "de", "*": "en", "de;q=x": "en", ";;,,": "en",
	} {
		if got := speaks(t, n.person().do("GET", "/login", "", map[string]string{"Accept-Language": header})); got != want {
			t.Errorf("Accept-Language %q: %s, want %s", header, got, want)
		}
	}
	for asked, want := range map[string]string{"de": "de", "de-CH fr": "de", "fr de-CH": "de", "fr": "en", "": "en", "../de": "en", strings.Repeat("fr ", 50) + "de": "en"} {
		for what, to := range map[string]string{"authorize": n.authorizeURL("books", "ui_locales", asked), "logout": "/logout?ui_locales=" + url.QueryEscape(asked), "a bad request": "/oauth2/authorize?ui_locales=" + url.QueryEscape(asked)} {
			p := n.person()
			if got := speaks(t, p.follow(p.get(to))); got != want {
				t.Errorf("%s, ui_locales %q: %s, want %s", what, asked, got, want)
			}
		}
	}
}

// An app may ask in each of the ways in which a request comes: what follows is in that language, and the person's own choice outlives it.
func TestUILocales(t *testing.T) {
	n := start(t)
	pushed := func(q url.Values) answer {
		q.Set("client_id", "books")
		a := n.person().do("POST", "/oauth2/par", q.Encode(), map[string]string{"Content-Type": formType, "Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("books:"+n.secrets["books"]))})
		m := regexp.MustCompile(`"request_uri":"([^"]+)"`).FindStringSubmatch(a.body)
		if m == nil {
			t.Fatal(a.status, a.body)
		}
		return answer{location: "/oauth2/authorize?client_id=books&request_uri=" + url.QueryEscape(m[1])}
	}
	query := func() url.Values {
		u, err := url.Parse(n.authorizeURL("books", "ui_locales", "de"))
		if err != nil {
			t.Fatal(err)
		}
		return u.Query()
	}
	for what, ask := range map[string]func(*person) answer{
		"GET":  func(p *person) answer { return p.get("/oauth2/authorize?" + query().Encode()) },
		"POST": func(p *person) answer { return p.post("/oauth2/authorize", query()) },
		"PAR":  func(p *person) answer { return pushed(query()) },
	} {
		p := n.person()
		page := p.follow(ask(p))
		if got := speaks(t, page); got != "de" || !strings.Contains(page.body, "Passwort") {
			t.Errorf("%s: in %s", what, got)
		}
		wrong := p.post("/login", with(fields(page.body), "username", "alice", "password", "wrong", "act", "signin"))
		if got := speaks(t, wrong); got != "de" {
			t.Errorf("%s: the answer is in %s", what, got)
		}
	}
	p := n.alice()
	if got := speaks(t, p.follow(p.post("/logout", url.Values{"ui_locales": {"de"}}))); got != "de" {
		t.Errorf("a posted sign-out asks in %s", got)
	}
	var doc struct {
		Locales []string `json:"ui_locales_supported"`
	}
	if err := json.Unmarshal([]byte(p.get("/.well-known/openid-configuration").body), &doc); err != nil || !slices.Equal(doc.Locales, []string{"en", "de"}) {
		t.Errorf("ui_locales_supported: %v", doc.Locales)
	}
}

// A person chooses on any page; it is kept with the account and in the browser, and nobody else can choose for them.
func TestLanguageChosen(t *testing.T) {
	n := start(t)
	p := n.alice()
	page := p.get("/account/password")
	if got := speaks(t, page); got != "en" {
		t.Fatal(got)
	}
	csrf := form.FindStringSubmatch(page.body)[1]
	kept := func() (lang string) {
		t.Helper()
		err := n.server.Store.View(t.Context(), func(v idp.View) error {
			a, err := v.AccountByUsername("alice")
			if err != nil {
				return err
			}
			lang, err = v.Language(a.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return lang
	}
	for what, form := range map[string]url.Values{
		"without proof":    {"language": {"de"}},
		"another's":        {"language": {"de"}, "csrf": {csrf + "x"}},
		"no such language": {"language": {"xx"}, "csrf": {csrf}},
		"none":             {"csrf": {csrf}},
	} {
		if a := p.post("/account/language", form); a.status < 400 || kept() != "" {
			t.Errorf("%s: %d, kept %q", what, a.status, kept())
		}
	}
	for at, want := range map[string]string{"/account/apps": "/account/apps", "/admin/people": "/admin/people", "https://evil.test/": "/account", "//evil.test/account/": "/account",
		"/account/\\evil": "/account", "/logout": "/account", "": "/account", "/account/x?y": "/account"} {
		if a := p.post("/account/language", url.Values{"csrf": {csrf}, "language": {"de"}, "at": {at}}); a.status != http.StatusSeeOther || a.location != want {
			t.Errorf("at %q: %d to %q", at, a.status, a.location)
		}
	}
	if kept() != "de" || speaks(t, p.get("/account")) != "de" {
		t.Errorf("kept %q, and the page is in %s", kept(), speaks(t, p.get("/account")))
	}
	if got := speaks(t, p.get("/account?ui_locales=en")); got != "en" {
		t.Errorf("asked for English: %s", got)
	}
	csrf = form.FindStringSubmatch(p.get("/account/password").body)[1]
	p.post("/account/language", url.Values{"csrf": {csrf}, "language": {"de"}})
	if got := speaks(t, p.get("/account")); got != "de" {
		t.Errorf("what is chosen goes before what was asked for: %s", got)
	}
	q := n.person() // another browser speaks it from the sign-in on, whatever somebody else has chosen there
	q.put("exeunt-lang", "en")
	q.signIn("/login", "bob", bobPW)
	if got := speaks(t, q.get("/account")); got != "en" {
		t.Errorf("bob has chosen nothing, and reads %s", got)
	}
	q.post("/account/signout", fields(q.get("/account").body))
	q.signIn("/login", "alice", alicePW)
	if got := speaks(t, q.get("/account")); q.user() != "alice" || got != "de" {
		t.Errorf("in another browser alice reads %s", got)
	}
}
