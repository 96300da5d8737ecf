package rescue

import (
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// standing reads a link to set a new password, if it is still good for that.
func standing(v idp.View, token string, now idp.Time) (o opened, err error) {
	if o, err = find(v, token, idp.PendingReset, now); err != nil {
		return o, err
	}
	if err := idp.Live(v, o.Born.Names()...); err != nil {
		return o, err
	}
	if stands, err := v.Epochs(o.Account, ""); err != nil || stands != o.Born || o.who.Email != o.Email {
		return o, errors.Join(idp.ErrEnded, err)
	}
	return o, nil
}

func (x *Rescue) resetPage(w http.ResponseWriter, r *http.Request) {
	q, err := edge.Query(r)
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	x.showReset(w, r, q.Get("token"), http.StatusOK, nil)
}

func (x *Rescue) showReset(w http.ResponseWriter, r *http.Request, token string, status int, problem web.Words) {
	o, err := x.standing(r, token)
	if err != nil {
		x.fail(w, r, err)
		return
	}
	x.show(w, r, status, web.Reset{CSRF: x.Browser.CSRF(w, r), Token: token, Username: o.who.Username, Error: problem})
}

func (x *Rescue) standing(r *http.Request, token string) (o opened, err error) {
	now, _ := x.Store.Now()
	err = x.Store.View(r.Context(), func(v idp.View) (err error) { o, err = standing(v, token, now); return err })
	return o, err
}

// reset sets the new password, and ends everything in the same transaction.
func (x *Rescue) reset(w http.ResponseWriter, r *http.Request, form url.Values) {
	token := form.Get("token")
	o, err := x.standing(r, token)
	if err != nil {
		x.fail(w, r, err)
		return
	}
	if form.Get("new") != form.Get("again") {
		x.showReset(w, r, token, http.StatusBadRequest, web.Say("The two passwords differ."))
		return
	}
	hash, err := x.Passwords.Hash(r.Context(), form.Get("new"), o.who.Names()...)
	var invalid *idp.InvalidError
	if errors.As(err, &invalid) {
		x.showReset(w, r, token, http.StatusBadRequest, invalid.Sentence)
		return
	}
	var receipt idp.Receipt
	if err == nil {
		err = x.Store.Update(r.Context(), func(tx idp.Tx) error {
			now, err := tx.Mint()
			if err != nil {
				return err
			}
			if receipt, err = x.recover(tx, token, hash, now); err != nil {
				return err
			}
			return tx.Record(event(idp.EventPasswordReset, o.Account, r))
		})
	}
	if err != nil {
		x.fail(w, r, err)
		return
	}
	x.Door.Committed()
	x.Post.Wake()
	to := "/login/reset/done"
	if receipt.ID != "" {
		x.Browser.Leave(w, r, receipt.ID)
		to += "?receipt=" + string(receipt.ID)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (x *Rescue) recover(tx idp.Tx, token, hash string, now idp.Time) (receipt idp.Receipt, err error) {
	// The lock comes first, as everywhere: what is read after it stays so.
	early, err := find(tx, token, idp.PendingReset, now)
	if err != nil {
		return receipt, err
	}
	if err := tx.LockAccount(early.Account, idp.Exclusive); err != nil {
		return receipt, err
	}
	o, err := standing(tx, token, now)
	if err != nil {
		return receipt, err
	}
	if _, err := tx.TakePending(o.Pending.ID); err != nil {
		return receipt, err
	}
	why := idp.Cause{Kind: idp.CauseReset, Actor: idp.ActorAccount(o.Account)}
	if receipt, err = door.RecoverIn(tx, o.Account, o.Born, o.Lock, now, why); err != nil {
		return receipt, err
	}
	who := o.who
	who.Password, who.PasswordAt = hash, now
	if err := tx.UpdateAccount(who); err != nil {
		return receipt, err
	}
	return receipt, x.tellWithLock(tx, &who, now, letterReplaced)
}

// resetDone says what the new password has ended. Its receipt says it for a while, in that browser.
func (x *Rescue) resetDone(w http.ResponseWriter, r *http.Request) {
	q, err := edge.Query(r)
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	p := web.ResetDone{}
	if id := idp.ReceiptID(q.Get("receipt")); id != "" {
		p.Devices, p.More, err = x.took(r, id)
		if errors.Is(err, idp.ErrNotFound) {
			err = nil
		} else if err == nil {
			p.Receipt = "/signout/" + string(id)
		}
	}
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	x.show(w, r, http.StatusOK, p)
}

// shown is how many devices a page names.
const shown = 20

// took names the devices that a receipt of a new password has signed out.
func (x *Rescue) took(r *http.Request, id idp.ReceiptID) (devices []string, more int, err error) {
	err = x.Store.View(r.Context(), func(v idp.View) error {
		receipt, err := v.Receipt(id)
		if err != nil {
			return err
		}
		epoch, ok := id.Ended()
		if !ok || !receipt.ID.Is(id) || receipt.Cause != idp.CauseReset || !x.Browser.Left(r, id) {
			return idp.ErrNotFound
		}
		rows, err := v.SessionsEndedWith(receipt.Account, epoch, idp.Page{Limit: 1000})
		for _, s := range rows {
			switch {
			case s.Expired(receipt.At):
			case len(devices) < shown:
				devices = append(devices, web.Device(s.UserAgent))
			default:
				more++
			}
		}
		return err
	})
	return devices, more, err
}
