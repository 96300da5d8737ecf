package broker

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/outbound"
	"exeunt.dev/internal/upstream"
	"exeunt.dev/internal/web"
)

// callback receives the provider's answer. The trip is of this browser, to this provider, and redeemed once.
func (b *Broker) callback(w http.ResponseWriter, r *http.Request, s *site) {
	answer := r.URL.Query()
	if !upstream.Single(answer) || answer.Get("state") == "" {
		b.stray(w, r)
		return
	}
	var t trip
	row, err := b.take(r, idp.PendingProvider, answer.Get("state"), b.Browser.ID(w, r), &t)
	switch {
	case errors.Is(err, web.ErrExpired):
		b.stray(w, r)
		return
	case err != nil:
		b.Pages.Fail(w, r, err)
		return
	case t.Provider != s.ID: // another provider's callback: a mix-up (RFC 9700 section 4.4)
		b.note(r, s, "an answer to another provider's trip", nil)
		b.stray(w, r)
		return
	}
	if t.Answer != nil {
		if answer.Has("code") { // the answer that came first is the answer
			b.stray(w, r)
			return
		}
		answer = t.Answer
	}
	back := t.back()
	if code := answer.Get("error"); code != "" {
		b.Pages.Render(w, r, http.StatusForbidden, web.Message{Title: "Not signed in", Text: refused(s, code), Link: back, LinkText: "Go back"})
		return
	}
	in, err := s.Redeem(r.Context(), Callback(b.Issuer, s.ID), answer, t.Trip)
	if err != nil {
		b.note(r, s, "the answer was refused", err)
		b.Pages.Render(w, r, http.StatusBadGateway, web.Message{Title: "Not signed in", Text: web.Say("The sign-in with %s did not work. Please try again.", s.title()), Link: back, LinkText: "Go back"})
		return
	}
	if !t.Link.IsZero() {
		b.finishLink(w, r, s, &row, t, in)
		return
	}
	b.arrived(w, r, s, &row, t, in)
}

// arrived finds out whose account this is.
//
// R: born under what was checked. What a trip leads to is born under the epoch that the account had while the whole trip was under
// way: had it ended since the trip began, a sign-in that somebody began before "sign out everywhere" would outlive it.
func (b *Broker) arrived(w http.ResponseWriter, r *http.Request, s *site, row *idp.Pending, t trip, in upstream.Arrival) {
	key := keyOf(s, in)
	var who idp.Identity
	var account idp.Account
	other := 0 // ways in that do prove it
	born := idp.Epochs{Realm: row.Born.Realm}
	err := b.Store.View(r.Context(), func(v idp.View) (err error) {
		if who, err = v.Identity(key); err != nil {
			return err
		}
		if account, err = v.Account(who.Account); err != nil {
			return err
		}
		all, err := v.Credentials(who.Account)
		if err != nil {
			return err
		}
		other = idp.WaysIn(&account, all)
		e, err := v.Epochs(who.Account, "")
		if err != nil {
			return err
		}
		born.Account = e.Account
		return endedSince(v, who.Account, t.Head)
	})
	if err == nil && born.Account.IsZero() {
		var opened idp.Epochs
		opened, err = door.OpenFor(r.Context(), b.Store, &account, func(tx idp.Tx) (bool, error) {
			i, err := tx.Identity(key)
			return i.Account == who.Account, err
		})
		if born.Account = opened.Account; errors.Is(err, idp.ErrLocked) {
			err = nil // Enter says so, as it does to who has a right password
		}
	}
	switch {
	case errors.Is(err, idp.ErrNotFound):
		b.stranger(w, r, s, row, t, in)
		return
	case errors.Is(err, idp.ErrEnded):
		b.Pages.Render(w, r, http.StatusConflict, web.Message{Title: "Not signed in", Text: "Your account was signed out everywhere while you were signing in. Please sign in again.", Link: "/login", LinkText: "Sign in"})
		return
	case err != nil:
		b.Pages.Fail(w, r, err)
		return
	}
	proved := in.Proved(row.CreatedAt.Time())
	if !proved && (t.Again != "" || t.Ask == upstream.Proof && other > 0) {
		b.unproved(w, r, s, t)
		return
	}
	p := b.proof(s, in, t, who.Account, born, who.Tokens, row.CreatedAt)
	if in.AuthTime.IsZero() && other > 0 {
		p.Methods = append(p.Methods, idp.MethodSilent)
	}
	b.Enter(w, r, t.Pending, t.Again, p)
}

// unproved is for a provider that was told to ask and did not say that it had: a session there, of whoever sat at this browser last, may
// have answered.
func (b *Broker) unproved(w http.ResponseWriter, r *http.Request, s *site, t trip) {
	b.note(r, s, "no auth_time", nil)
	b.Pages.Render(w, r, http.StatusForbidden, web.Message{Title: "That is not enough", Text: web.Say("%s did not say that it has asked you who you are just now. Please confirm it another way; if you have none, sign out and sign in again.", s.title()),
		Link: t.back(), LinkText: "Go back"})
}

// endedSince says whether an account has ended everything since the ledger's head was there: idp.ErrEnded.
func endedSince(v idp.View, a idp.AccountID, head uint64) error {
	const page = 100
	before := uint64(0)
	for {
		all, err := v.Receipts(a, before, page)
		if err != nil {
			return err
		}
		for _, x := range all {
			if x.Number <= head {
				return nil
			}
			if x.Selector == idp.SelectAccount || x.Selector == idp.SelectOthers {
				return idp.ErrEnded
			}
			before = x.Number
		}
		if len(all) < page {
			return nil
		}
	}
}

