package rp

import (
	"context"
	"errors"
	"time"
)

// Hash is the SHA-256 of a secret that the store never sees.
type Hash [32]byte

// Errors of a Store; nothing was done then. Any other error means that the store could not do it, or that it is not known
// whether it did, because the answer to a commit was lost.
var (
	// ErrNone: there is no such thing, or no longer.
	ErrNone = errors.New("rp: not found")
	// ErrOvertaken: a tombstone covers the sign-in.
	ErrOvertaken = errors.New("rp: signed out while signing in")
)

// Store is what replicas share. Every method is atomic and serializable against every other: of CreateSession and an End
// that covers it, in whatever order they run, no session remains. When a method returns nil its effect survives a crash.
// Times are kept to the millisecond. Package rptest has the contract as tests; package sqlstore keeps it on SQLite and
// Postgres.
type Store interface {
	Attempts
	Sessions
	Tokens
	Duties
	// Sweep deletes what is over at now: attempts, sessions, tombstones, replay memory, and duties that were settled
	// before keep. Duties whose time is over are given up, whoever has them, and their tokens destroyed.
	Sweep(ctx context.Context, now, keep time.Time) error
}

// Attempts are round trips to a provider that are under way, each redeemed once.
type Attempts interface {
	PutAttempt(ctx context.Context, a Attempt) error
	// TrimAttempts deletes the attempts of a provider that expire first, until at most most are left, and those that expire
	// in the same millisecond as the last of them. Attempts without a provider stay.
	TrimAttempts(ctx context.Context, most int) error
	// PostAttempt attaches a POSTed answer to a live attempt that has none. ErrNone.
	PostAttempt(ctx context.Context, state Hash, posted []byte, now time.Time) error
	// TakeAttempt gives a live attempt out and forgets it. It must be of this browser, else ErrNone and it stays: who has
	// only seen the state cannot spoil the sign-in.
	TakeAttempt(ctx context.Context, state, browser Hash, now time.Time) (Attempt, error)
}

// Attempt is a round trip to a provider.
type Attempt struct {
	State, Browser Hash
	Provider       string // empty: the answer to a sign-out, for who presses twice
	Sealed         []byte // what the website remembers of it
	Posted         []byte // the POSTed answer, sealed; nil: none
	Expires        time.Time
}

// Sessions are this website's sessions.
type Sessions interface {
	// CreateSession makes a session, unless a tombstone covers it (ErrOvertaken); ends the session replaced, if that is not
	// zero; keeps the token, if there is one, and drops tokens of the same identity that belong to no live session.
	CreateSession(ctx context.Context, s Session, replaced Hash, t *Token) error
	// FindSession gives a session that has not reached its limits. ErrNone.
	FindSession(ctx context.Context, id Hash, now time.Time) (Session, error)
	// LiveSessions gives those of the sessions, 1 to 500 of them, that have not reached their limits.
	LiveSessions(ctx context.Context, ids []Hash, now time.Time) ([]Hash, error)
	// TouchSession moves the idle limit of a live session. It revives nothing, and nothing to move is no error.
	TouchSession(ctx context.Context, id Hash, idle, now time.Time) error
	// End ends what the ending selects, and writes what belongs to it.
	End(ctx context.Context, e Ending) (Ended, error)
}

// Session is a session of this website.
type Session struct {
	ID      Hash // of the cookie
	User    string
	Signed  time.Time // when the person last proved who they are, as far as is known
	Begun   time.Time // when the sign-in began that made it
	Created time.Time
	Idle    time.Time // ends then unless touched
	Ends    time.Time // ends then

	// Where it came from; empty for a sign-in of the website's own.
	Provider, Subject, SID string
	Issued                 time.Time // iat of the ID token
	Sealed                 []byte    // name, ID token and where to sign out
}

// Tokens are the provider tokens of sessions, sealed.
type Tokens interface {
	// PutToken keeps a token of a live session, in place of the one of the same identity and session. If old is not nil,
	// only in place of exactly that. ErrNone.
	PutToken(ctx context.Context, t Token, old []byte, now time.Time) error
	// FindToken gives the newest token of a live session at a provider. ErrNone.
	FindToken(ctx context.Context, session Hash, provider string, now time.Time) (Token, error)
}

// Token is a sealed provider token of an identity. It outlives its session, so that the consent can be taken back later.
type Token struct {
	Provider, Subject, User string
	Session                 Hash
	Sealed                  []byte
	Revocable               bool // there is a call to revoke it with
	Created                 time.Time
}

// Ending selects sessions by exactly one of: Session; User; Provider with SID, Subject or both.
//
// With a SID it selects the sessions with this sid and, if there is a Subject too, sessions of this subject of which no
// sid is known: never another device's. Provider and Subject alone select all of that person's from that provider.
type Ending struct {
	Session                Hash
	User                   string
	Provider, SID, Subject string

	// Tombstone, if not zero, is until when a sign-in that the ending covers finds itself overtaken: of the User if it began
	// at or before Now; of the SID if its ID token was issued at or before Issued plus [SIDLeeway]; of the Subject, if there
	// is no SID, at or before Issued.
	Tombstone, Issued time.Time
	// JTI, if not empty, is remembered for the Provider until Tombstone. If it is known already, nothing is done.
	JTI string

	// The tokens of RevokeUser at the providers in Revoke are deleted, and those that are Revocable become duties, leased
	// until Lease. At the providers in Whole the newest token of an identity stands for all.
	RevokeUser    string
	Revoke, Whole []string
	// RevokeEnded does the same with the tokens that the ended sessions have at Provider.
	RevokeEnded        bool
	Now, Lease, GiveUp time.Time
}

// SIDLeeway is how much younger than a logout token an ID token may be and still be overtaken by it, because the clocks
// of a provider's nodes differ. Most providers use a sid once; some keep it while they end and renew one app in it.
const SIDLeeway = time.Minute

// Ended is what an ending did.
type Ended struct {
	Sessions int
	Duties   []Duty
	Dropped  []string // providers at which there were tokens, none of them revocable
	Replayed bool     // the JTI was known
}

// Duties are revocations owed to providers.
type Duties interface {
	// LeaseDuties gives out up to n duties at a provider that are due, and to nobody else before until.
	LeaseDuties(ctx context.Context, provider string, n int, now, until time.Time) ([]Duty, error)
	// SettleDuty writes State, Next and Why after an attempt, if nobody else has attempted it since it was leased. Revoked
	// and GivenUp destroy the sealed token.
	SettleDuty(ctx context.Context, d Duty) error
	// ListDuties gives the newest duties, of one user or, with "", of all, without their tokens.
	ListDuties(ctx context.Context, user string, n int) ([]Duty, error)
}

// DutyState is how far a duty is.
type DutyState string

// States of a duty.
const (
	Owed    DutyState = "owed"
	Revoked DutyState = "revoked"
	GivenUp DutyState = "given up"
)

// Duty is a revocation owed to a provider.
type Duty struct {
	ID       string    `json:"id"`
	Provider string    `json:"provider"`
	Subject  string    `json:"subject"`
	User     string    `json:"user"`
	State    DutyState `json:"state"`
	Sealed   []byte    `json:"-"` // nil once settled
	Attempts int       `json:"attempts"`
	Created  time.Time `json:"created_at"`
	Next     time.Time `json:"next_attempt_at"` // once settled: when it was
	GiveUp   time.Time `json:"give_up_at"`
	Why      string    `json:"why,omitempty"` // of the last failure; a kind, never a provider's words
}
