package rooms_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

// web adds a first-party website with an address for frames.
func (n *node) web(id, front string, change ...func(*idp.Client)) {
	n.t.Helper()
	c := idp.Client{ID: idp.ClientID(id), Name: id, Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code"},
		Scopes: []string{"openid", "profile"}, RedirectURIs: []string{"https://" + id + ".test/cb"}, FrontchannelLogoutURI: front}
	for _, f := range change {
		f(&c)
	}
	var err error
	if n.secrets[id], err = n.server.AddClient(n.t.Context(), &c); err != nil {
		n.t.Fatal(err)
	}
}

// asked are the hosts of the frames that a page has.
func asked(t *testing.T, a answer) (out []string) {
	t.Helper()
	for _, f := range frames(t, a.body) {
		u, err := url.Parse(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, u.Host)
	}
	slices.Sort(out)
	return out
}

// Who is asked in the browser: the apps of the session that ended which can be reached in no other way, and whose sign-in lived until then.
func TestFrontChannel(t *testing.T) {
	n := start(t, frontChannel)
	n.web("one", "https://one.test/front?kept=1")
	n.web("two", "https://two.test/front")
	n.web("both", "https://both.test/front", func(c *idp.Client) { c.BackchannelLogoutURI = "https://both.test/back" })
	n.web("pending", "https://pending.test/front")
	n.web("left", "https://left.test/front", func(c *idp.Client) { c.LogoutURIs = []string{"https://left.test/bye"} })
	n.web("ended", "https://ended.test/front")
	// Rows that no registration lets in: they are looked at again where they would go into a page and its policy.
	n.web("evil1", "https://other.test/front")
	n.web("evil2", "https://evil2.test/front", func(c *idp.Client) { c.FrontchannelLogoutURI = "https://evil2.test; script-src *" })
	n.web("evil3", n.at+"/account", func(c *idp.Client) { c.RedirectURIs = append(c.RedirectURIs, n.at+"/cb") })

	elsewhere := n.alice()
	elsewhere.enter("two")
	p := n.alice()
	all := map[string]tokens{}
	for _, id := range []string{"one", "two", "both", "left", "ended", "evil1", "evil2", "evil3", "books"} {
		all[id] = p.enter(id)
	}
	if a := p.get(n.authorizeURL("pending")); !strings.Contains(a.location, "code=") {
		t.Fatal(a.location)
	}
	// Leaving one app asks nobody: it has asked for that itself.
	if a := p.from("https://left.test/x", "/logout?client_id=left&logout_uri=https://left.test/bye"); a.status != http.StatusSeeOther || a.location != "https://left.test/bye" {
		t.Fatalf("%d to %q", a.status, a.location)
	}
	if _, err := n.server.Door().End(t.Context(), idp.EndClient("ended", false), idp.Cause{Kind: idp.CauseClientEnded}); err != nil {
		t.Fatal(err)
	}
	a := p.get(logout("id_token_hint", all["books"].ID, "post_logout_redirect_uri", booksHome))
	if got := asked(t, a); !slices.Equal(got, []string{"one.test", "two.test"}) || a.header.Get("Refresh") != "1; url="+booksHome {
		t.Errorf("asked: %v, then to %q", got, a.header.Get("Refresh"))
	}
	if got := directive(a, "frame-src"); got != "https://one.test https://two.test" && got != "https://two.test https://one.test" {
		t.Errorf("frame-src %s", got)
	}
	for _, f := range frames(t, a.body) {
		u, _ := url.Parse(f)
		id, _, _ := strings.Cut(u.Host, ".")
		want := url.Values{"iss": {n.at}, "sid": {part(t, all[id].ID, 1)["sid"].(string)}}
		if id == "one" {
			want.Set("kept", "1")
		}
		if u.Query().Encode() != want.Encode() {
			t.Errorf("the frame leads to %s", f)
		}
	}
	if p.user() != "" || elsewhere.user() != "alice" {
		t.Error("the wrong browser was signed out")
	}
	// The script that the policy allows is the one in the page.
	_, script, _ := strings.Cut(a.body, "<script>")
	script, _, _ = strings.Cut(script, "</script>")
	sum := sha256.Sum256([]byte(script))
	if got := directive(a, "script-src"); got != "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'" {
		t.Errorf("script-src %s", got)
	}
	// Once more: nobody is signed in, and the browser goes on at once.
	if a := p.get(logout("id_token_hint", all["books"].ID, "post_logout_redirect_uri", booksHome)); a.status != http.StatusSeeOther || a.location != booksHome {
		t.Errorf("%d to %q", a.status, a.location)
	}
}

