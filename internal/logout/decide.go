package logout

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
	"exeunt.dev/internal/web"
)

// verdict is what the decision table says about a request.
type verdict struct {
	wrong    web.Words   // an error page with these words; nothing else is set
	client   *idp.Client // whom it is about
	to       string      // where to go afterwards; registered for that client
	endAll   bool        // end the session at once
	endApp   bool        // end the app's grant at once
	ask      bool        // ask the person
	offerApp bool        // "this app only" is an answer
	session  *idp.Session
	who      string
	awaited  []idp.ClientID // the apps that the browser waits for: read with the hint for endAll, else asked for at the end
	receipt  idp.Receipt    // of what was ended at once
}

// decide is the table of the design, first match wins. act: what is to be ended at once is ended.
func (l *Logout) decide(r *http.Request, q request, proven, act bool) (v verdict, err error) {
	if q.LogoutURI != "" && (q.Hint != "" || q.PostURI != "") {
		return verdict{wrong: web.Say("It mixes two kinds of sign-out.")}, nil
	}
	var hint *token.Hint
	if q.Hint != "" {
		h, err := l.Tokens.ReadHint(q.Hint)
		if err != nil {
			return verdict{wrong: notIssued}, nil
		}
		if q.ClientID != "" && q.ClientID != string(h.Client) {
			return verdict{wrong: web.Say("Its client_id is not the one of its id_token_hint.")}, nil
		}
		hint, q.ClientID = &h, string(h.Client)
	}
	if act && hint != nil && !prefetched(r) {
		receipt, err := l.Door.Decide(r.Context(), func(s idp.View) (what idp.Selector, why idp.Cause, err error) {
			if v, err = l.judge(s, r, q, hint, proven); err != nil || !v.endAll {
				return what, why, err
			}
			return idp.EndThis(v.session), idp.Cause{Kind: idp.CauseSignOut, Actor: idp.ActorAccount(v.session.Account)}, nil
		})
		v.receipt = receipt
		if err != nil {
			return v, err
		}
	} else if err := l.Store.Look(r.Context(), func(s idp.View) (err error) { v, err = l.judge(s, r, q, hint, proven); return err }); err != nil {
		return v, err
	}
	if v.session != nil && !v.endAll {
		l.Browser.See(r, v.session)
	}
	return v, nil
}

var notIssued = web.Say("Its id_token_hint was not issued here.")

// judge is the table for a request that is not wrong in itself.
func (l *Logout) judge(s idp.View, r *http.Request, q request, hint *token.Hint, proven bool) (v verdict, err error) {
	if hint != nil {
		switch err := idp.Live(s, hint.Key); {
		case errors.Is(err, idp.ErrEnded):
			return verdict{wrong: notIssued}, nil
		case err != nil:
			return v, err
		}
	}
	hinted, err := l.look(s, r, q, hint, &v)
	if err != nil {
		return v, err
	}
	if q.ClientID != "" && v.client == nil {
		return verdict{wrong: web.Say("Its app is not known.")}, nil
	}
	if q.PostURI != "" && v.client != nil && !idp.MatchURI(v.client.PostLogoutURIs, q.PostURI, false) ||
		q.LogoutURI != "" && (v.client == nil || !idp.MatchURI(v.client.LogoutURIs, q.LogoutURI, false)) {
		return verdict{wrong: web.Say("The address to return to is not registered for this app.")}, nil
	}
	switch {
	case q.PostURI != "" && v.client != nil:
		v.to = withState(q.PostURI, q.State)
	case q.LogoutURI != "":
		v.to = withState(q.LogoutURI, q.State)
	}
	switch {
	case hinted && !prefetched(r):
		v.endAll = true
	case v.session == nil:
		// nobody is signed in: not an error (RP-Initiated Logout 1.0 section 4). Without client or hint nothing leaves.
	case q.LogoutURI != "" && proven && l.fromApp(r, v.client):
		v.endApp = true
	default:
		v.ask, v.offerApp = true, q.LogoutURI != ""
	}
	return v, nil
}

