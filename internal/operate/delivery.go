package operate

import (
	"cmp"
	"context"
	"errors"
	"time"

	"exeunt.dev/internal/idp"
)

// Delivery is one as operators see it.
type Delivery struct {
	ID        string            `json:"id"`
	Receipt   uint64            `json:"receipt"`
	ClientID  idp.ClientID      `json:"client_id"`
	URI       string            `json:"uri,omitempty"` // where its app is told now; read of one, not in lists
	Subject   idp.AccountID     `json:"sub"`
	Sid       string            `json:"sid"`
	State     idp.DeliveryState `json:"state"`
	Created   time.Time         `json:"created_at"`
	Resent    *time.Time        `json:"resent_at,omitempty"` // by an operator, for the last time
	Attempts  int               `json:"attempts"`            // since then
	Attempted *time.Time        `json:"attempted_at,omitempty"`
	Next      *time.Time        `json:"next_attempt_at,omitempty"`
	Confirmed *time.Time        `json:"confirmed_at,omitempty"`
	Status    int               `json:"status,omitempty"` // of the last answer
	Why       string            `json:"why,omitempty"`
}

// What an operator did to one, as events say it.
const (
	ActResent  = "owed"
	ActGivenUp = "given-up"
)

// Acted is the event of what was done to a delivery; who did it and why is for whoever asked for it to add.
func Acted(d *idp.Delivery, act string) idp.Event {
	return idp.Event{Kind: idp.EventOperator, Account: d.Account, Client: d.Client, Receipt: d.Receipt, Data: map[string]string{"act": act, "delivery": d.ID().String()}}
}

// ShowDelivery makes the operators' view of a delivery.
func ShowDelivery(d *idp.Delivery) Delivery {
	return Delivery{ID: d.ID().String(), Receipt: d.Receipt, ClientID: d.Client, Subject: d.Account, Sid: d.Sid.String(), State: d.State, Created: d.CreatedAt.Time(), Resent: idp.At(d.Since),
		Attempts: d.Attempts, Attempted: idp.At(d.AttemptedAt), Next: idp.At(d.Due), Confirmed: idp.At(d.ConfirmedAt), Status: d.Status, Why: d.Error}
}

// ReadDelivery is ShowDelivery with the address that it goes to; an app that cannot be told any more has none.
func ReadDelivery(v idp.View, d *idp.Delivery) (Delivery, error) {
	out := ShowDelivery(d)
	app, err := v.Client(d.Client)
	if errors.Is(err, idp.ErrNotFound) {
		err = nil
	}
	out.URI = app.BackchannelLogoutURI
	return out, err
}

// Filter reads what a list of deliveries is narrowed to: an app, which must be there, and a state, or "dead" for all that apps will not
// get any more.
func Filter(v idp.View, client, state string) (f idp.DeliveryFilter, err error) {
	f.Client = idp.ClientID(client)
	if f.State, f.Dead, err = stateFilter(state); err != nil || client == "" {
		return f, err
	}
	if _, err = v.Client(f.Client); errors.Is(err, idp.ErrNotFound) {
		err = idp.Invalid("client_id", "There is no such app.")
	}
	return f, err
}

// DeadFilter is Filter among what apps will not get any more, whose state may be left out.
func DeadFilter(v idp.View, client, state string) (idp.DeliveryFilter, error) {
	if state == string(idp.Owed) {
		return idp.DeliveryFilter{}, idp.Invalid("state", "What is owed is sent anyway.")
	}
	return Filter(v, client, cmp.Or(state, "dead"))
}

func stateFilter(state string) (s idp.DeliveryState, dead bool, err error) {
	switch s = idp.DeliveryState(state); {
	case s == "" || s == idp.Owed || s.Dead():
		return s, false, nil
	case state == "dead":
		return "", true, nil
	}
	return "", false, idp.Invalid("state", "A state is owed, dead, refused, out-of-time or given-up.")
}

// StateError says that something is in no state for what was asked.
type StateError struct{ Sentence string }

func (e *StateError) Error() string { return e.Sentence }

// Is makes it an idp.ErrConflict.
func (e *StateError) Is(err error) bool { return err == idp.ErrConflict }

func not(sentence string) error { return &StateError{sentence} }

// Resend makes a delivery owed again. idp.ErrNotFound; a StateError: its app has confirmed it, or cannot be told.
func Resend(tx idp.Tx, id idp.DeliveryID) (d idp.Delivery, err error) {
	if d, err = tx.Delivery(id); err != nil {
		return d, err
	}
	if d.State == idp.Confirmed {
		return d, not("Its app has confirmed it.")
	}
	app, err := tx.Client(d.Client)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return d, err
	}
	if app.BackchannelLogoutURI == "" {
		return d, not("Its app has no back channel: register its backchannel_logout_uri first.")
	}
	now, err := tx.Mint()
	if err != nil {
		return d, err
	}
	return after(tx, id, not("Its app has confirmed it."), func() (bool, error) { return tx.SendAgain(id, now) })
}

// MostResent is how many deliveries the console makes owed again at a time, and resentAtOnce how many one transaction does: on the
// embedded database everybody waits for it.
const (
	MostResent   = 10_000
	resentAtOnce = 100
)

// ResendAll makes owed again all that a filter finds, at most so many (0: however many there are), and says how many: those that it can,
// in transactions of some each. with is called in each of them, with what was done in it; an error of it undoes that.
func ResendAll(ctx context.Context, s idp.Store, f idp.DeliveryFilter, most int, with func(idp.Tx, []idp.Delivery) error) (n int, err error) {
	for page := (idp.Page{}); ; {
		if page.Limit = resentAtOnce; most > 0 {
			page.Limit = min(page.Limit, most-n)
		}
		var rows, again []idp.Delivery
		err := s.Update(ctx, func(tx idp.Tx) (err error) {
			again = nil
			if rows, err = tx.Deliveries(f, page); err != nil {
				return err
			}
			for _, row := range rows {
				d, err := Resend(tx, row.ID())
				switch {
				case err == nil:
					again = append(again, d)
				case !errors.As(err, new(*StateError)): // its app cannot be told any more
					return err
				}
			}
			return with(tx, again)
		})
		if err != nil {
			return n, err
		}
		if n += len(again); len(rows) < page.Limit || n == most {
			return n, nil
		}
		page.After = rows[len(rows)-1].ID().String()
	}
}

// GiveUp makes an owed delivery dead. Errors as those of Resend.
func GiveUp(tx idp.Tx, id idp.DeliveryID) (d idp.Delivery, err error) {
	if d, err = tx.Delivery(id); err != nil {
		return d, err
	}
	return after(tx, id, not("It is not owed."), func() (bool, error) { return tx.GiveUp(id) })
}

func after(tx idp.Tx, id idp.DeliveryID, refused error, act func() (bool, error)) (d idp.Delivery, err error) {
	done, err := act()
	if err == nil && !done {
		err = refused
	}
	if err != nil {
		return d, err
	}
	return tx.Delivery(id)
}
