package rp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"exeunt.dev/internal/upstream"
)

// callback receives the provider's answer. The attempt is of this browser, of this provider and redeemed once.
func (s *Site) callback(w http.ResponseWriter, r *http.Request, u *upstream.Upstream) {
	ctx := r.Context()
	answer := r.URL.Query()
	browser, ok := s.cookie(r, cookieBrowser)
	if !ok || !upstream.Single(answer) {
		s.stray(w)
		return
	}
	state := hashOf(answer.Get("state"))
	a, err := s.store.TakeAttempt(ctx, state, hashOf(browser), s.now())
	var t trip
	switch {
	case errors.Is(err, ErrNone):
		s.stray(w)
		return
	case err != nil:
		s.fail(ctx, "a sign-in could not be read", err)
		s.broken(w, http.StatusServiceUnavailable)
		return
	case a.Provider != u.Name || s.vault.open(place("attempt", state[:]), a.Sealed, &t) != nil:
		// Another provider's callback: a mix-up (RFC 9700 section 4.4).
		s.stray(w)
		return
	}
	if a.Posted != nil {
		// The answer that came first is the answer.
		if s.vault.open(place("posted", state[:]), a.Posted, &answer) != nil || r.URL.Query().Has("code") {
			s.stray(w)
			return
		}
	}
	if code := answer.Get("error"); code != "" {
		s.say(w, http.StatusForbidden, u.Refused(code), s.again(u, t.Return))
		return
	}
	in, err := u.Redeem(ctx, s.url("callback", u.Name), answer, t.Trip)
	if err != nil {
		s.fail(ctx, u.Name+": the sign-in failed", err)
		s.say(w, http.StatusBadGateway, "The sign-in with "+u.P.Title+" did not work. Please try again.", s.again(u, t.Return))
		return
	}
	if t.Link != "" {
		s.finishLink(w, r, u, in, t)
		return
	}
	s.enter(w, r, u, in, t)
}

// enter makes the session.
func (s *Site) enter(w http.ResponseWriter, r *http.Request, u *upstream.Upstream, in upstream.Arrival, t trip) {
	ctx := r.Context()
	user, err := s.userOf(ctx, identity(u, in))
	switch {
	case errors.Is(err, ErrNobody):
		s.say(w, http.StatusForbidden, "There is no account here for this sign-in with "+u.P.Title+".", s.homeLink())
		return
	case err != nil:
		s.fail(ctx, "the list of people failed", err)
		s.broken(w, http.StatusServiceUnavailable)
		return
	}
	now := s.now()
	cookie := secret()
	n := Session{
		ID: hashOf(cookie), User: user, Signed: signed(u, in, t, now), Begun: t.Begun, Created: now, Idle: now.Add(s.idle), Ends: now.Add(s.absolute),
		Provider: u.Name, Subject: in.Subject, SID: in.SID, Issued: in.Issued,
	}
	tok, err := s.sealToken(u, n, in, now)
	if err == nil {
		n.Sealed, err = s.vault.seal(place("session", n.ID[:]), kept{Name: in.Name, IDToken: in.IDToken, EndSession: in.At.EndSession})
	}
	if err == nil {
		err = s.store.CreateSession(ctx, n, s.sessionHash(r), &tok)
	}
	switch {
	case errors.Is(err, ErrOvertaken):
		s.say(w, http.StatusConflict, "You were signed out while you were signing in. Please sign in again.", s.again(u, t.Return))
		return
	case err != nil:
		s.fail(ctx, "a session could not be stored", err)
		s.broken(w, http.StatusServiceUnavailable)
		return
	}
	s.welcome(w, cookie)
	s.goes(w, r, t.Return)
}

// signed is when the person proved who they are, as far as is known: zero if the provider tells no time and was not told to ask,
// because a session there may have answered for whoever sits at this browser.
func signed(u *upstream.Upstream, in upstream.Arrival, t trip, now time.Time) time.Time {
	switch {
	case u.Told(t.Ask) && (in.AuthTime.IsZero() || in.Proved(t.Begun)):
		return now
	case in.AuthTime.After(now):
		return now
	}
	return in.AuthTime
}

// posted keeps an answer that was POSTed from the provider's page, and so without this browser's Lax cookies, and has the
// browser come again by GET, with them.
func (s *Site) posted(w http.ResponseWriter, r *http.Request, u *upstream.Upstream) {
	if err := r.ParseForm(); err != nil || !upstream.Single(r.PostForm) || !upstream.Clean(r.PostForm.Get("state"), 100) {
		s.stray(w)
		return
	}
	state := r.PostForm.Get("state")
	answer := upstream.Posted(r.PostForm)
	h := hashOf(state)
	sealed, err := s.vault.seal(place("posted", h[:]), answer)
	if err == nil {
		err = s.store.PostAttempt(r.Context(), h, sealed, s.now())
	}
	switch {
	case errors.Is(err, ErrNone):
		s.stray(w)
	case err != nil:
		s.fail(r.Context(), "a POSTed answer could not be stored", err)
		s.broken(w, http.StatusServiceUnavailable)
	default:
		http.Redirect(w, r, s.url("callback", u.Name)+"?"+url.Values{"state": {state}}.Encode(), http.StatusSeeOther)
	}
}

func (s *Site) stray(w http.ResponseWriter) {
	s.say(w, http.StatusBadRequest, "This sign-in was not begun in this browser, or it took too long. Please sign in again.", link{"Sign in", s.prefix})
}

func (s *Site) userOf(ctx context.Context, who Identity) (string, error) {
	if s.users == nil {
		return who.Provider + ":" + who.Subject, nil
	}
	user, err := s.users.UserOf(ctx, who)
	if err == nil && !upstream.Clean(user, 500) {
		err = errors.New("rp: a user's name must be 1 to 500 printable bytes")
	}
	return user, err
}

func identity(u *upstream.Upstream, in upstream.Arrival) Identity {
	return Identity{Provider: u.Name, Subject: in.Subject, Name: in.Name, Claims: in.Claims}
}