// look reads all that the table asks for, and whether the hint is of a grant of the cookie's session. What it rests on never changes, or
// is asked again behind the door.
func (l *Logout) look(s idp.View, r *http.Request, q request, hint *token.Hint, v *verdict) (hinted bool, err error) {
	if q.ClientID != "" {
		c, err := s.Client(idp.ClientID(q.ClientID))
		switch {
		case err == nil && !c.Disabled: // nothing is sent to an app that an operator has turned off
			v.client = &c
		case err != nil && !errors.Is(err, idp.ErrNotFound):
			return false, err
		}
	}
	v.session, err = l.Browser.PeekIn(s, r)
	if errors.Is(err, idp.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if v.client != nil && hint != nil && !hint.Sid.IsZero() {
		g, err := s.Parting(hint.Sid)
		if err != nil && !errors.Is(err, idp.ErrNotFound) {
			return false, err
		}
		hinted = err == nil && g.Session == v.session.Name && g.Client == v.client.ID && g.Account == hint.Subject
		v.awaited = g.Awaited
	}
	if !hinted || prefetched(r) {
		a, err := s.Account(v.session.Account) // for the question
		if err != nil {
			return false, err
		}
		v.who = a.Username
	}
	return hinted, nil
}

// fromApp compares the Referer's origin with those of the client's https or loopback redirect URIs.
func (l *Logout) fromApp(r *http.Request, c *idp.Client) bool {
	origin := idp.OriginOf(r.Header.Get("Referer"))
	return origin != "" && c.HasOrigin(origin)
}

// withState adds state, and nothing else, to a registered address.
func withState(uri, state string) string {
	if state == "" {
		return uri
	}
	mark := "?"
	if strings.Contains(uri, "?") {
		mark = "&"
	}
	return uri + mark + "state=" + url.QueryEscape(state) // registered addresses have no fragment
}

// answer does what the table says.
func (l *Logout) answer(w http.ResponseWriter, r *http.Request, q request, pending string, proven bool) {
	v, err := l.decide(r, q, proven, true)
	switch {
	case err != nil:
		l.Pages.Fail(w, r, err)
	case v.wrong != nil:
		l.wrong(w, r, v.wrong)
	case v.endAll:
		l.leave(w, r, v, v.receipt, idp.CauseSignOut)
	case v.endApp:
		l.end(w, r, v, idp.EndApp(v.session.Name, v.client.ID), idp.CauseAppSignOut, "")
	case v.ask:
		l.ask(w, r, q, v, pending)
	case v.to != "":
		l.Pages.Onward(w, r, v.to, r.Method == http.MethodPost)
	default:
		// No Leave here: without a session there is nothing to clear, and any site can make a browser send this request.
		l.Pages.Render(w, r, http.StatusOK, web.Message{Title: "You are signed out", Text: "Nobody is signed in to this site in this browser. On a shared computer, close the browser, too.", Link: "/login", LinkText: "Sign in"})
	}
}

// ask shows the question. The request waits in a row, so that the form can be answered but not changed.
func (l *Logout) ask(w http.ResponseWriter, r *http.Request, q request, v verdict, pending string) {
	if pending == "" {
		var err error
		if pending, err = l.keep(r, q); err != nil {
			l.Pages.Fail(w, r, err)
			return
		}
		v.offerApp = v.offerApp && pending != ""
	}
	p := web.Ask{Action: "/logout/confirm", Pending: pending, CSRF: l.Browser.CSRF(w, r), Nonce: idp.NewSecret(16), Who: v.who, Account: string(v.session.Account)}
	if v.offerApp {
		p.App = v.client.Name
	}
	l.Pages.Render(w, r, http.StatusOK, p)
}

// confirm takes the answer: a same-origin POST with its proof.
func (l *Logout) confirm(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r)
	if err != nil {
		l.wrong(w, r, err.Error())
		return
	}
	if l.Browser.Genuine(r, form.Get("csrf")) != nil {
		l.Pages.Render(w, r, http.StatusForbidden, web.Message{Title: "Please try again", Text: "This page was open for too long, or did not come from here. Nothing was changed.", SignOut: true})
		return
	}
	q, err := l.stored(r, form.Get("pending"))
	if err != nil {
		l.Pages.Fail(w, r, err)
		return
	}
	v, err := l.decide(r, q, false, false)
	switch {
	case err != nil:
		l.Pages.Fail(w, r, err)
	case v.wrong != nil:
		l.wrong(w, r, v.wrong)
	case v.session == nil:
		if id, ok := l.Browser.Receipt(r); ok && v.to == "" {
			http.Redirect(w, r, "/signout/"+string(id), http.StatusSeeOther) // the button was pressed twice
			return
		}
		l.answer(w, r, q, form.Get("pending"), false)
	case form.Get("act") != "stay" && form.Get("account") != string(v.session.Account):
		l.ask(w, r, q, v, form.Get("pending")) // another tab has signed in as somebody else: the page did not name them
	case form.Get("act") == "app" && v.offerApp:
		l.end(w, r, v, idp.EndApp(v.session.Name, v.client.ID), idp.CauseAppSignOut, form.Get("nonce"))
	case form.Get("act") == "all":
		l.end(w, r, v, idp.EndThis(v.session), idp.CauseSignOut, form.Get("nonce"))
	case form.Get("act") == "everywhere":
		l.end(w, r, v, idp.EndAccount(v.session.Account, idp.AccountActive), idp.CauseEverywhere, form.Get("nonce"))
	default:
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	}
}

