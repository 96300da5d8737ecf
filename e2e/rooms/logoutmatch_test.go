package rooms_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

// An address is compared octet by octet in every branch: with a hint and a session, with a hint and nobody signed in, with
// client_id alone. Whatever a browser or a parser would take for the same place is another one here.
func TestLogout_AddressesToTheLetter(t *testing.T) {
	n := start(t)
	const registered = "https://match.test:8443/left/here?shop=1&lang=%C3%A9"
	app := idp.Client{ID: "match", Name: "Match", Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code"}, Scopes: []string{"openid"},
		RedirectURIs: []string{"https://match.test/cb"}, PostLogoutURIs: []string{registered, "https://plain.test/"}, LogoutURIs: []string{"https://match.test/app-only"}}
	var err error
	if n.secrets["match"], err = n.server.AddClient(t.Context(), &app); err != nil {
		t.Fatal(err)
	}
	p := n.alice()
	own := p.enter("match")
	swap := func(old, new string) string { return strings.Replace(registered, old, new, 1) }
	for name, uri := range map[string]string{
		"scheme":                        swap("https", "http"),
		"scheme in capitals":            swap("https", "HTTPS"),
		"host in capitals":              swap("match.test", "Match.test"),
		"a dot behind the host":         swap("match.test", "match.test."),
		"host in front":                 swap("match.test", "match.test.evil.test"),
		"host behind":                   swap("match.test", "evil-match.test"),
		"another port":                  swap(":8443", ":8444"),
		"no port":                       swap(":8443", ""),
		"the default port":              "https://plain.test:443/",
		"no slash at the end":           "https://plain.test",
		"two slashes":                   "https://plain.test//",
		"user":                          swap("://", "://match.test@"),
		"user and password":             swap("://", "://a:b@"),
		"the host as user":              "https://match.test:8443@evil.test/left/here?shop=1&lang=%C3%A9",
		"path in capitals":              swap("/left", "/Left"),
		"a slash at the path's end":     swap("/here", "/here/"),
		"a longer path":                 swap("/here", "/here/after"),
		"a shorter path":                swap("/here", ""),
		"a dot segment":                 swap("/left/", "/left/./"),
		"up and down":                   swap("/left/", "/left/x/../"),
		"a backslash":                   swap("/left/", `/left\`),
		"an encoded letter":             swap("/left", "/%6Ceft"),
		"an encoding in small letters":  swap("%C3%A9", "%c3%a9"),
		"decoded":                       swap("%C3%A9", "é"),
		"no query":                      swap("?shop=1&lang=%C3%A9", ""),
		"more query":                    registered + "&foo=bar",
		"the other order":               swap("shop=1&lang=%C3%A9", "lang=%C3%A9&shop=1"),
		"a fragment":                    registered + "#x",
		"an empty fragment":             registered + "#",
		"a fragment in the plain one":   "https://plain.test/#",
		"an empty query":                "https://plain.test/?",
		"spaces around":                 " " + registered + " ",
		"a line's end":                  registered + "\n",
		"a header behind":               registered + "\r\nX-Evil: 1",
		"no scheme":                     swap("https:", ""),
		"script":                        "javascript:alert(1)//" + registered,
		"data":                          "data:text/html,x",
		"two in one":                    registered + "," + "https://plain.test/",
		"where the sign-in comes back":  "https://match.test/cb",
		"where leaving this app leads":  "https://match.test/app-only",
		"another app's":                 booksHome,
		"ours":                          n.at + "/login",
		"a path":                        "/left/here",
		"longer than a browser's limit": registered + "&x=" + strings.Repeat("y", 20_000),
	} {
		for branch, v := range map[string]url.Values{
			"own hint":           {"id_token_hint": {own.ID}},
			"hint and client_id": {"id_token_hint": {own.ID}, "client_id": {"match"}},
			"client_id":          {"client_id": {"match"}},
		} {
			v = with(v, "post_logout_redirect_uri", uri, "state", "x")
			for who, b := range map[string]*person{"alice": p, "nobody": n.person()} {
				a := b.follow(b.post("/logout", v))
				if a.status != http.StatusBadRequest || a.location != "" || a.header.Get("Refresh") != "" || strings.Contains(a.body, "evil") {
					t.Errorf("%s, %s, %s: %d to %q", name, branch, who, a.status, a.location)
				}
			}
		}
	}
	if p.user() != "alice" || !n.alive(own.Access) {
		t.Error("a request that was refused has ended something")
	}
	if a := p.get(logout("id_token_hint", own.ID, "post_logout_redirect_uri", registered)); a.location != registered || p.user() != "" {
		t.Errorf("the registered one: %d to %q", a.status, a.location)
	}
}

// logout_hint and ui_locales are taken (RP-Initiated Logout 1.0 section 2) and change nothing: neither says who is here.
func TestLogout_HintAndLocales(t *testing.T) {
	n := start(t)
	more := []string{"logout_hint", "alice", "ui_locales", "de-CH fr", "unknown", "x"}
	p := n.alice()
	own := p.enter("books")
	for _, v := range [][]string{more, append([]string{"post_logout_redirect_uri", booksHome}, more...), append([]string{"client_id", "books"}, more...)} {
		if a := p.get(logout(v...)); a.status != 200 || !strings.Contains(a.body, "<strong>alice</strong>") || p.user() != "alice" {
			t.Errorf("%v: %d to %q", v, a.status, a.location)
		}
	}
	stranger := with(nil, append([]string{"id_token_hint", own.ID, "post_logout_redirect_uri", booksHome}, more...)...)
	stranger.Set("logout_hint", "bob")
	if a := p.get("/logout?" + stranger.Encode()); a.location != booksHome || p.user() != "" {
		t.Errorf("with a hint that is valid: %d to %q", a.status, a.location)
	}
	p = n.alice()
	own = p.enter("books")
	v := with(nil, append([]string{"id_token_hint", own.ID, "post_logout_redirect_uri", booksHome, "state", "s"}, more...)...)
	a := p.post("/logout", v)
	if a = p.get(a.location); a.location != booksHome+"&state=s" || p.user() != "" {
		t.Errorf("by POST: %d to %q", a.status, a.location)
	}
}
