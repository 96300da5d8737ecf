package oauth

import (
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// longestPosted is the longest request that is kept, in bytes of its parameters.
const longestPosted = 16 << 10

// parameters reads an authorization request; done says that it was answered.
//
// One that an app's page has POSTed (OpenID Connect Core section 3.1.2.1) comes without this browser's Lax cookies. Deciding there would see
// nobody signed in, and would give the browser a new id, which voids the forms that are open in it. So it is kept, and the browser comes again
// by GET, with its cookies. What is kept is no more than a link that any site could make: it is of no browser, and is decided as if it came then.
func (o *OAuth) parameters(w http.ResponseWriter, r *http.Request) (v url.Values, done bool, err error) {
	if r.Method != http.MethodPost {
		if v, err = edge.Query(r, "resource"); err == nil && v.Has("posted") {
			v, err = o.posted(r, v.Get("posted"))
		}
		return v, false, err
	}
	if v, err = edge.Form(w, r, "resource"); err != nil || o.Browser.Brought(r) {
		return v, false, err
	}
	id, err := o.keep(r, v)
	if err == nil {
		o.Pages.Ask(w, v.Get("ui_locales"))
		http.Redirect(w, r, "/oauth2/authorize?posted="+id, http.StatusSeeOther)
	}
	return nil, err == nil, err
}

func (o *OAuth) keep(r *http.Request, v url.Values) (string, error) {
	data := v.Encode()
	if len(data) > longestPosted {
		return "", page(web.Say("It is too long."))
	}
	if err := o.mayWait(r); err != nil {
		return "", err
	}
	id := idp.NewSecret(16)
	return id, o.Store.Update(r.Context(), func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		born, err := tx.Epochs("", "")
		if err != nil {
			return err
		}
		return tx.InsertPending(idp.Pending{ID: idp.HashOf(id), Kind: idp.PendingPosted, Born: born, Data: []byte(data),
			CreatedAt: now, ExpiresAt: now.Add(o.Browser.Policy().PendingLife)})
	})
}

func (o *OAuth) posted(r *http.Request, id string) (v url.Values, err error) {
	now, _ := o.Store.Now()
	err = o.Store.View(r.Context(), func(s idp.View) error {
		row, err := s.Pending(idp.HashOf(id))
		if errors.Is(err, idp.ErrNotFound) || err == nil && (row.Kind != idp.PendingPosted || now >= row.ExpiresAt) {
			return web.ErrExpired
		}
		if err == nil {
			err = idp.Live(s, row.Born.Names()...)
		}
		if errors.Is(err, idp.ErrEnded) {
			return web.ErrExpired
		}
		if err != nil {
			return err
		}
		v, err = url.ParseQuery(string(row.Data))
		return err
	})
	return v, err
}
