package idp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"maps"
	"slices"
	"strings"
)

// EventKind says what happened.
type EventKind string

// Kinds of events. What ended is no event: it has a receipt, with its cause and actor ([ReceiptReader]); an event that came with an end
// names the receipt's number.
const (
	EventSignIn       EventKind = "sign-in"        // a new session. Data: methods; new: the account had not been seen in that browser
	EventSignInAgain  EventKind = "sign-in-again"  // the same person in the same session. Data: methods
	EventSignInFailed EventKind = "sign-in-failed" // a wrong password or factor; without an account: a username that nobody has, which is not kept
	EventStrayed      EventKind = "token-strayed"  // a code or token was shown without the key, or from another address, than it is bound to. Data: what, bond

	EventAccountCreated EventKind = "account-created"
	EventAccountClosed  EventKind = "account-closed"
	EventLocked         EventKind = "account-locked"
	EventUnlocked       EventKind = "account-unlocked"
	EventDisabled       EventKind = "account-disabled"
	EventProfileChanged EventKind = "profile-changed"

	EventPasswordChanged EventKind = "password-changed"
	EventPasswordReset   EventKind = "password-reset"
	EventMailChanged     EventKind = "mail-address-changed"
	EventFactorAdded     EventKind = "factor-added"   // Data: factor (passkey, totp), name
	EventFactorRemoved   EventKind = "factor-removed" // Data: factor, name
	EventRecoveryMade    EventKind = "recovery-codes-made"
	EventRecoveryUsed    EventKind = "recovery-code-used"
	EventIdentityLinked  EventKind = "identity-linked" // Data: provider
	EventIdentityRemoved EventKind = "identity-removed"

	EventConsentGiven EventKind = "consent-given" // Data: scopes

	EventMailSent   EventKind = "mail-sent"   // Data: mail (which one); asked: somebody has asked for it, so that it tells of nothing that is recorded besides
	EventLinkOpened EventKind = "link-opened" // of a mail. Data: mail

	EventClientAdded   EventKind = "client-added"
	EventClientChanged EventKind = "client-changed"
	EventSecretRotated EventKind = "client-secret-rotated"
	EventKeyRotated    EventKind = "key-rotated"
	EventRoleGiven     EventKind = "role-given" // Data: role
	EventRoleTaken     EventKind = "role-taken" // Data: role
	EventOperator      EventKind = "operator"   // anything else that an operator did. Data: act
)

// EventLedgerSealed takes receipts into the chain of events: what ended, why and by whom can then be changed no more than an event can. Its
// receipt is the last one that it covers; Data: after (the number before the first), sha256 (see [ReceiptSum]).
const EventLedgerSealed EventKind = "ledger-sealed"

// EventKinds are all of them, as a list to choose from.
func EventKinds() []EventKind {
	return []EventKind{
		EventSignIn, EventSignInAgain, EventSignInFailed, EventStrayed, EventAccountCreated, EventAccountClosed, EventLocked, EventUnlocked, EventDisabled, EventProfileChanged,
		EventPasswordChanged, EventPasswordReset, EventMailChanged, EventFactorAdded, EventFactorRemoved, EventRecoveryMade, EventRecoveryUsed, EventIdentityLinked,
		EventIdentityRemoved, EventConsentGiven, EventMailSent, EventLinkOpened, EventClientAdded, EventClientChanged, EventSecretRotated, EventKeyRotated, EventRoleGiven,
		EventRoleTaken, EventOperator, EventLedgerSealed,
	}
}

// Limits of an event's texts, in bytes. What is longer is cut off.
const (
	maxEventText = 256
	maxEventFact = 32 // facts in Data
)

// Event is one thing that happened. It holds no secret and nothing that a person typed where a secret belongs.
type Event struct {
	Kind    EventKind
	Account AccountID // whose; "": nobody's
	Actor   Actor     // who did it; "" is the account itself
	Session string    // the acting session's Ref
	Client  ClientID
	Receipt uint64 // number of the receipt of what ended with it
	IP      string
	Device  string // User-Agent
	Why     string // an operator's words
	Data    map[string]string

	// Set by the store when it is recorded.
	ID EventID
	At Time

	// Set by the sealer.
	Number uint64 // 0: not sealed yet
	Hash   Hash   // over the one before and this event
}

// EventID is the time of an event and 80 random bits, so that the order of ids is that of time.
type EventID [16]byte

// NewEventID makes the id of an event at a time.
func NewEventID(at Time) (id EventID) {
	id = EventsAt(at)
	rand.Read(id[6:])
	return id
}

// EventsAt is the lowest id of a time.
func EventsAt(at Time) (id EventID) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(min(max(at, 0), 1<<48-1)))
	copy(id[:6], ms[2:])
	return id
}

