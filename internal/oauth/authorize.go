package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// asked is an authorization request on its way: from the browser, from PAR, or back from the sign-in pages.
type asked struct {
	request idp.AuthorizeRequest
	client  idp.Client
	born    idp.Epochs   // the client's epoch, read together with the client when the request came
	row     *idp.Pending // it has been waiting
	id      string       // of the row
	par     idp.Hash     // the pushed request it came from, to be used once
	net     netip.Prefix // that the code will be bound to: where the app itself was sent from
}

// authorize is the authorization endpoint (OpenID Connect Core section 3.1.2).
func (o *OAuth) authorize(w http.ResponseWriter, r *http.Request) {
	v, done, err := o.parameters(w, r)
	if err != nil {
		o.Pages.Fail(w, r, err)
	}
	if err != nil || done {
		return
	}
	var a asked
	switch {
	case v.Has("pending"):
		a, err = o.resume(w, r, v.Get("pending"))
	case strings.HasPrefix(v.Get("request_uri"), parPrefix):
		a, err = o.pushed(r, v)
	default:
		var uri string
		if a.client, a.born, uri, err = o.target(r.Context(), v); err == nil {
			a.request, err = o.parse(v, &a.client, uri, bearer.Shown{})
		}
	}
	if err == nil && a.request.Denied {
		err = refuse("access_denied", "the person said no")
	}
	if err == nil {
		err = o.decide(w, r, &a)
	}
	var no *refusal
	switch {
	case err == nil:
	case errors.As(err, &no):
		o.respond(w, r, &a.request, [][2]string{{"error", no.code}, {"error_description", no.description}})
	case edge.Down(err) && a.request.RedirectURI != "":
		o.respond(w, r, &a.request, [][2]string{{"error", "temporarily_unavailable"}})
	default:
		o.Pages.Fail(w, r, err)
	}
}

// resume picks up a request that waited for a human.
func (o *OAuth) resume(w http.ResponseWriter, r *http.Request, id string) (asked, error) {
	a := asked{id: id}
	now, _ := o.Store.Now()
	err := o.Store.View(r.Context(), func(v idp.View) error {
		row, err := v.Pending(idp.HashOf(id))
		if errors.Is(err, idp.ErrNotFound) {
			return web.ErrExpired
		}
		if err != nil {
			return err
		}
		if row.Kind != idp.PendingAuthorize || row.Browser != o.Browser.ID(w, r) || now >= row.ExpiresAt {
			return web.ErrExpired
		}
		a.row = &row
		return o.waited(v, &a, &row)
	})
	if errors.Is(err, idp.ErrEnded) || errors.Is(err, idp.ErrNotFound) {
		err = web.ErrExpired
	}
	return a, err
}

// waited picks a request up from the row in which it waited. idp.ErrEnded: what it began under is over, or the app has taken
// its address back meanwhile: nothing may be sent there then, not even an error.
func (o *OAuth) waited(v idp.View, a *asked, row *idp.Pending) error {
	if err := idp.Live(v, row.Born.Names()...); err != nil {
		return err
	}
	client, err := v.Client(row.Client)
	if err != nil {
		return err
	}
	var q idp.AuthorizeRequest
	if err := json.Unmarshal(row.Data, &q); err != nil {
		return err
	}
	if client.Disabled || !client.RedirectAllowed(q.RedirectURI) || !client.May("authorization_code") {
		return idp.ErrEnded
	}
	a.request, a.client, a.born = q, client, row.Born
	return nil
}

// standing is what the session of this browser means for the request.
type standing struct {
	session *idp.Session
	epochs  idp.Epochs // current ones of account and client: their consent is what a grant is born under
	consent []string
	given   bool
	slot    idp.Slot
}

func (o *OAuth) standing(r *http.Request, c *idp.Client) (standing, error) {
	var st standing
	session, err := o.Browser.Session(r)
	if errors.Is(err, idp.ErrNotFound) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	st.session = session
	return st, o.Store.View(r.Context(), func(v idp.View) error {
		if st.epochs, err = v.Epochs(session.Account, c.ID); err != nil {
			return err
		}
		consent, err := v.Consent(session.Account, c.ID)
		if err != nil && !errors.Is(err, idp.ErrNotFound) {
			return err
		}
		st.consent, st.given = consent.Scopes, err == nil
		if st.slot, err = v.Slot(session.Name, c.ID); errors.Is(err, idp.ErrNotFound) {
			err = nil
		}
		return err
	})
}

