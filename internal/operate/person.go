package operate

import (
	"cmp"
	"errors"
	"time"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
)

// Person is one as operators see them.
type Person struct {
	Subject  idp.AccountID    `json:"sub"`
	Username string           `json:"username"`
	Name     string           `json:"name,omitempty"`
	Email    string           `json:"email,omitempty"`
	State    idp.AccountState `json:"state"`
	Lock     *Held            `json:"lock,omitempty"` // of one who is locked
	Role     idp.Role         `json:"role,omitempty"` // as operator
	Created  time.Time        `json:"created_at"`
	Password *time.Time       `json:"password_at,omitempty"` // when it was last set
}

// ShowPerson makes the operators' view of a person.
func ShowPerson(a *idp.Account) Person {
	return Person{Subject: a.ID, Username: a.Username, Name: a.Name, Email: a.Email, State: a.State, Created: a.CreatedAt.Time(), Password: idp.At(a.PasswordAt)}
}

// Held is what a locked person waits for.
type Held struct {
	Kind  idp.LockKind `json:"kind"`
	Opens *time.Time   `json:"opens_at,omitempty"` // by itself if a device was lost; if the password is known, no letter opens it before
}

// ReadPerson is ShowPerson with the lock and the role.
func ReadPerson(v idp.View, id idp.AccountID) (out Person, err error) {
	var a idp.Account
	var o idp.Operator
	err = v.Abreast(
		func(v idp.View) (err error) { a, err = v.Account(id); return err },
		func(v idp.View) (err error) {
			if o, err = v.Operator(id); errors.Is(err, idp.ErrNotFound) {
				err = nil
			}
			return err
		})
	if err != nil {
		return out, err
	}
	out = ShowPerson(&a)
	out.Role = o.Role
	if a.State != idp.AccountLocked {
		return out, nil
	}
	l, err := v.Lock(id)
	if errors.Is(err, idp.ErrNotFound) {
		l, err = idp.Lock{Kind: idp.LockOperator}, nil
	}
	out.Lock = &Held{l.Kind, idp.At(l.OpensAt)}
	return out, err
}

// By is who acts, why, and by which request, so that a retry finds the first receipt.
type By struct {
	Actor   idp.Actor
	Reason  string
	Request string
}

func (b By) cause(kind idp.CauseKind) idp.Cause {
	return idp.Cause{Kind: kind, Actor: b.Actor, Reason: b.Reason, Request: b.Request}
}

// ErrDeleted says that a person or an app is gone for good.
var ErrDeleted = errors.New("it was deleted")

// SignOut ends all that a person has, and leaves the state. Of somebody deleted: ErrDeleted.
func SignOut(tx idp.Tx, id idp.AccountID, by By) (idp.Receipt, error) {
	_, r, err := endPerson(tx, id, "", by.cause(idp.CauseEverywhere))
	return r, err
}

// Lock ends all that a person has and lets nobody in until what its kind waits for. Whoever is locked already is locked at least as
// strongly. length is for idp.LockDevice; 0 is as short as may be. A StateError: the person is disabled, which a lock would soften.
func Lock(tx idp.Tx, id idp.AccountID, kind idp.LockKind, length time.Duration, by By) (r idp.Receipt, l idp.Lock, err error) {
	if err := tx.LockAccount(id, idp.Exclusive); err != nil {
		return r, l, err
	}
	row, err := tx.Account(id)
	if err != nil {
		return r, l, err
	}
	switch row.State {
	case idp.AccountDeleted:
		return r, l, ErrDeleted
	case idp.AccountDisabled:
		return r, l, not("This person is disabled.")
	}
	head, err := tx.Head()
	if err != nil {
		return r, l, err
	}
	return door.LockIn(tx, id, kind, length, head.Time, by.cause(idp.CauseLock))
}

