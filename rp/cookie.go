package rp

import (
	"net/http"
	"strings"
	"time"
)

// The three cookies. All are HttpOnly, SameSite=Lax and for the whole host; on https they carry __Host- and Secure, so that
// no neighbour of the domain can plant them. On http loopback browsers would refuse that.
const (
	cookieSession = "session" // the session
	cookieBrowser = "browser" // binds round trips to this browser
	cookieLeft    = "left"    // the person signed out here: nobody is sent to a provider unasked, and it asks who
)

func (s *Site) cookieName(what string) string {
	if s.secure {
		return "__Host-" + s.cookies + "-" + what
	}
	return s.cookies + "-" + what
}

// setCookie sets a cookie; with a zero life it lasts as long as the browser, with a negative one it goes.
func (s *Site) setCookie(w http.ResponseWriter, what, value string, life time.Duration) {
	c := &http.Cookie{Name: s.cookieName(what), Value: value, Path: "/", HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}
	switch {
	case life < 0:
		c.MaxAge = -1
	case life > 0:
		c.MaxAge = max(int(life/time.Second), 1)
	}
	http.SetCookie(w, c)
}

// cookie reads a cookie that is one of ours by its form. A name that comes twice is refused: two owners are at work.
func (s *Site) cookie(r *http.Request, what string) (string, bool) {
	found := r.CookiesNamed(s.cookieName(what))
	if len(found) != 1 || len(found[0].Value) != 43 {
		return "", false
	}
	return found[0].Value, true
}

// sessionHash is the name under which the store has this browser's session; zero if there is no cookie.
func (s *Site) sessionHash(r *http.Request) Hash {
	v, ok := s.cookie(r, cookieSession)
	if !ok {
		return Hash{}
	}
	return hashOf(v)
}

// browser gives the secret that binds round trips to this browser, and sets it if there is none. Several tabs share it.
func (s *Site) browser(w http.ResponseWriter, r *http.Request) Hash {
	v, ok := s.cookie(r, cookieBrowser)
	if !ok {
		v = secret()
	}
	s.setCookie(w, cookieBrowser, v, attemptLife)
	return hashOf(v)
}

// leftLife is how long a browser remembers that the person signed out here.
const leftLife = 30 * 24 * time.Hour

// welcome sets the cookies of somebody who has just signed in.
func (s *Site) welcome(w http.ResponseWriter, session string) {
	life := time.Duration(0)
	if s.persistent {
		life = s.absolute
	}
	s.setCookie(w, cookieSession, session, life)
	s.setCookie(w, cookieLeft, "", -1)
}

// farewell sets the cookies of somebody who has just signed out.
func (s *Site) farewell(w http.ResponseWriter) {
	s.setCookie(w, cookieSession, "", -1)
	s.setCookie(w, cookieLeft, strings.Repeat("1", 43), leftLife)
}

// left reports that somebody signed out in this browser, and nobody has signed in since.
func (s *Site) left(r *http.Request) bool {
	return len(r.CookiesNamed(s.cookieName(cookieLeft))) > 0
}