// decide issues a code, or says no, or sends the browser to the sign-in pages.
func (o *OAuth) decide(w http.ResponseWriter, r *http.Request, a *asked) error {
	st, err := o.standing(r, &a.client)
	if err != nil {
		return err
	}
	if a.client.Kind == idp.KindBrowser { // it redeems its code from this browser
		a.net, _ = a.client.BindAddress.Of(edge.Client(r).IP)
	}
	now, _ := o.Store.Now()
	login, choose, consent := needs(a, &st, now)
	if !login && !choose && !consent {
		code, err := o.issue(r.Context(), a, &st)
		if errors.Is(err, errRaced) {
			return o.decide(w, r, a)
		}
		if errors.Is(err, idp.ErrEnded) || errors.Is(err, idp.ErrNotFound) {
			return web.ErrExpired // something ended meanwhile: nothing was made
		}
		if err != nil {
			return err
		}
		return o.respond(w, r, &a.request, [][2]string{{"code", code}})
	}
	if has(a.request.Prompt, "none") {
		switch {
		case login:
			return refuse("login_required", "nobody is signed in here as the request wants")
		case choose:
			return refuse("login_required", "the person must confirm this sign-in")
		}
		return refuse("consent_required", "the person has not allowed this yet")
	}
	a.request.Choose, a.request.Consent = choose, consent
	if login && st.session != nil {
		a.request.Other = st.session.Cookie // times are too coarse to tell a sign-in a moment ago from the one that is wanted
	}
	if a.row == nil && st.session != nil {
		a.born.Account = st.session.Epoch // R: half-finished things too: it dies with what its person has here
	}
	id, err := o.wait(w, r, a)
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/login?pending="+url.QueryEscape(id), http.StatusSeeOther)
	return nil
}

// needs says which human act is due. A human has acted if somebody did so in this very session since the request came, and
// since the app was signed out there.
func needs(a *asked, st *standing, now idp.Time) (login, choose, consent bool) {
	q := &a.request
	if st.session == nil {
		return true, false, has(q.Prompt, "consent")
	}
	acted := q.Acted(a.row, st.session.Name, &st.slot)
	silent := q.MaxAge != nil && st.session.Silent()
	fresh := a.row != nil && st.session.AuthTime >= a.row.CreatedAt && q.Other != st.session.Cookie && !silent
	if !fresh {
		login = has(q.Prompt, "login")
		if q.MaxAge != nil {
			login = login || silent || *q.MaxAge == 0 || now-st.session.AuthTime > idp.Time(*q.MaxAge*1000)
		}
	}
	login = login || (q.HintSubject != "" && q.HintSubject != st.session.Account)
	choose = !acted && (st.slot.MustAsk || has(q.Prompt, "select_account"))
	covered := a.client.FirstParty || (st.given && !slices.ContainsFunc(q.Scopes, func(s string) bool { return !slices.Contains(st.consent, s) }))
	consent = !covered || (has(q.Prompt, "consent") && (!acted || q.Consent))
	return login, choose, consent
}

// wait writes the request into a row that the sign-in pages find, bound to this browser.
func (o *OAuth) wait(w http.ResponseWriter, r *http.Request, a *asked) (string, error) {
	data, err := json.Marshal(a.request)
	if err != nil {
		return "", err
	}
	id := a.id
	if id == "" {
		id = idp.NewSecret(16)
	}
	if a.row == nil {
		if err := o.mayWait(r); err != nil {
			return "", err
		}
	}
	if a.row == nil {
		o.Pages.Ask(w, a.request.UILocales)
	}
	browser := o.Browser.ID(w, r)
	return id, o.Store.Update(r.Context(), func(tx idp.Tx) error {
		if a.row != nil {
			row := *a.row
			row.Data = data
			return tx.UpdatePending(row)
		}
		if err := o.usePushed(tx, a); err != nil {
			return err
		}
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		return tx.InsertPending(idp.Pending{
			ID: idp.HashOf(id), Kind: idp.PendingAuthorize, Browser: browser, Client: a.client.ID, Born: a.born, Data: data,
			CreatedAt: now, ExpiresAt: now.Add(o.Browser.Policy().PendingLife),
		})
	})
}

// respond sends the answer to the redirect URI, which has been compared with the registered ones, with state, iss
// (RFC 9207) and session_state, where that is on.
func (o *OAuth) respond(w http.ResponseWriter, r *http.Request, q *idp.AuthorizeRequest, answer [][2]string) error {
	if q.State != "" {
		answer = append(answer, [2]string{"state", q.State})
	}
	answer = append(answer, [2]string{"iss", o.Tokens.URL})
	// Session Management 1.0 section 2: in successes and errors alike. An address without an origin is no page that could ask.
	if state := o.Browser.SessionState(w, r, q.ClientID, idp.OriginOf(q.RedirectURI)); state != "" {
		answer = append(answer, [2]string{"session_state", state})
	}
	if q.ResponseMode == "form_post" {
		o.Pages.Render(w, r, http.StatusOK, web.FormPost{Action: q.RedirectURI, Fields: answer})
		return nil
	}
	u, err := url.Parse(q.RedirectURI)
	if err != nil {
		return err
	}
	v := u.Query()
	for _, f := range answer {
		v.Set(f[0], f[1])
	}
	u.RawQuery = v.Encode()
	o.Pages.Onward(w, r, u.String(), r.URL.Query().Has("pending"))
	return nil
}
