package broker

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/upstream"
	"exeunt.dev/internal/web"
)

// trip is what is remembered of a round trip, sealed in a Pending.
type trip struct {
	upstream.Trip
	Provider       string
	Head           uint64 // of the ledger when it began
	Pending, Again string `json:",omitempty"` // of the sign-in pages
	Stay           bool   `json:",omitempty"`
	Ask            upstream.Ask
	// Link is the session that links what comes back; zero: it is a sign-in.
	Link    idp.Name      `json:",omitzero"`
	Account idp.AccountID `json:",omitempty"`
	Answer  url.Values    `json:",omitempty"` // POSTed, until the browser comes again with its cookies
}

// back is where a trip began.
func (t *trip) back() string {
	switch {
	case !t.Link.IsZero():
		return page
	case t.Pending+t.Again == "":
		return "/login"
	}
	return "/login?" + url.Values{"pending": {t.Pending}, "again": {t.Again}}.Encode()
}

// start begins a sign-in, by a POST from the sign-in page.
func (b *Broker) start(w http.ResponseWriter, r *http.Request, s *site) {
	form, err := edge.Form(w, r)
	if err != nil {
		b.Pages.Fail(w, r, err)
		return
	}
	t := trip{Pending: form.Get("pending"), Again: form.Get("again"), Stay: form.Get("stay") != ""}
	if b.Browser.Genuine(r, form.Get("csrf")) != nil {
		b.stale(w, r, t.back())
		return
	}
	if t.Ask, err = b.wants(r, t.Pending); err != nil {
		b.Pages.Fail(w, r, err)
		return
	}
	if t.Again != "" {
		t.Ask = upstream.Proof // for a page of ours that wants it of who is signed in
	} else if t.Ask == upstream.Nothing && b.Browser.Asks(r) {
		t.Ask = upstream.Who // who has left: else the provider would answer without a word
	}
	b.depart(w, r, s, t, idp.Epochs{})
}

// wants is what the app that waits wants of the person.
func (b *Broker) wants(r *http.Request, id string) (ask upstream.Ask, err error) {
	if id == "" {
		return upstream.Nothing, nil
	}
	err = b.Store.Look(r.Context(), func(v idp.View) error {
		row, err := v.Pending(idp.HashOf(id))
		if errors.Is(err, idp.ErrNotFound) || err == nil && row.Kind != idp.PendingAuthorize {
			return web.ErrExpired
		}
		if err != nil {
			return err
		}
		var q idp.AuthorizeRequest
		err = json.Unmarshal(row.Data, &q)
		switch {
		case q.MaxAge != nil:
			ask = upstream.Proof // the app is told an auth_time, and goes by it
		case !q.Other.IsZero(), slices.Contains(q.Prompt, "login"), slices.Contains(q.Prompt, "select_account"):
			ask = upstream.Who
		}
		return err
	})
	return ask, err
}

// depart sends the browser to the provider. born is what is known of the person; the realm's epoch is added.
func (b *Broker) depart(w http.ResponseWriter, r *http.Request, s *site, t trip, born idp.Epochs) {
	if ok, wait := b.trips.AllowCaller(r); !ok {
		b.Pages.Fail(w, r, &idp.LimitedError{Wait: wait})
		return
	}
	state := idp.NewSecret(32)
	to, on, err := s.Begin(r.Context(), Callback(b.Issuer, s.ID), state, t.Ask)
	if err != nil {
		b.note(r, s, "no discovery", err)
		b.Pages.Render(w, r, http.StatusBadGateway, web.Message{Title: web.Say("%s does not answer", s.title()), Text: "Please try again in a moment, or sign in another way.", Link: t.back(), LinkText: "Go back"})
		return
	}
	t.Trip, t.Provider = on, s.ID
	err = b.Store.Look(r.Context(), func(v idp.View) error {
		head, err := v.Head()
		t.Head = head.Number
		return err
	})
	if err != nil {
		b.Pages.Fail(w, r, err)
		return
	}
	err = b.put(r, idp.PendingProvider, state, t, born, b.Browser.ID(w, r), t.Link)
	if err != nil {
		b.Pages.Fail(w, r, err)
		return
	}
	b.Pages.Onward(w, r, to, true)
}

// place names what a Pending holds.
func place(kind idp.PendingKind, id idp.Hash) string {
	return string(kind) + " " + base64.RawURLEncoding.EncodeToString(id[:])
}

// put stores something half-finished, sealed, under the secret that finds it again.
func (b *Broker) put(r *http.Request, kind idp.PendingKind, secret string, value any, born idp.Epochs, of idp.Hash, session idp.Name) error {
	id := idp.HashOf(secret)
	plain, err := json.Marshal(value)
	if err != nil {
		return err
	}
	sealed := b.Vault.Seal(plain, place(kind, id))
	return b.Store.Update(r.Context(), func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		if born.Realm.IsZero() {
			e, err := tx.Epochs("", "")
			if err != nil {
				return err
			}
			born.Realm = e.Realm
		}
		return tx.InsertPending(idp.Pending{ID: id, Kind: kind, Browser: of, Born: born, Session: session, Data: sealed, CreatedAt: now, ExpiresAt: now + tripLife})
	})
}

// read opens what is half-finished: it must be of this browser, alive, and in time. web.ErrExpired: it is none of that.
func (b *Broker) read(v idp.View, kind idp.PendingKind, secret string, of idp.Hash, into any) (row idp.Pending, err error) {
	row, err = v.Pending(idp.HashOf(secret))
	if errors.Is(err, idp.ErrNotFound) {
		return row, web.ErrExpired
	}
	if err != nil {
		return row, err
	}
	now, _ := b.Store.Now()
	if row.Kind != kind || row.Browser != of || now >= row.ExpiresAt {
		return row, web.ErrExpired
	}
	if err := idp.Live(v, row.Born.Names()...); errors.Is(err, idp.ErrEnded) {
		return row, web.ErrExpired
	} else if err != nil {
		return row, err
	}
	plain, err := b.Vault.Open(row.Data, place(kind, row.ID))
	if err != nil {
		return row, err
	}
	return row, json.Unmarshal(plain, into)
}

// take is read, once.
func (b *Broker) take(r *http.Request, kind idp.PendingKind, secret string, of idp.Hash, into any) (row idp.Pending, err error) {
	err = b.Store.Update(r.Context(), func(tx idp.Tx) error {
		if row, err = b.read(tx, kind, secret, of, into); err != nil {
			return err
		}
		_, err = tx.TakePending(row.ID)
		return err
	})
	if errors.Is(err, idp.ErrNotFound) {
		err = web.ErrExpired // two at once: the other has it
	}
	return row, err
}
