package signin

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
	"exeunt.dev/ledger"
)

// The last step: who goes on, and what they allow.

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
		p.Scopes = web.Allows(at.request.Scopes)
		if len(p.Scopes) == 0 {
			p.Scopes = []web.Words{"sign you in"}
		}
	}
	s.Pages.Render(w, r, http.StatusOK, p)
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

// goOn is "continue as" and "allow". A page that named somebody else, or asked for something else, has said nothing: the dispatcher asks
// again.
func (s *SignIn) goOn(r *http.Request, at *waiting, form url.Values) error {
	if at.session == nil || s.needsProof(at) || form.Get("shown") != at.shown() {
		return nil
	}
	return s.accept(r, at)
}

// accept writes it down.
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
