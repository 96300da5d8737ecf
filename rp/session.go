package rp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"exeunt.dev/internal/upstream"
)

// Visitor is a person who is signed in.
type Visitor struct {
	User     string // the local user
	Name     string // what the provider called the person, for display
	Provider string // empty for a sign-in of the website's own
	Subject  string
	Signed   time.Time // when the person last proved who they are, as far as is known; zero: a provider let them in and said nothing
	CSRF     string    // the value of the form field "csrf", or of the header X-CSRF-Token, of this session's POSTs

	session Hash
}

// kept is what a session keeps sealed.
type kept struct {
	Name, IDToken, EndSession string
}

type contextKey struct{}

// FromContext gives the visitor of a request that came through Require.
func FromContext(ctx context.Context) (Visitor, bool) {
	v, ok := ctx.Value(contextKey{}).(Visitor)
	return v, ok
}

// Require lets only people in who are signed in. Others are sent to sign in if they came to see a page, and get 401 if
// not. When the store does not answer nobody gets in, and nobody is sent away either: 503. A request that is under way when its
// session ends has its context cancelled, as by [Site.Watch]: a stream ends if its handler heeds that.
func (s *Site) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store") // so that the back button finds nothing after a sign-out
		v, err := s.Visitor(r)
		switch {
		case err == nil:
			ctx, stop := s.Watch(context.WithValue(r.Context(), contextKey{}, v), v)
			defer stop()
			next.ServeHTTP(w, r.WithContext(ctx))
		case !errors.Is(err, ErrNone):
			s.fail(r.Context(), "a session could not be read", err)
			s.broken(w, http.StatusServiceUnavailable)
		case r.Method != http.MethodGet || r.Header.Get("Sec-Fetch-Mode") != "" && r.Header.Get("Sec-Fetch-Mode") != "navigate":
			http.Error(w, "not signed in", http.StatusUnauthorized)
		default:
			s.goes(w, r, s.entrance(r)+url.Values{"return": {r.URL.RequestURI()}}.Encode())
		}
	})
}

// entrance is where people sign in: at the only provider, if there is but one. But nobody who has left is sent there
// unasked, and no browser whose session is over: somebody may have ended it from another device, and the provider might
// sign it in again without a word.
func (s *Site) entrance(r *http.Request) string {
	if len(s.order) == 1 && !s.left(r) && s.sessionHash(r) == (Hash{}) {
		return s.prefix + "login/" + s.order[0] + "?"
	}
	return s.prefix + "?"
}

// Visitor says who is signed in, for pages that are for everybody. ErrNone: nobody. Any other error: the store does not
// answer.
func (s *Site) Visitor(r *http.Request) (Visitor, error) {
	id := s.sessionHash(r)
	if id == (Hash{}) {
		return Visitor{}, ErrNone
	}
	now := s.now()
	n, err := s.store.FindSession(r.Context(), id, now)
	if err != nil {
		return Visitor{}, err
	}
	// The limit moves in steps, so that reading is not writing.
	if idle := now.Add(s.idle); idle.Sub(n.Idle) > min(s.idle/10, time.Minute) {
		if err := s.store.TouchSession(r.Context(), id, idle, now); err != nil {
			s.fail(r.Context(), "a session could not be touched", err)
		}
	}
	k, err := s.keptOf(n)
	if err != nil {
		return Visitor{}, err
	}
	return Visitor{User: n.User, Name: k.Name, Provider: n.Provider, Subject: n.Subject, Signed: n.Signed, CSRF: s.vault.proof(id), session: id}, nil
}

func (s *Site) keptOf(n Session) (k kept, err error) {
	if n.Sealed == nil {
		return k, nil
	}
	return k, s.vault.open(place("session", n.ID[:]), n.Sealed, &k)
}

// SignIn makes a session for a local user whom the website has checked by its own means, such as a password, in a handler of
// POST that other sites' forms do not get through. began is when the handler began, before it read the password that it has checked: if
// all of the user's sessions were ended since ([Everywhere], [Site.EndUser]), as by a change of that password, the answer is ErrOvertaken.
// It ends the session that this browser had.
func (s *Site) SignIn(w http.ResponseWriter, r *http.Request, user string, began time.Time) error {
	if !upstream.Clean(user, 500) {
		return errors.New("rp: a user's name must be 1 to 500 printable bytes")
	}
	now := s.now()
	cookie := secret()
	n := Session{ID: hashOf(cookie), User: user, Signed: now, Begun: began, Created: now, Idle: now.Add(s.idle), Ends: now.Add(s.absolute)}
	if err := s.store.CreateSession(r.Context(), n, s.sessionHash(r), nil); err != nil {
		return err
	}
	s.welcome(w, cookie)
	return nil
}
