package idp

import (
	"crypto/sha256"
	"encoding/base64"
)

// IdentityKey says who somebody is at a provider: nothing else does (OpenID Connect Core 1.0 section 5.7), least of all a mail
// address.
type IdentityKey struct {
	Provider string `json:"provider"`         // what the configuration calls it
	Issuer   string `json:"issuer,omitempty"` // as in its ID tokens; "" for plain OAuth 2.0
	Subject  string `json:"subject"`
}

// Ref is what pages call an identity: 16 base64url characters.
func (k IdentityKey) Ref() string {
	sum := sha256.Sum256([]byte(k.Provider + "\x00" + k.Issuer + "\x00" + k.Subject))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Identity is somebody at a provider, linked to an account here.
type Identity struct {
	IdentityKey
	Account    AccountID
	Name, Mail string // as the provider gave them, to be shown to their owner; nothing is concluded from them
	Tokens     []byte // what the provider issued last, sealed; nil: nothing to revoke
	AddedAt    Time
	UsedAt     Time
}

// Origin says through whom a session was signed in. A session that was signed in through two providers has two.
type Origin struct {
	IdentityKey
	SID    string `json:"sid,omitempty"` // the provider's, from its ID token
	Issued Time   `json:"issued"`        // iat of the ID token
	Kept   []byte `json:"kept,omitempty"`

	// What a sign-in writes into the identity's row, with the session.
	Name   string `json:"name,omitempty"`
	Mail   string `json:"mail,omitempty"`
	Tokens []byte `json:"tokens,omitempty"`

	Session Name `json:"-"` // set by who makes the session
}

// UpstreamEnd is a provider's word that somebody is signed out there: one session (SID, perhaps with its Subject), or all of
// Subject. Until is how long a sign-in that was under way finds itself overtaken.
type UpstreamEnd struct {
	Provider, Issuer, SID, Subject string
	JTI                            string // remembered until then; "": nothing to remember
	Issued                         Time   // 0: it is no signed message, and overtakes nothing
	Until                          Time
}

// SIDLeeway is how much younger, in milliseconds, than a logout token an ID token may be and still be overtaken by it, because
// the clocks of a provider's nodes differ.
const SIDLeeway Time = 60_000

// Revocation is the duty to take a consent back at a provider. Its states are those of deliveries.
type Revocation struct {
	ID Name
	IdentityKey
	Account AccountID
	Receipt ReceiptID // of the act that it belongs to; "": of none
	State   DeliveryState
	Tokens  []byte // sealed; nil once settled

	CreatedAt   Time
	Due         Time // of the next attempt, or until when one is leased; 0: none is to be made
	Attempts    int
	AttemptedAt Time
	SettledAt   Time
	Error       string // why the last attempt came to nothing; a kind, never a provider's words
}

// IdentityReader reads identities and what hangs on them. ErrNotFound when there is none.
type IdentityReader interface {
	Identity(IdentityKey) (Identity, error)
	Identities(AccountID) ([]Identity, error) // in the order in which they were added
	Origins(session Name) ([]Origin, error)
	// Through names the providers through which these sessions were signed in; those whose methods have no "fed" are not looked up.
	Through([]Session) (map[Name][]string, error)
	// SessionsFrom lists the live sessions that a provider's word is about: with the SID, and of the Subject those of which no SID is
	// known; without a SID all of the Subject.
	SessionsFrom(UpstreamEnd) ([]Name, error)
	// OfflineOf lists the offline grants that were made in sessions of an identity, ended ones among both.
	OfflineOf(IdentityKey) ([]Name, error)
	// RevocationsOf lists those of a receipt.
	RevocationsOf(ReceiptID) ([]Revocation, error)
	// RevocationsDue names the providers to which something is due.
	RevocationsDue(now Time) ([]string, error)
	Revocation(id Name) (Revocation, error)
	// Revocations lists those that are owed, or dead, by id; After is the last one's.
	Revocations(RevocationFilter, Page) ([]Revocation, error)
	// RevocationsOpen counts those that are owed, and those that are dead, among the first of both, and says when the oldest of them that is
	// owed was made.
	RevocationsOpen() (owed, dead Counted, oldest Time, err error)
}

// RevocationFilter narrows a list. Empty fields do not.
type RevocationFilter struct {
	Provider string
	State    DeliveryState // Owed, or one of the dead
	Dead     bool          // any of the dead
}

// IdentityWriter writes them.
type IdentityWriter interface {
	// LockArrival locks out every other transaction that ends or begins what comes from this session, or this subject, of a provider.
	LockArrival(provider, issuer, sid, subject string) error
	InsertIdentity(Identity) error // ErrConflict: it is linked already
	UpdateIdentity(Identity) error // all but key, account and AddedAt
	DeleteIdentity(IdentityKey) error
	// PutOrigin replaces the one of the same session, provider and issuer.
	PutOrigin(Origin) error
	// Overtaken says that the provider has ended what the sign-in rests on, after LockArrival.
	Overtaken(Origin) (bool, error)
	// Bury notes a provider's word. false: its JTI was noted before, and nothing is done.
	Bury(UpstreamEnd) (bool, error)
	InsertRevocation(Revocation) error
	// LeaseRevocations takes due ones of a provider, oldest first, those that others hold left out: they are due again at until, and an
	// attempt more is counted.
	LeaseRevocations(provider string, now, until Time, limit int) ([]Revocation, error)
	// SettleRevocation writes what came of an attempt; false: the lease was lost. Whatever is not owed any more loses its tokens.
	SettleRevocation(Revocation) (bool, error)
	// HastenRevocation makes one that is owed due at now. false: it is not owed (any more).
	HastenRevocation(id Name, now Time) (bool, error)
	// GiveUpRevocation makes one that is owed dead, and destroys its tokens; an attempt under way settles nothing any more. false: it is
	// not owed (any more).
	GiveUpRevocation(id Name, now Time) (bool, error)
}

// Owe makes the duty to take back what an identity's tokens stand for. It is due at once, and the identity's row must lose them, in
// the same transaction. false: there is nothing to call the provider with.
func (i *Identity) Owe(id Name, r ReceiptID, now Time) (Revocation, bool) {
	return Revocation{ID: id, IdentityKey: i.IdentityKey, Account: i.Account, Receipt: r, State: Owed, Tokens: i.Tokens, CreatedAt: now, Due: now}, len(i.Tokens) > 0
}