// Every way out of this browser that shows a page asks; what is no page does not.
func TestFrontChannel_WaysOut(t *testing.T) {
	n := start(t, frontChannel)
	n.web("one", "https://one.test/front")
	press := func(p *person, at, page string) answer {
		_, form, _ := strings.Cut(p.get(page).body, `action="`+at+`"`)
		m := hidden.FindStringSubmatch(form)
		return p.post(at, url.Values{m[1]: {m[2]}})
	}
	for name, c := range map[string]struct {
		leave func(p *person, id string) answer
		asks  bool
	}{
		"only here":  {func(p *person, _ string) answer { return press(p, "/account/signout", "/account") }, true},
		"everywhere": {func(p *person, _ string) answer { return press(p, "/account/sessions/all/end", "/account") }, true},
		"the question": {func(p *person, _ string) answer {
			return p.post("/logout/confirm", with(fields(p.get("/logout").body), "act", "all"))
		}, true},
		"a form of the accounts API": {func(p *person, _ string) answer {
			p.get("/csrf_token/")
			return p.post("/accounts/logout/", url.Values{"csrfmiddlewaretoken": {p.cookie("csrftoken")}})
		}, true},
		"a script of the accounts API": {func(p *person, _ string) answer {
			p.get("/csrf_token/")
			return p.do("POST", "/accounts/logout/", "", map[string]string{"X-CSRFToken": p.cookie("csrftoken"), "Origin": n.at, "Accept": "application/json"})
		}, false},
		"a frame": {func(p *person, id string) answer {
			return p.do("GET", logout("id_token_hint", id), "", map[string]string{"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate"})
		}, false},
		"a script": {func(p *person, id string) answer {
			return p.do("GET", logout("id_token_hint", id), "", map[string]string{"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"})
		}, false},
	} {
		p := n.alice()
		id := p.enter("one").ID
		a := c.leave(p, id)
		if got := asked(t, a); (len(got) == 1) != c.asks || len(got) > 1 {
			t.Errorf("%s: %d, asked %v: %s", name, a.status, got, a.body)
		}
		if p.user() != "" {
			t.Errorf("%s: still signed in", name)
		}
	}
}

