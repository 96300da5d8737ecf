package rooms_test

import (
	"net/http"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

// Cookies of any size and shape are refused or passed over, never an error of ours.
func TestOddCookies(t *testing.T) {
	n := start(t)
	for name, cookie := range map[string]string{
		"huge":       "exeunt=" + strings.Repeat("x", 30<<10),
		"hundreds":   strings.Repeat("a=b; ", 600) + "exeunt=x",
		"twice":      "exeunt=a; exeunt=b",
		"odd bytes":  "exeunt=\"\xff\xfe\"; exeunt-browser=%00",
		"no value":   "exeunt; exeunt=",
		"just signs": ";;;===,,,",
	} {
		for _, path := range []string{"/session/", "/account", "/login", "/logout", "/csrf_token/"} {
			a := n.person().do("GET", path, "", map[string]string{"Cookie": cookie})
			if a.status >= 500 && a.status != http.StatusHTTPVersionNotSupported {
				t.Errorf("%s at %s: %d %s", name, path, a.status, a.body)
			}
		}
	}
	a := n.person().do("GET", "/session/", "", map[string]string{"Cookie": "exeunt=" + strings.Repeat("x", 60<<10)})
	if a.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("60 KiB of cookies: %d", a.status)
	}
}

// Wrong methods and content types at every protocol endpoint.
func TestWrongMethods(t *testing.T) {
	n := start(t, func(c *config.Config) { c.InitialTokens = []idp.Hash{idp.HashOf(suiteToken)} })
	for path, method := range map[string]string{"/oauth2/token": "GET", "/oauth2/revoke": "GET", "/oauth2/introspect": "GET", "/oauth2/par": "GET", "/oauth2/register": "GET",
		"/oauth2/challenge": "GET", "/customers/me/logout": "GET", "/accounts/logout/": "GET", "/accounts/login/": "GET", "/ledger/beat": "GET",
		"/.well-known/openid-configuration": "POST", "/.well-known/jwks.json": "DELETE", "/session/": "PUT", "/ledger": "POST"} {
		if a := n.person().do(method, path, "", nil); a.status != 405 || a.header.Get("Allow") == "" {
			t.Errorf("%s %s: %d %v", method, path, a.status, a.header)
		}
	}
	for _, path := range []string{"/oauth2/token", "/oauth2/revoke", "/oauth2/introspect", "/oauth2/par", "/oauth2/challenge"} {
		a := n.person().do("POST", path, `{"a":1}`, map[string]string{"Content-Type": "application/json"})
		if a.status != 415 {
			t.Errorf("%s with JSON: %d %s", path, a.status, a.body)
		}
		a = n.person().do("POST", path, strings.Repeat("x", 100<<10), map[string]string{"Content-Type": formType})
		if a.status != 413 {
			t.Errorf("%s, too large: %d %s", path, a.status, a.body)
		}
		a = n.person().do("POST", path, "a=%00%ff", map[string]string{"Content-Type": formType})
		if a.status != 400 {
			t.Errorf("%s, odd bytes: %d %s", path, a.status, a.body)
		}
		a = n.person().do("POST", path, "client_id=books&client_id=books", map[string]string{"Content-Type": formType})
		if a.status != 400 {
			t.Errorf("%s, a parameter twice: %d %s", path, a.status, a.body)
		}
	}
	bearer := map[string]string{"Authorization": "Bearer " + suiteToken, "Content-Type": "application/json"}
	for what, c := range map[string]struct {
		body, kind string
		status     int
	}{
		"a form":      {"redirect_uris=x", formType, 415},
		"no object":   {"[]", "application/json", 400},
		"half":        {`{"redirect_uris":`, "application/json", 400},
		"two of them": {`{} {}`, "application/json", 400},
		"odd bytes":   {"{\"client_name\":\"\xff\"}", "application/json", 400},
		"too large":   {`{"client_name":"` + strings.Repeat("x", 100<<10) + `"}`, "application/json", 413},
	} {
		bearer["Content-Type"] = c.kind
		if a := n.person().do("POST", "/oauth2/register", c.body, bearer); a.status != c.status || strings.Contains(a.body, "goroutine") {
			t.Errorf("register, %s: %d %s", what, a.status, a.body)
		}
	}
}

// A page for people where there is none; what programs get stays what it is.
func TestMissingPage(t *testing.T) {
	n := start(t)
	html := map[string]string{"Accept": "text/html,*/*"}
	if a := n.person().do("GET", "/nothing", "", html); a.status != 404 || !strings.Contains(a.body, "There is no such page") || !strings.Contains(a.body, `href="/account"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := n.person().do("GET", "/nothing", "", map[string]string{"Accept": "text/html", "Accept-Language": "de"}); a.status != 404 || !strings.Contains(a.body, "Diese Seite gibt es nicht") {
		t.Errorf("in German: %d %s", a.status, a.body)
	}
	if a := n.person().do("GET", "/oauth2/token", "", html); a.status != 405 || a.header.Get("Allow") == "" {
		t.Errorf("wrong method: %d %v", a.status, a.header)
	}
	if a := n.person().get("/nothing"); a.status != 404 || strings.Contains(a.body, "<html") {
		t.Errorf("a program: %d %s", a.status, a.body)
	}
	if a := n.person().do("GET", "/account", "", html); a.status != 303 {
		t.Errorf("a page that is there: %d", a.status)
	}
}
