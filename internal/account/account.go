package account

import (
	"context"
	"errors"
	"net/http"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/factor"
	"exeunt.dev/internal/frontchannel"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/person"
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
	*person.Host
	Store     idp.Store
	Door      *door.Door
	Passwords Passwords
	Factors   *factor.Factors
	Tokens    *token.Issuer
	Front     *frontchannel.FrontChannel
	Provider  func(id string) string    // what people read for a provider's id
	Place     func(ip string) string    // about where an address is; nil: that is not known
	After     func(*idp.Session) string // the key of the page behind a session
	// Tell writes to a person, in the transaction of a change, what was changed; nil: nobody does.
	Tell func(tx idp.Tx, e idp.Event, now idp.Time) error
}

// Mount adds the room's paths.
func (a *Account) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /account", a.Page(a.sessionsPage))
	mux.HandleFunc("GET /account/live", a.live)
	mux.HandleFunc("POST /account/signout", a.Form(a.signOut))
	mux.HandleFunc("POST /account/sessions/{ref}/end", a.Form(a.endOne))
	mux.HandleFunc("POST /account/sessions/others/end", a.Form(a.endOthers))
	mux.HandleFunc("POST /account/sessions/all/end", a.Form(a.endAll))
	mux.HandleFunc("GET /account/sessions", a.list)
	mux.HandleFunc("DELETE /account/sessions/{ref}", a.deleteOne)
	mux.HandleFunc("DELETE /account/sessions", a.deleteMany)
	mux.HandleFunc("GET /account/apps", a.twin(a.appsPage, a.appsJSON))
	mux.HandleFunc("POST /account/apps/{client}/withdraw", a.Form(a.withdraw))
	mux.HandleFunc("DELETE /account/apps/{client}", a.deleteApp)
	mux.HandleFunc("GET /account/activity", a.twin(a.activityPage, a.activityJSON))
	mux.HandleFunc("GET /account/password", a.Page(a.passwordPage))
	mux.HandleFunc("POST /account/password", a.Form(a.password))
	mux.HandleFunc("GET /account/close", a.Page(a.closePage))
	mux.HandleFunc("POST /account/close", a.Form(a.close))
	mux.HandleFunc("POST /account/language", a.Form(a.language))
	a.mountFactors(mux)
}

// twin is one address for a page and its JSON: browsers say that they want HTML.
func (a *Account) twin(show person.Act, answer func(http.ResponseWriter, *http.Request, caller)) http.HandlerFunc {
	page := a.Page(show)
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
		return http.StatusTooManyRequests, web.Wait(limited.RetryAfter())
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
