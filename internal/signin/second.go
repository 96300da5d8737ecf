package signin

import (
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/factor"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// The second step: a code of the authenticator app, a recovery code, or a passkey. Only who has shown the first factor gets here, in the
// browser in which that was, so that nobody learns who has a second factor without the password.

func (s *SignIn) askSecond(w http.ResponseWriter, r *http.Request, at *waiting, status int, problem web.Words) {
	s.Pages.Render(w, r, status, web.Second{Action: "/login", Pending: at.id, Step: at.step, Again: at.again, CSRF: s.Browser.CSRF(w, r), App: at.client.Name,
		Restart: address(at.id, "", at.again), Error: problem, Passkeys: s.Factors.HasPasskeys()})
}

// code checks a code of the authenticator app or a recovery code.
func (s *SignIn) code(w http.ResponseWriter, r *http.Request, at *waiting, form url.Values) error {
	if at.half == nil {
		return idp.ErrEnded
	}
	proof, err := s.Factors.Finish(r.Context(), r, at.step, s.holder(w, r), form.Get("code"))
	if err != nil {
		return err
	}
	return s.settle(w, r, at, proof)
}

// refuseSecond shows what is wrong: with this page where the person may try again, else from the beginning.
func (s *SignIn) refuseSecond(w http.ResponseWriter, r *http.Request, at *waiting, err error) {
	var limited *idp.LimitedError
	switch {
	case errors.As(err, &limited):
		_, sentence := refusal(w, err)
		s.askSecond(w, r, at, http.StatusTooManyRequests, sentence)
	case errors.Is(err, idp.ErrWrong):
		s.askSecond(w, r, at, http.StatusForbidden, web.Say("That code is not right, or was used before. Wait for the next one and try again."))
	case errors.Is(err, factor.ErrTries):
		s.askFirst(w, r, at, http.StatusForbidden, at.request.LoginHint, web.Say("There were too many wrong codes. Please sign in from the beginning."))
	default:
		s.refuseFirst(w, r, at, at.request.LoginHint, err)
	}
}