// LockFor reads a lock's kind, which is an operator's if none is said, and for how long a lost device is waited for.
func LockFor(kind, length string) (k idp.LockKind, d time.Duration, err error) {
	switch k = idp.LockKind(kind); k {
	case "":
		k = idp.LockOperator
	case idp.LockDevice, idp.LockPassword, idp.LockOperator:
	default:
		return k, 0, idp.Invalid("kind", "A lock is of the kind operator, password-known or lost-device.")
	}
	if length == "" {
		return k, 0, nil
	}
	if d, err = time.ParseDuration(length); err != nil || d <= 0 || d > idp.LockLongest || k != idp.LockDevice {
		return k, 0, idp.Invalid("for", "A lock of the kind lost-device opens by itself after a length of time such as 12h, at most 720h; the others do not.")
	}
	return k, d, nil
}

// Disable ends all that a person has and lets nobody in until Enable.
func Disable(tx idp.Tx, id idp.AccountID, by By) (idp.Receipt, error) {
	_, r, err := endPerson(tx, id, idp.AccountDisabled, by.cause(idp.CauseDisable))
	return r, err
}

// Delete ends all that a person has, for good; the door forgets what is known of them.
func Delete(tx idp.Tx, id idp.AccountID, by By) (idp.Receipt, error) {
	_, r, err := endPerson(tx, id, idp.AccountDeleted, by.cause(idp.CauseDelete))
	return r, err
}

// SetPassword ends all that a person has and gives a new password, by its hash. Whoever is locked stays locked, and what else opens the
// account is doubtful until the person has said that it is theirs.
func SetPassword(tx idp.Tx, id idp.AccountID, hash string, by By) (idp.Receipt, error) {
	row, r, err := endPerson(tx, id, "", by.cause(idp.CauseReset))
	if err != nil {
		return r, err
	}
	row.Password = hash
	if row.PasswordAt, err = tx.Mint(); err != nil {
		return r, err
	}
	if err := door.Replaced(tx, id, row.PasswordAt); err != nil {
		return r, err
	}
	return r, tx.UpdateAccount(row)
}

// RemoveFactor ends all that a person has and takes away something that opens the account, for who has lost it; with an authenticator app
// its recovery codes, too. idp.ErrNotFound: the person has none of that id.
func RemoveFactor(tx idp.Tx, id idp.AccountID, factor idp.CredentialID, by By) (r idp.Receipt, f idp.Credential, err error) {
	if _, r, err = endPerson(tx, id, "", by.cause(idp.CauseReset)); err != nil {
		return r, f, err
	}
	if f, err = tx.Credential(factor); err != nil {
		return r, f, err
	}
	if f.Kind == idp.CredentialTOTP {
		if err := tx.DeleteCredentials(id, idp.CredentialRecovery); err != nil {
			return r, f, err
		}
	}
	return r, f, tx.DeleteCredential(id, factor)
}

// endPerson ends all that a person has, who is in a given state afterwards; "" leaves it: a locked person does not come back by an end.
func endPerson(tx idp.Tx, id idp.AccountID, then idp.AccountState, why idp.Cause) (row idp.Account, r idp.Receipt, err error) {
	if err := tx.LockAccount(id, idp.Exclusive); err != nil {
		return row, r, err
	}
	if row, err = tx.Account(id); err != nil {
		return row, r, err
	}
	if row.State == idp.AccountDeleted {
		return row, r, ErrDeleted
	}
	r, err = door.EndIn(tx, idp.EndAccount(id, cmp.Or(then, row.State)), why)
	return row, r, err
}

// Unlock lets a locked person in again; nothing that ended comes back. A StateError: the person is not locked.
func Unlock(tx idp.Tx, id idp.AccountID) error {
	return revive(tx, id, idp.AccountLocked, not("This person is not locked."))
}

// Enable lets a disabled person in again.
func Enable(tx idp.Tx, id idp.AccountID) error {
	return revive(tx, id, idp.AccountDisabled, not("This person is not disabled."))
}

func revive(tx idp.Tx, id idp.AccountID, from idp.AccountState, refused error) error {
	err := door.Revive(tx, id, from)
	if errors.Is(err, idp.ErrConflict) {
		err = refused
	}
	return err
}
