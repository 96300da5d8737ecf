package rescue

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// After a recovery, whoever had the account before may have left a way in. The person says of each older credential whether it is to be
// kept, signed in with the new password and with the second factor where there is one: a letter alone takes no factor away.

// doubted is what somebody is to speak about.
type doubted struct {
	care        idp.Care
	credentials []idp.Credential
	identities  []idp.Identity
}

func doubtful(v idp.View, id idp.AccountID) (d doubted, err error) {
	d.care, err = v.Care(id)
	if errors.Is(err, idp.ErrNotFound) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	if d.credentials, err = v.Credentials(id); err != nil {
		return d, err
	}
	d.credentials = slices.DeleteFunc(d.credentials, func(c idp.Credential) bool { return !d.care.Doubtful(c.AddedAt) })
	d.identities, err = v.Identities(id)
	d.identities = slices.DeleteFunc(d.identities, func(i idp.Identity) bool { return !d.care.Doubtful(i.AddedAt) })
	return d, err
}

// ofProvider is the kind, on the page, of an identity at a provider.
const ofProvider = "provider"

func (x *Rescue) reviewPage(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	var who idp.Account
	var d doubted
	err := x.Store.View(r.Context(), func(v idp.View) (err error) {
		if who, err = v.Account(s.Account); err == nil {
			d, err = doubtful(v, s.Account)
		}
		return err
	})
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	p := web.Review{Header: x.header(w, r, who.Username)}
	codes := false
	for _, i := range d.identities {
		p.Lines = append(p.Lines, web.ReviewLine{ID: i.Ref(), Kind: ofProvider, Name: strings.TrimSpace(i.Provider + " " + i.Name), Added: i.AddedAt.Time()})
	}
	for _, c := range d.credentials {
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
	if x.again(w, r, s, "/account/review") {
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
		d, err := doubtful(tx, s.Account)
		if err != nil {
			return err
		}
		unwanted, err := d.unwanted(form)
		if err != nil {
			return err
		}
		d.care.Account, d.care.ReviewedAt = s.Account, now
		removed = len(unwanted.credentials)+len(unwanted.identities) > 0
		if err := tx.PutCare(d.care); err != nil || !removed {
			return err
		}
		why := idp.Cause{Kind: idp.CauseCredential, Actor: idp.ActorAccount(s.Account)}
		receipt, err := door.EndIn(tx, idp.EndOthers(s.Account, s.Name, idp.ReRoot{Cookie: idp.HashOf(cookie)}), why)
		if err != nil {
			return err
		}
		return unwanted.remove(tx, r, s, receipt.ID, now)
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
func (d *doubted) unwanted(form url.Values) (out doubted, err error) {
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
	for _, c := range d.credentials {
		id := string(c.ID)
		if c.Kind == idp.CredentialRecovery {
			id = string(c.Kind)
		}
		if gone(id) {
			out.credentials = append(out.credentials, c)
		}
	}
	for _, i := range d.identities {
		if gone(i.Ref()) {
			out.identities = append(out.identities, i)
		}
	}
	return out, err
}

func (d *doubted) remove(tx idp.Tx, r *http.Request, s *idp.Session, receipt idp.ReceiptID, now idp.Time) error {
	note := func(kind idp.EventKind, data ...string) error {
		e := event(kind, s.Account, r, data...)
		e.Session = s.Ref
		return tx.Record(e)
	}
	for _, c := range d.credentials {
		if err := errors.Join(tx.DeleteCredential(s.Account, c.ID), note(idp.EventFactorRemoved, "factor", string(c.Kind), "name", c.Name)); err != nil {
			return err
		}
	}
	for _, i := range d.identities {
		if err := errors.Join(door.Unlink(tx, &i, receipt, now), note(idp.EventIdentityRemoved, "provider", i.Provider)); err != nil {
			return err
		}
	}
	return nil
}
