package broker

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
	"exeunt.dev/ledger"
)

// layer is a provider as one sign-out has left it.
type layer struct {
	idp.Origin
	kept kept
}

// layers are the providers through whom what a receipt ended was signed in, one of each, for the sign-outs that a person asked for.
func (b *Broker) layers(v idp.View, row *idp.Receipt) (out []layer, err error) {
	var sessions []idp.Name
	switch row.Cause {
	case idp.CauseSignOut:
		sessions = []idp.Name{row.Session}
	case idp.CauseEverywhere:
		endings, err := v.EndingsOf(row.ID)
		if err != nil {
			return nil, err
		}
		for _, e := range endings {
			if e.What != idp.WhatAccount {
				continue
			}
			ended, err := v.SessionsEndedWith(row.Account, e.Name, idp.Page{Limit: 50})
			if err != nil {
				return nil, err
			}
			for _, s := range ended {
				sessions = append(sessions, s.Name)
			}
		}
	}
	for _, n := range sessions {
		origins, err := v.Origins(n)
		if err != nil {
			return nil, err
		}
		for _, o := range origins {
			if slices.ContainsFunc(out, func(l layer) bool { return l.IdentityKey == o.IdentityKey }) {
				continue
			}
			l := layer{Origin: o}
			if plain, err := b.Vault.Open(o.Kept, about("kept", o.IdentityKey)); err == nil {
				_ = json.Unmarshal(plain, &l.kept) // without it there is the sentence
			}
			out = append(out, l)
		}
	}
	return out, nil
}

// Layers says what a sign-out has left at providers, for the receipt's page. mine: the one who asks may act on it.
func (b *Broker) Layers(v idp.View, row *idp.Receipt, mine bool) (out []web.ProviderLayer, err error) {
	all, err := b.layers(v, row)
	if err != nil {
		return nil, err
	}
	duties, err := v.RevocationsOf(row.ID)
	if err != nil {
		return nil, err
	}
	at := "/signout/" + string(row.ID) + "/providers/"
	for _, l := range all {
		s := b.ups[l.Provider]
		if s == nil {
			continue
		}
		p := web.ProviderLayer{ID: s.ID, Title: s.title(), LeaveByHand: s.P.SignOut.ByHand, ForgetByHand: s.P.Revocation.ByHand, Whole: s.P.Revocation.Whole}
		if mine && l.kept.EndSession != "" {
			p.Leave = at + s.ID + "/leave"
		}
		i := slices.IndexFunc(duties, func(d idp.Revocation) bool { return d.IdentityKey == l.IdentityKey })
		if i < 0 {
			who, err := v.Identity(l.IdentityKey)
			if err != nil && !errors.Is(err, idp.ErrNotFound) {
				return nil, err
			}
			if err == nil && mine && who.Tokens != nil && who.Account == row.Account {
				p.Forget = at + s.ID + "/revoke"
			}
		}
		out = append(out, p)
	}
	for _, d := range duties {
		p := web.ProviderLayer{ID: d.Provider, Title: d.Provider}
		if s := b.ups[d.Provider]; s != nil {
			p.Title, p.ForgetByHand, p.Whole = s.title(), s.P.Revocation.ByHand, s.P.Revocation.Whole
		}
		p.Consent, p.Again = string(d.State), d.Due.Time()
		if i := slices.IndexFunc(out, func(o web.ProviderLayer) bool { return o.ID == d.Provider && o.Consent == "" }); i >= 0 {
			out[i].Consent, out[i].Again = p.Consent, p.Again
			continue
		}
		p.Only = true
		out = append(out, p)
	}
	return out, nil
}

