package account

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

const (
	countAtMost = 1000 // sessions that one page counts
	nameAtMost  = 6    // kinds of browser that it names
)

// flash says what the last act did, with the address of its receipt. What it says of the sessions that ended is read from the receipt,
// which must be this person's: an address that somebody else made up says nothing.
func (a *Account) flash(ctx context.Context, id idp.AccountID, q url.Values) (said web.Words, receipt string, err error) {
	var done web.Words
	switch q.Get("done") {
	case "one":
		done = "That session is over."
	case "others":
	case "password":
		done = "Your password is changed."
	default:
		return nil, "", nil
	}
	if receipt, err = a.own(ctx, id, idp.ReceiptID(q.Get("receipt"))); err != nil || q.Get("done") == "one" {
		return done, receipt, err
	}
	gone, err := a.took(ctx, id, idp.ReceiptID(q.Get("receipt")))
	if err != nil {
		return nil, "", err
	}
	return web.Sentences(done, over(gone)), receipt, nil
}

// own is the address of a receipt, if it is this person's.
func (a *Account) own(ctx context.Context, id idp.AccountID, receipt idp.ReceiptID) (address string, err error) {
	var r idp.Receipt
	err = a.Store.Look(ctx, func(v idp.View) (err error) { r, err = v.Receipt(receipt); return err })
	switch {
	case errors.Is(err, idp.ErrNotFound):
		return "", nil
	case err != nil || r.Account != id:
		return "", err
	}
	return "/signout/" + string(r.ID), nil
}

// took lists the sessions that an act of "others" took with it; nil if the receipt is none of that.
func (a *Account) took(ctx context.Context, id idp.AccountID, receipt idp.ReceiptID) (out []idp.Session, err error) {
	err = a.Store.View(ctx, func(v idp.View) error {
		out = nil
		r, err := v.Receipt(receipt)
		if err != nil {
			return err
		}
		epoch, ok := r.ID.Ended()
		if !ok || r.Account != id || r.Selector != idp.SelectOthers {
			return idp.ErrNotFound
		}
		rows, err := v.SessionsEndedWith(id, epoch, idp.Page{Limit: countAtMost})
		if err != nil {
			return err
		}
		out = slices.DeleteFunc(rows, func(s idp.Session) bool { return s.Expired(r.At) }) // they were over before
		if out == nil {
			out = []idp.Session{}
		}
		return nil
	})
	if errors.Is(err, idp.ErrNotFound) {
		return nil, nil
	}
	return out, err
}

// over is a sentence on the sessions that ended: how many, and in which browsers. nil: nothing is known of them.
func over(gone []idp.Session) web.Words {
	switch {
	case gone == nil:
		return "All other sessions are over."
	case len(gone) == 0:
		return "There were no other sessions."
	}
	var names []string
	count, words := map[string]int{}, map[string]web.Words{}
	for _, s := range gone {
		name := web.Device(s.UserAgent)
		if count[name]++; count[name] == 1 {
			names, words[name] = append(names, name), web.DeviceWords(s.UserAgent)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(count[b]-count[a], strings.Compare(a, b)) })
	var list []web.Words
	for _, name := range names[:min(len(names), nameAtMost)] {
		if count[name] > 1 {
			words[name] = web.Say("%s (%s)", words[name], count[name])
		}
		list = append(list, words[name])
	}
	if len(names) > nameAtMost {
		list = append(list, "others")
	}
	switch len(gone) {
	case 1:
		return web.Say("1 other session was ended: %s.", web.List(list...))
	case countAtMost:
		return web.Say("%s other sessions or more were ended: %s.", countAtMost, web.List(list...))
	}
	return web.Say("%s other sessions were ended: %s.", len(gone), web.List(list...))
}
