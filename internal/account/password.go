package account

import (
	"net/http"
	"net/url"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

func (a *Account) passwordPage(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	a.showPassword(w, r, s, http.StatusOK, nil)
}

func (a *Account) showPassword(w http.ResponseWriter, r *http.Request, s *idp.Session, status int, problem web.Words) {
	who, err := a.who(r.Context(), s.Account)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	a.Pages.Render(w, r, status, web.Password{Header: a.header(w, r, who.Username), Username: who.Username, Error: problem, Nonce: idp.NewSecret(16)})
}

// password changes the password and ends every other session in the same transaction (requirements R1.5).
func (a *Account) password(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	receipt, cookie, err := a.changePassword(r, s, form.Get("old"), form.Get("new"))
	if err != nil {
		if status, sentence := a.problem(w, r, err); status != 0 {
			a.showPassword(w, r, s, status, sentence)
		}
		return
	}
	a.Door.Committed()
	a.Browser.SetSession(w, cookie, s)
	http.Redirect(w, r, "/account?done=password&receipt="+string(receipt.ID), http.StatusSeeOther)
}

func (a *Account) changePassword(r *http.Request, s *idp.Session, old, next string) (receipt idp.Receipt, cookie string, err error) {
	if err := idp.ValidPassword(next); err != nil {
		return receipt, "", err
	}
	who, err := a.who(r.Context(), s.Account)
	if err != nil {
		return receipt, "", err
	}
	if _, err := a.Passwords.Check(r.Context(), r, who.Username, old); err != nil {
		return receipt, "", err
	}
	hash, err := a.Passwords.Hash(r.Context(), next)
	if err != nil {
		return receipt, "", err
	}
	cookie = idp.NewSecret(32)
	err = a.Store.Update(r.Context(), func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		selector := idp.EndOthers(s.Account, s.Name, idp.ReRoot{Cookie: idp.HashOf(cookie), AuthTime: now})
		if receipt, err = door.EndIn(tx, selector, cause(idp.CauseCredential, s, "")); err != nil {
			return err
		}
		who, err := tx.Account(s.Account)
		if err != nil {
			return err
		}
		who.Password, who.PasswordAt = hash, now
		if err := tx.UpdateAccount(who); err != nil {
			return err
		}
		return tx.Record(did(idp.EventPasswordChanged, s, r))
	})
	return receipt, cookie, err
}
