package account

import (
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/web"
)

func (a *Account) closePage(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	a.showClose(w, r, s, http.StatusOK, nil)
}

func (a *Account) showClose(w http.ResponseWriter, r *http.Request, s *idp.Session, status int, problem web.Words) {
	who, err := a.who(r.Context(), s.Account)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	a.Pages.Render(w, r, status, web.Close{Header: a.Header(w, r, who.Username), Username: who.Username, Error: problem, Nonce: idp.NewSecret(16), Again: !a.Browser.Recent(s)})
}

// close ends everything of the person for good. The username is not freed: apps that know people by it would take the next one who has it
// for this one (docs/decisions). What the person told of themselves goes at the door.
func (a *Account) close(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	if a.Again(w, r, s, "/account/close") {
		return
	}
	who, err := a.who(r.Context(), s.Account)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	if idp.FoldUsername(form.Get("username")) != idp.FoldUsername(who.Username) {
		a.showClose(w, r, s, http.StatusBadRequest, web.Say("That is not your username. Nothing was changed."))
		return
	}
	var receipt idp.Receipt
	err = a.Store.Update(r.Context(), func(tx idp.Tx) (err error) {
		if _, err := tx.Operator(s.Account); err == nil {
			if err := operate.KeepAdmin(tx, s.Account); err != nil {
				return err
			}
		}
		// Under the lock, so that a session that loses a race against its end closes nothing.
		if err := tx.LockAccount(s.Account, idp.Exclusive); err != nil {
			return err
		}
		if err := idp.Live(tx, s.Names()...); err != nil {
			return err
		}
		if receipt, err = door.EndIn(tx, idp.EndAccount(s.Account, idp.AccountDeleted), cause(idp.CauseDelete, s, form.Get("nonce"))); err != nil {
			return err
		}
		return tx.Record(did(idp.EventAccountClosed, s, r))
	})
	if errors.Is(err, idp.ErrEnded) {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	var last *operate.StateError
	if errors.As(err, &last) {
		a.showClose(w, r, s, http.StatusConflict, last.Sentence)
		return
	}
	if err == nil {
		a.Door.Committed()
	}
	a.left(w, r, s, receipt, err)
}
