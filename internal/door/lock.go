package door

import (
	"context"
	"errors"
	"time"

	"exeunt.dev/internal/idp"
)

// LockIn locks an account inside the caller's transaction: everything ends, and nothing is born until it opens. length is for
// [idp.LockDevice]; it is raised to what the longest-lived access token needs. A locked account is locked at least as strongly
// as before, and a disabled one stays as it is; then nothing ends, and the receipt is zero. now is ledger time.
func LockIn(tx idp.Tx, id idp.AccountID, kind idp.LockKind, length time.Duration, now idp.Time, c idp.Cause) (idp.Receipt, idp.Lock, error) {
	lock := idp.Lock{Account: id, ID: newEpoch(), Kind: kind, At: now}
	if err := tx.LockAccount(id, idp.Exclusive); err != nil {
		return idp.Receipt{}, lock, err
	}
	row, err := tx.Account(id)
	if err != nil {
		return idp.Receipt{}, lock, err
	}
	if kind == idp.LockDevice {
		longest, err := tx.Holds(now)
		if err != nil {
			return idp.Receipt{}, lock, err
		}
		lock.OpensAt = now.Add(max(min(length, idp.LockLongest), longest+idp.LockMargin))
	}
	switch row.State {
	case idp.AccountActive:
		receipt, err := EndIn(tx, idp.EndAccount(id, idp.AccountLocked), c)
		if err != nil {
			return receipt, lock, err
		}
		if row, err = tx.Account(id); err != nil || row.State != idp.AccountLocked {
			return receipt, lock, err // a repeated request, whose lock has opened since
		}
		return receipt, lock, tx.PutLock(lock)
	case idp.AccountLocked:
		old, err := tx.Lock(id)
		if errors.Is(err, idp.ErrNotFound) {
			return idp.Receipt{}, idp.Lock{Account: id, Kind: idp.LockOperator}, nil
		}
		if err != nil {
			return idp.Receipt{}, lock, err
		}
		if !old.Over(now) {
			both, stronger := old.And(lock)
			if lock = both; !stronger {
				return idp.Receipt{}, lock, nil
			}
		}
		return idp.Receipt{}, lock, tx.PutLock(lock)
	case idp.AccountDeleted:
		return idp.Receipt{}, lock, idp.ErrNotFound
	}
	return idp.Receipt{}, idp.Lock{Account: id, Kind: idp.LockOperator}, nil
}

// OpenIn opens an account whose lock has opened by itself, by now. It says whether it did.
func OpenIn(tx idp.Tx, id idp.AccountID, now idp.Time) (bool, error) {
	if err := tx.LockAccount(id, idp.Exclusive); err != nil {
		return false, err
	}
	row, err := tx.Account(id)
	if err != nil || row.State != idp.AccountLocked {
		return false, err
	}
	lock, err := tx.Lock(id)
	if errors.Is(err, idp.ErrNotFound) {
		return false, nil
	}
	if err != nil || !lock.Over(now) {
		return false, err
	}
	if opened, err := open(tx, id); !opened || err != nil {
		return false, err
	}
	return true, tx.Record(idp.Event{Kind: idp.EventUnlocked, Account: id, Actor: idp.ActorRule("lock")})
}

// open begins an epoch for an account that has none.
func open(tx idp.Tx, id idp.AccountID) (bool, error) {
	swapped, err := tx.SwapAccountEpoch(id, idp.Name{}, newEpoch(), idp.AccountActive)
	if err != nil || !swapped {
		return false, err
	}
	return true, tx.DropLock(id)
}

// Replaced notes that an operator has set a new password: as after a recovery by letter, older credentials are doubtful from then on.
func Replaced(tx idp.Tx, id idp.AccountID, now idp.Time) error { return settle(tx, id, now, true) }

