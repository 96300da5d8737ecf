package signin

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/frontchannel"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
	"exeunt.dev/ledger"
)

// SignIn is the room.
type SignIn struct {
	Store     idp.Store
	Door      *door.Door
	Browser   *browser.Browser
	Passwords *Passwords
	Pages     *web.Pages
	Front     *frontchannel.FrontChannel
}

// Mount adds the room's paths.
func (s *SignIn) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /login", s.show)
	mux.HandleFunc("POST /login", s.act)
	s.mountAPI(mux)
}

// waiting is an authorization request that waits, as the dispatcher sees it.
type waiting struct {
	id      string
	row     idp.Pending
	request idp.AuthorizeRequest
	client  idp.Client
	session *idp.Session
	account idp.Account // of the session
	slot    idp.Slot    // of the app in it
}

// load reads what the address names. No pending: a plain sign-in.
func (s *SignIn) load(w http.ResponseWriter, r *http.Request, id string) (*waiting, error) {
	at := &waiting{id: id}
	var err error
	if at.session, err = s.Browser.Session(r); err != nil && !errors.Is(err, idp.ErrNotFound) {
		return nil, err
	}
	now, _ := s.Store.Now()
	err = s.Store.View(r.Context(), func(v idp.View) (err error) {
		if at.session != nil {
			if at.account, err = v.Account(at.session.Account); err != nil {
				return err
			}
		}
		if id == "" {
			return nil
		}
		at.row, err = v.Pending(idp.HashOf(id))
		if errors.Is(err, idp.ErrNotFound) {
			return web.ErrExpired
		}
		if err != nil {
			return err
		}
		if at.row.Kind != idp.PendingAuthorize || at.row.Browser != s.Browser.ID(w, r) || now >= at.row.ExpiresAt ||
			errors.Is(idp.Live(v, at.row.Born.Names()...), idp.ErrEnded) {
			return web.ErrExpired
		}
		if err := json.Unmarshal(at.row.Data, &at.request); err != nil {
			return err
		}
		if at.client, err = v.Client(at.request.ClientID); err != nil || at.session == nil {
			return err
		}
		if at.slot, err = v.Slot(at.session.Name, at.client.ID); errors.Is(err, idp.ErrNotFound) {
			err = nil
		}
		return err
	})
	return at, err
}

// needsPassword says that the person must prove who they are: nobody is signed in, or not since the request began where it
// asked for that, or somebody else than the request is about.
func (s *SignIn) needsPassword(at *waiting) bool {
	if at.session == nil {
		return true
	}
	if at.id == "" {
		return false
	}
	q := &at.request
	if !q.Other.IsZero() && q.Other == at.session.Cookie {
		return true // a new sign-in has a new cookie, even of the same person
	}
	if at.session.AuthTime >= at.row.CreatedAt {
		return q.HintSubject != "" && q.HintSubject != at.session.Account
	}
	for _, p := range q.Prompt {
		if p == "login" {
			return true
		}
	}
	if q.MaxAge != nil && int64(at.row.CreatedAt-at.session.AuthTime) > *q.MaxAge*1000 {
		return true
	}
	return q.HintSubject != "" && q.HintSubject != at.session.Account
}

