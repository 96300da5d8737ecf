package browser

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"exeunt.dev/internal/idp"
)

// The browser's state (OpenID Connect Session Management 1.0 section 3.2) is a random value that changes when somebody signs in or out
// here. Scripts read it, so that it is no session's id, says nothing of the person, and is good for nothing else. A session that ends
// from elsewhere does not change it: the browser is not there.

// StateCookie is the name of the state's cookie, for the page that reads it.
func (b *Browser) StateCookie() string { return b.state }

// SessionState is the session_state that an app at an origin is given: a salted hash of app, origin and state, by which the page
// /oauth2/check_session tells later whether anything has changed. "" if it is off, or the app has no origin.
func (b *Browser) SessionState(w http.ResponseWriter, r *http.Request, client idp.ClientID, origin string) string {
	if !b.ShowsState || origin == "" {
		return ""
	}
	state := value(r, b.state)
	if state == "" {
		state = idp.NewSecret(16)
		// In a frame of another site the browser may have a jar of cookies apart. One that is put there would say "changed" for ever of
		// what was signed in at the top (section 5.1): without a cookie the answer is "error". And a form that another site posts may come
		// without a cookie that is there.
		if to := r.Header.Get("Sec-Fetch-Dest"); r.Method == http.MethodGet && (to == "" || to == "document") {
			b.setState(w, state, b.policy.StayAbsolute)
		}
	}
	salt := idp.NewSecret(12)
	sum := sha256.Sum256([]byte(string(client) + " " + origin + " " + state + " " + salt))
	return base64.RawURLEncoding.EncodeToString(sum[:]) + "." + salt
}

// signedInState changes the state at a sign-in. The same person who signs in again in the same session changes nothing that apps need
// to hear of.
func (b *Browser) signedInState(w http.ResponseWriter, r *http.Request, s *idp.Session, same bool) {
	if !b.ShowsState {
		return
	}
	state := value(r, b.state)
	if state == "" || !same {
		state = idp.NewSecret(16)
	}
	life := b.policy.StayAbsolute
	if !s.Persistent {
		life = 0 // goes with the session's cookie, or it would say that nothing has changed
	}
	b.setState(w, state, life)
}

// setState sets the one cookie that is sent, and read, in frames of other sites. On http there is no such cookie: frames of the same
// site read it only.
func (b *Browser) setState(w http.ResponseWriter, state string, life time.Duration) {
	c := &http.Cookie{Name: b.state, Value: state, Path: "/", Secure: b.secure, SameSite: http.SameSiteLaxMode, MaxAge: int(life.Seconds())}
	if b.secure {
		c.SameSite = http.SameSiteNoneMode
	}
	http.SetCookie(w, c)
}
