package account

import (
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/factor"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

const (
	authenticatorPage = "/account/authenticator"
	recoveryPage      = "/account/recovery"
)

// authenticator shows whether there is an authenticator app, or the one that is being set up.
func (a *Account) authenticator(w http.ResponseWriter, r *http.Request, s *idp.Session, q url.Values) {
	flash, err := a.changed(r.Context(), s.Account, map[string]web.Words{"removed": web.Say("Your authenticator app and its recovery codes are removed.")}, q)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	a.showAuthenticator(w, r, s, http.StatusOK, q.Get("offer"), flash, nil)
}

func (a *Account) showAuthenticator(w http.ResponseWriter, r *http.Request, s *idp.Session, status int, offer string, flash, problem web.Words) {
	k, err := a.kept(r.Context(), s.Account)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	p := web.Authenticator{Header: a.Header(w, r, k.who.Username), Flash: flash, Error: problem, Codes: idp.Has(k.all, idp.CredentialRecovery)}
	if c, on := k.first(idp.CredentialTOTP); on {
		p.On, p.Added = true, c.AddedAt.Time()
		if c.UsedAt != 0 {
			p.Used = c.UsedAt.Time()
		}
	} else if offer != "" {
		if p.Offer, err = a.offered(w, r, s, offer); err != nil && !errors.Is(err, idp.ErrEnded) {
			a.Pages.Fail(w, r, err)
			return
		}
	}
	a.Pages.Render(w, r, status, p)
}

// offered is what a person puts into the app; nil if it is over.
func (a *Account) offered(w http.ResponseWriter, r *http.Request, s *idp.Session, id string) (*web.Offer, error) {
	o, err := a.Factors.Offered(r.Context(), s, a.Browser.ID(w, r), id)
	if err != nil {
		return nil, err
	}
	picture, err := o.QR()
	if err != nil {
		return nil, err
	}
	return &web.Offer{ID: id, Secret: o.Secret, QR: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture)), URL: template.URL(o.URL)}, nil
}

// offer begins to set one up.
func (a *Account) offer(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	if a.Again(w, r, s, authenticatorPage) {
		return
	}
	k, err := a.kept(r.Context(), s.Account)
	var o factor.Offer
	if err == nil {
		o, err = a.Factors.Offer(r.Context(), s, a.Browser.ID(w, r), k.who.Username)
	}
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, authenticatorPage+"?offer="+url.QueryEscape(o.ID), http.StatusSeeOther)
}

// confirmOffer takes the first code, and shows the recovery codes: once, in the answer to this very form, for they are kept as hashes.
func (a *Account) confirmOffer(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	if a.Again(w, r, s, authenticatorPage) {
		return
	}
	cookie := idp.NewSecret(32)
	codes, receipt, err := a.Factors.Confirm(r.Context(), r, s, a.Browser.ID(w, r), idp.HashOf(cookie), form.Get("offer"), form.Get("code"))
	if err != nil {
		status, sentence := refused(err)
		if status == 0 {
			a.Pages.Fail(w, r, err)
			return
		}
		a.showAuthenticator(w, r, s, status, form.Get("offer"), nil, sentence)
		return
	}
	a.showCodes(w, r, s, cookie, codes, receipt, "Your authenticator app is on.")
}

// showCodes shows new recovery codes.
func (a *Account) showCodes(w http.ResponseWriter, r *http.Request, s *idp.Session, cookie string, codes []string, receipt idp.Receipt, said web.Words) {
	a.Door.Committed()
	a.Browser.SetSession(w, cookie, s)
	k, err := a.kept(r.Context(), s.Account)
	var gone []idp.Session
	if err == nil {
		gone, err = a.took(r.Context(), s.Account, receipt.ID)
	}
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	a.Pages.Render(w, r, http.StatusOK, web.Recovery{Header: a.Header(w, r, k.who.Username), Flash: web.Sentences(said, over(gone)), Codes: codes, Left: len(codes), On: true})
}

func (a *Account) removeAuthenticator(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	if a.Again(w, r, s, authenticatorPage) {
		return
	}
	cookie := idp.NewSecret(32)
	k, err := a.kept(r.Context(), s.Account)
	var receipt idp.Receipt
	if err == nil {
		c, _ := k.first(idp.CredentialTOTP)
		receipt, err = a.remove(r, s, k, idp.CredentialTOTP, c.ID, cookie)
	}
	if err != nil {
		status, sentence := refused(err)
		if status == 0 {
			a.Pages.Fail(w, r, err)
			return
		}
		a.showAuthenticator(w, r, s, status, "", nil, sentence)
		return
	}
	a.went(w, r, s, cookie, authenticatorPage, "removed", receipt)
}

func (a *Account) authenticatorJSON(w http.ResponseWriter, _ *http.Request, k kept) {
	c, on := k.first(idp.CredentialTOTP)
	out := map[string]any{"on": on}
	if on {
		out["added_at"] = stamp(c.AddedAt)
		if c.UsedAt != 0 {
			out["used_at"] = stamp(c.UsedAt)
		}
	}
	edge.JSON(w, http.StatusOK, out)
}

// recovery shows how many codes are left.
func (a *Account) recovery(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	k, err := a.kept(r.Context(), s.Account)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	a.Pages.Render(w, r, http.StatusOK, web.Recovery{Header: a.Header(w, r, k.who.Username), Left: idp.Has(k.all, idp.CredentialRecovery), On: idp.OwesSecond(k.all)})
}

// regenerate voids the codes and shows new ones.
func (a *Account) regenerate(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	if a.Again(w, r, s, recoveryPage) {
		return
	}
	cookie := idp.NewSecret(32)
	codes, receipt, err := a.Factors.Regenerate(r.Context(), r, s, idp.HashOf(cookie))
	switch {
	case errors.Is(err, idp.ErrNotFound):
		http.Redirect(w, r, authenticatorPage, http.StatusSeeOther)
	case errors.Is(err, idp.ErrEnded):
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	case err != nil:
		a.Pages.Fail(w, r, err)
	default:
		a.showCodes(w, r, s, cookie, codes, receipt, "The old codes are void.")
	}
}

func (a *Account) recoveryJSON(w http.ResponseWriter, _ *http.Request, k kept) {
	edge.JSON(w, http.StatusOK, map[string]int{"left": idp.Has(k.all, idp.CredentialRecovery)})
}
