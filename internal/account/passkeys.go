package account

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/factor"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

const passkeysPage = "/account/passkeys"

// passkeys lists them.
func (a *Account) passkeys(w http.ResponseWriter, r *http.Request, s *idp.Session, q url.Values) {
	flash, err := a.changed(r.Context(), s.Account, map[string]web.Words{"added": web.Say("Your passkey is added."), "removed": web.Say("The passkey is removed."), "renamed": web.Say("The name is changed.")}, q)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	a.showPasskeys(w, r, s, http.StatusOK, flash, nil)
}

func (a *Account) showPasskeys(w http.ResponseWriter, r *http.Request, s *idp.Session, status int, flash, problem web.Words) {
	k, err := a.kept(r.Context(), s.Account)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	p := web.Passkeys{Header: a.Header(w, r, k.who.Username), Flash: flash, Error: problem, Passkeys: a.Factors.HasPasskeys(), Suggested: web.Device(r.UserAgent())}
	for _, c := range k.all {
		if c.Kind != idp.CredentialPasskey {
			continue
		}
		line := web.PasskeyLine{ID: string(c.ID), Name: c.Name, Added: c.AddedAt.Time(), Synced: factor.Synced(&c)}
		if c.UsedAt != 0 {
			line.Used = c.UsedAt.Time()
		}
		p.Keys = append(p.Keys, line)
	}
	a.Pages.Render(w, r, status, p)
}

// passkeyChallenge begins to add one, for the script of the page.
func (a *Account) passkeyChallenge(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r)
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	if a.Browser.Genuine(r, form.Get("csrf")) != nil {
		edge.OAuthError(w, http.StatusForbidden, "csrf", "The CSRF token is missing or wrong.")
		return
	}
	s, err := a.Browser.Session(r)
	if errors.Is(err, idp.ErrNotFound) || (err == nil && !a.Browser.Recent(s)) {
		edge.JSON(w, http.StatusForbidden, map[string]string{"error": "login_required", "error_description": "Sign in again first: this needs a recent sign-in.",
			"login": "/login?again=" + url.QueryEscape(passkeysPage)})
		return
	}
	var id string
	var options []byte
	if err == nil {
		id, options, err = a.Factors.Enrol(r.Context(), s, a.Browser.ID(w, r))
	}
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	edge.JSON(w, http.StatusOK, map[string]any{"ceremony": id, "options": json.RawMessage(options)})
}

func (a *Account) addPasskey(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	if a.Again(w, r, s, passkeysPage) {
		return
	}
	cookie := idp.NewSecret(32)
	receipt, err := a.Factors.AddPasskey(r.Context(), r, s, a.Browser.ID(w, r), idp.HashOf(cookie), form.Get("ceremony"), form.Get("name"), form.Get("credential"))
	if err != nil {
		a.refusePasskey(w, r, s, err)
		return
	}
	a.went(w, r, s, cookie, passkeysPage, "added", receipt)
}

func (a *Account) renamePasskey(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	if err := a.Factors.Rename(r.Context(), s, idp.CredentialID(r.PathValue("id")), form.Get("name")); err != nil {
		a.refusePasskey(w, r, s, err)
		return
	}
	http.Redirect(w, r, passkeysPage+"?done=renamed", http.StatusSeeOther)
}

func (a *Account) removePasskey(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	if a.Again(w, r, s, passkeysPage) {
		return
	}
	cookie := idp.NewSecret(32)
	k, err := a.kept(r.Context(), s.Account)
	var receipt idp.Receipt
	if err == nil {
		receipt, err = a.remove(r, s, k, idp.CredentialPasskey, idp.CredentialID(r.PathValue("id")), cookie)
	}
	if err != nil {
		a.refusePasskey(w, r, s, err)
		return
	}
	a.went(w, r, s, cookie, passkeysPage, "removed", receipt)
}

func (a *Account) refusePasskey(w http.ResponseWriter, r *http.Request, s *idp.Session, err error) {
	status, sentence := refused(err)
	if errors.Is(err, idp.ErrWrong) {
		sentence = web.Say("What your browser sent is not a passkey for this site. Please try again.")
	}
	if status == 0 {
		a.Pages.Fail(w, r, err)
		return
	}
	a.showPasskeys(w, r, s, status, nil, sentence)
}

func (a *Account) passkeysJSON(w http.ResponseWriter, _ *http.Request, k kept) {
	type line struct {
		ID      idp.CredentialID `json:"id"`
		Name    string           `json:"name"`
		AddedAt string           `json:"added_at"`
		UsedAt  string           `json:"used_at,omitempty"`
		Synced  bool             `json:"synced"`
	}
	out := []line{}
	for _, c := range k.all {
		if c.Kind != idp.CredentialPasskey {
			continue
		}
		l := line{ID: c.ID, Name: c.Name, AddedAt: stamp(c.AddedAt), Synced: factor.Synced(&c)}
		if c.UsedAt != 0 {
			l.UsedAt = stamp(c.UsedAt)
		}
		out = append(out, l)
	}
	edge.JSON(w, http.StatusOK, map[string]any{"passkeys": out})
}
