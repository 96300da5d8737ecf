package signin

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// A passkey is both factors, and needs no username. It does for the first step, for the second one, and where who is signed in proves it
// again; in the latter two it must be the same person's.

// challenge begins a ceremony, for the script of the page. It is the same for whoever asks.
func (s *SignIn) challenge(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r)
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	if s.Browser.Genuine(r, form.Get("csrf")) != nil {
		forged(w)
		return
	}
	id, options, err := s.Factors.Challenge(r.Context(), r, s.Browser.ID(w, r))
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	edge.JSON(w, http.StatusOK, map[string]any{"ceremony": id, "options": json.RawMessage(options)})
}

// passkey checks the answer.
func (s *SignIn) passkey(w http.ResponseWriter, r *http.Request, at *waiting, form url.Values) error {
	proof, err := s.Factors.Assert(r.Context(), r, s.Browser.ID(w, r), form.Get("ceremony"), form.Get("credential"))
	if err != nil {
		return err
	}
	if at.half != nil && proof.Account != at.half.Account {
		return idp.ErrWrong
	}
	proof.Stay = form.Get("stay") != ""
	if at.half != nil {
		proof.Methods, proof.Stay = append(at.half.Methods, proof.Methods...), at.half.Stay
		proof.From = at.half.From // what its provider ends is ended, whatever the second factor was
	}
	return s.settle(w, r, at, proof)
}

// refusePasskey shows the page that is due with what is wrong.
func (s *SignIn) refusePasskey(w http.ResponseWriter, r *http.Request, at *waiting, err error) {
	status, sentence := refusal(w, err)
	switch {
	case errors.Is(err, idp.ErrWrong):
		sentence = web.Say("That passkey is not known here, or not yours.")
	case errors.Is(err, idp.ErrEnded):
		sentence = web.Say("This page was open for too long. Please try again.")
	case status == 0:
		s.fail(w, r, err)
		return
	}
	if at.half != nil {
		s.askSecond(w, r, at, status, sentence)
		return
	}
	s.askFirst(w, r, at, status, at.request.LoginHint, sentence)
}
