package account

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/person"
	"exeunt.dev/internal/web"
)

// What a person signs in with besides the password. Each change needs a recent sign-in, and ends what the person has elsewhere.
func (a *Account) mountFactors(mux *http.ServeMux) {
	mux.HandleFunc("GET /account/authenticator", a.factors(a.authenticator, a.authenticatorJSON))
	mux.HandleFunc("POST /account/authenticator/offer", a.Form(a.offer))
	mux.HandleFunc("POST /account/authenticator/confirm", a.Form(a.confirmOffer))
	mux.HandleFunc("POST /account/authenticator/remove", a.Form(a.removeAuthenticator))
	mux.HandleFunc("DELETE /account/authenticator", a.deleteFactor(idp.CredentialTOTP))
	mux.HandleFunc("GET /account/passkeys", a.factors(a.passkeys, a.passkeysJSON))
	mux.HandleFunc("POST /account/passkeys", a.Form(a.addPasskey))
	mux.HandleFunc("POST /account/passkeys/challenge", a.passkeyChallenge)
	mux.HandleFunc("POST /account/passkeys/{id}/rename", a.Form(a.renamePasskey))
	mux.HandleFunc("POST /account/passkeys/{id}/remove", a.Form(a.removePasskey))
	mux.HandleFunc("DELETE /account/passkeys/{id}", a.deleteFactor(idp.CredentialPasskey))
	mux.HandleFunc("GET /account/recovery", a.factors(a.recovery, a.recoveryJSON))
	mux.HandleFunc("POST /account/recovery", a.Form(a.regenerate))
}

// kept is a person with what they sign in with.
type kept struct {
	who idp.Account
	all []idp.Credential
}

func (k *kept) first(kind idp.CredentialKind) (idp.Credential, bool) {
	for _, c := range k.all {
		if c.Kind == kind {
			return c, true
		}
	}
	return idp.Credential{}, false
}

func (a *Account) kept(ctx context.Context, id idp.AccountID) (k kept, err error) {
	err = a.Store.View(ctx, func(v idp.View) (err error) {
		if k.who, err = v.Account(id); err != nil {
			return err
		}
		k.all, err = v.Credentials(id)
		return err
	})
	return k, err
}

// factors wraps a page on them and its JSON: for the signed-in person, by the cookie. A bearer token is for sign-out, and neither shows
// nor changes what somebody signs in with.
func (a *Account) factors(show person.Act, json func(http.ResponseWriter, *http.Request, kept)) http.HandlerFunc {
	page := a.Page(show)
	return func(w http.ResponseWriter, r *http.Request) {
		if !edge.WantsJSON(r) && !edge.Bears(r) {
			page(w, r)
			return
		}
		if c, ok := a.owner(w, r, false); ok {
			k, err := a.kept(r.Context(), c.account)
			if err != nil {
				edge.Fail(w, r, err)
				return
			}
			json(w, r, k)
		}
	}
}

// owner is caller for who must be here in person.
func (a *Account) owner(w http.ResponseWriter, r *http.Request, acts bool) (caller, bool) {
	if edge.Bears(r) {
		edge.TokenError(w, http.StatusForbidden, "insufficient_scope", "No access token shows or changes what a person signs in with")
		return caller{}, false
	}
	return a.caller(w, r, acts)
}

// changed says what a change of credentials did: what it was, and what ended with it elsewhere. The receipt must be this person's.
func (a *Account) changed(ctx context.Context, id idp.AccountID, done map[string]web.Words, q url.Values) (web.Words, error) {
	said := done[q.Get("done")]
	if said == nil || !q.Has("receipt") {
		return said, nil
	}
	gone, err := a.took(ctx, id, idp.ReceiptID(q.Get("receipt")))
	return web.Sentences(said, over(gone)), err
}

// went ends an act that changed credentials: the browser has its new cookie, and goes to the page that says so.
func (a *Account) went(w http.ResponseWriter, r *http.Request, s *idp.Session, cookie, page, done string, receipt idp.Receipt) {
	a.Door.Committed()
	a.Browser.SetSession(w, cookie, s)
	http.Redirect(w, r, page+"?"+url.Values{"done": {done}, "receipt": {string(receipt.ID)}}.Encode(), http.StatusSeeOther)
}

// deleteFactor is the JSON twin of taking one away: the one named, or the one of its kind.
func (a *Account) deleteFactor(kind idp.CredentialKind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, ok := a.owner(w, r, true)
		if !ok {
			return
		}
		k, err := a.kept(r.Context(), c.account)
		if err != nil {
			edge.Fail(w, r, err)
			return
		}
		id := idp.CredentialID(r.PathValue("id"))
		if one, found := k.first(kind); id == "" && found {
			id = one.ID
		}
		cookie := idp.NewSecret(32)
		receipt, err := a.remove(r, c.session, k, kind, id, cookie)
		if errors.Is(err, idp.ErrEnded) {
			edge.TokenError(w, http.StatusUnauthorized, "", "Sign in first.")
			return
		}
		if err != nil {
			edge.Fail(w, r, err)
			return
		}
		a.Door.Committed()
		a.Browser.SetSession(w, cookie, c.session)
		edge.JSON(w, http.StatusOK, map[string]string{"removed": string(id), "receipt": a.Browser.ReceiptAddress(receipt.ID)})
	}
}

// remove takes a credential away, if it is of this kind.
func (a *Account) remove(r *http.Request, s *idp.Session, k kept, kind idp.CredentialKind, id idp.CredentialID, cookie string) (idp.Receipt, error) {
	for _, c := range k.all {
		if c.ID == id && c.Kind == kind {
			return a.Factors.Remove(r.Context(), r, s, id, idp.HashOf(cookie))
		}
	}
	return idp.Receipt{}, idp.ErrNotFound
}

// refused is a status and a sentence for who could not change a credential; 0: the error is none of the person's.
func refused(err error) (int, web.Words) {
	var invalid *idp.InvalidError
	switch {
	case errors.As(err, &invalid):
		return http.StatusBadRequest, invalid.Sentence
	case errors.Is(err, idp.ErrNotFound):
		return http.StatusNotFound, "That is not here any more. Nothing was changed."
	case errors.Is(err, idp.ErrConflict):
		return http.StatusConflict, "There is one already. Remove it first."
	case errors.Is(err, idp.ErrWrong):
		return http.StatusForbidden, "That code is not right. Look at the app again, and at the clock of your device."
	case errors.Is(err, idp.ErrEnded):
		return http.StatusConflict, "Something changed meanwhile. Nothing was done; please begin again."
	}
	return 0, nil
}
