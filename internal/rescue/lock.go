package rescue

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// LockIn locks an account, records it and writes to its person. from is the request that led to it.
func (x *Rescue) LockIn(tx idp.Tx, id idp.AccountID, kind idp.LockKind, length time.Duration, now idp.Time, why idp.Cause, from *http.Request) (idp.Receipt, idp.Lock, error) {
	receipt, lock, err := door.LockIn(tx, id, kind, length, now, why)
	if err != nil {
		return receipt, lock, err
	}
	e := event(idp.EventLocked, id, from, "kind", string(lock.Kind))
	e.Actor = why.Actor
	if err := tx.Record(e); err != nil {
		return receipt, lock, err
	}
	who, err := tx.Account(id)
	if err != nil || receipt.ID == "" || !who.EmailVerified {
		return receipt, lock, err
	}
	_, err = x.write(tx, now, 0, letterLocked(&who, &lock))
	return receipt, lock, err
}

func (x *Rescue) lockPage(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	who, err := x.who(r.Context(), s.Account)
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	x.show(w, r, http.StatusOK, web.Lock{Header: x.Header(w, r, who.Username), Nonce: idp.NewSecret(16), ByMail: x.byMail(&who)})
}

// byMail says that a letter can open the account again.
func (x *Rescue) byMail(who *idp.Account) bool {
	return x.Post.On() && who.EmailVerified && who.Email != ""
}

// unasked is for how long whoever is signed in may lock without being asked who they are.
const unasked = 24 * time.Hour

// lock is the person's own. It asks for no password: who has lost a device or a password may have to be quick, and all that a thief gets
// by it is to be signed out. What shuts the person out for longer, or until an operator comes, is for who has signed in recently.
func (x *Rescue) lock(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	kind := idp.LockKind(form.Get("kind"))
	length, err := time.ParseDuration(form.Get("for"))
	if form.Get("for") == "" {
		length, err = 0, nil
	}
	if err != nil || length < 0 || kind != idp.LockDevice && kind != idp.LockPassword {
		x.Pages.Fail(w, r, &edge.Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: "Choose what has happened."})
		return
	}
	who, err := x.who(r.Context(), s.Account)
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	if (length > unasked || kind == idp.LockPassword && !x.byMail(&who)) && x.Again(w, r, s, "/account/lock") {
		return
	}
	why := idp.Cause{Kind: idp.CauseLock, Actor: idp.ActorAccount(s.Account)}
	if nonce := form.Get("nonce"); nonce != "" {
		why.Request = "lock " + s.Name.String() + " " + nonce
	}
	now, _ := x.Store.Now()
	var receipt idp.Receipt
	err = x.Store.Update(r.Context(), func(tx idp.Tx) (err error) {
		if err := tx.LockAccount(s.Account, idp.Exclusive); err != nil {
			return err
		}
		if err := idp.Live(tx, s.Names()...); err != nil {
			return err // it ended meanwhile: this browser has nothing to say any more
		}
		receipt, _, err = x.LockIn(tx, s.Account, kind, length, now, why, r)
		return err
	})
	if errors.Is(err, idp.ErrEnded) {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	x.Door.Committed()
	x.Post.Wake()
	x.Browser.Leave(w, r, receipt.ID)
	x.Front.Onward(w, r, s.Name, receipt.ID, "/login/locked?receipt="+string(receipt.ID), false)
}

// locked says what a lock means, to the browser that locked.
func (x *Rescue) locked(w http.ResponseWriter, r *http.Request) {
	q, err := edge.Query(r)
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	p := web.Locked{Kind: string(idp.LockOperator)}
	id := idp.ReceiptID(q.Get("receipt"))
	err = x.Store.View(r.Context(), func(v idp.View) error {
		receipt, err := v.Receipt(id)
		if err != nil {
			return err
		}
		if !receipt.ID.Is(id) || receipt.Cause != idp.CauseLock || !x.Browser.Left(r, id) {
			return idp.ErrNotFound
		}
		lock, err := v.Lock(receipt.Account)
		if err != nil {
			return err
		}
		p = web.Locked{Kind: string(lock.Kind), At: receipt.At.Time(), Receipt: "/signout/" + string(id), ByMail: x.Post.On()}
		if lock.OpensAt != 0 {
			p.Opens = lock.OpensAt.Time()
		}
		return nil
	})
	if errors.Is(err, idp.ErrNotFound) {
		p, err = web.Locked{}, nil
	}
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	x.show(w, r, http.StatusOK, p)
}
