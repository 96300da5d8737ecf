package rescue

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/mail"
	"exeunt.dev/internal/web"
)

// Links to lock an account. They mean: somebody has my password. They live on when a session or the account's epoch ends, since a thief
// ends those first; they die with the realm, with their use, and once the account was recovered or opened after them.

// tellWithLock writes a letter with such a link to a person whose address is confirmed.
func (x *Rescue) tellWithLock(tx idp.Tx, a *idp.Account, now idp.Time, letter func(*idp.Account, string) mail.Letter) error {
	if !x.Post.On() || !a.EmailVerified || a.Email == "" {
		return nil
	}
	born, err := tx.Epochs(a.ID, "")
	if err != nil {
		return err
	}
	row, link, err := x.newLink(idp.PendingLock, "/login/lock", idp.Epochs{Realm: born.Realm}, idp.Link{Account: a.ID, Email: a.Email}, now, lockFor)
	if err != nil {
		return err
	}
	return x.send(tx, row, letter(a, link))
}

// Tell writes to a person that what they sign in with was changed, or that an operator lets nobody in, in the transaction of the change.
func (x *Rescue) Tell(tx idp.Tx, e idp.Event, now idp.Time) error {
	shut := e.Kind == idp.EventLocked || e.Kind == idp.EventDisabled
	said, ok := changed(e)
	if !ok && !shut || !x.Post.On() {
		return nil
	}
	who, err := tx.Account(e.Account)
	if err != nil {
		return err
	}
	if shut {
		return x.tellShut(tx, &who, e.Kind, now)
	}
	if kind, _, _ := strings.Cut(string(e.Actor), ":"); kind == "operator" {
		if who.EmailVerified {
			_, err = x.write(tx, now, 0, letterOperator(&who, string(e.Kind), said))
		}
		return err
	}
	return x.tellWithLock(tx, &who, now, func(a *idp.Account, link string) mail.Letter {
		l := to(a, string(e.Kind), said)
		l.Lines = []mail.Line{
			mail.L("Something was changed at the account %s:", a.Username), said, mail.L("%s, from %s, at %s.", web.Device(e.Device), e.IP, moment(now)), mail.L("All other devices were signed out."),
		}
		return notYou(l, link)
	})
}

// tellShut writes to a person that an operator has locked the account, or disabled it.
func (x *Rescue) tellShut(tx idp.Tx, who *idp.Account, kind idp.EventKind, now idp.Time) error {
	if !who.EmailVerified {
		return nil
	}
	l := letterDisabled(who)
	if kind == idp.EventLocked {
		lock, err := tx.Lock(who.ID)
		if errors.Is(err, idp.ErrNotFound) {
			lock, err = idp.Lock{Kind: idp.LockOperator, At: now}, nil // one from before locks had kinds
		}
		if err != nil {
			return err
		}
		l = letterLocked(who, &lock)
		l.Lines = append(l.Lines, mail.L("The people who run this site have locked it."))
	}
	_, err := x.write(tx, now, 0, l)
	return err
}

// Arrived is told of each new session, in the transaction that makes it; known says that the account has signed in before in that
// browser. Nobody is written to about the first sign-in that there ever was, nor is it worth a second look. Letters are in the language of browsers that are known.
func (x *Rescue) Arrived(tx idp.Tx, s *idp.Session, r *http.Request, known bool) (bool, error) {
	care, err := tx.Care(s.Account)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return false, err
	}
	if lang := x.Pages.Language(r); care.Since == 0 || known && care.Lang != lang {
		care.Account, care.Since, care.Lang = s.Account, cmp.Or(care.Since, s.CreatedAt), lang
		return false, tx.PutCare(care)
	}
	if known {
		return false, nil
	}
	who, err := tx.Account(s.Account)
	if err != nil {
		return false, err
	}
	return true, x.tellWithLock(tx, &who, s.CreatedAt, func(a *idp.Account, link string) mail.Letter {
		return letterDevice(a, web.Device(s.UserAgent), s.IP, s.CreatedAt, link)
	})
}

// locks reads a link to lock an account, if it is still good for that.
func locks(v idp.View, token string, now idp.Time) (o opened, err error) {
	if o, err = find(v, token, idp.PendingLock, now); err != nil {
		return o, err
	}
	if err := idp.Live(v, o.Born.Names()...); err != nil {
		return o, err
	}
	care, err := v.Care(o.Account)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return o, err
	}
	if o.CreatedAt < care.SettledAt {
		return o, idp.ErrEnded
	}
	return o, nil
}

func (x *Rescue) linkPage(w http.ResponseWriter, r *http.Request) {
	q, err := edge.Query(r)
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	token := q.Get("token")
	now, _ := x.Store.Now()
	var o opened
	err = x.Store.View(r.Context(), func(v idp.View) (err error) { o, err = locks(v, token, now); return err })
	if err != nil {
		x.failLock(w, r, err)
		return
	}
	x.show(w, r, http.StatusOK, web.LockLink{CSRF: x.Browser.CSRF(w, r), Token: token, Username: o.who.Username, Moved: o.who.Email != o.Email})
}

// failLock says what went wrong with a link that locks. Whether it has locked is for who signs in: the link's row is gone, and who has
// the letter need not be who owns the account.
func (x *Rescue) failLock(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, idp.ErrEnded) && !errors.Is(err, idp.ErrNotFound) {
		x.Pages.Fail(w, r, err)
		return
	}
	x.say(w, r, http.StatusGone, web.Message{Title: "This link is over", Link: "/login", LinkText: "Sign in",
		Text: "It locks the account once, within 7 days: it was used, it is too old, or the account was opened again since it was sent. Nothing was changed now. If the account is locked, you are told what opens it when you sign in."})
}

// link locks. Where the account has another address by now, recovery by mail would go to whoever gave it that one: then an operator opens.
func (x *Rescue) link(w http.ResponseWriter, r *http.Request, form url.Values) {
	token := form.Get("token")
	now, _ := x.Store.Now()
	var receipt idp.Receipt
	err := x.Store.Update(r.Context(), func(tx idp.Tx) error {
		early, err := find(tx, token, idp.PendingLock, now)
		if err != nil {
			return err
		}
		if err := tx.LockAccount(early.Account, idp.Exclusive); err != nil {
			return err
		}
		o, err := locks(tx, token, now)
		if err != nil {
			return err
		}
		if _, err := tx.TakePending(o.Pending.ID); err != nil {
			return err
		}
		kind := idp.LockPassword
		if o.who.Email != o.Email {
			kind = idp.LockOperator
		}
		if err := tx.Record(event(idp.EventLinkOpened, o.Account, r, "mail", "lock")); err != nil {
			return err
		}
		receipt, _, err = x.LockIn(tx, o.Account, kind, 0, now, idp.Cause{Kind: idp.CauseLock, Actor: idp.ActorAccount(o.Account)}, r)
		return err
	})
	if err != nil {
		x.failLock(w, r, err)
		return
	}
	x.Door.Committed()
	x.Post.Wake()
	to := "/login/locked"
	if receipt.ID != "" {
		x.Browser.Leave(w, r, receipt.ID)
		to += "?receipt=" + string(receipt.ID)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
