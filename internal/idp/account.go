package idp

import "strings"

// AccountID is the `sub` of a person: 16 base64url characters, random, never used again.
type AccountID string

// AccountState says whether a person may sign in. Only an active account has an epoch.
type AccountState string

// States of an account.
const (
	AccountActive   AccountState = "active"
	AccountLocked   AccountState = "locked"   // by the person or a rule: emergency lock
	AccountDisabled AccountState = "disabled" // by an operator
	AccountDeleted  AccountState = "deleted"  // over; the row stays until everybody is told
)

// Account is a person.
type Account struct {
	ID            AccountID
	Username      string // as typed; unique in the form that FoldUsername gives
	Password      string // argon2id in PHC form; empty: cannot sign in by password
	Name          string // display name, for scope profile
	Email         string // for scope email
	EmailVerified bool
	State         AccountState
	CreatedAt     Time
	PasswordAt    Time // when the password was last set
}

// Names are what others know of a person, so that no password may be made of it.
func (a *Account) Names() []string {
	local, _, _ := strings.Cut(a.Email, "@")
	return []string{a.Username, a.Name, local}
}

// Limits of a password's length, in bytes. The upper one bounds the work that a stranger can ask for.
const (
	MinPassword = 8
	MaxPassword = 1024
)

// ValidPassword checks the length only; common passwords are the sign-in's business.
func ValidPassword(s string) error {
	switch {
	case len(s) < MinPassword:
		return Invalid("password", "A password has at least 8 characters.")
	case len(s) > MaxPassword:
		return Invalid("password", "A password has at most 1024 characters.")
	}
	return nil
}
