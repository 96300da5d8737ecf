package rescue

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

func (x *Rescue) forgotPage(w http.ResponseWriter, r *http.Request) {
	q, err := edge.Query(r)
	if err != nil {
		x.Pages.Fail(w, r, err)
		return
	}
	x.show(w, r, http.StatusOK, web.Forgot{CSRF: x.Browser.CSRF(w, r), On: x.Post.On(), Asked: q.Get("asked") != ""})
}

// forgot takes who has forgotten the password. What it answers does not depend on who that is: nothing is looked up before.
func (x *Rescue) forgot(w http.ResponseWriter, r *http.Request, form url.Values) {
	if ok, wait := x.Limit.AllowCaller(r); !ok {
		x.Pages.Fail(w, r, &idp.LimitedError{Wait: wait})
		return
	}
	who := strings.TrimSpace(form.Get("who"))
	if x.Post.On() && who != "" && len(who) <= 254 {
		select {
		case x.Asked <- who:
		default:
			x.Log.Warn("more people than can be looked up have forgotten their passwords")
		}
	}
	http.Redirect(w, r, "/login/forgot?asked=1", http.StatusSeeOther)
}

// Run looks up who has asked, until ctx ends and all are looked up.
func (x *Rescue) Run(ctx context.Context) {
	for {
		select {
		case who := <-x.Asked:
			x.lookUp(who)
		case <-ctx.Done():
			for {
				select {
				case who := <-x.Asked:
					x.lookUp(who)
				default:
					return
				}
			}
		}
	}
}

// atMost is how many accounts of one address are written to.
const atMost = 5

// lookUp writes to whoever has that username or that confirmed address. The letter goes to the address that the account has, never to
// what was typed: two addresses may look the same to a database.
func (x *Rescue) lookUp(who string) {
	ctx := context.Background()
	var found []idp.Account
	err := x.Store.View(ctx, func(v idp.View) (err error) {
		if strings.Contains(who, "@") {
			if found, err = v.AccountsByEmail(who, atMost); err != nil {
				return err
			}
		}
		named, err := v.AccountByUsername(who)
		if err == nil && !slices.ContainsFunc(found, func(a idp.Account) bool { return a.ID == named.ID }) {
			found = append(found, named)
		}
		if errors.Is(err, idp.ErrNotFound) {
			err = nil
		}
		return err
	})
	for _, a := range found {
		if err == nil {
			err = x.Store.Update(ctx, func(tx idp.Tx) error { return x.sendReset(tx, a.ID) })
		}
	}
	if err != nil {
		x.Log.Error("a link for a new password could not be written", "error", err)
		return
	}
	x.Post.Wake()
}

// sendReset writes a letter with a link to set a new password, or with why there is none.
//
// R: the link is born under the epochs, and the lock, that stand when it is written, and dies with them.
func (x *Rescue) sendReset(tx idp.Tx, id idp.AccountID) error {
	now, err := tx.Mint()
	if err != nil {
		return err
	}
	if _, err := door.OpenIn(tx, id, now); err != nil {
		return err
	}
	a, err := tx.Account(id)
	if err != nil || a.State == idp.AccountDeleted || !a.EmailVerified {
		return err
	}
	born, err := tx.Epochs(id, "")
	if err != nil {
		return err
	}
	lock := idp.Lock{Kind: idp.LockOperator}
	if a.State == idp.AccountLocked {
		row, err := tx.Lock(id)
		if err != nil && !errors.Is(err, idp.ErrNotFound) {
			return err
		}
		if err == nil {
			lock = row
		}
	}
	if born.Account.IsZero() && !lock.Recovers(now) {
		_, err := x.write(tx, now, now.Add(resetFor), letterNoReset(&a, &lock))
		return err
	}
	row, link, err := x.newLink(idp.PendingReset, "/login/reset", born, idp.Link{Account: id, Email: a.Email, Lock: lock.ID}, now, resetFor)
	if err != nil {
		return err
	}
	return x.send(tx, row, letterReset(&a, link))
}
