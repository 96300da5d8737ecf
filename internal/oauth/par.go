package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

const parPrefix = "urn:ietf:params:oauth:request_uri:"

// par takes an authorization request from the client itself (RFC 9126).
func (o *OAuth) par(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r, "resource")
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	client, born, err := o.client(r.Context(), r, form)
	if err != nil {
		o.fail(w, r, err)
		return
	}
	form.Set("client_id", string(client.ID))
	id := idp.NewSecret(32)
	life := o.Browser.Policy().CodeLife
	err = func() error {
		if form.Has("request_uri") {
			return refuse("invalid_request", "request_uri cannot be pushed")
		}
		if !client.RedirectAllowed(form.Get("redirect_uri")) || !client.May("authorization_code") {
			return refuse("invalid_request", "redirect_uri is not registered")
		}
		shown := bearer.Proof(w, r, o.Tokens, o.Store)
		if err := shown.Wrong(&client); err != nil {
			return err
		}
		q, err := o.parse(form, &client, form.Get("redirect_uri"), shown)
		if err != nil {
			return err
		}
		if err := o.mayPush(r, &client); err != nil {
			return err
		}
		data, err := json.Marshal(q)
		if err != nil {
			return err
		}
		return o.Store.Update(r.Context(), func(tx idp.Tx) error {
			now, err := tx.Mint()
			if err != nil {
				return err
			}
			if err := shown.Use.Note(tx); err != nil {
				return err
			}
			return tx.InsertPending(idp.Pending{ID: idp.HashOf(id), Kind: idp.PendingPAR, Client: client.ID, Born: born, Data: data,
				CreatedAt: now, ExpiresAt: now.Add(life)})
		})
	}()
	if err != nil {
		o.fail(w, r, err)
		return
	}
	edge.JSON(w, http.StatusCreated, map[string]any{"request_uri": parPrefix + id, "expires_in": int64(life.Seconds())})
}

// mayPush limits what is written before a person has proved anything: for a client that has proved who it is by its name, for anybody who
// merely names a public one by address.
func (o *OAuth) mayPush(r *http.Request, client *idp.Client) error {
	if client.Confidential() {
		return o.turn("par " + string(client.ID))
	}
	return o.mayWait(r)
}

// pushed finds a pushed request. Other parameters than client_id are not looked at (RFC 9126 section 4).
func (o *OAuth) pushed(r *http.Request, v url.Values) (asked, error) {
	a := asked{par: idp.HashOf(strings.TrimPrefix(v.Get("request_uri"), parPrefix))}
	now, _ := o.Store.Now()
	err := o.Store.View(r.Context(), func(tx idp.View) error {
		row, err := tx.Pending(a.par)
		if errors.Is(err, idp.ErrNotFound) {
			return page(web.Say("This request has expired. Go back to the app and try again."))
		}
		if err != nil {
			return err
		}
		if row.Kind != idp.PendingPAR || now >= row.ExpiresAt || string(row.Client) != v.Get("client_id") {
			return page(web.Say("This request has expired. Go back to the app and try again."))
		}
		return o.waited(tx, &a, &row)
	})
	if errors.Is(err, idp.ErrEnded) || errors.Is(err, idp.ErrNotFound) {
		err = page(web.Say("This request has expired. Go back to the app and try again."))
	}
	return a, err
}

// usePushed takes the pushed request away: it is good for one authorization.
func (o *OAuth) usePushed(tx idp.Tx, a *asked) error {
	if a.par.IsZero() {
		return nil
	}
	_, err := tx.TakePending(a.par)
	return err
}