// mine wraps an act on a receipt: a same-origin POST of the browser that signed out a moment ago, or of the receipt's person.
func (b *Broker) mine(act func(http.ResponseWriter, *http.Request, *site, *idp.Receipt, *layer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		back := "/signout/" + r.PathValue("receipt")
		form, err := edge.Form(w, r)
		if err != nil {
			b.Pages.Fail(w, r, err)
			return
		}
		if b.Browser.Genuine(r, form.Get("csrf")) != nil {
			b.stale(w, r, back)
			return
		}
		session, err := b.Browser.Session(r)
		if err != nil && !errors.Is(err, idp.ErrNotFound) {
			b.Pages.Fail(w, r, err)
			return
		}
		s := b.ups[r.PathValue("provider")]
		now, _ := b.Store.Now()
		var row idp.Receipt
		var all []layer
		err = b.Store.View(r.Context(), func(v idp.View) error {
			if row, err = v.Receipt(idp.ReceiptID(r.PathValue("receipt"))); err != nil {
				return err
			}
			owner := session != nil && row.Account != "" && session.Account == row.Account
			young := now <= row.At.Add(browser.ReceiptLife) && b.Browser.Left(r, row.ID)
			if s == nil || !owner && !young {
				return idp.ErrNotFound
			}
			all, err = b.layers(v, &row)
			return err
		})
		i := -1
		if err == nil {
			i = slices.IndexFunc(all, func(l layer) bool { return l.Provider == s.ID })
		}
		switch {
		case errors.Is(err, idp.ErrNotFound), err == nil && i < 0:
			b.Pages.Render(w, r, http.StatusNotFound, web.NoReceipt())
		case err != nil:
			b.Pages.Fail(w, r, err)
		default:
			act(w, r, s, &row, &all[i])
		}
	}
}

// gone is what is remembered of a browser that goes to sign out at a provider.
type gone struct {
	Provider string
	Receipt  idp.ReceiptID
}

// leave sends the browser to the provider's sign-out (RP-Initiated Logout 1.0 section 2), with the ID token as hint.
func (b *Broker) leave(w http.ResponseWriter, r *http.Request, s *site, row *idp.Receipt, l *layer) {
	state := "" // without one the person gets there all the same, and back with fewer words
	if ok, _ := b.trips.AllowCaller(r); ok {
		state = idp.NewSecret(32)
	}
	to, err := s.WayOut(l.kept.EndSession, l.kept.IDToken, Left(b.Issuer, s.ID), state)
	if err != nil || l.kept.EndSession == "" {
		http.Redirect(w, r, "/signout/"+string(row.ID), http.StatusSeeOther)
		return
	}
	if state == "" {
		b.Pages.Onward(w, r, to, true)
		return
	}
	if err := b.put(r, idp.PendingLeft, state, gone{s.ID, row.ID}, idp.Epochs{}, b.Browser.ID(w, r), idp.Name{}); err != nil {
		b.Pages.Fail(w, r, err)
		return
	}
	b.Pages.Onward(w, r, to, true)
}

// returned is where the provider sends the browser after its own sign-out. It ends nothing.
func (b *Broker) returned(w http.ResponseWriter, r *http.Request, s *site) {
	var g gone
	_, err := b.take(r, idp.PendingLeft, r.URL.Query().Get("state"), b.Browser.ID(w, r), &g)
	if err != nil || g.Provider != s.ID {
		b.Pages.Render(w, r, http.StatusOK, web.Message{Title: web.Say("Back from %s", s.title()), Text: web.Say("%s sent you back here.", s.title()), Link: "/login", LinkText: "Sign in"})
		return
	}
	http.Redirect(w, r, "/signout/"+string(g.Receipt)+"?"+url.Values{"left": {s.ID}}.Encode(), http.StatusSeeOther)
}

// revoke makes it a duty to take the consent back. Pressed twice it is one.
func (b *Broker) revoke(w http.ResponseWriter, r *http.Request, _ *site, row *idp.Receipt, l *layer) {
	err := b.Store.Update(r.Context(), func(tx idp.Tx) error {
		if err := tx.LockAccount(row.Account, idp.Exclusive); err != nil {
			return err
		}
		i, err := tx.Identity(l.IdentityKey)
		if errors.Is(err, idp.ErrNotFound) || err == nil && i.Account != row.Account {
			return nil // unlinked, and so taken back, already
		}
		if err != nil {
			return err
		}
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		duty, owed := i.Owe(ledger.NewName(), row.ID, now)
		if !owed {
			return nil
		}
		i.Tokens = nil
		return errors.Join(tx.InsertRevocation(duty), tx.UpdateIdentity(i))
	})
	if err != nil {
		b.Pages.Fail(w, r, err)
		return
	}
	b.Wake()
	http.Redirect(w, r, "/signout/"+string(row.ID), http.StatusSeeOther)
}
