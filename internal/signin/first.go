package signin

import (
	"net/http"
	"net/url"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// The first step: a username with its password, or a passkey. Where who is signed in must prove it again, the username is fixed.

func (s *SignIn) askFirst(w http.ResponseWriter, r *http.Request, at *waiting, status int, username string, problem web.Words) {
	p := web.Login{Action: "/login", Pending: at.id, Again: at.again, CSRF: s.Browser.CSRF(w, r), App: at.client.Name, Username: username, Error: problem, Letters: s.Letters,
		Passkeys: s.Factors.HasPasskeys(), Providers: s.others(r, at)}
	if at.steppingUp() {
		p.Username, p.Fixed, p.NoPassword = at.account.Username, true, at.account.Password == ""
	}
	s.Pages.Render(w, r, status, p)
}

// steppingUp says that who is signed in has to prove it again for a page of ours.
func (at *waiting) steppingUp() bool { return at.again != "" && at.session != nil }

// hintProblem is what to say to who has signed in as somebody else than the app asked for.
func (s *SignIn) hintProblem(at *waiting) web.Words {
	if at.acted() && at.request.HintSubject != "" && at.request.HintSubject != at.session.Account {
		return "This app asked for another account. Sign in with that one, or cancel."
	}
	return nil
}

// password checks username and password.
func (s *SignIn) password(w http.ResponseWriter, r *http.Request, at *waiting, form url.Values) error {
	username := form.Get("username")
	if at.steppingUp() {
		username = at.account.Username
	}
	proof, err := s.Passwords.Check(r.Context(), r, username, form.Get("password"))
	if err != nil {
		return err
	}
	proof.Stay = form.Get("stay") != ""
	return s.settle(w, r, at, proof)
}

// refuseFirst shows the page again with what is wrong.
func (s *SignIn) refuseFirst(w http.ResponseWriter, r *http.Request, at *waiting, username string, err error) {
	status, sentence := refusal(w, err)
	if status == 0 {
		s.fail(w, r, err)
		return
	}
	s.askFirst(w, r, at, status, username, sentence)
}

// cancel goes back to the app with a no.
func (s *SignIn) cancel(r *http.Request, at *waiting) error {
	at.step = ""
	return s.answer(r, at, nil, func(q *idp.AuthorizeRequest) { q.Denied = true })
}

// other asks for another account than the one that is signed in.
func (s *SignIn) other(r *http.Request, at *waiting) error {
	at.step = ""
	return s.answer(r, at, nil, func(q *idp.AuthorizeRequest) {
		q.Prompt, q.HintSubject = []string{"login"}, ""
		if at.session != nil {
			q.Other = at.session.Cookie
		}
	})
}
