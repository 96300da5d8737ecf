package account

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/factor"
	"exeunt.dev/internal/frontchannel"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
	"exeunt.dev/internal/web"
)

// Passwords checks and makes passwords.
type Passwords interface {
	Check(ctx context.Context, r *http.Request, username, password string) (browser.Proof, error)
	Hash(ctx context.Context, password string) (string, error)
}

// Account is the room.
type Account struct {
	Store     idp.Store
	Door      *door.Door
	Browser   *browser.Browser
	Passwords Passwords
	Factors   *factor.Factors
	Pages     *web.Pages
	Tokens    *token.Issuer
	Front     *frontchannel.FrontChannel
	After     func(*idp.Session) string // the key of the page behind a session
}

// Mount adds the room's paths.
func (a *Account) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /account", a.page)
	mux.HandleFunc("POST /account/signout", a.form(a.signOut))
	mux.HandleFunc("POST /account/sessions/{ref}/end", a.form(a.endOne))
	mux.HandleFunc("POST /account/sessions/others/end", a.form(a.endOthers))
	mux.HandleFunc("POST /account/sessions/all/end", a.form(a.endAll))
	mux.HandleFunc("POST /account/password", a.form(a.password))
	mux.HandleFunc("GET /account/sessions", a.list)
	mux.HandleFunc("DELETE /account/sessions/{ref}", a.deleteOne)
	mux.HandleFunc("DELETE /account/sessions", a.deleteMany)
	a.mountFactors(mux)
}

// perPage is how many sessions a page shows.
const perPage = 50

type line struct {
	Session idp.Session
	Apps    []idp.Client
}

// sessions reads the live sessions of an account with their apps, a page of them.
func (a *Account) sessions(ctx context.Context, id idp.AccountID, after string) (who idp.Account, out []line, more string, err error) {
	now, _ := a.Store.Now()
	err = a.Store.View(ctx, func(v idp.View) error {
		if who, err = v.Account(id); err != nil {
			return err
		}
		e, err := v.Epochs(id, "")
		if err != nil {
			return err
		}
		rows, err := v.Sessions(id, e.Realm, e.Account, idp.Page{After: after, Limit: perPage})
		if err != nil {
			return err
		}
		if len(rows) == perPage {
			more = a.After(&rows[len(rows)-1])
		}
		for _, s := range rows {
			if s.Expired(now) {
				continue
			}
			l := line{Session: s}
			slots, err := v.Slots(s.Name)
			if err != nil {
				return err
			}
			for _, slot := range slots {
				if slot.Grant.IsZero() || errors.Is(idp.Live(v, slot.Grant), idp.ErrEnded) {
					continue
				}
				c, err := v.Client(slot.Client)
				if err != nil {
					return err
				}
				l.Apps = append(l.Apps, c)
			}
			out = append(out, l)
		}
		return nil
	})
	return who, out, more, err
}

