package oauth

import (
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/edge"
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
	// Before the password is looked at: a proof that was overheard buys no guess.
	if err := o.Store.Update(r.Context(), func(tx idp.Tx) error { return shown.Use.Note(tx) }); err != nil {
		return "", err
	}
	proof, err := o.Passwords.Check(r.Context(), r, v.Get("username"), v.Get("password"))
	if errors.Is(err, idp.ErrWrong) || errors.Is(err, idp.ErrLocked) {
		return "", refuse("access_denied", "username or password is not right")
	}
	if err != nil {
		return "", err
	}
	session, err := o.Browser.Device(r.Context(), r, proof)
	if errors.Is(err, idp.ErrEnded) || errors.Is(err, idp.ErrLocked) {
		return "", refuse("access_denied", "username or password is not right")
	}
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
