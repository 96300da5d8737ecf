package signin

import (
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/factor"
	"exeunt.dev/internal/frontchannel"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// SignIn is the room.
type SignIn struct {
	Store     idp.Store
	Door      *door.Door
	Browser   *browser.Browser
	Passwords *Passwords
	Factors   *factor.Factors
	Pages     *web.Pages
	Front     *frontchannel.FrontChannel
	Letters   bool                 // a forgotten password can be set anew by a letter
	Providers []web.ProviderButton // beside the password
}

// Mount adds the room's paths.
func (s *SignIn) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /login", s.show)
	mux.HandleFunc("POST /login", s.act)
	mux.HandleFunc("POST /login/passkey", s.challenge)
	s.mountAPI(mux)
}

// show shows the step that is due.
func (s *SignIn) show(w http.ResponseWriter, r *http.Request) {
	q, err := edge.Query(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	at, err := s.load(w, r, q)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	switch s.due(at) {
	case stepFirst:
		s.askFirst(w, r, at, http.StatusOK, at.request.LoginHint, s.hintProblem(at))
	case stepSecond:
		s.askSecond(w, r, at, http.StatusOK, "")
	case stepChoose:
		s.choose(w, r, at)
	case stepPath:
		http.Redirect(w, r, at.again, http.StatusSeeOther)
	case stepAccount:
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	default:
		http.Redirect(w, r, "/oauth2/authorize?pending="+url.QueryEscape(at.id), http.StatusSeeOther)
	}
}

// act takes a person's answer. A step writes down what it has found out and the browser goes to the dispatcher again (303), or the step
// shows its page with what is wrong.
func (s *SignIn) act(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if s.Browser.Genuine(r, form.Get("csrf")) != nil {
		s.Pages.Render(w, r, http.StatusForbidden, web.Message{Title: "Please try again", Text: "This page was open for too long, or did not come from here. Nothing was changed.", Link: address(form.Get("pending"), "", form.Get("again")), LinkText: "Start again"})
		return
	}
	at, err := s.load(w, r, form)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	switch form.Get("act") {
	case "cancel":
		err = s.cancel(r, at)
	case "other":
		err = s.other(r, at)
	case "continue":
		err = s.goOn(r, at, form)
	case "passkey":
		if problem := s.passkey(w, r, at, form); problem != nil {
			s.refusePasskey(w, r, at, problem)
			return
		}
	case "code":
		if problem := s.code(w, r, at, form); problem != nil {
			s.refuseSecond(w, r, at, problem)
			return
		}
	default:
		if problem := s.password(w, r, at, form); problem != nil {
			s.refuseFirst(w, r, at, form.Get("username"), problem)
			return
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, address(at.id, at.step, at.again), http.StatusSeeOther)
}

// refusal turns an error of a sign-in into a status and a sentence; 0 if it is none.
func refusal(w http.ResponseWriter, err error) (int, web.Words) {
	var limited *idp.LimitedError
	switch {
	case errors.As(err, &limited):
		w.Header().Set("Retry-After", limited.RetryAfter())
		return http.StatusTooManyRequests, web.Wait(limited.RetryAfter())
	case errors.Is(err, idp.ErrWrong):
		return http.StatusForbidden, "That username or password is not right."
	case errors.Is(err, idp.ErrLocked):
		return http.StatusForbidden, lockedSentence(err)
	case errors.Is(err, idp.ErrDoubtful):
		return http.StatusForbidden, "This way to sign in is from before a new password was set. Sign in with the password, and say that it is yours."
	case errors.Is(err, idp.ErrEnded):
		return http.StatusConflict, "Something changed while you signed in. Please try again."
	}
	return 0, ""
}

func (s *SignIn) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.Pages.Fail(w, r, err)
}