func (a *Account) page(w http.ResponseWriter, r *http.Request) {
	q, err := edge.Query(r)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	s, err := a.Browser.Session(r)
	if errors.Is(err, idp.ErrNotFound) {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	flash, err := a.flash(r.Context(), s.Account, q)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	a.show(w, r, s, http.StatusOK, flash, "")
}

func (a *Account) show(w http.ResponseWriter, r *http.Request, s *idp.Session, status int, flash, problem web.Words) {
	who, lines, more, err := a.sessions(r.Context(), s.Account, r.URL.Query().Get("after"))
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	p := web.Account{
		Header: web.Header{Who: who.Username, CSRF: a.Browser.CSRF(w, r)}, Username: who.Username, Flash: flash, Error: problem,
		Recent: a.Browser.Recent(s), More: url.QueryEscape(more), Nonce: idp.NewSecret(16),
	}
	for _, l := range lines {
		row := web.SessionLine{Ref: l.Session.Ref, Agent: l.Session.UserAgent, IP: l.Session.LastIP, Current: l.Session.Name == s.Name,
			First: l.Session.CreatedAt.Time(), Last: l.Session.LastSeen.Time()}
		for _, c := range l.Apps {
			row.Apps = append(row.Apps, c.Name)
		}
		p.Sessions = append(p.Sessions, row)
	}
	a.Pages.Render(w, r, status, p)
}

// form wraps a room's act: a same-origin POST of the signed-in person.
func (a *Account) form(act func(http.ResponseWriter, *http.Request, *idp.Session, url.Values)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		form, err := edge.Form(w, r)
		if err != nil {
			a.Pages.Fail(w, r, err)
			return
		}
		if a.Browser.Genuine(r, form.Get("csrf")) != nil {
			a.Pages.Render(w, r, http.StatusForbidden, web.Message{Title: "Please try again", Text: "This page was open for too long, or did not come from here. Nothing was changed.", Link: "/account", LinkText: "Your account"})
			return
		}
		s, err := a.Browser.Session(r)
		if errors.Is(err, idp.ErrNotFound) {
			to := "/login"
			if id, ok := a.Browser.Receipt(r); ok {
				to = "/signout/" + string(id) // "sign out" was pressed twice
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		if err != nil {
			a.Pages.Fail(w, r, err)
			return
		}
		act(w, r, s, form)
	}
}

// confirmed asks for the password where the sign-in is not recent (requirements R1.6).
func (a *Account) confirmed(r *http.Request, s *idp.Session, password string) error {
	if a.Browser.Recent(s) {
		return nil
	}
	return a.knows(r, s, password)
}

func (a *Account) knows(r *http.Request, s *idp.Session, password string) error {
	var who idp.Account
	err := a.Store.View(r.Context(), func(v idp.View) (err error) {
		who, err = v.Account(s.Account)
		return err
	})
	if err != nil {
		return err
	}
	_, err = a.Passwords.Check(r.Context(), r, who.Username, password)
	return err
}

// problem shows the page again with what is wrong.
func (a *Account) problem(w http.ResponseWriter, r *http.Request, s *idp.Session, err error) {
	var limited *idp.LimitedError
	var invalid *idp.InvalidError
	switch {
	case errors.As(err, &limited):
		w.Header().Set("Retry-After", limited.RetryAfter())
		a.show(w, r, s, http.StatusTooManyRequests, "", web.Say("Too many attempts. Please wait %s seconds.", limited.RetryAfter()))
	case errors.As(err, &invalid):
		a.show(w, r, s, http.StatusBadRequest, "", invalid.Sentence)
	case errors.Is(err, idp.ErrWrong), errors.Is(err, idp.ErrLocked):
		a.show(w, r, s, http.StatusForbidden, "", web.Say("That password is not right. Nothing was changed."))
	case errors.Is(err, idp.ErrEnded):
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	case errors.Is(err, idp.ErrNotFound):
		a.show(w, r, s, http.StatusNotFound, "", web.Say("There is no such session. It may be over already."))
	default:
		a.Pages.Fail(w, r, err)
	}
}

// cause of an act. One page has one nonce for several buttons, so the kind of the act is part of its identity.
func cause(kind idp.CauseKind, s *idp.Session, request string) idp.Cause {
	if request != "" {
		request = string(kind) + " " + s.Name.String() + " " + request
	}
	return idp.Cause{Kind: kind, Actor: idp.ActorAccount(s.Account), Request: request}
}

func (a *Account) signOut(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	receipt, err := a.Door.End(r.Context(), idp.EndSession(s.Name), cause(idp.CauseSignOut, s, form.Get("nonce")))
	a.left(w, r, s, receipt, err)
}

func (a *Account) endAll(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	receipt, err := a.Door.End(r.Context(), idp.EndAccount(s.Account, idp.AccountActive), cause(idp.CauseEverywhere, s, form.Get("nonce")))
	a.left(w, r, s, receipt, err)
}

func (a *Account) left(w http.ResponseWriter, r *http.Request, s *idp.Session, receipt idp.Receipt, err error) {
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	a.Browser.Leave(w, r, receipt.ID)
	a.Front.Onward(w, r, s.Name, receipt.ID, "/signout/"+string(receipt.ID), false)
}

func (a *Account) endOne(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	if r.PathValue("ref") == s.Ref {
		a.signOut(w, r, s, form)
		return
	}
	err := a.confirmed(r, s, form.Get("password"))
	if err == nil {
		_, err = a.endRef(r, s.Account, r.PathValue("ref"))
	}
	if err != nil {
		a.problem(w, r, s, err)
		return
	}
	http.Redirect(w, r, "/account?done=one", http.StatusSeeOther)
}

func (a *Account) endRef(r *http.Request, id idp.AccountID, ref string) (receipt idp.Receipt, err error) {
	var named idp.Session
	err = a.Store.View(r.Context(), func(v idp.View) (err error) {
		named, err = v.SessionByRef(id, ref)
		return err
	})
	if err != nil {
		return receipt, err
	}
	return a.Door.End(r.Context(), idp.EndSession(named.Name), idp.Cause{Kind: idp.CauseSessionEnded, Actor: idp.ActorAccount(id)})
}

func (a *Account) endOthers(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	err := a.confirmed(r, s, form.Get("password"))
	cookie := idp.NewSecret(32)
	var receipt idp.Receipt
	if err == nil {
		receipt, err = a.Door.End(r.Context(), idp.EndOthers(s.Account, s.Name, idp.ReRoot{Cookie: idp.HashOf(cookie)}), cause(idp.CauseOthers, s, form.Get("nonce")))
	}
	if err == nil {
		err = a.renew(w, r, cookie, s)
	}
	if err != nil {
		a.problem(w, r, s, err)
		return
	}
	http.Redirect(w, r, "/account?done=others&receipt="+string(receipt.ID), http.StatusSeeOther)
}

// renew gives the browser the cookie that a re-root has written. A repeated call re-roots nothing and its cookie is none: then the
// browser keeps what it has.
func (a *Account) renew(w http.ResponseWriter, r *http.Request, cookie string, s *idp.Session) error {
	err := a.Store.View(r.Context(), func(v idp.View) error {
		_, err := v.SessionByCookie(idp.HashOf(cookie))
		return err
	})
	if errors.Is(err, idp.ErrNotFound) {
		return nil
	}
	if err == nil {
		a.Browser.SetSession(w, cookie, s)
	}
	return err
}

// password changes the password and ends every other session in the same transaction (requirements R1.5).
func (a *Account) password(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	err := idp.ValidPassword(form.Get("new"))
	if err == nil {
		err = a.knows(r, s, form.Get("old"))
	}
	var hash string
	if err == nil {
		hash, err = a.Passwords.Hash(r.Context(), form.Get("new"))
	}
	cookie := idp.NewSecret(32)
	var receipt idp.Receipt
	if err == nil {
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
	}
	if err != nil {
		a.problem(w, r, s, err)
		return
	}
	a.Door.Committed()
	a.Browser.SetSession(w, cookie, s)
	http.Redirect(w, r, "/account?done=password&receipt="+string(receipt.ID), http.StatusSeeOther)
}

// did is an event of the person's own.
func did(kind idp.EventKind, s *idp.Session, r *http.Request) idp.Event {
	return idp.Event{Kind: kind, Account: s.Account, Session: s.Ref, IP: edge.Client(r).IP.String(), Device: r.UserAgent()}
}

func stamp(t idp.Time) string { return t.Time().UTC().Format(time.RFC3339) }
