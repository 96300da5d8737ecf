package factor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/idp"
)

// Holder is whom a half-finished sign-in belongs to: a browser, or an app that signs in without one.
type Holder struct {
	Browser idp.Hash
	Client  idp.ClientID
	Epoch   idp.Name // the client's
}

// Half is a sign-in that waits for its second factor, as JSON in a Pending. It is no session and gives access to nothing.
type Half struct {
	Account idp.AccountID `json:"account"`
	Methods []string      `json:"methods"`
	Stay    bool          `json:"stay,omitempty"`
	Tries   int           `json:"tries,omitempty"`
}

// ErrTries says that there were too many wrong codes: the sign-in begins again.
var ErrTries = errors.New("too many wrong codes")

// Begin keeps a proof that lacks its second factor, under the epochs that were read with the first.
func (f *Factors) Begin(ctx context.Context, p browser.Proof, h Holder) (id string, err error) {
	id = idp.NewSecret(16)
	data, err := json.Marshal(Half{Account: p.Account, Methods: p.Methods, Stay: p.Stay})
	if err != nil {
		return "", err
	}
	return id, f.store.Update(ctx, func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		if err := idp.Live(tx, p.Born.Names()...); err != nil {
			return err
		}
		return tx.InsertPending(idp.Pending{ID: idp.HashOf(id), Kind: idp.PendingSignIn, Browser: h.Browser, Client: h.Client,
			Born: idp.Epochs{Realm: p.Born.Realm, Account: p.Born.Account, Client: h.Epoch}, Data: data, CreatedAt: now, ExpiresAt: now.Add(f.life)})
	})
}

// Read reads a half-finished sign-in and what may finish it. idp.ErrEnded: it is over, unknown, or somebody else's.
func (f *Factors) Read(v idp.View, id string, h Holder, now idp.Time) (row idp.Pending, half Half, err error) {
	row, err = v.Pending(idp.HashOf(id))
	if errors.Is(err, idp.ErrNotFound) {
		return row, half, idp.ErrEnded
	}
	if err != nil {
		return row, half, err
	}
	if row.Kind != idp.PendingSignIn || row.Browser != h.Browser || row.Client != h.Client || now >= row.ExpiresAt {
		return row, half, idp.ErrEnded
	}
	if err := idp.Live(v, row.Born.Names()...); err != nil {
		return row, half, err
	}
	return row, half, json.Unmarshal(row.Data, &half)
}

// Finish adds a code to a half-finished sign-in. Errors: idp.ErrWrong (it goes on waiting), ErrTries, *idp.LimitedError,
// idp.ErrEnded, and the store's.
func (f *Factors) Finish(ctx context.Context, r *http.Request, id string, h Holder, code string) (p browser.Proof, err error) {
	var half Half
	now, _ := f.store.Now()
	err = f.store.View(ctx, func(v idp.View) error {
		_, half, err = f.Read(v, id, h, now)
		return err
	})
	if err != nil {
		return p, err
	}
	key, err := f.turn(r, half.Account)
	if err != nil {
		return p, err
	}
	var verdict error
	err = f.store.Update(ctx, func(tx idp.Tx) error {
		verdict = nil
		if err := tx.LockAccount(half.Account, idp.Exclusive); err != nil {
			return err
		}
		row, half, err := f.Read(tx, id, h, now) // again, under the lock: the tries are counted one by one
		if err != nil {
			return err
		}
		p = browser.Proof{Account: half.Account, Born: row.Born, Methods: half.Methods, Stay: half.Stay}
		right, err := f.take(tx, r, p, code)
		switch {
		case err != nil:
			return err
		case right:
			_, err = tx.TakePending(row.ID)
			return err
		case half.Tries+1 >= tries:
			verdict = ErrTries
		default:
			verdict = idp.ErrWrong
		}
		return fail(tx, row, &half, &half.Tries)
	})
	if err == nil && verdict != nil {
		f.failed(r, half.Account, "code")
		err = verdict
	}
	if err != nil {
		return browser.Proof{}, err
	}
	f.codes.Forget(key)
	return both(p, "otp"), nil
}
