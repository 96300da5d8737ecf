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
	// OpensAt is when a lost-device lock opens by itself, and before when recovery does not open one of password-known: whoever has the
	// lost device may have the mail, too.
	OpensAt Time
}

// Over is true at read time, whatever a sweep has done yet.
func (l *Lock) Over(now Time) bool { return l.Kind == LockDevice && now >= l.OpensAt }

// Recovers says that recovery opens it, at a time.
func (l *Lock) Recovers(now Time) bool { return l.Kind == LockPassword && now >= l.OpensAt }

func (l *Lock) rank() int {
	switch l.Kind {
	case LockDevice:
		return 1
	case LockPassword:
		return 2
	}
	return 3
}

// And locks a locked account once more: what opens it must open both. It says whether that is stronger than before.
func (l Lock) And(more Lock) (Lock, bool) {
	out := l
	if more.rank() > l.rank() {
		out.Kind = more.Kind
	}
	if out.OpensAt = max(l.OpensAt, more.OpensAt); out.Kind == LockOperator {
		out.OpensAt = 0
	}
	if out == l {
		return l, false
	}
	out.ID, out.At = more.ID, more.At
	return out, true
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
	Account     AccountID
	Since       Time   // of the first sign-in that there was; 0: there was none
	SettledAt   Time   // when it was last recovered, or opened by an operator: older links to lock it are void
	RecoveredAt Time   // when its password was last set by recovery, or by an operator
	ReviewedAt  Time   // when the person has said which older credentials are to be kept
	Lang        string // that the person reads in; "": not known
}

// Doubtful says that a credential was there before the account was recovered, and nobody has said yet that it is the person's: it opens
// nothing by itself until then. One that is asked for besides another is still asked for.
func (c *Care) Doubtful(addedAt Time) bool {
	return c.RecoveredAt != 0 && c.ReviewedAt < c.RecoveredAt && addedAt <= c.RecoveredAt
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
