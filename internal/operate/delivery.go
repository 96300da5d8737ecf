package operate

import (
	"cmp"
	"context"
	"errors"
	"slices"
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

// MostResent is how many deliveries the console makes owed again at a time, and resendWithin how long it looks for them: its answer must
// come. One transaction does resentAtOnce: on the embedded database everybody waits for it.
const (
	MostResent   = 10_000
	resendWithin = 20 * time.Second
	resentAtOnce = 100
	seenAtOnce   = 1000
)

// Resent is what ResendAll came to.
type Resent struct {
	N    int  `json:"owed_again"`
	More bool `json:"more,omitempty"` // it stopped before it had looked at all
}

// ResendAll makes owed again all that a filter finds and whose app can be told, at most so many (0: however many there are, and however long
// it takes), in transactions of some each. with is called in each of them, with what was done in it; an error of it undoes that. An error
// leaves what was done before.
func ResendAll(ctx context.Context, s idp.Store, f idp.DeliveryFilter, most int, with func(idp.Tx, []idp.Delivery) error) (out Resent, err error) {
	apps := map[idp.ClientID]bool{}
	end := time.Now().Add(resendWithin)
	for page := (idp.Page{Limit: seenAtOnce}); ; {
		out.More = true
		var rows []idp.Delivery
		var ids []idp.DeliveryID
		if err := s.View(ctx, func(v idp.View) (err error) {
			if rows, err = v.Deliveries(f, page); err == nil {
				ids, err = tellable(v, rows, apps)
			}
			return err
		}); err != nil {
			return out, err
		}
		for some := range slices.Chunk(ids, resentAtOnce) {
			if most > 0 {
				some = some[:min(len(some), most-out.N)]
			}
			n, err := resendSome(ctx, s, some, with)
			if out.N += n; err != nil || out.N == most && most > 0 {
				return out, err
			}
		}
		if len(rows) < page.Limit {
			out.More = false
			return out, nil
		}
		if most > 0 && time.Now().After(end) {
			return out, nil
		}
		page.After = rows[len(rows)-1].ID().String()
	}
}

// tellable are those whose apps have a back channel. What is known of an app is kept in apps.
func tellable(v idp.View, rows []idp.Delivery, apps map[idp.ClientID]bool) (out []idp.DeliveryID, err error) {
	for i := range rows {
		id := rows[i].Client
		told, known := apps[id]
		if !known {
			app, err := v.Client(id)
			if err != nil && !errors.Is(err, idp.ErrNotFound) {
				return nil, err
			}
			told = app.BackchannelLogoutURI != ""
			apps[id] = told
		}
		if told {
			out = append(out, rows[i].ID())
		}
	}
	return out, nil
}

func resendSome(ctx context.Context, s idp.Store, ids []idp.DeliveryID, with func(idp.Tx, []idp.Delivery) error) (n int, err error) {
	err = s.Update(ctx, func(tx idp.Tx) error {
		var again []idp.Delivery
		for _, id := range ids {
			d, err := Resend(tx, id)
			switch {
			case err == nil:
				again = append(again, d)
			case !errors.As(err, new(*StateError)) && !errors.Is(err, idp.ErrNotFound): // it is not as it was seen
				return err
			}
		}
		n = len(again)
		return with(tx, again)
	})
	if err != nil {
		n = 0
	}
	return n, err
}

// GiveUp makes an owed delivery dead; one that its app has confirmed, and that was owed again, is confirmed then. Errors as those of Resend.
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
