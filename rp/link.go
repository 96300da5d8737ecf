package rp

import (
	"errors"
	"net/http"

	"exeunt.dev/internal/upstream"
)

// link begins the linking of another identity to the local user: by a POST from a page of this website, with a recent
// sign-in, so that neither another site nor a browser left open adds a way in.
func (s *Site) link(w http.ResponseWriter, r *http.Request, u *upstream.Upstream) {
	v, err := s.Visitor(r)
	switch {
	case err != nil && !errors.Is(err, ErrNone):
		s.fail(r.Context(), "a session could not be read", err)
		s.broken(w, http.StatusServiceUnavailable)
	case err != nil:
		s.say(w, http.StatusUnauthorized, "Please sign in first.", link{"Sign in", s.prefix})
	case s.users == nil:
		http.NotFound(w, r)
	case s.forged(r, v.session):
		s.say(w, http.StatusForbidden, "This form is from another page or another session. Please go back, reload the page and try again.", s.homeLink())
	case s.now().Sub(v.Signed) > recent:
		s.say(w, http.StatusForbidden, "To connect "+u.P.Title+", please sign in once more first: your sign-in is not recent.", s.signAgain(r.PostFormValue("return")))
	default:
		// It asks who: the provider's session in this browser may be somebody else's.
		s.depart(w, r, u, trip{Return: s.safe(r.PostFormValue("return")), Ask: upstream.Who, Link: v.User, Session: v.session})
	}
}

// finishLink links, if the session that asked for it is still there and is this browser's.
func (s *Site) finishLink(w http.ResponseWriter, r *http.Request, u *upstream.Upstream, in upstream.Arrival, t trip) {
	ctx := r.Context()
	n, err := s.store.FindSession(ctx, t.Session, s.now())
	if errors.Is(err, ErrNone) || err == nil && (s.sessionHash(r) != t.Session || n.User != t.Link) {
		s.say(w, http.StatusForbidden, "You are not signed in any more. Please sign in and try again.", link{"Sign in", s.prefix})
		return
	}
	if err == nil {
		err = s.users.Link(ctx, t.Link, identity(u, in))
	}
	if errors.Is(err, ErrTaken) {
		s.say(w, http.StatusConflict, "This sign-in with "+u.P.Title+" belongs to another account here.", s.homeLink())
		return
	}
	var tok Token
	if err == nil {
		if tok, err = s.sealToken(u, n, in, s.now()); err == nil {
			err = s.store.PutToken(ctx, tok, nil, s.now())
		}
	}
	if err != nil && !errors.Is(err, ErrNone) { // none: signed out just now; the link is made all the same
		s.fail(ctx, "an identity could not be linked", err)
		s.broken(w, http.StatusServiceUnavailable)
		return
	}
	s.goes(w, r, t.Return)
}

// forged reports that a POST did not come from a page of this website that was made for this session.
func (s *Site) forged(r *http.Request, session Hash) bool {
	if r.Method != http.MethodPost || s.crossOrigin.Check(r) != nil {
		return true
	}
	token := r.Header.Get("X-CSRF-Token")
	if token == "" {
		token = r.PostFormValue("csrf")
	}
	return !s.vault.proves(token, session)
}
