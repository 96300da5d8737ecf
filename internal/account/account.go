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
	Hash(ctx context.Context, password string, about ...string) (string, error)
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
	Through   bool                      // there are providers that people may sign in through
	Place     func(ip string) string    // about where an address is; nil: that is not known
	After     func(*idp.Session) string // the key of the page behind a session
	// Tell writes to a person, in the transaction of a change, what was changed; nil: nobody does.
	Tell func(tx idp.Tx, e idp.Event, now idp.Time) error
}

// Mount adds the room's paths.
func (a *Account) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /account", a.page(a.sessionsPage))
	mux.HandleFunc("GET /account/live", a.live)
	mux.HandleFunc("POST /account/signout", a.form(a.signOut))
	mux.HandleFunc("POST /account/sessions/{ref}/end", a.form(a.endOne))
	mux.HandleFunc("POST /account/sessions/others/end", a.form(a.endOthers))
	mux.HandleFunc("POST /account/sessions/all/end", a.form(a.endAll))
	mux.HandleFunc("GET /account/sessions", a.list)
	mux.HandleFunc("DELETE /account/sessions/{ref}", a.deleteOne)
	mux.HandleFunc("DELETE /account/sessions", a.deleteMany)
	mux.HandleFunc("GET /account/apps", a.twin(a.appsPage, a.appsJSON))
	mux.HandleFunc("POST /account/apps/{client}/withdraw", a.form(a.withdraw))
	mux.HandleFunc("DELETE /account/apps/{client}", a.deleteApp)
	mux.HandleFunc("GET /account/activity", a.twin(a.activityPage, a.activityJSON))
	mux.HandleFunc("GET /account/password", a.page(a.passwordPage))
	mux.HandleFunc("POST /account/password", a.form(a.password))
	mux.HandleFunc("GET /account/close", a.page(a.closePage))
	mux.HandleFunc("POST /account/close", a.form(a.close))
	mux.HandleFunc("POST /account/language", a.form(a.language))
	a.mountFactors(mux)
}

// act is what a person does, signed in: a page that is shown, or a form that was sent.
type act func(w http.ResponseWriter, r *http.Request, s *idp.Session, values url.Values)

// page wraps a page of the signed-in person.
func (a *Account) page(show act) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, err := edge.Query(r)
		if err != nil {
			a.Pages.Fail(w, r, err)
			return
		}
		s, err := a.Browser.Session(r)
		if errors.Is(err, idp.ErrNotFound) {
			to := "/login"
			if r.URL.Path != "/account" {
				to += "?again=" + url.QueryEscape(r.URL.Path)
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		if err != nil {
			a.Pages.Fail(w, r, err)
			return
		}
		show(w, r, s, q)
	}
}

// twin is one address for a page and its JSON: browsers say that they want HTML.
func (a *Account) twin(show act, answer func(http.ResponseWriter, *http.Request, caller)) http.HandlerFunc {
	page := a.page(show)
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept")
		if !edge.Bears(r) && edge.WantsHTML(r) {
			page(w, r)
			return
		}
		if c, ok := a.caller(w, r, false); ok {
			answer(w, r, c)
		}
	}
}

// form wraps an act: a same-origin POST of the signed-in person.
func (a *Account) form(do act) http.HandlerFunc {
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
		do(w, r, s, form)
	}
}

// header is the strip of every page, with the way to the others.
func (a *Account) header(w http.ResponseWriter, r *http.Request, who string) web.Header {
	return web.Header{Who: who, CSRF: a.Browser.CSRF(w, r), Nav: a.Nav(r.URL.Path)}
}

// again sends whoever has not signed in recently to prove who they are, and back to the page (requirements R1.6).
func (a *Account) again(w http.ResponseWriter, r *http.Request, s *idp.Session, page string) bool {
	if a.Browser.Recent(s) {
		return false
	}
	http.Redirect(w, r, "/login?again="+url.QueryEscape(page), http.StatusSeeOther)
	return true
}

// who reads the person.
func (a *Account) who(ctx context.Context, id idp.AccountID) (who idp.Account, err error) {
	err = a.Store.Look(ctx, func(v idp.View) (err error) {
		who, err = v.Account(id)
		return err
	})
	return who, err
}

// problem turns an error of an act into a status and a sentence; 0: it was answered.
func (a *Account) problem(w http.ResponseWriter, r *http.Request, err error) (status int, sentence web.Words) {
	var limited *idp.LimitedError
	var invalid *idp.InvalidError
	switch {
	case errors.As(err, &limited):
		w.Header().Set("Retry-After", limited.RetryAfter())
		return http.StatusTooManyRequests, web.Say("Too many attempts. Please wait %s seconds.", limited.RetryAfter())
	case errors.As(err, &invalid):
		return http.StatusBadRequest, invalid.Sentence
	case errors.Is(err, idp.ErrWrong), errors.Is(err, idp.ErrLocked):
		return http.StatusForbidden, "That password is not right. Nothing was changed."
	case errors.Is(err, idp.ErrNotFound):
		return http.StatusNotFound, "There is no such thing any more. It may be over already."
	case errors.Is(err, idp.ErrEnded):
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	default:
		a.Pages.Fail(w, r, err)
	}
	return 0, nil
}

// cause of an act. One page has one nonce for several buttons, so the kind of the act is part of its identity.
func cause(kind idp.CauseKind, s *idp.Session, request string) idp.Cause {
	if request != "" {
		request = string(kind) + " " + s.Name.String() + " " + request
	}
	return idp.Cause{Kind: kind, Actor: idp.ActorAccount(s.Account), Request: request}
}

// did is an event of the person's own.
func did(kind idp.EventKind, s *idp.Session, r *http.Request) idp.Event {
	return idp.Event{Kind: kind, Account: s.Account, Session: s.Ref, IP: edge.Client(r).IP.String(), Device: r.UserAgent()}
}

func stamp(t idp.Time) string { return t.Time().UTC().Format(time.RFC3339) }
