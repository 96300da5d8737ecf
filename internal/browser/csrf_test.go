package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/idp"
)

// csrf opens a page in a browser.
func (w *world) csrf(j jar) string {
	out := httptest.NewRecorder()
	token := w.SetCSRF(out, j.request())
	j.keep(out)
	return token
}

// The token is this browser's alone: another's is worth nothing, and neither is one without the browser's id.
func TestCSRF(t *testing.T) {
	w := newWorld(t, issuer)
	mine, theirs := jar{}, jar{}
	token, other := w.csrf(mine), w.csrf(theirs)
	if token == other || mine["csrftoken"].Value != token || w.csrf(mine) != token {
		t.Fatal("the token is not bound to the browser")
	}
	ask := func(j jar, form string, header ...string) error {
		r := j.request()
		for i := 0; i < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		return w.Genuine(r, form)
	}
	noID := jar{"csrftoken": mine["csrftoken"]}
	for name, c := range map[string]struct {
		err error
		ok  bool
	}{
		"in the form":                {ask(mine, token), true},
		"in the header":              {ask(mine, "", "X-CSRFToken", token), true},
		"with our origin":            {ask(mine, token, "Origin", issuer), true},
		"none":                       {ask(mine, ""), false},
		"another browser's":          {ask(mine, other), false},
		"in another browser":         {ask(theirs, token), false},
		"without the browser's id":   {ask(noID, token), false},
		"the cookie alone":           {ask(mine, "", "Cookie", "csrftoken="+token), false},
		"cut short":                  {ask(mine, token[:42]), false},
		"with more behind it":        {ask(mine, token+"A"), false},
		"the form's counts":          {ask(mine, other, "X-CSRFToken", token), false},
		"from another site":          {ask(mine, token, "Sec-Fetch-Site", "cross-site"), false},
		"from another subdomain":     {ask(mine, token, "Sec-Fetch-Site", "same-site"), false},
		"from another origin":        {ask(mine, token, "Origin", "https://evil.example"), false},
		"from http of the same host": {ask(mine, token, "Origin", "http://id.example.com"), false},
		"from a sandbox":             {ask(mine, token, "Origin", "null"), false},
	} {
		if (c.err == nil) != c.ok {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	// An id that somebody else chose is no way to a token: whoever plants it does not know the key.
	elsewhere := browser.New(w.store, w.door, policy(), issuer, browser.Names{}, []byte("another key of thirty-two bytes.."))
	if elsewhere.Genuine(mine.request(), token) == nil {
		t.Error("a token of another key")
	}
	// Leaving voids the forms that were open, and takes the session's cookie away.
	w.signIn(mine, w.proof(w.account("alice")))
	old := mine["__Host-exeunt-browser"].Value
	out := httptest.NewRecorder()
	w.Leave(out, mine.request(), "")
	mine.keep(out)
	if mine["__Host-exeunt"] != nil || mine["csrftoken"] != nil || mine["__Host-exeunt-browser"].Value == old || ask(mine, token) == nil {
		t.Errorf("after leaving: %v", mine)
	}
	if h := out.Header(); h.Get("Set-Login") != "logged-out" || h.Get("Clear-Site-Data") != `"storage"` {
		t.Error(h)
	}
}

// A browser is known to an account that has signed in there, and to no other; what strangers put into the cookie opens
// nothing and is not given back.
func TestKnown(t *testing.T) {
	w := newWorld(t, issuer)
	alice, bob := w.account("alice"), w.account("bob")
	const name = "__Host-exeunt-known"
	j, k := jar{}, jar{}
	if w.Knows(j.request(), alice) != "" {
		t.Error("known before the first sign-in")
	}
	w.signIn(j, w.proof(alice))
	w.signIn(k, w.proof(alice))
	first := w.Knows(j.request(), alice)
	if first == "" || w.Knows(j.request(), bob) != "" || w.Knows(k.request(), alice) == first {
		t.Error("marks are not of one person in one browser")
	}
	if w.signIn(j, w.proof(alice)); w.Knows(j.request(), alice) != first {
		t.Error("each sign-in makes a mark, and so more attempts")
	}
	out := httptest.NewRecorder()
	w.Leave(out, j.request(), "")
	if j.keep(out); w.Knows(j.request(), alice) != first {
		t.Error("forgotten at sign-out")
	}
	elsewhere := browser.New(w.store, w.door, policy(), issuer, browser.Names{}, []byte("another key of thirty-two bytes.."))
	if elsewhere.Knows(j.request(), alice) != "" {
		t.Error("a mark of another key")
	}
	mark := j[name].Value
	for _, forged := range []string{".", "/", mark[:len(mark)-1], mark + "A", strings.Replace(mark, ".", "", 1), "A" + mark[1:], strings.Repeat("/", 5000), strings.Repeat(".", 5000), strings.Repeat("x", 8000)} {
		bad := jar{name: {Name: name, Value: forged}}
		if got := w.Knows(bad.request(), alice); got != "" && forged != mark {
			t.Errorf("%.60q opens: %q", forged, got)
		}
		w.signIn(bad, w.proof(alice))
		if c := bad[name]; w.Knows(bad.request(), alice) == "" || len(c.Value) > 4*61 {
			t.Errorf("%.60q is given back, or spoils the mark: %.80q", forged, c.Value)
		}
	}
	for i := range 6 {
		id := w.account(fmt.Sprint("guest", i))
		if w.signIn(j, w.proof(id)); w.Knows(j.request(), id) == "" {
			t.Error("the newest is not known")
		}
	}
	if w.Knows(j.request(), alice) != "" || len(j[name].Value) > 4*61 {
		t.Errorf("marks without end: %d characters", len(j[name].Value))
	}
}

// What else is in the cookie header is passed over.
func TestOddCookieValues(t *testing.T) {
	w := newWorld(t, issuer)
	for _, value := range []string{"", "short", strings.Repeat("x", 65), strings.Repeat("x", 1<<16)} {
		j := jar{"__Host-exeunt": {Name: "__Host-exeunt", Value: value}, "__Host-exeunt-browser": {Name: "__Host-exeunt-browser", Value: value}}
		w.gone(j, fmt.Sprintf("%.20q", value))
		out := httptest.NewRecorder()
		if w.ID(out, j.request()) == idp.HashOf(value) || len(out.Result().Cookies()) != 1 {
			t.Errorf("%.20q was taken for a browser's id", value)
		}
	}
	r := httptest.NewRequest("GET", issuer, nil)
	r.Header["Cookie"] = []string{strings.Repeat("a=b; ", 1000), "__Host-exeunt=\xff\xfe\x00", http.CanonicalHeaderKey(";;==")}
	if _, err := w.Session(r); err == nil {
		t.Error("signed in by noise")
	}
}
