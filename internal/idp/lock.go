package idp

import (
	"errors"
	"time"
)

// LockKind says what a locked account waits for.
type LockKind string

// Kinds of lock, the weakest first.
const (
	LockDevice   LockKind = "lost-device"    // opens by itself
	LockPassword LockKind = "password-known" // opens by recovery, or by an operator
	LockOperator LockKind = "operator"       // opens by an operator
)

// Lock is why an account is locked. A locked account without one was locked by an operator.
type Lock struct {
	Account AccountID
	ID      Name // a new one each time that the account is locked, or locked more strongly: what was begun under another is void
	Kind    LockKind
	At      Time
	OpensAt Time // when it opens by itself; 0: never
}

// Over is true at read time, whatever a sweep has done yet.
func (l *Lock) Over(now Time) bool { return l.Kind == LockDevice && now >= l.OpensAt }

func (l *Lock) rank() int {
	switch l.Kind {
	case LockDevice:
		return 1
	case LockPassword:
		return 2
	}
	return 3
}

// Stronger gives the stronger of two locks of one account: locking a locked account never makes it easier to open.
func (l Lock) Stronger(other Lock) Lock {
	if o, r := other.rank(), l.rank(); o > r || (o == r && other.OpensAt > l.OpensAt) {
		return other
	}
	return l
}

// Limits of how long an account stays locked that opens by itself. The lower one is the longest life of an access token, and LockMargin.
const (
	LockMargin  = time.Minute
	LockLongest = 30 * 24 * time.Hour
)

// LockedError is [ErrLocked] with what the account waits for. It is for whoever has shown a right credential, and nobody else.
type LockedError struct{ Lock Lock }

func (e *LockedError) Error() string { return ErrLocked.Error() }

// Is makes it an [ErrLocked].
func (e *LockedError) Is(target error) bool { return errors.Is(ErrLocked, target) }

// Care is what is known of an account beside the account, for those who look after it.
type Care struct {
	Account   AccountID
	Since     Time // of the first sign-in that there was; 0: there was none
	SettledAt Time // when it was last recovered, or opened by an operator: older links to lock it are void
}

// LockReader reads locks and care. ErrNotFound when there is none.
type LockReader interface {
	Lock(AccountID) (Lock, error)
	// LocksOver lists those that have opened by themselves at now, for the sweep.
	LocksOver(now Time, limit int) ([]AccountID, error)
	Care(AccountID) (Care, error)
	// AccountsByEmail lists people with an address, whatever the case of its letters, by username.
	AccountsByEmail(email string, limit int) ([]Account, error)
}

// LockWriter writes them. Only package door locks and opens.
type LockWriter interface {
	PutLock(Lock) error
	DropLock(AccountID) error
	PutCare(Care) error
}
