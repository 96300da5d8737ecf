package account

import (
	"errors"
	"net/http"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// caller is who asks for the JSON: a browser by its cookie, or a program by a bearer token with the scope for it.
type caller struct {
	account idp.AccountID
	session *idp.Session // the acting one; nil for offline tokens
	bearer  bool
}

// caller finds out who asks, and answers itself if nobody may.
func (a *Account) caller(w http.ResponseWriter, r *http.Request, acts bool) (c caller, ok bool) {
	if edge.Bears(r) {
		return a.bearer(w, r)
	}
	s, err := a.Browser.Session(r)
	switch {
	case errors.Is(err, idp.ErrNotFound):
		edge.TokenError(w, http.StatusUnauthorized, "", "Sign in first.")
		return c, false
	case err != nil:
		edge.Fail(w, r, err)
		return c, false
	case acts && a.Browser.Genuine(r, "") != nil:
		edge.OAuthError(w, http.StatusForbidden, "csrf", "The CSRF token is missing or wrong: send it in the header.")
		return c, false
	case acts && !a.Browser.Recent(s):
		edge.OAuthError(w, http.StatusForbidden, "login_required", "Sign in again first: this needs a recent sign-in.")
		return c, false
	}
	return caller{account: s.Account, session: s}, true
}

func (a *Account) bearer(w http.ResponseWriter, r *http.Request) (c caller, ok bool) {
	t, ok := bearer.Token(w, r, a.Tokens, a.Store)
	if !ok {
		return c, false
	}
	scheme, _ := edge.Authorization(r)
	if t.Machine() || !t.HasScope(idp.ScopeSignOut) {
		edge.Refuse(w, scheme, http.StatusForbidden, "insufficient_scope", "The access token needs the scope "+idp.ScopeSignOut)
		return c, false
	}
	c = caller{account: idp.AccountID(t.Subject), bearer: true}
	err := a.Store.View(r.Context(), func(v idp.View) (err error) {
		if err = idp.Live(v, t.Hangs()...); err != nil || t.Sid.IsZero() {
			return err
		}
		_, c.session, err = v.ChainOfGrant(t.Sid)
		return err
	})
	switch {
	case errors.Is(err, idp.ErrEnded), errors.Is(err, idp.ErrNotFound):
		edge.Refuse(w, scheme, http.StatusUnauthorized, "invalid_token", edge.Revoked)
		return c, false
	case err != nil:
		edge.Fail(w, r, err)
		return c, false
	}
	return c, true
}

type sessionJSON struct {
	ID        string    `json:"id"`
	Current   bool      `json:"current"`
	Browser   string    `json:"browser"`
	IP        string    `json:"ip"`
	CreatedAt string    `json:"created_at"`
	LastSeen  string    `json:"last_seen_at"`
	AuthTime  string    `json:"auth_time"`
	Methods   []string  `json:"methods"`
	Providers []string  `json:"providers,omitempty"` // through which, as people read them
	Apps      []appJSON `json:"apps"`
}

type appJSON struct {
	ClientID idp.ClientID `json:"client_id"`
	Name     string       `json:"name"`
}

func (a *Account) list(w http.ResponseWriter, r *http.Request) {
	c, ok := a.caller(w, r, false)
	if !ok {
		return
	}
	_, lines, more, err := a.sessions(r.Context(), c.account, nil, r.URL.Query().Get("after"))
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	out := struct {
		Sessions []sessionJSON `json:"sessions"`
		Next     string        `json:"next,omitempty"` // for ?after=
	}{[]sessionJSON{}, more}
	for _, l := range lines {
		s := l.Session
		j := sessionJSON{ID: s.Ref, Current: c.session != nil && s.Name == c.session.Name, Browser: web.Device(s.UserAgent), IP: s.LastIP,
			CreatedAt: stamp(s.CreatedAt), LastSeen: stamp(s.LastSeen), AuthTime: stamp(s.AuthTime), Methods: s.Methods, Providers: l.Through, Apps: []appJSON{}}
		for _, app := range l.Apps {
			j.Apps = append(j.Apps, appJSON{app.ID, app.Name})
		}
		out.Sessions = append(out.Sessions, j)
	}
	edge.JSON(w, http.StatusOK, out)
}

func (a *Account) deleteOne(w http.ResponseWriter, r *http.Request) {
	c, ok := a.caller(w, r, true)
	if !ok {
		return
	}
	receipt, err := a.endRef(r, c.account, r.PathValue("ref"))
	if err == nil && c.session != nil && !c.bearer && receipt.Session == c.session.Name {
		a.Browser.Leave(w, r, receipt.ID)
	}
	a.ended(w, r, receipt, err, "one")
}

func (a *Account) deleteMany(w http.ResponseWriter, r *http.Request) {
	which := r.URL.Query().Get("which")
	if which != "others" && which != "all" {
		edge.OAuthError(w, http.StatusBadRequest, "invalid_request", "Say ?which=others or ?which=all.")
		return
	}
	c, ok := a.caller(w, r, true)
	if !ok {
		return
	}
	key, err := edge.IdempotencyKey(r)
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	cause := idp.Cause{Actor: idp.ActorAccount(c.account)}
	if key != "" {
		cause.Request = "sessions " + which + " " + key // a key is for one kind of act
	}
	var receipt idp.Receipt
	switch {
	case which == "all":
		cause.Kind = idp.CauseEverywhere
		receipt, err = a.Door.End(r.Context(), idp.EndAccount(c.account, idp.AccountActive), cause)
		if err == nil && !c.bearer {
			a.Browser.Leave(w, r, receipt.ID)
		}
	case c.session == nil:
		edge.OAuthError(w, http.StatusBadRequest, "invalid_request", "This token belongs to no session, so there are no others: say ?which=all.")
		return
	default:
		cause.Kind = idp.CauseOthers
		root, cookie := idp.ReRoot{}, ""
		if !c.bearer {
			cookie = idp.NewSecret(32)
			root.Cookie = idp.HashOf(cookie)
		}
		receipt, err = a.Door.End(r.Context(), idp.EndOthers(c.account, c.session.Name, root), cause)
		if err == nil && cookie != "" {
			err = a.renew(w, r, cookie, c.session)
		}
	}
	a.ended(w, r, receipt, err, which)
}

func (a *Account) ended(w http.ResponseWriter, r *http.Request, receipt idp.Receipt, err error, which string) {
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	edge.JSON(w, http.StatusOK, map[string]string{"receipt": a.Browser.ReceiptAddress(receipt.ID), "ended": which})
}