// settle makes links to lock the account void that are older than now.
func settle(tx idp.Tx, id idp.AccountID, now idp.Time, recovered bool) error {
	care, err := tx.Care(id)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return err
	}
	care.Account, care.SettledAt = id, now
	if recovered {
		care.RecoveredAt = now
	}
	return tx.PutCare(care)
}

// OpenFor gives the epochs of an account that had none when its credential was read, which was then found right: if its lock opens by
// itself and has done so, it is opened now. Else the answer is an *idp.LockedError.
//
// R: born under what was checked. The epoch begins in the transaction in which stands finds the credential as it was checked.
func OpenFor(ctx context.Context, store idp.Store, a *idp.Account, stands func(idp.Tx) (bool, error)) (born idp.Epochs, err error) {
	now, clock := store.Now()
	lock := idp.Lock{Account: a.ID, Kind: idp.LockOperator}
	err = store.View(ctx, func(v idp.View) error {
		row, err := v.Lock(a.ID)
		if errors.Is(err, idp.ErrNotFound) || a.State != idp.AccountLocked {
			return nil
		}
		lock = row
		return err
	})
	if err != nil {
		return born, err
	}
	if clock != nil || !lock.Over(now) {
		return born, &idp.LockedError{Lock: lock}
	}
	err = store.Update(ctx, func(tx idp.Tx) error {
		if _, err := OpenIn(tx, a.ID, now); err != nil {
			return err
		}
		if same, err := stands(tx); err != nil || !same {
			return errors.Join(err, idp.ErrEnded)
		}
		born, err = tx.Epochs(a.ID, "")
		return err
	})
	if err == nil && born.Account.IsZero() {
		err = &idp.LockedError{Lock: lock} // it was locked again meanwhile
	}
	return born, err
}

// OpenDue opens an account whose lock has opened by itself, for the sweep.
func (d *Door) OpenDue(ctx context.Context, id idp.AccountID) (opened bool, err error) {
	now, err := d.store.Now()
	if err != nil {
		return false, err // while the clock is wrong nothing opens by it
	}
	err = d.store.Update(ctx, func(tx idp.Tx) (err error) {
		opened, err = OpenIn(tx, id, now)
		return err
	})
	return opened, err
}

// RecoverIn ends everything of an account whose credential is replaced by recovery, opens it if it was locked, and begins the next epoch.
// born and lock are what stood when the recovery began: if anything has ended or locked the account since, or recovery does not open it,
// the answer is idp.ErrEnded. The receipt is zero where nothing was alive. Older credentials are doubtful from then on.
func RecoverIn(tx idp.Tx, id idp.AccountID, born idp.Epochs, lock idp.Name, now idp.Time, c idp.Cause) (idp.Receipt, error) {
	if err := tx.LockAccount(id, idp.Exclusive); err != nil {
		return idp.Receipt{}, err
	}
	row, err := tx.Account(id)
	if err != nil {
		return idp.Receipt{}, err
	}
	stands, err := tx.Epochs(id, "")
	if err != nil {
		return idp.Receipt{}, err
	}
	if stands.Account != born.Account || stands.Realm != born.Realm {
		return idp.Receipt{}, idp.ErrEnded
	}
	if err := settle(tx, id, now, true); err != nil {
		return idp.Receipt{}, err
	}
	switch row.State {
	case idp.AccountActive:
		return EndIn(tx, idp.EndAccount(id, idp.AccountActive), c)
	case idp.AccountLocked:
		held, err := tx.Lock(id)
		if errors.Is(err, idp.ErrNotFound) {
			return idp.Receipt{}, idp.ErrEnded
		}
		if err != nil {
			return idp.Receipt{}, err
		}
		if held.ID != lock || !held.Recovers(now) {
			return idp.Receipt{}, idp.ErrEnded
		}
		opened, err := open(tx, id)
		if err == nil && !opened {
			err = idp.ErrEnded
		}
		return idp.Receipt{}, err
	}
	return idp.Receipt{}, idp.ErrEnded
}