// show is the dispatcher: it looks at what waits and at who is here, and shows the next step.
func (s *SignIn) show(w http.ResponseWriter, r *http.Request) {
	q, err := edge.Query(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	at, err := s.load(w, r, q.Get("pending"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	acted := at.session != nil && at.request.Acted(&at.row, at.session.Name, &at.slot)
	switch {
	case at.request.Denied:
		s.back(w, r, at)
	case s.needsPassword(at):
		problem := ""
		if acted && at.request.HintSubject != "" && at.request.HintSubject != at.session.Account {
			problem = "This app asked for another account. Sign in with that one, or cancel."
		}
		s.askPassword(w, r, at, http.StatusOK, at.request.LoginHint, problem)
	case at.id == "":
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	case at.request.Consent || (at.request.Choose && !acted):
		s.choose(w, r, at)
	default:
		s.back(w, r, at)
	}
}

// back returns to the authorization endpoint.
func (s *SignIn) back(w http.ResponseWriter, r *http.Request, at *waiting) {
	http.Redirect(w, r, "/oauth2/authorize?pending="+url.QueryEscape(at.id), http.StatusSeeOther)
}

func (s *SignIn) askPassword(w http.ResponseWriter, r *http.Request, at *waiting, status int, username, problem string) {
	s.Pages.Render(w, status, web.Login{
		Action: "/login", Pending: at.id, CSRF: s.Browser.CSRF(w, r), App: at.client.Name, Username: username, Error: problem,
	})
}

// sentences say what a scope allows.
func sentences(scopes []string) []string {
	var out []string
	for _, scope := range scopes {
		switch scope {
		case "openid":
			out = append(out, "know that you are you")
		case "profile":
			out = append(out, "see your name and username")
		case "email":
			out = append(out, "see your mail address")
		case "offline_access":
			out = append(out, "act for you while you are away, also after you sign out here")
		case "account.signout":
			out = append(out, "see where you are signed in and sign you out")
		default:
			out = append(out, "use “"+scope+"”")
		}
	}
	return out
}

// shown is what the page asks: who goes on, and what they allow. An answer holds for just that, for another tab may have
// signed in as somebody else since.
func (at *waiting) shown() string {
	if !at.request.Consent {
		return string(at.account.ID)
	}
	return string(at.account.ID) + " allows " + strings.Join(at.request.Scopes, " ")
}

func (s *SignIn) choose(w http.ResponseWriter, r *http.Request, at *waiting) {
	p := web.Choose{Action: "/login", Pending: at.id, CSRF: s.Browser.CSRF(w, r), App: at.client.Name, Who: at.account.Username, Shown: at.shown()}
	if at.request.Consent {
		p.Scopes = sentences(at.request.Scopes)
		if len(p.Scopes) == 0 {
			p.Scopes = []string{"sign you in"}
		}
	}
	s.Pages.Render(w, http.StatusOK, p)
}

// act takes a person's answer. Each branch ends in a 303 to the dispatcher or shows the page again with what is wrong.
func (s *SignIn) act(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if s.Browser.Genuine(r, form.Get("csrf")) != nil {
		s.Pages.Render(w, http.StatusForbidden, web.Message{Title: "Please try again", Text: "This page was open for too long, or did not come from here. Nothing was changed.", Link: "/login?pending=" + url.QueryEscape(form.Get("pending")), LinkText: "Start again"})
		return
	}
	at, err := s.load(w, r, form.Get("pending"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	switch form.Get("act") {
	case "cancel":
		err = s.answer(r, at, nil, func(q *idp.AuthorizeRequest) { q.Denied = true })
	case "other":
		err = s.answer(r, at, nil, func(q *idp.AuthorizeRequest) {
			q.Prompt, q.HintSubject = []string{"login"}, ""
			if at.session != nil {
				q.Other = at.session.Cookie
			}
		})
	case "continue":
		if s.needsPassword(at) {
			break
		}
		if form.Get("shown") != at.shown() {
			break // the page named somebody else, or asked for something else: the dispatcher asks again
		}
		err = s.accept(r, at)
	default:
		s.password(w, r, at, form)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.next(w, r, at)
}

func (s *SignIn) next(w http.ResponseWriter, r *http.Request, at *waiting) {
	to := "/login"
	if at.id != "" {
		to += "?pending=" + url.QueryEscape(at.id)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// answer writes what the person decided into the row that waits. session is the one in which they acted; nil: that is not said.
func (s *SignIn) answer(r *http.Request, at *waiting, session *idp.Session, decide func(*idp.AuthorizeRequest)) error {
	if at.id == "" {
		return nil
	}
	return s.Store.Update(r.Context(), func(tx idp.Tx) error { return s.answerIn(tx, at, session, decide) })
}

func (s *SignIn) answerIn(tx idp.Tx, at *waiting, session *idp.Session, decide func(*idp.AuthorizeRequest)) error {
	row, err := tx.Pending(idp.HashOf(at.id))
	if err != nil {
		return web.ErrExpired
	}
	var q idp.AuthorizeRequest
	if err := json.Unmarshal(row.Data, &q); err != nil {
		return err
	}
	decide(&q)
	if session != nil {
		row.Session, row.Born.Account = session.Name, session.Epoch // from here on it is this person's, and dies with what they have
		if row.ActedAt, err = tx.Mint(); err != nil {
			return err
		}
		slot, err := tx.Slot(session.Name, row.Client)
		if err != nil && !errors.Is(err, idp.ErrNotFound) {
			return err
		}
		q.Saw = slot.Mark()
	}
	if row.Data, err = json.Marshal(q); err != nil {
		return err
	}
	return tx.UpdatePending(row)
}

// accept is "continue as" and "allow".
func (s *SignIn) accept(r *http.Request, at *waiting) error {
	return s.Store.Update(r.Context(), func(tx idp.Tx) error {
		if err := tx.LockAccount(at.session.Account, idp.Share); err != nil {
			return err
		}
		if err := idp.Live(tx, at.session.Names()...); err != nil {
			return web.ErrExpired
		}
		if at.request.Consent {
			now, err := tx.Mint()
			if err != nil {
				return err
			}
			c := idp.Consent{Account: at.session.Account, Client: at.client.ID, Scopes: at.request.Scopes, GivenAt: now}
			if err := tx.PutConsent(c, ledger.NewName()); err != nil {
				return err
			}
			if err := tx.Record(idp.Event{Kind: idp.EventConsentGiven, Account: c.Account, Session: at.session.Ref, Client: c.Client, IP: edge.Client(r).IP.String(),
				Device: r.UserAgent(), Data: map[string]string{"scopes": strings.Join(c.Scopes, " ")}}); err != nil {
				return err
			}
		}
		return s.answerIn(tx, at, at.session, func(q *idp.AuthorizeRequest) { q.Consent = false })
	})
}

// password checks the person and signs the browser in.
func (s *SignIn) password(w http.ResponseWriter, r *http.Request, at *waiting, form url.Values) {
	username := form.Get("username")
	proof, err := s.Passwords.Check(r.Context(), r, username, form.Get("password"))
	if err != nil {
		s.refuse(w, r, at, username, err)
		return
	}
	proof.Stay = form.Get("stay") != ""
	session, err := s.Browser.SignIn(w, r, proof)
	if err != nil {
		s.refuse(w, r, at, username, err)
		return
	}
	if err := s.answer(r, at, session, func(*idp.AuthorizeRequest) {}); err != nil {
		s.fail(w, r, err)
		return
	}
	s.next(w, r, at)
}

// refuse shows the password page again with what is wrong.
func (s *SignIn) refuse(w http.ResponseWriter, r *http.Request, at *waiting, username string, err error) {
	status, sentence := refusal(w, err)
	if status == 0 {
		s.fail(w, r, err)
		return
	}
	s.askPassword(w, r, at, status, username, sentence)
}

// refusal turns an error of a sign-in into a status and a sentence; 0 if it is none.
func refusal(w http.ResponseWriter, err error) (int, string) {
	var limited *idp.LimitedError
	switch {
	case errors.As(err, &limited):
		w.Header().Set("Retry-After", limited.RetryAfter())
		return http.StatusTooManyRequests, "Too many attempts. Please wait " + limited.RetryAfter() + " seconds and try again."
	case errors.Is(err, idp.ErrWrong):
		return http.StatusForbidden, "That username or password is not right."
	case errors.Is(err, idp.ErrLocked):
		return http.StatusForbidden, "This account is locked. Ask the people who run this site."
	case errors.Is(err, idp.ErrEnded):
		return http.StatusConflict, "Something changed while you signed in. Please try again."
	}
	return 0, ""
}

func (s *SignIn) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.Pages.Fail(w, r, err)
}
