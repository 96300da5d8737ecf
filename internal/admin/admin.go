// Package admin is the operators' API: what is owed to apps, what they will not get any more, and every receipt.
//
// Who calls it is a machine whose client has the scope exeunt.admin, which an operator gave it; commands of the same names do the same
// beside the server. It rests on idp.Store and package receipt. It refuses people's tokens and cookies: a page of another site could
// send those.
package admin

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/receipt"
	"exeunt.dev/internal/token"
)

// Admin is the room.
type Admin struct {
	Store  idp.Store
	Tokens *token.Issuer
	Wake   func() // deliveries may be due
}

// Mount adds the room's paths.
func (a *Admin) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /admin/deliveries", a.deliveries)
	mux.HandleFunc("GET /admin/deliveries/{id}", a.delivery)
	mux.HandleFunc("POST /admin/deliveries/{id}/resend", a.change(idp.Tx.SendAgain, "Its app has confirmed it, or has no back channel."))
	mux.HandleFunc("POST /admin/deliveries/{id}/give-up", a.change(func(tx idp.Tx, id idp.DeliveryID, _ idp.Time) (bool, error) { return tx.GiveUp(id) }, "It is not owed."))
	mux.HandleFunc("GET /admin/receipts", a.receipts)
	mux.HandleFunc("GET /admin/receipts/{number}", a.receipt)
}

// for whoever wields the power: the answer is read in the same snapshot as the right to it.
func (a *Admin) view(w http.ResponseWriter, r *http.Request, read func(v idp.View, q url.Values) (any, error)) {
	caller, ok := a.caller(w, r)
	if !ok {
		return
	}
	var out any
	err := a.Store.View(r.Context(), func(v idp.View) (err error) {
		if err = a.Tokens.Wields(v, caller, idp.ScopeAdmin); err != nil {
			return err
		}
		q, err := edge.Query(r)
		if err == nil {
			out, err = read(v, q)
		}
		return err
	})
	if err != nil {
		fail(w, r, err)
		return
	}
	edge.JSON(w, http.StatusOK, out)
}

func (a *Admin) caller(w http.ResponseWriter, r *http.Request) (*token.Access, bool) {
	caller, ok := bearer.Token(w, r, a.Tokens, a.Store)
	if !ok {
		return nil, false
	}
	edge.Note(r.Context(), "client", caller.Client)
	return caller, true
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, idp.ErrEnded):
		edge.TokenError(w, http.StatusUnauthorized, "invalid_token", edge.Revoked)
	case errors.Is(err, token.ErrPower):
		edge.TokenError(w, http.StatusForbidden, "insufficient_scope", "The access token needs the scope "+idp.ScopeAdmin)
	default:
		edge.Fail(w, r, err)
	}
}

// Delivery is one as operators see it.
type Delivery struct {
	ID        string            `json:"id"`
	Receipt   uint64            `json:"receipt"`
	ClientID  idp.ClientID      `json:"client_id"`
	Subject   idp.AccountID     `json:"sub"`
	Sid       string            `json:"sid"`
	State     idp.DeliveryState `json:"state"`
	Created   time.Time         `json:"created_at"`
	Attempts  int               `json:"attempts"`
	Attempted *time.Time        `json:"attempted_at,omitempty"`
	Next      *time.Time        `json:"next_attempt_at,omitempty"`
	Confirmed *time.Time        `json:"confirmed_at,omitempty"`
	Status    int               `json:"status,omitempty"` // of the last answer
	Why       string            `json:"why,omitempty"`
}

// Show makes the operators' view of a delivery.
func Show(d *idp.Delivery) Delivery {
	at := func(t idp.Time) *time.Time {
		if t == 0 {
			return nil
		}
		out := t.Time()
		return &out
	}
	return Delivery{d.ID().String(), d.Receipt, d.Client, d.Account, d.Sid.String(), d.State, d.CreatedAt.Time(), d.Attempts, at(d.AttemptedAt), at(d.Due), at(d.ConfirmedAt), d.Status, d.Error}
}

const pageSize = 100

func page(q url.Values) (idp.Page, error) {
	p := idp.Page{After: q.Get("after"), Limit: pageSize}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return p, idp.Invalid("limit", "A limit is a number from 1 to 1000.")
		}
		p.Limit = n
	}
	return p, nil
}

// Filter reads what a list is narrowed to: a client, a state, or "dead" for all that apps will not get any more.
func Filter(client, state string) (f idp.DeliveryFilter, err error) {
	f.Client = idp.ClientID(client)
	switch s := idp.DeliveryState(state); {
	case state == "":
	case state == "dead":
		f.Dead = true
	case s == idp.Owed || s.Dead():
		f.State = s
	default:
		return f, idp.Invalid("state", "it is owed, dead, refused, out-of-time or given-up.")
	}
	return f, nil
}

