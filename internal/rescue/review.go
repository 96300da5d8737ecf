package rescue

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// After a recovery, whoever had the account before may have left a way in. The person says of each older credential whether it is to be
// kept, signed in with the new password and with the second factor where there is one: a letter alone takes no factor away.

func (x *Rescue) doubtful(v idp.View, id idp.AccountID) (care idp.Care, all []idp.Credential, err error) {
	care, err = v.Care(id)
	if errors.Is(err, idp.ErrNotFound) {
		return care, nil, nil
	}
	if err != nil {
		return care, nil, err
	}
	if all, err = v.Credentials(id); err != nil {
		return care, nil, err
	}
	return care, slices.DeleteFunc(all, func(c idp.Credential) bool { return !care.Doubtful(c.AddedAt) }), nil
}

func (x *Rescue) reviewPage(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	var who idp.Account
	var all []idp.Credential
	err := x.Store.View(r.Context(), func(v idp.View) (err error) {
		if who, err = v.Account(s.Account); err == nil {
			_, all, err = x.doubtful(v, s.Account)
		}
		return err
	})
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	p := web.Review{Header: x.header(w, r, who.Username)}
	codes := false
	for _, c := range all {
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
		removed = false
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
		care, all, err := x.doubtful(tx, s.Account)
		if err != nil {
			return err
		}
		for _, c := range all {
			id := string(c.ID)
			if c.Kind == idp.CredentialRecovery {
				id = string(c.Kind)
			}
			switch form.Get("credential-" + id) {
			case "keep":
				continue
			case "remove":
			default:
				return idp.Invalid("credential", "Say of each whether it is to be kept.")
			}
			if err := tx.DeleteCredential(s.Account, c.ID); err != nil {
				return err
			}
			e := event(idp.EventFactorRemoved, s.Account, r, "factor", string(c.Kind), "name", c.Name)
			e.Session = s.Ref
			if err := tx.Record(e); err != nil {
				return err
			}
			removed = true
		}
		care.Account, care.ReviewedAt = s.Account, now
		if err := tx.PutCare(care); err != nil || !removed {
			return err
		}
		why := idp.Cause{Kind: idp.CauseCredential, Actor: idp.ActorAccount(s.Account)}
		_, err = door.EndIn(tx, idp.EndOthers(s.Account, s.Name, idp.ReRoot{Cookie: idp.HashOf(cookie)}), why)
		return err
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
