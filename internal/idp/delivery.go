package idp

import (
	"strconv"
	"strings"
	"time"

	"exeunt.dev/ledger"
)

// DeliveryState is how far a delivery has come.
type DeliveryState string

// States of a delivery.
const (
	Owed        DeliveryState = "owed"           // to be attempted, again and again
	Confirmed   DeliveryState = "confirmed"      // the app has answered that it is done
	Refused     DeliveryState = "refused"        // for good: by the app, or because its address cannot be called
	OutOfTime   DeliveryState = "out-of-time"    // attempted for as long as the server tries
	GivenUp     DeliveryState = "given-up"       // by an operator
	Unreachable DeliveryState = "cannot-be-told" // the app has registered no back channel
)

// Dead says that nobody will attempt it any more, and the app has not confirmed.
func (s DeliveryState) Dead() bool { return s == Refused || s == OutOfTime || s == GivenUp }

// Delivery is one message to one party: that a grant is over. It holds all that is needed to send it but the client's row, since the
// grant's may be swept before.
type Delivery struct {
	Receipt uint64 // number of the receipt that owes it
	Sid     Name   // what the app is told: the `sid` it knows
	Client  ClientID
	Account AccountID
	State   DeliveryState

	CreatedAt   Time
	Since       Time // when an operator last sent it again: its time counts from then; 0: never
	Due         Time // of the next attempt, or until when an attempt is leased; 0: none is to be made
	Attempts    int
	AttemptedAt Time
	ConfirmedAt Time
	Again       bool   // to be sent once more after it was confirmed: the app may have been late with its own sign-in
	Status      int    // of the last answer; 0: there was none
	Error       string // why the last attempt came to nothing, for operators
}

// DeliveryID names a delivery for operators: the receipt's number, a dot, the `sid`.
type DeliveryID struct {
	Receipt uint64
	Sid     Name
}

// ID of the delivery.
func (d *Delivery) ID() DeliveryID { return DeliveryID{d.Receipt, d.Sid} }

func (i DeliveryID) String() string { return strconv.FormatUint(i.Receipt, 10) + "." + i.Sid.String() }

// ParseDeliveryID reads what String writes.
func ParseDeliveryID(s string) (i DeliveryID, err error) {
	number, sid, _ := strings.Cut(s, ".")
	i.Receipt, err = strconv.ParseUint(number, 10, 63)
	if err == nil {
		i.Sid, err = ledger.ParseName(sid)
	}
	if err != nil {
		return DeliveryID{}, Invalid("id", "A delivery is named by a number, a dot and 16 characters, as the list shows.")
	}
	return i, nil
}

// AgainAfter is how long after its confirmation a delivery is sent once more, and AgainWithin how young a grant's redemption must
// have been for that: an app that was just being signed in may hear of the end before it has made the session that it is to end.
const (
	AgainAfter  = 15 * time.Second
	AgainWithin = 60 * time.Second
)

// Participant is an app that has a grant in what ended.
type Participant struct {
	Grant      Name
	Sid        Name // what the app knows it by
	Client     ClientID
	Account    AccountID
	RedeemedAt Time
}

// FanOut is a receipt whose participants have not all got their deliveries, and how far that has come.
type FanOut struct {
	Number  uint64 // of the receipt that owes it
	Account AccountID
	Client  ClientID
	EndedAt Time
	Endings []Ending
	At      FanPlace
}

// FanPlace is a place in a fan-out: what was done with already.
type FanPlace struct {
	Ending  int // index of the ending
	Account AccountID
	Grant   Name
}

// Backlog is an app with deliveries to be attempted.
type Backlog struct {
	Client ClientID
	Due    Time // the earliest
}

// Told is what came of a receipt's deliveries to one app that are in one state.
type Told struct {
	Client   ClientID
	State    DeliveryState
	Count    int64
	Last     Time // latest confirmation
	Due      Time // earliest next attempt; 0: none
	Attempts int  // the most
	Error    string
	Since    Time // when the oldest of what is owed or dead was made; not asked for a receipt
}

// DeliveryFilter narrows a list. Empty fields do not.
type DeliveryFilter struct {
	Client ClientID
	State  DeliveryState // Owed, or one of the dead
	Dead   bool          // any of the dead
}

// DeliveryReader reads deliveries. ErrNotFound when there is none.
type DeliveryReader interface {
	Delivery(DeliveryID) (Delivery, error)
	// ToldOf sums up what became of a receipt's deliveries.
	ToldOf(receipt uint64) ([]Told, error)
	// Deliveries lists those that are owed or dead, oldest first; After is the last one's id. Confirmed ones are read by their receipt.
	Deliveries(f DeliveryFilter, p Page) ([]Delivery, error)
	// Backlogs lists the apps with something due at now.
	Backlogs(now Time) ([]Backlog, error)
	// DeliveryCounts counts what is owed or dead, by app and state, and says since when.
	DeliveryCounts() ([]Told, error)
	// OldestOwed is when the oldest delivery that is still owed was made; 0: there is none.
	OldestOwed() (Time, error)
}

// DeliveryWriter works deliveries off.
type DeliveryWriter interface {
	// FanOuts locks the oldest receipts that still owe deliveries, without waiting for those that others have locked.
	FanOuts(limit int) ([]FanOut, error)
	// Participants lists those beneath one ending of a fan-out that no earlier ending has taken already, behind a place.
	Participants(f FanOut, limit int) ([]Participant, error)
	// InsertDelivery does nothing if the receipt has one with this sid.
	InsertDelivery(Delivery) error
	// MoveFanOut notes how far a fan-out has come; a time other than 0 says that it is done.
	MoveFanOut(number uint64, to FanPlace, told Time) error
	// LeaseDeliveries takes an app's due deliveries, oldest first, those that others hold left out: they are due again at until, and an
	// attempt more is counted.
	LeaseDeliveries(c ClientID, now, until Time, limit int) ([]Delivery, error)
	// FreeLeases makes due now what was leased for so long and is not settled, and says how much that was: for who knows that whoever
	// leased it is dead.
	FreeLeases(now Time, length time.Duration) (int64, error)
	// SettleDeliveries writes what came of each attempt; false: the lease was lost, or an operator was quicker. A confirmation is
	// written even so: it is the truth.
	SettleDeliveries([]Delivery) ([]bool, error)
	// SendAgain makes a delivery owed again, due at once and with all its time and attempts; what comes of an attempt under way does not
	// count. One that could not be told may be sent once its app can be: the caller looks. GiveUp makes an owed one dead, and keeps why
	// the last attempt failed; one that was confirmed before it was sent again is confirmed. false: it was not in a state for that.
	SendAgain(DeliveryID, Time) (bool, error)
	GiveUp(DeliveryID) (bool, error)
}
