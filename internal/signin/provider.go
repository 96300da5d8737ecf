package signin

import (
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// A first step that is taken elsewhere: a round trip to a provider (package broker).

// Enter goes on with what a provider has proved: as any step does, it writes that down, and the dispatcher looks at what is due.
func (s *SignIn) Enter(w http.ResponseWriter, r *http.Request, pending, again string, p browser.Proof) {
	at, err := s.load(w, r, url.Values{"pending": {pending}, "again": {again}})
	if err == nil {
		err = s.settle(w, r, at, p)
	}
	switch {
	case errors.Is(err, idp.ErrWrong):
		s.askFirst(w, r, at, http.StatusForbidden, "", web.Say("That sign-in is not one of this account's. Nothing was changed."))
	case err != nil && at != nil:
		s.refuseFirst(w, r, at, at.request.LoginHint, err)
	case err != nil:
		s.fail(w, r, err)
	default:
		http.Redirect(w, r, address(at.id, at.step, at.again), http.StatusSeeOther)
	}
}

// others are the buttons beside the password: all providers, or, for who must prove it again, those that are linked
// and can say that they have asked.
func (s *SignIn) others(r *http.Request, at *waiting) (out []web.ProviderButton) {
	if !at.steppingUp() || len(s.Providers) == 0 {
		return s.Providers
	}
	err := s.Store.Look(r.Context(), func(v idp.View) error {
		all, err := v.Identities(at.account.ID)
		for _, p := range s.Providers {
			for _, i := range all {
				if i.Provider == p.ID && p.Proves {
					out = append(out, p)
					break
				}
			}
		}
		return err
	})
	if err != nil {
		return nil // the password is still there
	}
	return out
}