// An app that was asked in the browser is still one that cannot be told, for everybody; the browser that signed out reads that it was asked.
func TestFrontChannel_Receipt(t *testing.T) {
	n := start(t, frontChannel)
	n.web("one", "https://one.test/front")
	n.web("none", "")
	p := n.alice()
	p.enter("none")
	a := p.get(logout("id_token_hint", p.enter("one").ID))
	_, at, _ := strings.Cut(a.header.Get("Refresh"), "url=")
	type sheet struct {
		Working bool `json:"working"`
		Owed    int  `json:"owed"`
		Apps    []struct {
			ID    string            `json:"client_id"`
			State idp.DeliveryState `json:"state"`
			Asked bool              `json:"asked_in_browser"`
			Only  bool              `json:"front_channel_only"`
		} `json:"apps"`
	}
	read := func(p *person, at string) (s sheet) {
		t.Helper()
		limit := time.After(2 * time.Minute)
		for s.Working = true; s.Working; {
			select {
			case <-limit:
				t.Fatal("the fan-out does not end")
			default:
			}
			s = sheet{}
			if err := json.Unmarshal([]byte(p.do("GET", at, "", map[string]string{"Accept": "application/json"}).body), &s); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	given := n.server.ReceiptAddress(idp.ReceiptID(strings.TrimPrefix(at, "/signout/")))
	forger := n.person()
	forger.put("exeunt-asked", strings.Repeat("A", 12))
	for name, c := range map[string]struct {
		p     *person
		at    string
		asked bool
	}{"the browser that signed out": {p, at, true}, "a program that has the address": {n.person(), given, false}, "whoever makes the cookie up": {forger, given, false}} {
		s := read(c.p, c.at)
		if len(s.Apps) != 2 || s.Owed != 0 {
			t.Fatalf("%s: %+v", name, s)
		}
		for _, app := range s.Apps {
			if app.State != idp.Unreachable || app.Asked != (c.asked && app.ID == "one") || app.Only != (app.ID == "one") {
				t.Errorf("%s: %+v", name, app)
			}
		}
	}
	if page := n.person().get(given).body; strings.Count(page, "listens in browsers only") != 1 || strings.Count(page, "takes no such messages") != 1 {
		t.Error("another browser:", page)
	}
	if page := p.get(at).body; strings.Count(page, "it was asked in this browser") != 1 || strings.Count(page, "cannot be told") != 2 || strings.Contains(page, "confirmed") {
		t.Error(page)
	}
}

// However many apps there are, the page and its policy stay small enough for every proxy, and the person goes on.
func TestFrontChannel_Many(t *testing.T) {
	n := start(t, frontChannel)
	p := n.alice()
	id := ""
	for i := range 40 {
		name := fmt.Sprintf("app%02d", i)
		n.web(name, "https://"+name+".test/front")
		id = p.enter(name).ID
	}
	a := p.get(logout("id_token_hint", id))
	if got := asked(t, a); len(got) != 32 || len(a.header.Get("Content-Security-Policy")) > 3000 || a.header.Get("Refresh") == "" {
		t.Errorf("%d frames, a policy of %d bytes", len(got), len(a.header.Get("Content-Security-Policy")))
	}
	q := n.alice()
	for i := range 12 {
		name := fmt.Sprintf("long%02d", i)
		origin := "https://" + name + strings.Repeat(".a-label-of-a-long-name", 10) + ".test"
		n.web(name, origin+"/front", func(c *idp.Client) { c.RedirectURIs = append(c.RedirectURIs, origin+"/cb") })
		id = q.enter(name).ID
	}
	a = q.get(logout("id_token_hint", id))
	if got := asked(t, a); len(got) == 0 || len(got) == 12 || len(a.header.Get("Content-Security-Policy")) > 3000 {
		t.Errorf("%d frames, a policy of %d bytes", len(got), len(a.header.Get("Content-Security-Policy")))
	}
}

// Without the setting there is none of it.
func TestFrontChannel_Off(t *testing.T) {
	n := start(t, func(c *config.Config) { c.FrontChannel = false })
	n.web("one", "https://one.test/front")
	p := n.alice()
	id := p.enter("one").ID
	if got := p.cookie("exeunt-state"); got != "" {
		t.Error("a cookie that scripts read:", got)
	}
	if a := p.get(n.authorizeURL("one")); strings.Contains(a.location, "session_state") {
		t.Error(a.location)
	}
	doc := object(t, p.get("/.well-known/openid-configuration"))
	for _, name := range []string{"frontchannel_logout_supported", "frontchannel_logout_session_supported", "check_session_iframe"} {
		if doc[name] != nil {
			t.Errorf("%s: %v", name, doc[name])
		}
	}
	if a := p.get("/oauth2/check_session"); a.status != http.StatusNotFound {
		t.Error(a.status)
	}
	if a := p.get(logout("id_token_hint", id)); a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, "/signout/") {
		t.Errorf("%d to %q", a.status, a.location)
	}
}
