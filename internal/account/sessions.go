package account

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// perPage is how many sessions a page shows: what people can look through at once.
const perPage = 25

type line struct {
	Session idp.Session
	Apps    []idp.AppName
	Through []string // providers, as people read them
}

// sessions reads a page of the live sessions of an account with their apps. The acting one, if there is any, stands at the top of the first
// page and nowhere else. However many there are, it is the same number of questions, each of which may be answered as of its own time.
func (a *Account) sessions(ctx context.Context, id idp.AccountID, acting *idp.Session, after string) (who idp.Account, out []line, more string, err error) {
	now, _ := a.Store.Now()
	err = a.Store.Look(ctx, func(v idp.View) error {
		out, more = nil, ""
		if who, err = v.Account(id); err != nil {
			return err
		}
		var e idp.Epochs
		if acting != nil {
			e = idp.Epochs{Realm: acting.Realm, Account: acting.Epoch} // it is alive: so are they
		} else if e, err = v.Epochs(id, ""); err != nil {
			return err
		}
		rows, err := v.Sessions(id, e.Realm, e.Account, idp.Page{After: after, Limit: perPage})
		if err != nil {
			return err
		}
		if len(rows) == perPage {
			more = a.After(&rows[len(rows)-1])
		}
		if acting != nil && after == "" {
			rows = append([]idp.Session{*acting}, rows...)
		}
		apps, err := v.AppsIn(rows)
		if err != nil {
			return err
		}
		through, err := v.Through(rows)
		if err != nil {
			return err
		}
		for i, s := range rows {
			first := i == 0 && after == ""
			if !s.Expired(now) && (acting == nil || s.Name != acting.Name || first) {
				out = append(out, line{s, apps[s.Name], a.titles(through[s.Name])})
			}
		}
		return nil
	})
	return who, out, more, err
}

// titles are what people read for providers.
func (a *Account) titles(providers []string) (out []string) {
	for _, id := range providers {
		out = append(out, a.Provider(id))
	}
	return out
}

// named reads apps, all at once. One whose row is gone has its id.
func named(v idp.View, ids []idp.ClientID) (map[idp.ClientID]idp.Client, error) {
	out := map[idp.ClientID]idp.Client{}
	for _, id := range ids {
		out[id] = idp.Client{ID: id, Name: string(id)}
	}
	apps, err := v.ClientsNamed(slices.Collect(maps.Keys(out)))
	for _, c := range apps {
		c.Name = cmp.Or(c.Name, string(c.ID))
		out[c.ID] = c
	}
	return out, err
}

// sessionList is the page's list; lines without a session that acts have none that is "this one".
func (a *Account) sessionList(w http.ResponseWriter, r *http.Request, s *idp.Session, after string) (who idp.Account, list web.SessionList, err error) {
	who, lines, more, err := a.sessions(r.Context(), s.Account, s, after)
	if err != nil {
		return who, list, err
	}
	list = web.SessionList{CSRF: a.Browser.CSRF(w, r), Key: after, More: more, Further: after != "", Alone: len(lines) == 1 && more == ""}
	for _, l := range lines {
		row := web.SessionLine{Ref: l.Session.Ref, Agent: l.Session.UserAgent, IP: l.Session.LastIP, Current: l.Session.Name == s.Name, Stay: l.Session.Persistent,
			First: l.Session.CreatedAt.Time(), Last: l.Session.LastSeen.Time(), How: web.Methods(l.Session.Methods, l.Through...)}
		if a.Place != nil {
			row.Place = a.Place(row.IP)
		}
		for _, c := range l.Apps {
			row.Apps = append(row.Apps, c.Name)
		}
		list.Rows = append(list.Rows, row)
	}
	b, err := json.Marshal(list)
	sum := sha256.Sum256(b)
	list.Tag = base64.RawURLEncoding.EncodeToString(sum[:12])
	return who, list, err
}

func (a *Account) sessionsPage(w http.ResponseWriter, r *http.Request, s *idp.Session, q url.Values) {
	flash, receipt, err := a.flash(r.Context(), s.Account, q)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	a.showSessions(w, r, s, http.StatusOK, q.Get("after"), web.Sessions{Flash: flash, Receipt: receipt})
}

func (a *Account) showSessions(w http.ResponseWriter, r *http.Request, s *idp.Session, status int, after string, p web.Sessions) {
	who, list, err := a.sessionList(w, r, s, after)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	var doubts idp.Doubts
	if err := a.Store.Look(r.Context(), func(v idp.View) (err error) { doubts, err = idp.DoubtsOf(v, s.Account); return err }); err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	p.Review = doubts.Any()
	p.Header, p.List, p.Again, p.Nonce = a.Header(w, r, who.Username), list, !a.Browser.Recent(s), idp.NewSecret(16)
	a.Pages.Render(w, r, status, p)
}

// live answers the script of a page that is open. It does not count as a use of the session: a forgotten page must not keep it alive.
func (a *Account) live(w http.ResponseWriter, r *http.Request) {
	s, err := a.Browser.Peek(r)
	if errors.Is(err, idp.ErrNotFound) {
		http.Error(w, "Sign in first.", http.StatusUnauthorized)
		return
	}
	var list web.SessionList
	if err == nil {
		_, list, err = a.sessionList(w, r, s, r.URL.Query().Get("after"))
	}
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	a.Pages.Live(w, r, list)
}

func (a *Account) signOut(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	receipt, err := a.Door.End(r.Context(), idp.EndThis(s), cause(idp.CauseSignOut, s, form.Get("nonce")))
	a.left(w, r, s, receipt, err)
}

// endAll is never held up by a question: it is the way out.
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
	if a.Again(w, r, s, "/account") {
		return
	}
	receipt, err := a.endRef(r, s.Account, r.PathValue("ref"))
	if err != nil {
		a.sessionsProblem(w, r, s, err)
		return
	}
	http.Redirect(w, r, "/account?done=one&receipt="+string(receipt.ID), http.StatusSeeOther)
}

func (a *Account) sessionsProblem(w http.ResponseWriter, r *http.Request, s *idp.Session, err error) {
	if errors.Is(err, idp.ErrNotFound) {
		a.showSessions(w, r, s, http.StatusNotFound, "", web.Sessions{Error: "There is no such session. It may be over already."})
		return
	}
	if status, sentence := a.problem(w, r, err); status != 0 {
		a.showSessions(w, r, s, status, "", web.Sessions{Error: sentence})
	}
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
	if a.Again(w, r, s, "/account") {
		return
	}
	cookie := idp.NewSecret(32)
	receipt, err := a.Door.End(r.Context(), idp.EndOthers(s.Account, s.Name, idp.ReRoot{Cookie: idp.HashOf(cookie)}), cause(idp.CauseOthers, s, form.Get("nonce")))
	if err == nil {
		err = a.renew(w, r, cookie, s)
	}
	if err != nil {
		a.sessionsProblem(w, r, s, err)
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
