package rp

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"exeunt.dev/internal/upstream"
)

// trip is what the website remembers of a round trip to a provider.
type trip struct {
	upstream.Trip
	Return  string
	Begun   time.Time
	Ask     upstream.Ask
	Link    string // the local user to link to; empty for a sign-in
	Session Hash   // of that user
}

// login begins a sign-in. It is a GET, so that it can be a link: all it does is send the person to the provider. With again=1
// the provider is told to ask for a proof.
func (s *Site) login(w http.ResponseWriter, r *http.Request, u *upstream.Upstream) {
	t := trip{Return: s.safe(r.URL.Query().Get("return"))}
	left := s.left(r)
	switch {
	case r.URL.Query().Get("again") != "":
		t.Ask = upstream.Proof
	case left:
		t.Ask = upstream.Who
	}
	if !s.act(r) {
		in, err := s.signedIn(r)
		if err != nil {
			s.fail(r.Context(), "a session could not be read", err)
			s.broken(w, http.StatusServiceUnavailable)
			return
		}
		// Who has left is not signed in again without a human act. A provider that cannot be told to ask would let them slip
		// back in, so the act is a click on a page of ours. And who is signed in stays so until they click: another site's link
		// would replace the session by that of whoever the provider has in this browser.
		if in || left && len(u.P.Ask) == 0 {
			s.choice(w, r, t.Return, t.Ask == upstream.Proof)
			return
		}
	}
	s.depart(w, r, u, t)
}

// act reports that a click within this website led here.
func (s *Site) act(r *http.Request) bool {
	v, ok := s.cookie(r, cookieBrowser)
	return r.Header.Get("Sec-Fetch-Site") == "same-origin" && r.Header.Get("Sec-Fetch-User") == "?1" ||
		ok && s.vault.proves(r.URL.Query().Get("act"), hashOf(v))
}

func (s *Site) depart(w http.ResponseWriter, r *http.Request, u *upstream.Upstream, t trip) {
	state := secret()
	to, on, err := u.Begin(r.Context(), s.url("callback", u.Name), state, t.Ask)
	if err != nil {
		s.fail(r.Context(), u.Name+": discovery failed", err)
		s.say(w, http.StatusBadGateway, u.P.Title+" does not answer. Please try again in a moment.", s.again(u, t.Return))
		return
	}
	t.Trip, t.Begun = on, s.now()
	a := Attempt{State: hashOf(state), Browser: s.browser(w, r), Provider: u.Name, Expires: s.now().Add(attemptLife)}
	if a.Sealed, err = s.vault.seal(place("attempt", a.State[:]), t); err == nil {
		err = s.begin(r.Context(), a)
	}
	if err != nil {
		s.fail(r.Context(), "a sign-in could not be stored", err)
		s.broken(w, http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// begin stores a round trip. The oldest make room: who is on the way took a minute ago, and who fills the table would have to do
// so within that minute, again and again, to be in anybody's way.
func (s *Site) begin(ctx context.Context, a Attempt) error {
	if s.begun.Add(1)%trimEvery == 1 {
		if err := s.store.TrimAttempts(ctx, mostTrips); err != nil {
			return err
		}
	}
	return s.store.PutAttempt(ctx, a)
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
	if len(p) == 0 || len(p) > 2000 || p[0] != '/' || len(p) > 1 && p[1] == '/' || strings.ContainsAny(p, "\\ ") || !upstream.Clean(p, 2000) {
		return ""
	}
	u, err := url.Parse(p)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return ""
	}
	return p
}

// goes sends the browser to a path of this website, with the host written out, so that nothing can be read into the path.
func (s *Site) goes(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, s.origin+path, http.StatusSeeOther)
}
