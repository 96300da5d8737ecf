package idp

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Role is how much an operator may do in the console.
type Role string

// Roles, each with what the ones before it may.
const (
	RoleViewer  Role = "viewer"  // reads
	RoleSupport Role = "support" // ends sessions, unlocks, resends
	RoleAdmin   Role = "admin"   // everything
)

func roles() []Role { return []Role{RoleViewer, RoleSupport, RoleAdmin} }

// ParseRole reads a role.
func ParseRole(s string) (Role, error) {
	if !slices.Contains(roles(), Role(s)) {
		return "", Invalid("role", "A role is viewer, support or admin.")
	}
	return Role(s), nil
}

// Duty is something that operators do.
type Duty string

// Duties. What has no row in [Role.May] is an admin's.
const (
	DutyRead    Duty = "read"
	DutyEnd     Duty = "end"     // sessions: one, or all of a person
	DutyUnlock  Duty = "unlock"  // a locked person
	DutyDeliver Duty = "deliver" // resend, give up
	DutyPeople  Duty = "people"  // lock, disable, enable, delete
	DutyApps    Duty = "apps"    // register, edit, secrets, disable, end, delete
	DutyKeys    Duty = "keys"    // rotate, kill
	DutyRoles   Duty = "roles"   // who is an operator
)

// May says whether the role is enough for a duty. An unknown role is enough for none.
func (r Role) May(d Duty) bool {
	needs := RoleAdmin
	switch d {
	case DutyRead:
		needs = RoleViewer
	case DutyEnd, DutyUnlock, DutyDeliver:
		needs = RoleSupport
	}
	has := slices.Index(roles(), r)
	return has >= 0 && has >= slices.Index(roles(), needs)
}

// Operator is a person who may use the console.
type Operator struct {
	Account AccountID
	Role    Role
	GivenBy Actor
	GivenAt Time
	Why     string
}

// ActorConsole is an operator who acts in the console: the name that people know, and the id, which no other person ever gets. No
// username and no system's user has a slash.
func ActorConsole(username string, id AccountID) Actor {
	return ActorOperator(username + "/" + string(id))
}

// MaxReason bounds an operator's words, in characters. What many bytes are needed for may be shorter: no more are kept.
const MaxReason = 200

// Unseen is a character that is not to be seen where people read a text, or turns what is around it.
func Unseen(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

// ValidReason wants an operator's words: some, on one line, of characters that can be seen.
func ValidReason(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return Invalid("reason", "Say why: it is kept with what you do.")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, Unseen):
		return Invalid("reason", "A reason is one line of text, without characters that cannot be seen.")
	case utf8.RuneCountInString(s) > MaxReason || len(s) > maxEventText:
		return Invalid("reason", "A reason has at most 200 characters.")
	}
	return nil
}

// OperatorReader reads operators. ErrNotFound when the person is none.
type OperatorReader interface {
	Operator(AccountID) (Operator, error)
	Operators(Page) ([]Operator, error) // by account
	// Admins lists the operators with that role whose accounts are active, at most limit.
	Admins(limit int) ([]AccountID, error)
}

// OperatorWriter writes operators. Who takes a role away locks the realm first, so that two who remove each other do not both succeed.
type OperatorWriter interface {
	PutOperator(Operator) error // inserts or replaces
	DropOperator(AccountID) (bool, error)
}

// AccountFilter narrows a list of people. Empty fields do not.
type AccountFilter struct {
	Prefix string // of the username
	State  AccountState
}

// ReceiptFilter narrows a list of receipts. Empty fields do not.
type ReceiptFilter struct {
	Account AccountID
	Owed    bool // only those of which somebody is still to be told, or of which it is not known yet whom to tell
}

// ReceiptLine is a receipt in a list of operators.
type ReceiptLine struct {
	Receipt
	Owed Counted // deliveries
	Dead Counted // that nobody attempts any more
}

// Counted is a number that is not counted beyond a limit.
type Counted struct {
	N    int64 `json:"n"`
	More bool  `json:"more,omitempty"` // there are more than N
}

// CountedTo is that limit.
const CountedTo = 10_000

// ConsoleReader reads what only operators ask.
type ConsoleReader interface {
	FindAccounts(f AccountFilter, p Page) ([]Account, error) // by username
	// PeopleOf counts the people with a live or lately ended grant of an app under its current epoch, among so many grants.
	PeopleOf(id ClientID, most int64) (Counted, error)
	// SessionsAlive counts the sessions of everybody that are alive at now, if that takes a look at no more than most rows of a kind (0:
	// however many there are); else it says so.
	SessionsAlive(now Time, most int64) (n int64, counted bool, err error)
	// OwedOrDead counts deliveries that are owed, and those that apps will not get any more.
	OwedOrDead() (owed, dead Counted, err error)
	// EndingsBefore is how many endings the ledger had before a time.
	EndingsBefore(t Time) (uint64, error)
	// CountEvents counts events of a kind between two times.
	CountEvents(k EventKind, from, to Time) (Counted, error)
	// FindReceipts lists them, newest first, with numbers below before (0: all).
	FindReceipts(f ReceiptFilter, before uint64, limit int) ([]ReceiptLine, error)
	// DeliveriesOf lists a receipt's, in whatever state; After is the last one's id.
	DeliveriesOf(receipt uint64, p Page) ([]Delivery, error)
}
