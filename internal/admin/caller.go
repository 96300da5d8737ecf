package admin

import (
	"errors"
	"net/http"
	"strings"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
)

// caller is who asks: a machine by its token, or a person by the session's cookie.
type caller struct {
	machine *token.Access // nil: a person
	session *idp.Session
	account idp.Account // the person's
	role    idp.Role    // of the person, as last read
	actor   idp.Actor
}

var (
	errNobody   = errors.New("nobody is signed in")
	errStranger = errors.New("this person is no operator")
	errRole     = errors.New("this role is not enough")
	errMachine  = errors.New("people do this, not machines")
	errStale    = errors.New("the sign-in is too old for this")
	errAnswered = errors.New("the answer is given")
	errForged   = errors.New("the request did not come from a page of ours")
)

// isPage says that a person's browser asks: without a token, for HTML or with a form.
func isPage(r *http.Request) bool {
	if len(r.Header.Values("Authorization")) > 0 {
		return false
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return strings.Contains(r.Header.Get("Accept"), "text/html")
	}
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// who finds out who asks, and answers a machine that nobody knows. What they may is asked by may, where it matters.
func (a *Admin) who(w http.ResponseWriter, r *http.Request) (c caller, err error) {
	if isPage(r) {
		c.session, err = a.Browser.Session(r)
		if errors.Is(err, idp.ErrNotFound) {
			err = errNobody
		}
		return c, err
	}
	var ok bool
	if c.machine, ok = bearer.Token(w, r, a.Tokens, a.Store); !ok {
		return c, errAnswered
	}
	c.actor = idp.ActorClient(c.machine.Client)
	edge.Note(r.Context(), "client", c.machine.Client)
	return c, nil
}

// may says, on what is committed now, whether the caller may do its duty: a role that was taken away, a session or a token that has
// ended is good for nothing from then on.
func (a *Admin) may(v idp.View, c *caller, d idp.Duty) error {
	if c.machine != nil {
		if d == idp.DutyRoles {
			return errMachine
		}
		return a.Tokens.Wields(v, c.machine, idp.ScopeAdmin)
	}
	var o idp.Operator
	var self idp.Account
	err := v.Abreast(
		func(v idp.View) error {
			err := idp.Live(v, c.session.Names()...)
			if errors.Is(err, idp.ErrEnded) {
				err = errNobody
			}
			return err
		},
		func(v idp.View) (err error) {
			if o, err = v.Operator(c.session.Account); errors.Is(err, idp.ErrNotFound) {
				err = errStranger
			}
			return err
		},
		func(v idp.View) (err error) { self, err = v.Account(c.session.Account); return err })
	if err != nil {
		return err
	}
	c.account, c.role, c.actor = self, o.Role, idp.ActorConsole(self.Username, self.ID)
	if !o.Role.May(d) {
		return errRole
	}
	return nil
}

// allowed says what the page may offer.
func (c *caller) allowed(d idp.Duty) bool { return c.role.May(d) }
