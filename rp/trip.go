package rp

import (
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/oauth2"
)

// trip is what the website remembers of a round trip to a provider.
type trip struct {
	Nonce, Verifier, Return string
	Begun                   time.Time
	Link                    string // the local user to link to; empty for a sign-in
	Session                 Hash   // of that user
}

// login begins a sign-in. It is a GET, so that it can be a link: all it does is send the person to the provider.
func (s *Site) login(w http.ResponseWriter, r *http.Request, u *upstream) {
	back := s.safe(r.URL.Query().Get("return"))
	ask := s.left(r)
	// Who has left is not signed in again without a human act. A provider that cannot be told to ask would let them slip
	// back in, so the act is a click on a page of ours.
	if ask && len(u.p.Ask) == 0 && !s.act(r) {
		s.choice(w, r, back)
		return
	}
	s.depart(w, r, u, trip{Return: back}, ask)
}

// act reports that a click within this website led here.
func (s *Site) act(r *http.Request) bool {
	v, ok := s.cookie(r, cookieBrowser)
	return r.Header.Get("Sec-Fetch-Site") == "same-origin" && r.Header.Get("Sec-Fetch-User") == "?1" ||
		ok && s.vault.proves(r.URL.Query().Get("act"), hashOf(v))
}

func (s *Site) depart(w http.ResponseWriter, r *http.Request, u *upstream, t trip, ask bool) {
	d, err := u.document(r.Context())
	if err != nil {
		s.fail(r.Context(), u.name+": discovery failed", err)
		s.say(w, http.StatusBadGateway, u.p.Title+" does not answer. Please try again in a moment.", s.again(u, t.Return))
		return
	}
	c, err := u.config(d, s.url("callback", u.name))
	if err != nil {
		s.fail(r.Context(), u.name, err)
		s.broken(w, http.StatusInternalServerError)
		return
	}
	state := secret()
	t.Nonce, t.Verifier, t.Begun = secret(), oauth2.GenerateVerifier(), s.now()
	a := Attempt{State: hashOf(state), Browser: s.browser(w, r), Provider: u.name, Expires: s.now().Add(attemptLife)}
	if a.Sealed, err = s.vault.seal(place("attempt", a.State[:]), t); err == nil {
		err = s.store.PutAttempt(r.Context(), a)
	}
	if err != nil {
		s.fail(r.Context(), "a sign-in could not be stored", err)
		s.broken(w, http.StatusServiceUnavailable)
		return
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(t.Verifier)}
	if u.p.OIDC() {
		options = append(options, oauth2.SetAuthURLParam("nonce", t.Nonce))
	}
	for k, v := range u.p.Authorize {
		options = append(options, oauth2.SetAuthURLParam(k, v))
	}
	if ask {
		for k, v := range u.p.Ask {
			options = append(options, oauth2.SetAuthURLParam(k, v))
		}
	}
	http.Redirect(w, r, c.AuthCodeURL(state, options...), http.StatusSeeOther)
}

// safe makes a return address a path of this website, or Home.
func (s *Site) safe(back string) string {
	if p := safePath(back); p != "" {
		return p
	}
	return s.home
}

// safePath gives the path if no browser can read another host into it, else "". Backslashes count as slashes there, and
// tabs and line ends are dropped (WHATWG URL, basic URL parser).
func safePath(p string) string {
	if len(p) == 0 || len(p) > 2000 || p[0] != '/' || len(p) > 1 && p[1] == '/' || strings.ContainsAny(p, "\\") || !clean(p, 2000) {
		return ""
	}
	u, err := url.Parse(p)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return ""
	}
	return p
}

// clean accepts text that every database and every page takes.
func clean(s string, most int) bool {
	return s != "" && len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// goes sends the browser to a path of this website, with the host written out, so that nothing can be read into the path.
func (s *Site) goes(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, s.origin+path, http.StatusSeeOther)
}
