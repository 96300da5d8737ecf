package door

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Door ends things.
type Door struct {
	store idp.Store
	done  func(owes bool)
}

// New returns the door of a store. committed, if not nil, is called after each commit that may have grown the
// ledger, so that the feed need not wait for its next poll; owes says that there may be somebody to tell.
func New(store idp.Store, committed func(owes bool)) *Door {
	if committed == nil {
		committed = func(bool) {}
	}
	return &Door{store: store, done: committed}
}

// tries bounds how often End asks again when the answer to a COMMIT was lost.
const tries = 3

// End ends what the selector names and returns the receipt, after commit. Ending an ended thing writes nothing and
// returns the receipt of its ending; where nothing was alive to be ended (a locked account, an app that is not signed
// in) the receipt is zero. A doubled or retried call (same Actor and Request) returns the first receipt
// and ends nothing made in between.
//
// Errors: idp.ErrNotFound, idp.ErrEnded (the acting session of "others" is over), idp.ErrUnavailable,
// idp.ErrUnknown (ask again with the same Request).
func (d *Door) End(ctx context.Context, s idp.Selector, c idp.Cause) (idp.Receipt, error) {
	if c.Request == "" && !s.Once() {
		c.Request = idp.NewSecret(16) // so that a lost answer to COMMIT is harmless here, too
	}
	var err error
	unknown := false
	for range tries {
		var receipt idp.Receipt
		err = d.update(ctx, s, c, func(tx idp.Tx) error {
			r, err := EndIn(tx, s, c)
			receipt = r
			return err
		})
		if err == nil {
			d.done(s.Tells())
			return receipt, nil
		}
		if !errors.Is(err, idp.ErrUnknown) {
			break
		}
		unknown = true
	}
	if unknown && errors.Is(err, idp.ErrUnavailable) {
		err = fmt.Errorf("%w, and now the %v", idp.ErrUnknown, err) // an earlier try may have happened
	}
	return idp.Receipt{}, fmt.Errorf("end %s: %w", s.Kind, err)
}

// Decide is End of what look finds, which is used once; the zero selector is nothing, and has the zero receipt. look may run more than once.
func (d *Door) Decide(ctx context.Context, look func(idp.View) (idp.Selector, idp.Cause, error)) (receipt idp.Receipt, err error) {
	var s idp.Selector
	var c idp.Cause
	err = d.store.Decide(ctx, func(v idp.View) (*idp.Foresight, error) {
		var err error
		if s, c, err = look(v); err != nil || s.Kind == "" {
			return nil, err
		}
		asks := foresee(s, c)
		return &asks, nil
	}, func(tx idp.Tx) (err error) {
		receipt, err = EndIn(tx, s, c)
		return err
	})
	switch {
	case errors.Is(err, idp.ErrUnknown):
		return d.End(ctx, s, c) // of what was found: a second look might find it ended
	case err != nil:
		return idp.Receipt{}, err
	case s.Kind != "":
		d.done(s.Tells())
	}
	return receipt, nil
}

// update joins what is safe to be joined: ends that lock one row at most.
func (d *Door) update(ctx context.Context, s idp.Selector, c idp.Cause, f func(idp.Tx) error) error {
	if !s.Once() {
		return d.store.Update(ctx, f)
	}
	return d.store.Join(ctx, foresee(s, c), f)
}

// foresee is what an end of something that is used once asks first.
func foresee(s idp.Selector, c idp.Cause) (asks idp.Foresight) {
	if s.Kind == idp.SelectSession {
		asks.Sessions = []idp.Name{s.Name}
	} else {
		asks.Names = []idp.Name{s.Name}
	}
	if c.Request != "" {
		asks.Requests = []idp.Hash{requestHash(c.Actor, c.Request)}
	}
	return asks
}

// Again returns the receipt that a request of this actor already has, so that a retry whose cookie or token died with the
// first try still gets its answer. idp.ErrNotFound: it has none.
func (d *Door) Again(ctx context.Context, actor idp.Actor, request string) (r idp.Receipt, err error) {
	err = d.store.View(ctx, func(v idp.View) error {
		r, err = v.ReceiptByRequest(requestHash(actor, request))
		return err
	})
	return r, err
}

// Committed tells the door that a caller's transaction with an EndIn in it has committed.
func (d *Door) Committed() { d.done(true) }

