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
	a.Pages.Render(w, r, status, web.Password{Header: a.Header(w, r, who.Username), Username: who.Username, First: who.Password == "", Error: problem})
}

// password changes the password and ends every other session in the same transaction (requirements R1.5). Who has none proves it by a
// recent sign-in instead of the old one.
func (a *Account) password(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	who, err := a.who(r.Context(), s.Account)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	if who.Password == "" && a.Again(w, r, s, "/account/password") {
		return
	}
	receipt, cookie, err := a.changePassword(r, s, &who, form.Get("old"), form.Get("new"))
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

// changePassword changes the one that was read.
func (a *Account) changePassword(r *http.Request, s *idp.Session, was *idp.Account, old, next string) (receipt idp.Receipt, cookie string, err error) {
	if err := idp.ValidPassword(next); err != nil {
		return receipt, "", err
	}
	if was.Password != "" {
		if _, err := a.Passwords.Check(r.Context(), r, was.Username, old); err != nil {
			return receipt, "", err
		}
	}
	hash, err := a.Passwords.Hash(r.Context(), next, was.Names()...)
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
		if was.Password == "" && who.Password != "" {
			return idp.ErrEnded // set in another tab meanwhile: that one is asked for
		}
		who.Password, who.PasswordAt = hash, now
		if err := tx.UpdateAccount(who); err != nil {
			return err
		}
		e := did(idp.EventPasswordChanged, s, r)
		if a.Tell != nil {
			if err := a.Tell(tx, e, now); err != nil {
				return err
			}
		}
		return tx.Record(e)
	})
	return receipt, cookie, err
}
