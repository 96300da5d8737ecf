package rescue

import (
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// After a recovery, whoever had the account before may have left a way in. The person says of each older credential whether it is to be
// kept, signed in with the new password and with the second factor where there is one: a letter alone takes no factor away.

// ofProvider is the kind, on the page, of an identity at a provider.
const ofProvider = "provider"

func (x *Rescue) reviewPage(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	var who idp.Account
	var d idp.Doubts
	err := x.Store.View(r.Context(), func(v idp.View) (err error) {
		if who, err = v.Account(s.Account); err == nil {
			d, err = idp.DoubtsOf(v, s.Account)
		}
		return err
	})
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	p := web.Review{Header: x.Header(w, r, who.Username)}
	codes := false
	for _, i := range d.Identities {
		name := x.Provider(i.Provider)
		if i.Name != "" {
			name += " (" + i.Name + ")"
		}
		p.Lines = append(p.Lines, web.ReviewLine{ID: i.Ref(), Kind: ofProvider, Name: name, Added: i.AddedAt.Time()})
	}
	for _, c := range d.Credentials {
		line := web.ReviewLine{ID: string(c.ID), Kind: string(c.Kind), Name: c.Name, Added: c.AddedAt.Time(), IP: c.IP}
		if c.Kind == idp.CredentialRecovery {
			if codes {
				continue // they come and go together
			}
			codes, line.ID = true, string(idp.CredentialRecovery)
		}
		p.Lines = append(p.Lines, line)
	}
	x.show(w, r, http.StatusOK, p)
}

// review removes what is not kept. What is removed is a credential changed, so all others end.
func (x *Rescue) review(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	if x.Again(w, r, s, "/account/review") {
		return
	}
	cookie, removed := idp.NewSecret(32), false
	err := x.Store.Update(r.Context(), func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		if err := tx.LockAccount(s.Account, idp.Exclusive); err != nil {
			return err
		}
		if err := idp.Live(tx, s.Names()...); err != nil {
			return err
		}
		d, err := idp.DoubtsOf(tx, s.Account)
		if err != nil {
			return err
		}
		gone, err := unwanted(&d, form)
		if err != nil {
			return err
		}
		d.Care.Account, d.Care.ReviewedAt = s.Account, now
		removed = gone.Any()
		if err := tx.PutCare(d.Care); err != nil || !removed {
			return err
		}
		why := idp.Cause{Kind: idp.CauseCredential, Actor: idp.ActorAccount(s.Account)}
		receipt, err := door.EndIn(tx, idp.EndOthers(s.Account, s.Name, idp.ReRoot{Cookie: idp.HashOf(cookie)}), why)
		if err != nil {
			return err
		}
		return x.remove(tx, r, s, &gone, receipt.ID, now)
	})
	var invalid *idp.InvalidError
	switch {
	case errors.As(err, &invalid):
		x.say(w, r, http.StatusBadRequest, web.Message{Title: "Please say of each", Text: invalid.Sentence, Link: "/account/review", LinkText: "Back"})
		return
	case err != nil:
		x.Pages.Fail(w, r, err)
		return
	}
	if removed {
		x.Door.Committed()
		x.Browser.SetSession(w, cookie, s)
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

// unwanted is what the form says is not to be kept. It must say something of each.
func unwanted(d *idp.Doubts, form url.Values) (out idp.Doubts, err error) {
	gone := func(id string) bool {
		switch form.Get("credential-" + id) {
		case "keep":
			return false
		case "remove":
			return true
		}
		err = idp.Invalid("credential", "Say of each whether it is to be kept.")
		return false
	}
	for _, c := range d.Credentials {
		id := string(c.ID)
		if c.Kind == idp.CredentialRecovery {
			id = string(c.Kind)
		}
		if gone(id) {
			out.Credentials = append(out.Credentials, c)
		}
	}
	for _, i := range d.Identities {
		if gone(i.Ref()) {
			out.Identities = append(out.Identities, i)
		}
	}
	return out, err
}

func (x *Rescue) remove(tx idp.Tx, r *http.Request, s *idp.Session, d *idp.Doubts, receipt idp.ReceiptID, now idp.Time) error {
	note := func(kind idp.EventKind, data ...string) error {
		e := event(kind, s.Account, r, data...)
		e.Session = s.Ref
		return errors.Join(tx.Record(e), x.Tell(tx, e, now))
	}
	for _, c := range d.Credentials {
		if err := errors.Join(tx.DeleteCredential(s.Account, c.ID), note(idp.EventFactorRemoved, "factor", string(c.Kind), "name", c.Name)); err != nil {
			return err
		}
	}
	for _, i := range d.Identities {
		if err := errors.Join(door.Unlink(tx, &i, receipt, now), note(idp.EventIdentityRemoved, "provider", i.Provider)); err != nil {
			return err
		}
	}
	return nil
}