// String is 22 base64url characters: the Page.After that continues a list of events behind this one.
func (id EventID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// ParseEventID reads what String makes.
func ParseEventID(s string) (id EventID, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, Invalid("after", "That page does not exist.")
	}
	return EventID(b), nil
}

// Tidy makes an event storable: texts that every database takes, none longer than 256 bytes.
func (e *Event) Tidy() {
	if e.Actor == "" && e.Account != "" {
		e.Actor = ActorAccount(e.Account)
	}
	e.Actor, e.Session, e.Client = Actor(tidy(string(e.Actor))), tidy(e.Session), ClientID(tidy(string(e.Client)))
	e.IP, e.Device, e.Why = tidy(e.IP), tidy(e.Device), tidy(e.Why)
	var data map[string]string
	for _, k := range slices.Sorted(maps.Keys(e.Data)) {
		if v := e.Data[k]; v != "" && len(data) < maxEventFact {
			if data == nil {
				data = map[string]string{}
			}
			data[tidy(k)] = tidy(v)
		}
	}
	e.Data = data
}

func tidy(s string) string {
	s = s[:min(len(s), maxEventText)]
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// Facts is Data as text.
func (e *Event) Facts() string {
	if len(e.Data) == 0 {
		return "{}"
	}
	b, _ := json.Marshal(e.Data) // strings always marshal
	return string(b)
}

// Seal is the hash of an event behind another in the chain: SHA-256 over a word that says what it is, the hash before, the number, and each
// field with its length before it, facts in the order of their names. Nothing else may be changed here: what is sealed is verified by this.
func (e *Event) Seal(number uint64, before Hash) Hash {
	b := append([]byte("exeunt event 1\n"), before[:]...)
	b = binary.BigEndian.AppendUint64(b, number)
	b = append(b, e.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.At))
	b = binary.BigEndian.AppendUint64(b, e.Receipt)
	for _, s := range []string{string(e.Kind), string(e.Account), string(e.Actor), e.Session, string(e.Client), e.IP, e.Device, e.Why} {
		b = appendText(b, s)
	}
	for _, k := range slices.Sorted(maps.Keys(e.Data)) {
		b = appendText(appendText(b, k), e.Data[k])
	}
	return sha256.Sum256(b)
}

// ReceiptSum adds receipts to a digest, in the order of their numbers: what they were when they were written, nothing of what became of them.
type ReceiptSum struct{ h hash.Hash }

// NewReceiptSum begins one.
func NewReceiptSum() ReceiptSum {
	h := sha256.New()
	h.Write([]byte("exeunt receipts 1\n"))
	return ReceiptSum{h}
}

// Add takes one in.
func (s ReceiptSum) Add(r *Receipt) {
	b := binary.BigEndian.AppendUint64(nil, r.Number)
	b = binary.BigEndian.AppendUint64(b, uint64(r.At))
	b = append(b, r.Session[:]...)
	for _, t := range []string{string(r.ID), string(r.Cause), string(r.Actor), r.Reason, string(r.Selector), string(r.Account), string(r.Client)} {
		b = appendText(b, t)
	}
	s.h.Write(b)
}

// String is the digest in hexadecimal digits.
func (s ReceiptSum) String() string { return hex.EncodeToString(s.h.Sum(nil)) }

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// EventFilter chooses events; the zero value all.
type EventFilter struct {
	Account AccountID
	Kind    EventKind
	Actor   Actor
	From    Time // not before
	To      Time // before; 0: no limit
}

// Sealed is the state of the chain of events: its last number and hash, and the first number that is kept, with the hash before it.
type Sealed struct {
	Number uint64 // 0: none yet
	Hash   Hash
	First  uint64
	Before Hash
}

// EventReader reads what happened.
type EventReader interface {
	// Events lists newest first; Page.After is an [EventID].
	Events(EventFilter, Page) ([]Event, error)
	// SealedEvents lists sealed ones with numbers above after, in the order of the chain.
	SealedEvents(after uint64, limit int) ([]Event, error)
	Sealed() (Sealed, error)
	// OpenEvents counts what is not sealed yet, up to 10,000.
	OpenEvents() (int64, error)
}

// EventWriter writes what happened.
type EventWriter interface {
	// Record writes an event, at ledger time, in this transaction: what it tells of and the record of it are there together or not at all.
	// It works while nothing may be minted, too.
	Record(Event) error
	// HoldChain keeps others from changing the chain until the end of this transaction; false: another node does.
	HoldChain() (bool, error)
	// SealEvents numbers and chains up to limit events that are not sealed, and says how many. 0 also while another node is at it.
	SealEvents(limit int) (int, error)
	// SweepEvents deletes up to limit sealed events from before a time, from the beginning of the chain, and says how many.
	SweepEvents(before Time, limit int) (int, error)
}