// end ends and, after commit, sends the browser on.
func (l *Logout) end(w http.ResponseWriter, r *http.Request, v verdict, s idp.Selector, kind idp.CauseKind, nonce string) {
	if nonce != "" {
		// A page with several buttons has one nonce: another button is another act.
		nonce = string(kind) + " " + v.session.Name.String() + " " + nonce
	}
	receipt, err := l.Door.End(r.Context(), s, idp.Cause{Kind: kind, Actor: idp.ActorAccount(v.session.Account), Request: nonce})
	if err != nil {
		l.Pages.Fail(w, r, err)
		return
	}
	if !v.endAll {
		v.awaited = l.Front.Awaited(r, v.session.Name)
	}
	l.leave(w, r, v, receipt, kind)
}

// leave sends the browser on after the commit: to the registered address, else to the receipt.
func (l *Logout) leave(w http.ResponseWriter, r *http.Request, v verdict, receipt idp.Receipt, kind idp.CauseKind) {
	left := kind != idp.CauseAppSignOut
	if left {
		l.Browser.Leave(w, r, receipt.ID)
	}
	if v.to == "" {
		v.to = "/signout/" + string(receipt.ID)
		if receipt.ID == "" {
			v.to = "/account"
		}
	}
	l.Front.Wait(r, receipt.ID, v.awaited)
	if !left {
		l.Pages.Onward(w, r, v.to, r.Method == http.MethodPost) // the app that is left has asked for it, and others have lost nothing
		return
	}
	l.Front.Ask(w, r, v.session.Name, receipt.ID, v.to, r.Method == http.MethodPost)
}

var errScope = errors.New("token may not sign out")

// everywhere signs a person out everywhere, by a bearer token with the scope for it (requirements R3.3).
func (l *Logout) everywhere(w http.ResponseWriter, r *http.Request) {
	a, ok := bearer.Token(w, r, l.Tokens, l.Store)
	if !ok {
		return
	}
	key, err := edge.IdempotencyKey(r)
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	cause := idp.Cause{Kind: idp.CauseEverywhere, Actor: idp.ActorAccount(idp.AccountID(a.Subject))}
	may := !a.Machine() && a.HasScope(idp.ScopeSignOut)
	if key != "" && may {
		// The retry of a call whose answer was lost has the token that the call ended. Any other call with an ended token is refused.
		cause.Request = "everywhere " + a.JTI.String() + " " + key
		first, err := l.Door.Again(r.Context(), cause.Actor, cause.Request)
		if err == nil {
			l.done(w, first)
			return
		}
		if !errors.Is(err, idp.ErrNotFound) {
			edge.Fail(w, r, err)
			return
		}
	}
	err = l.Store.View(r.Context(), func(v idp.View) error {
		if err := idp.Live(v, a.Hangs()...); err != nil {
			return err
		}
		if !may {
			return errScope
		}
		return nil
	})
	var receipt idp.Receipt
	if err == nil {
		receipt, err = l.Door.End(r.Context(), idp.EndAccount(idp.AccountID(a.Subject), idp.AccountActive), cause)
	}
	scheme, _ := edge.Authorization(r)
	switch {
	case errors.Is(err, idp.ErrEnded):
		edge.JSON(w, http.StatusBadRequest, map[string]string{"message": edge.Revoked, "error": "invalid_token"})
	case errors.Is(err, errScope):
		edge.Refuse(w, scheme, http.StatusForbidden, "insufficient_scope", "The access token needs the scope account.signout")
	case err != nil:
		edge.Fail(w, r, err)
	default:
		l.done(w, receipt)
	}
}

func (l *Logout) done(w http.ResponseWriter, receipt idp.Receipt) {
	edge.JSON(w, http.StatusOK, map[string]any{"receipt": l.Browser.ReceiptAddress(receipt.ID), "ended": "everywhere"})
}
