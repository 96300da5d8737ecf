package rooms_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// stateIn is the session_state of an answer.
func stateIn(t *testing.T, a answer) string {
	t.Helper()
	if a.status == http.StatusOK { // form_post
		return fields(a.body).Get("session_state")
	}
	u, err := url.Parse(a.location)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("session_state")
}

// fits says what the frame says (Session Management 1.0 section 3.2), seen from a page of the origin.
func (p *person) fits(client, origin, state string) bool {
	sum, salt, _ := strings.Cut(state, ".")
	want := sha256.Sum256([]byte(client + " " + origin + " " + p.cookie(p.stateCookie()) + " " + salt))
	return sum == base64.RawURLEncoding.EncodeToString(want[:])
}

func (p *person) stateCookie() string {
	if p.secure != nil {
		return "__Host-exeunt-state"
	}
	return "exeunt-state"
}

// Every answer to an app, good or bad, has a session_state that fits until somebody signs in or out in this browser, and no other one.
func TestSessionState(t *testing.T) {
	n := startTLS(t, frontChannel)
	p := n.person()
	const origin = "https://books.test"
	none := stateIn(t, p.get(n.authorizeURL("books", "prompt", "none")))
	if !p.fits("books", origin, none) || stateIn(t, p.get(n.authorizeURL("books", "prompt", "none"))) == none {
		t.Errorf("nobody signed in: %q", none)
	}
	p.signIn("/login", "alice", alicePW)
	if p.fits("books", origin, none) {
		t.Error("a sign-in changes nothing")
	}
	for name, to := range map[string]string{
		"a code":        n.authorizeURL("books"),
		"a form":        n.authorizeURL("books", "response_mode", "form_post"),
		"a bad request": n.authorizeURL("books", "response_type", "token"),
		"consent":       n.authorizeURL("third", "prompt", "none"),
	} {
		state := stateIn(t, p.get(to))
		client, from := "books", origin
		if name == "consent" {
			client, from = "third", "https://third.test"
		}
		if !p.fits(client, from, state) || strings.Contains(state, " ") || len(state) < 50 {
			t.Errorf("%s: %q", name, state)
		}
		if p.fits("news", from, state) || p.fits(client, "https://news.test", state) {
			t.Errorf("%s: it fits another app, too", name)
		}
	}
	mine := stateIn(t, p.get(n.authorizeURL("books")))
	// The same person proves who they are again: apps need not hear of it.
	p.signIn(p.get(n.authorizeURL("books", "prompt", "login")).location, "alice", alicePW)
	if !p.fits("books", origin, mine) {
		t.Error("a second sign-in of the same person in the same session changes it")
	}
	p.signIn(p.get(n.authorizeURL("books", "prompt", "login")).location, "bob", bobPW)
	if p.user() != "bob" || p.fits("books", origin, mine) {
		t.Error("somebody else is here, and it has not changed")
	}
	mine = stateIn(t, p.get(n.authorizeURL("books")))
	p.post("/logout/confirm", with(fields(p.get("/logout").body), "act", "all"))
	if p.user() != "" || p.fits("books", origin, mine) || p.cookie(p.stateCookie()) == "" {
		t.Error("after the sign-out it fits, or the frame cannot know")
	}
}

// The cookie that scripts read is random, is no session's and no person's, and is not set in frames of others, where browsers may keep a
// jar apart: it would say "changed" there for ever.
func TestSessionState_Cookie(t *testing.T) {
	n := startTLS(t, frontChannel)
	set := func(a answer) *http.Cookie {
		for _, c := range (&http.Response{Header: a.header}).Cookies() {
			if c.Name == "__Host-exeunt-state" {
				return c
			}
		}
		return nil
	}
	frame := map[string]string{"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
	p := n.person()
	framed := p.do("GET", n.authorizeURL("books", "prompt", "none"), "", frame)
	if set(framed) != nil || stateIn(t, framed) == "" {
		t.Errorf("in a frame: %v", framed.header)
	}
	_, form, _ := strings.Cut(n.authorizeURL("books", "prompt", "none"), "?")
	if posted := p.do("POST", "/oauth2/authorize", form, map[string]string{"Content-Type": formType, "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"}); set(posted) != nil || !strings.HasPrefix(posted.location, "/oauth2/authorize?posted=") {
		t.Errorf("posted by another site: %v", posted.header)
	}
	c := set(p.get(n.authorizeURL("books", "prompt", "none")))
	if c == nil || c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteNoneMode || c.Path != "/" || c.Domain != "" || len(c.Value) < 22 {
		t.Fatalf("%+v", c)
	}
	a := p.signIn("/login", "alice", alicePW)
	in := set(a)
	if in == nil || in.Value == c.Value || in.MaxAge != 0 { // it goes with the session's cookie, when the browser is closed
		t.Fatalf("%+v", in)
	}
	if p.cookie("__Host-exeunt") == "" || strings.Contains(p.cookie("__Host-exeunt"), in.Value) {
		t.Error("it is the session's")
	}
	q := n.person()
	q.put("__Host-exeunt-state", in.Value)
	if q.user() != "" {
		t.Error("it signs somebody in")
	}
	if set(p.get("/account")) != nil || set(p.get(n.authorizeURL("books"))) != nil {
		t.Error("it is set again and again")
	}
	// What somebody planted is taken only if it could be ours, and is gone at the next sign-in.
	q.put("__Host-exeunt-state", "x")
	if c := set(q.get(n.authorizeURL("books", "prompt", "none"))); c == nil {
		t.Error("a planted value is taken")
	}
}