// EndIn is End inside the caller's transaction. The receipt is true once that has committed; then call Committed.
func EndIn(tx idp.Tx, s idp.Selector, c idp.Cause) (idp.Receipt, error) {
	var request idp.Hash
	if c.Request != "" {
		request = requestHash(c.Actor, c.Request)
		first, err := tx.ReceiptByRequest(request)
		if err == nil {
			return first, nil
		}
		if !errors.Is(err, idp.ErrNotFound) {
			return idp.Receipt{}, err
		}
	}
	receipt := idp.Receipt{
		Request: request, Cause: c.Kind, Actor: c.Actor, Reason: c.Reason,
		Selector: s.Kind, Account: s.Account, Client: s.Client,
	}
	if !s.Tells() {
		receipt.ToldAt = idp.NobodyToTell
	}
	endings, err := reach(tx, s, c.Kind, &receipt)
	if err != nil {
		return idp.Receipt{}, err
	}
	fresh, err := alive(tx, endings)
	if err != nil {
		return idp.Receipt{}, err
	}
	if len(fresh) > 0 {
		receipt.ID = idp.NewReceiptID(fresh[0].Name)
	}
	if s.Kind == idp.SelectAccount && s.State == idp.AccountDeleted {
		if err := forget(tx, s.Account, receipt.ID); err != nil {
			return idp.Receipt{}, err
		}
	}
	if len(endings) == 0 {
		return idp.Receipt{}, nil
	}
	if len(fresh) == 0 {
		return tx.ReceiptOfEnding(endings[0].Name)
	}
	for i := range fresh {
		fresh[i].Receipt = receipt.ID
	}
	return receipt, tx.Append(receipt, fresh)
}

// alive leaves out what has ended already.
func alive(tx idp.Tx, endings []idp.Ending) ([]idp.Ending, error) {
	if len(endings) == 0 {
		return nil, nil
	}
	names := make([]idp.Name, len(endings))
	for i, e := range endings {
		names[i] = e.Name
	}
	over, err := tx.Ended(names...)
	if err != nil || len(over) == 0 {
		return endings, err
	}
	gone := map[idp.Name]bool{}
	for _, n := range over {
		gone[n] = true
	}
	var fresh []idp.Ending
	for _, e := range endings {
		if !gone[e.Name] {
			fresh = append(fresh, e)
		}
	}
	return fresh, nil
}

// requestHash binds a request's identity to its actor: an Idempotency-Key is chosen by the caller, and must not
// reach another caller's receipt.
func requestHash(actor idp.Actor, request string) idp.Hash {
	return sha256.Sum256([]byte(string(actor) + "\x00" + request))
}

func newEpoch() idp.Name { return ledger.NewName() }

// Unlock begins an epoch for an account that has none. Nothing that ended comes back. idp.ErrConflict: it is not locked.
func (d *Door) Unlock(ctx context.Context, id idp.AccountID) error {
	return d.store.Update(ctx, func(tx idp.Tx) error {
		return Revive(tx, id, idp.AccountLocked, idp.AccountDisabled)
	})
}

// Revive is Unlock inside the caller's transaction, for an account in one of the given states only.
func Revive(tx idp.Tx, id idp.AccountID, from ...idp.AccountState) error {
	if err := tx.LockAccount(id, idp.Exclusive); err != nil {
		return err
	}
	a, err := tx.Account(id)
	if err != nil {
		return err
	}
	if !slices.Contains(from, a.State) || a.State == idp.AccountDeleted {
		return idp.ErrConflict
	}
	now, err := tx.Mint()
	if err != nil {
		return err
	}
	if _, err := open(tx, id); err != nil {
		return err
	}
	return settle(tx, id, now, false)
}

// ReviveClient begins an epoch for a client that was disabled. Nothing that ended comes back. idp.ErrConflict: it is not disabled, or
// deleted.
func ReviveClient(tx idp.Tx, id idp.ClientID) error {
	if err := tx.LockClient(id, idp.Exclusive); err != nil {
		return err
	}
	c, err := tx.Client(id)
	if err != nil {
		return err
	}
	if !c.Disabled || c.Deleted {
		return idp.ErrConflict
	}
	_, err = tx.SwapClientEpoch(id, idp.Name{}, newEpoch())
	return err
}
