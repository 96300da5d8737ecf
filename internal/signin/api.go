package signin

import (
	"errors"
	"mime"
	"net/http"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// The accounts API of requirements R1: cookie sessions for clients written against /csrf_token/ and /accounts/….
func (s *SignIn) mountAPI(mux *http.ServeMux) {
	mux.HandleFunc("GET /csrf_token/{$}", s.csrf)
	mux.HandleFunc("POST /accounts/login/{$}", s.apiLogin)
	mux.HandleFunc("POST /accounts/logout/{$}", s.apiLogout)
	mux.HandleFunc("GET /session/{$}", s.apiSession)
}

func (s *SignIn) csrf(w http.ResponseWriter, r *http.Request) {
	s.Browser.SetCSRF(w, r)
	edge.JSON(w, http.StatusOK, map[string]bool{"success": true})
}

type apiUser struct {
	ID       idp.AccountID `json:"id"`
	Username string        `json:"username"`
}

func (s *SignIn) apiLogin(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Username string `json:"username"`
		Password string `json:"password"`
		Code     string `json:"otp"` // where the account has a second factor
		Stay     bool   `json:"stay"`
		Token    string `json:"csrfmiddlewaretoken"`
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		if err := edge.DecodeJSON(w, r, &in); err != nil {
			edge.Fail(w, r, err)
			return
		}
	} else {
		form, err := edge.Form(w, r)
		if err != nil {
			edge.Fail(w, r, err)
			return
		}
		in.Username, in.Password, in.Stay, in.Token = form.Get("username"), form.Get("password"), form.Get("stay") != "", form.Get("csrfmiddlewaretoken")
		in.Code = form.Get("otp")
	}
	if s.Browser.Genuine(r, in.Token) != nil {
		forged(w)
		return
	}
	proof, err := s.Passwords.Check(r.Context(), r, in.Username, in.Password)
	if err == nil {
		proof.Stay = in.Stay
		err = s.apiSignIn(w, r, proof, in.Code)
	}
	switch {
	case err == nil:
		edge.JSON(w, http.StatusOK, map[string]any{"success": 1, "id": proof.Account, "username": in.Username, "msg": ""})
		return
	case errors.Is(err, idp.ErrSecond):
		edge.JSON(w, http.StatusForbidden, map[string]any{"success": 0, "username": in.Username, "error": "mfa_required",
			"msg": "This account has a second factor: send a code of the authenticator app, or a recovery code, as otp."})
		return
	case errors.Is(err, errCode):
		edge.JSON(w, http.StatusForbidden, map[string]any{"success": 0, "username": in.Username, "error": "invalid_otp", "msg": "That code is not right, or was used before."})
		return
	}
	if status, sentence := refusal(w, err); status != 0 {
		edge.JSON(w, status, map[string]any{"success": 0, "username": in.Username, "msg": web.Plain(sentence)})
		return
	}
	edge.Fail(w, r, err)
}

var errCode = errors.New("the code is wrong")

// apiSignIn makes the session. A code is looked at only where the account owes one.
func (s *SignIn) apiSignIn(w http.ResponseWriter, r *http.Request, p browser.Proof, code string) error {
	_, err := s.Browser.SignIn(w, r, p)
	if !errors.Is(err, idp.ErrSecond) || code == "" {
		return err
	}
	if p, err = s.Factors.Add(r.Context(), r, p, code); errors.Is(err, idp.ErrWrong) {
		return errCode
	}
	if err == nil {
		_, err = s.Browser.SignIn(w, r, p)
	}
	return err
}

func forged(w http.ResponseWriter) {
	edge.JSON(w, http.StatusForbidden, map[string]any{"success": 0, "error": "csrf", "msg": "The CSRF token is missing or wrong: GET /csrf_token/ first and send the cookie's value back."})
}

func (s *SignIn) apiLogout(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r)
	if r.ContentLength == 0 {
		form, err = nil, nil // the token may stand in the header alone
	}
	if s.Browser.Genuine(r, form.Get("csrfmiddlewaretoken")) != nil {
		forged(w)
		return
	}
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	session, err := s.Browser.Session(r)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		edge.Fail(w, r, err)
		return
	}
	var receipt idp.Receipt
	if session != nil {
		cause := idp.Cause{Kind: idp.CauseSignOut, Actor: idp.ActorAccount(session.Account)}
		if receipt, err = s.Door.End(r.Context(), idp.EndThis(session), cause); err != nil {
			edge.Fail(w, r, err)
			return
		}
	}
	s.Browser.Leave(w, r, receipt.ID)
	if edge.WantsJSON(r) || r.Header.Get("X-Requested-With") != "" {
		out := map[string]any{"success": 1}
		if receipt.ID != "" {
			out["receipt"] = s.Browser.ReceiptAddress(receipt.ID)
		}
		edge.JSON(w, http.StatusOK, out)
		return
	}
	if session == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.Front.Onward(w, r, session.Name, receipt.ID, "/", false)
}

func (s *SignIn) apiSession(w http.ResponseWriter, r *http.Request) {
	session, err := s.Browser.Session(r)
	if errors.Is(err, idp.ErrNotFound) {
		edge.JSON(w, http.StatusOK, map[string]any{"user": nil})
		return
	}
	var a idp.Account
	if err == nil {
		err = s.Store.View(r.Context(), func(v idp.View) (err error) {
			a, err = v.Account(session.Account)
			return err
		})
	}
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	edge.JSON(w, http.StatusOK, map[string]any{"user": apiUser{a.ID, a.Username}})
}
