package oauth

import (
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/factor"
	"exeunt.dev/internal/idp"
)

// challenge is the sign-in of first-party clients without a browser: username and password for a code, which is redeemed
// like any other (requirements R4.1; the shape follows draft-ietf-oauth-first-party-apps). There is no password grant.
func (o *OAuth) challenge(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r, "resource")
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	client, born, err := o.client(r.Context(), r, form)
	if err != nil {
		o.fail(w, r, err)
		return
	}
	code, err := o.challenged(r, form, &client, born, bearer.Proof(w, r, o.Tokens, o.Store))
	var more *moreError
	if errors.As(err, &more) {
		edge.JSON(w, http.StatusBadRequest, map[string]any{"error": "insufficient_authorization", "auth_session": more.session, "otp_required": true,
			"error_description": more.description})
		return
	}
	if err != nil {
		o.fail(w, r, err)
		return
	}
	edge.JSON(w, http.StatusOK, map[string]string{"authorization_code": code})
}

func (o *OAuth) challenged(r *http.Request, v url.Values, client *idp.Client, born idp.Epochs, shown bearer.Shown) (string, error) {
	if !client.FirstParty || !client.May("authorization_code") {
		return "", refuse("unauthorized_client", "only first-party clients may ask for a password")
	}
	uri := v.Get("redirect_uri")
	if uri != "" && !client.RedirectAllowed(uri) {
		return "", refuse("invalid_request", "redirect_uri is not registered")
	}
	bond, err := shown.Bond(r, client)
	if err != nil {
		return "", err
	}
	v.Set("response_type", "code")
	q, err := o.parse(v, client, uri, shown)
	if err != nil {
		return "", err
	}
	// Before the password is looked at: a proof that was overheard buys no guess. So it is a row that anybody can write.
	if bond.Key != "" {
		if err := o.mayPush(r, client); err != nil {
			return "", err
		}
		if err := o.Store.Update(r.Context(), func(tx idp.Tx) error { return shown.Use.Note(tx) }); err != nil {
			return "", err
		}
	}
	session, err := o.device(r, v, factor.Holder{Client: client.ID, Epoch: born.Client}, q.Key)
	if err != nil {
		return "", err
	}
	st := standing{session: session}
	for {
		err = o.Store.View(r.Context(), func(tx idp.View) (err error) {
			st.epochs, err = tx.Epochs(session.Account, client.ID)
			return err
		})
		if err != nil {
			return "", err
		}
		code, err := o.issue(r.Context(), &asked{request: q, client: *client, born: born, net: bond.Net}, &st)
		switch {
		case errors.Is(err, errRaced):
			continue
		case errors.Is(err, idp.ErrEnded) || errors.Is(err, idp.ErrNotFound):
			return "", refuse("access_denied", "something ended meanwhile")
		}
		return code, err
	}
}

// moreError says that the person has shown one factor and owes the second (draft-ietf-oauth-first-party-apps section 5.2.2): the app
// asks for a code and comes back with it and auth_session.
type moreError struct{ session, description string }

func (e *moreError) Error() string { return "insufficient_authorization: " + e.description }

// device makes the session of a device: from username and password, and from a code where the account has a second factor, together or
// in two steps.
func (o *OAuth) device(r *http.Request, v url.Values, holder factor.Holder, key string) (*idp.Session, error) {
	waits, code := v.Get("auth_session"), v.Get("otp")
	if key != "" { // who finishes holds the key of who began
		holder.Browser = idp.HashOf("dpop " + key)
	}
	var proof browser.Proof
	var err error
	if waits != "" {
		proof, err = o.Factors.Finish(r.Context(), r, waits, holder, code)
		if errors.Is(err, idp.ErrWrong) {
			return nil, &moreError{waits, "the code is not right, or was used before"}
		}
		if errors.Is(err, idp.ErrEnded) || errors.Is(err, factor.ErrTries) {
			return nil, refuse("invalid_session", "auth_session is over: begin with username and password")
		}
	} else {
		proof, err = o.Passwords.Check(r.Context(), r, v.Get("username"), v.Get("password"))
	}
	var session *idp.Session
	if err == nil {
		session, err = o.Browser.Device(r.Context(), r, proof)
	}
	if errors.Is(err, idp.ErrSecond) && code == "" {
		id, err := o.Factors.Begin(r.Context(), proof, holder)
		if err != nil {
			return nil, err
		}
		return nil, &moreError{id, "this account has a second factor: send a code as otp, with auth_session"}
	}
	if errors.Is(err, idp.ErrSecond) {
		if proof, err = o.Factors.Add(r.Context(), r, proof, code); errors.Is(err, idp.ErrWrong) {
			return nil, refuse("access_denied", "the code is not right, or was used before")
		}
		if err == nil {
			session, err = o.Browser.Device(r.Context(), r, proof)
		}
	}
	if errors.Is(err, idp.ErrWrong) || errors.Is(err, idp.ErrLocked) || errors.Is(err, idp.ErrEnded) {
		return nil, refuse("access_denied", "username or password is not right")
	}
	return session, err
}