// proof is what the provider has proved, with what is written beside the session.
func (b *Broker) proof(s *site, in upstream.Arrival, t trip, a idp.AccountID, born idp.Epochs, had []byte, begun idp.Time) browser.Proof {
	key := keyOf(s, in)
	p := browser.Proof{Account: a, Born: born, Methods: []string{"fed"}, Stay: t.Stay, Strong: s.TrustMFA, From: b.origin(s, in, key, had)}
	if !in.AuthTime.IsZero() && (t.Ask == upstream.Nothing || !in.Proved(begun.Time())) {
		p.AuthTime = idp.Time(in.AuthTime.UnixMilli()) // it was not asked again, or did not heed it, and says so
	}
	return p
}

// kept is what a session keeps of its sign-in, sealed.
type kept struct{ IDToken, EndSession string }

func (b *Broker) origin(s *site, in upstream.Arrival, key idp.IdentityKey, had []byte) *idp.Origin {
	name, mail := shown(in)
	o := &idp.Origin{IdentityKey: key, SID: in.SID, Issued: idp.Time(in.Issued.UnixMilli()), Name: name, Mail: mail, Tokens: b.sealTokens(s, key, s.Tokens(in), had)}
	if plain, err := json.Marshal(kept{in.IDToken, in.At.EndSession}); err == nil {
		o.Kept = b.Vault.Seal(plain, about("kept", key))
	}
	return o
}

// sealTokens seals what the provider issued, if there is a call to revoke it with. Some give a refresh token with the first consent
// only: the one that is there is kept then.
func (b *Broker) sealTokens(s *site, key idp.IdentityKey, t upstream.Tokens, had []byte) []byte {
	if !s.Revocable(t) {
		return nil
	}
	if old, err := b.openTokens(key, had); err == nil && t.Refresh == "" {
		t.Refresh = old.Refresh
	}
	plain, err := json.Marshal(t)
	if err != nil {
		return nil
	}
	return b.Vault.Seal(plain, about("tokens", key))
}

func (b *Broker) openTokens(key idp.IdentityKey, sealed []byte) (t upstream.Tokens, err error) {
	plain, err := b.Vault.Open(sealed, about("tokens", key))
	if err == nil {
		err = json.Unmarshal(plain, &t)
	}
	return t, err
}

func keyOf(s *site, in upstream.Arrival) idp.IdentityKey {
	return idp.IdentityKey{Provider: s.ID, Issuer: in.Issuer, Subject: in.Subject}
}

// shown is what the provider calls the person: for the person's own eyes.
func shown(in upstream.Arrival) (name, mail string) {
	mail, _ = in.Claims["email"].(string)
	if !upstream.Clean(mail, 254) {
		mail = ""
	}
	return in.Name, mail
}

// posted keeps an answer that was POSTed from the provider's page, and so without this browser's Lax cookies, and has the browser
// come again by GET, with them.
func (b *Broker) posted(w http.ResponseWriter, r *http.Request, s *site) {
	form, err := edge.Form(w, r)
	if err != nil || !upstream.Single(form) || form.Get("state") == "" {
		b.stray(w, r)
		return
	}
	id := idp.HashOf(form.Get("state"))
	err = b.Store.Update(r.Context(), func(tx idp.Tx) error {
		row, err := tx.Pending(id)
		if err != nil {
			return err
		}
		var t trip
		if row, err = b.read(tx, idp.PendingProvider, form.Get("state"), row.Browser, &t); err != nil {
			return err
		}
		if t.Answer != nil || t.Provider != s.ID {
			return nil // the first one counts; a mix-up shows when the browser comes
		}
		t.Answer = upstream.Posted(form)
		plain, err := json.Marshal(t)
		if err != nil {
			return err
		}
		row.Data = b.Vault.Seal(plain, place(row.Kind, id))
		return tx.UpdatePending(row)
	})
	switch {
	case errors.Is(err, idp.ErrNotFound), errors.Is(err, web.ErrExpired):
		b.stray(w, r)
	case err != nil:
		b.Pages.Fail(w, r, err)
	default:
		http.Redirect(w, r, Callback(b.Issuer, s.ID)+"?"+url.Values{"state": {form.Get("state")}}.Encode(), http.StatusSeeOther)
	}
}

func (b *Broker) stray(w http.ResponseWriter, r *http.Request) {
	b.Pages.Render(w, r, http.StatusBadRequest, web.Message{Title: "Not signed in", Text: "This sign-in was not begun in this browser, or it took too long. Please sign in again.", Link: "/login", LinkText: "Sign in"})
}

// refused puts an error of RFC 6749 section 4.1.2.1 or OpenID Connect Core section 3.1.2.6 into words; never the provider's own:
// anybody can write them into an address.
func refused(s *site, code string) web.Words {
	switch code {
	case "access_denied":
		return web.Say("The sign-in with %s was cancelled.", s.title())
	case "server_error", "temporarily_unavailable":
		return web.Say("%s has trouble. Please try again in a moment.", s.title())
	}
	return web.Say("%s refused the sign-in.", s.title())
}

// kindOf is what the log may say of an error of a call.
func kindOf(err error) string {
	switch k := outbound.KindOf(err); {
	case err == nil:
		return ""
	case k != "":
		return string(k)
	case errors.Is(err, upstream.ErrIssuer):
		return "another issuer"
	case errors.Is(err, upstream.ErrUnavailable):
		return "no keys"
	}
	return "refused"
}