func (a *Admin) deliveries(w http.ResponseWriter, r *http.Request) {
	a.view(w, r, func(v idp.View, q url.Values) (any, error) {
		f, err := Filter(q.Get("client_id"), q.Get("state"))
		if err != nil {
			return nil, err
		}
		p, err := page(q)
		if err != nil {
			return nil, err
		}
		rows, err := v.Deliveries(f, p)
		if err != nil {
			return nil, err
		}
		out := struct {
			Deliveries []Delivery `json:"deliveries"`
			Next       string     `json:"next,omitempty"` // to be given as after
		}{Deliveries: []Delivery{}}
		for i := range rows {
			out.Deliveries = append(out.Deliveries, Show(&rows[i]))
		}
		if len(rows) == p.Limit {
			out.Next = rows[len(rows)-1].ID().String()
		}
		return out, nil
	})
}

func (a *Admin) delivery(w http.ResponseWriter, r *http.Request) {
	a.view(w, r, func(v idp.View, _ url.Values) (any, error) {
		id, err := idp.ParseDeliveryID(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		d, err := v.Delivery(id)
		return Show(&d), err
	})
}

// change does one act to a delivery.
func (a *Admin) change(act func(idp.Tx, idp.DeliveryID, idp.Time) (bool, error), not string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		caller, ok := a.caller(w, r)
		if !ok {
			return
		}
		var d idp.Delivery
		err := a.Store.Update(r.Context(), func(tx idp.Tx) error {
			if err := a.Tokens.Wields(tx, caller, idp.ScopeAdmin); err != nil {
				return err
			}
			id, err := idp.ParseDeliveryID(r.PathValue("id"))
			if err != nil {
				return err
			}
			if d, err = Change(tx, id, act); errors.Is(err, idp.ErrConflict) {
				err = &edge.Error{Status: http.StatusConflict, Code: "conflict", Description: not}
			}
			return err
		})
		if err != nil {
			fail(w, r, err)
			return
		}
		a.Wake()
		edge.JSON(w, http.StatusOK, Show(&d))
	}
}

// Change does an act to a delivery and reads it. idp.ErrNotFound; idp.ErrConflict: it is in no state for that.
func Change(tx idp.Tx, id idp.DeliveryID, act func(idp.Tx, idp.DeliveryID, idp.Time) (bool, error)) (d idp.Delivery, err error) {
	if _, err := tx.Delivery(id); err != nil {
		return d, err
	}
	now, err := tx.Mint()
	if err != nil {
		return d, err
	}
	done, err := act(tx, id, now)
	if err == nil && !done {
		err = idp.ErrConflict
	}
	if err != nil {
		return d, err
	}
	return tx.Delivery(id)
}

// Receipt is one as operators see it: the sheet, and who did it to whom.
type Receipt struct {
	receipt.Sheet
	Actor    idp.Actor     `json:"actor"`
	Reason   string        `json:"reason,omitempty"`
	Subject  idp.AccountID `json:"sub,omitempty"`
	ClientID idp.ClientID  `json:"client_id,omitempty"`
}

// ShowReceipt makes the operators' view of a receipt.
func ShowReceipt(v idp.View, r *idp.Receipt, now idp.Time) (Receipt, error) {
	sheet, err := receipt.Read(v, r, now, true)
	return Receipt{sheet, r.Actor, r.Reason, r.Account, r.Client}, err
}

func (a *Admin) receipts(w http.ResponseWriter, r *http.Request) {
	now, _ := a.Store.Now()
	a.view(w, r, func(v idp.View, q url.Values) (any, error) {
		p, err := page(q)
		if err != nil {
			return nil, err
		}
		before, err := Before(p.After)
		if err != nil {
			return nil, err
		}
		rows, err := v.Receipts(idp.AccountID(q.Get("sub")), before, p.Limit)
		if err != nil {
			return nil, err
		}
		out := struct {
			Receipts []Receipt `json:"receipts"`
			Next     string    `json:"next,omitempty"` // to be given as after
		}{Receipts: []Receipt{}}
		for i := range rows {
			one, err := ShowReceipt(v, &rows[i], now)
			if err != nil {
				return nil, err
			}
			out.Receipts = append(out.Receipts, one)
		}
		if len(rows) == p.Limit {
			out.Next = strconv.FormatUint(rows[len(rows)-1].Number, 10)
		}
		return out, nil
	})
}

// Before reads a receipt's number to list those before; "" is all.
func Before(text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		return 0, idp.Invalid("after", "That page does not exist.")
	}
	return n, nil
}

func (a *Admin) receipt(w http.ResponseWriter, r *http.Request) {
	now, _ := a.Store.Now()
	a.view(w, r, func(v idp.View, _ url.Values) (any, error) {
		n, err := Before(r.PathValue("number"))
		if err != nil {
			return nil, idp.ErrNotFound
		}
		row, err := v.ReceiptByNumber(n)
		if err != nil {
			return nil, err
		}
		return ShowReceipt(v, &row, now)
	})
}
