package rescue

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/mail"
	"exeunt.dev/internal/web"
)

// changesAnHour is how many letters an account may cause to addresses that it would like to have.
const changesAnHour = 5

func (x *Rescue) mailPage(w http.ResponseWriter, r *http.Request, s *idp.Session, q url.Values) {
	var done web.Words
	switch q.Get("done") {
	case "asked":
		done = web.Say("If that address can get letters, one with a link is on its way. Open it in this browser.")
	case "changed":
		done = web.Say("Your mail address is changed. All other sessions are over.")
	}
	x.showMail(w, r, s, http.StatusOK, done, nil)
}

func (x *Rescue) showMail(w http.ResponseWriter, r *http.Request, s *idp.Session, status int, done, problem web.Words) {
	who, err := x.who(r.Context(), s.Account)
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	x.show(w, r, status, web.MailAddress{Header: x.Header(w, r, who.Username), Email: who.Email, Verified: who.EmailVerified, On: x.Post.On(), Flash: done, Error: problem})
}

// changeMail sends a link to the address that is to be the account's. Until that is opened here, nothing has changed.
func (x *Rescue) changeMail(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	if x.Again(w, r, s, "/account/mail") {
		return
	}
	address := strings.TrimSpace(form.Get("email"))
	err := mail.ValidAddress(address)
	if err == nil && !x.Post.On() {
		err = idp.Invalid("email", "This site sends no mail, so that an address cannot be confirmed. Ask the people who run it.")
	}
	if err == nil {
		err = x.Store.Update(r.Context(), func(tx idp.Tx) error { return x.sendConfirm(tx, s, address) })
	}
	var invalid *idp.InvalidError
	switch {
	case errors.As(err, &invalid):
		x.showMail(w, r, s, http.StatusBadRequest, nil, invalid.Sentence)
	case errors.Is(err, idp.ErrEnded):
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	case err != nil:
		x.Pages.Fail(w, r, err)
	default:
		x.Post.Wake()
		http.Redirect(w, r, "/account/mail?done=asked", http.StatusSeeOther)
	}
}

// sendConfirm writes the letter. The link is born under the session's epochs.
func (x *Rescue) sendConfirm(tx idp.Tx, s *idp.Session, address string) error {
	if err := tx.LockAccount(s.Account, idp.Share); err != nil {
		return err
	}
	if err := idp.Live(tx, s.Names()...); err != nil {
		return err
	}
	who, err := tx.Account(s.Account)
	if err != nil {
		return err
	}
	if who.Email == address && who.EmailVerified {
		return idp.Invalid("email", "That is your address already.")
	}
	now, err := tx.Mint()
	if err != nil {
		return err
	}
	n, err := tx.Tally(sha256.Sum256([]byte("mail-address of\x00"+string(s.Account))), now)
	if err != nil || n > changesAnHour {
		return err // the same answer, and no letter
	}
	row, link, err := x.newLink(idp.PendingMail, "/account/mail/confirm", idp.Epochs{Realm: s.Realm, Account: s.Epoch}, idp.Link{Account: s.Account, Email: address}, now, mailFor)
	if err != nil {
		return err
	}
	return x.send(tx, row, letterConfirm(&who, address, link))
}

// confirms reads a link that confirms an address, if it is still good for that, and this session's.
func confirms(v idp.View, token string, s *idp.Session, now idp.Time) (o opened, err error) {
	if o, err = find(v, token, idp.PendingMail, now); err != nil {
		return o, err
	}
	if o.Account != s.Account {
		return o, idp.ErrNotFound
	}
	return o, idp.Live(v, o.Born.Names()...)
}

func (x *Rescue) confirmPage(w http.ResponseWriter, r *http.Request, s *idp.Session, q url.Values) {
	now, _ := x.Store.Now()
	var o opened
	err := x.Store.View(r.Context(), func(v idp.View) (err error) { o, err = confirms(v, q.Get("token"), s, now); return err })
	if err != nil {
		x.fail(w, r, err)
		return
	}
	x.show(w, r, http.StatusOK, web.Confirm{Header: x.Header(w, r, o.who.Username), Token: q.Get("token"), Email: o.Email})
}

// confirm changes the address: a credential, since a new password comes to it. So all others end.
func (x *Rescue) confirm(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	token := form.Get("token")
	if x.Again(w, r, s, "/account/mail/confirm?token="+url.QueryEscape(token)) {
		return
	}
	cookie := idp.NewSecret(32)
	err := x.Store.Update(r.Context(), func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		if err := tx.LockAccount(s.Account, idp.Exclusive); err != nil {
			return err
		}
		o, err := confirms(tx, token, s, now)
		if err != nil {
			return err
		}
		if _, err := tx.TakePending(o.Pending.ID); err != nil {
			return err
		}
		why := idp.Cause{Kind: idp.CauseCredential, Actor: idp.ActorAccount(s.Account)}
		if _, err := door.EndIn(tx, idp.EndOthers(s.Account, s.Name, idp.ReRoot{Cookie: idp.HashOf(cookie)}), why); err != nil {
			return err
		}
		who := o.who
		old := who
		who.Email, who.EmailVerified = o.Email, true
		if err := tx.UpdateAccount(who); err != nil {
			return err
		}
		e := event(idp.EventMailChanged, s.Account, r)
		e.Session = s.Ref
		if err := tx.Record(e); err != nil {
			return err
		}
		return x.tellWithLock(tx, &old, now, func(a *idp.Account, link string) mail.Letter { return letterMoved(a, old.Email, link) })
	})
	if err != nil {
		x.fail(w, r, err)
		return
	}
	x.Door.Committed()
	x.Post.Wake()
	x.Browser.SetSession(w, cookie, s)
	http.Redirect(w, r, "/account/mail?done=changed", http.StatusSeeOther)
}
