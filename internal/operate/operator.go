package operate

import (
	"slices"
	"time"

	"exeunt.dev/internal/idp"
)

// Operator is one as operators see them.
type Operator struct {
	Subject  idp.AccountID `json:"sub"`
	Username string        `json:"username"`
	Role     idp.Role      `json:"role"`
	GivenBy  idp.Actor     `json:"given_by"`
	GivenAt  time.Time     `json:"given_at"`
	Why      string        `json:"reason,omitempty"`
}

// Operators lists them.
func Operators(v idp.View, p idp.Page) ([]Operator, error) {
	rows, err := v.Operators(p)
	if err != nil {
		return nil, err
	}
	out := []Operator{}
	for _, o := range rows {
		a, err := v.Account(o.Account)
		if err != nil {
			return nil, err
		}
		out = append(out, Operator{o.Account, a.Username, o.Role, o.GivenBy, o.GivenAt.Time(), o.Why})
	}
	return out, nil
}

// Give makes a person an operator, or changes the role.
func Give(tx idp.Tx, id idp.AccountID, role idp.Role, by By) error {
	if _, err := idp.ParseRole(string(role)); err != nil {
		return err
	}
	if err := tx.LockAccount(id, idp.Share); err != nil {
		return err
	}
	a, err := tx.Account(id)
	if err != nil {
		return err
	}
	if a.State == idp.AccountDeleted {
		return ErrDeleted
	}
	now, err := tx.Mint()
	if err != nil {
		return err
	}
	return tx.PutOperator(idp.Operator{Account: id, Role: role, GivenBy: by.Actor, GivenAt: now, Why: by.Reason})
}

// Take makes a person an operator no more. idp.ErrNotFound: there was no role.
func Take(tx idp.Tx, id idp.AccountID) error {
	had, err := tx.DropOperator(id)
	if err == nil && !had {
		err = idp.ErrNotFound
	}
	return err
}

// KeepAdmin refuses what would leave nobody who may do everything: taking the role from the last active admin, or the account. Only the
// command line may, which can make another.
func KeepAdmin(tx idp.Tx, id idp.AccountID) error {
	if err := tx.LockRealm(idp.Exclusive); err != nil {
		return err
	}
	admins, err := tx.Admins(2)
	if err != nil {
		return err
	}
	if len(admins) == 1 && slices.Contains(admins, id) {
		return not("This is the last admin. Make another one first.")
	}
	return nil
}
