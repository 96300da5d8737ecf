package operate

import (
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
	Role     idp.Role         `json:"role,omitempty"` // as operator
	Created  time.Time        `json:"created_at"`
	Password *time.Time       `json:"password_at,omitempty"` // when it was last set
}

// ShowPerson makes the operators' view of a person.
func ShowPerson(a *idp.Account) Person {
	return Person{Subject: a.ID, Username: a.Username, Name: a.Name, Email: a.Email, State: a.State, Created: a.CreatedAt.Time(), Password: at(a.PasswordAt)}
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
	return endPerson(tx, id, by.cause(idp.CauseEverywhere), func(s idp.AccountState) (idp.AccountState, error) { return s, nil })
}

// Lock ends all that a person has and lets nobody in until Unlock, however the person was locked before. A StateError: the person is disabled, which a lock would soften.
func Lock(tx idp.Tx, id idp.AccountID, by By) (r idp.Receipt, err error) {
	if err := tx.LockAccount(id, idp.Exclusive); err != nil {
		return r, err
	}
	row, err := tx.Account(id)
	if err != nil {
		return r, err
	}
	switch row.State {
	case idp.AccountDeleted:
		return r, ErrDeleted
	case idp.AccountDisabled:
		return r, not("This person is disabled.")
	}
	head, err := tx.Head()
	if err != nil {
		return r, err
	}
	r, _, err = door.LockIn(tx, id, idp.LockOperator, 0, head.Time, by.cause(idp.CauseLock))
	return r, err
}

// Disable ends all that a person has and lets nobody in until Enable.
func Disable(tx idp.Tx, id idp.AccountID, by By) (idp.Receipt, error) {
	return endPerson(tx, id, by.cause(idp.CauseDisable), func(idp.AccountState) (idp.AccountState, error) { return idp.AccountDisabled, nil })
}

// Delete ends all that a person has, for good; the door forgets what is known of them.
func Delete(tx idp.Tx, id idp.AccountID, by By) (idp.Receipt, error) {
	return endPerson(tx, id, by.cause(idp.CauseDelete), func(idp.AccountState) (idp.AccountState, error) { return idp.AccountDeleted, nil })
}

func endPerson(tx idp.Tx, id idp.AccountID, why idp.Cause, next func(idp.AccountState) (idp.AccountState, error)) (r idp.Receipt, err error) {
	if err := tx.LockAccount(id, idp.Exclusive); err != nil {
		return r, err
	}
	row, err := tx.Account(id)
	if err != nil {
		return r, err
	}
	if row.State == idp.AccountDeleted {
		return r, ErrDeleted
	}
	state, err := next(row.State)
	if err != nil {
		return r, err
	}
	return door.EndIn(tx, idp.EndAccount(id, state), why)
}

// Unlock lets a locked person in again; nothing that ended comes back. A StateError: the person is not locked.
func Unlock(tx idp.Tx, id idp.AccountID) error { return revive(tx, id, idp.AccountLocked) }

// Enable lets a disabled person in again.
func Enable(tx idp.Tx, id idp.AccountID) error { return revive(tx, id, idp.AccountDisabled) }

func revive(tx idp.Tx, id idp.AccountID, from idp.AccountState) error {
	err := door.Revive(tx, id, from)
	if errors.Is(err, idp.ErrConflict) {
		err = not("This person is not " + string(from) + ".")
	}
	return err
}
