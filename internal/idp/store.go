package idp

import (
	"context"
	"time"
)

// Store keeps everything that matters. An implementation must prove, by internal/store/storetest:
//
//   - S1: after Update returns nil the effects survive a crash; after an error nothing happened, or the error is
//     [ErrUnknown].
//   - S2: updates are serializable against each other for every row read after locking it; Ended, asked after a lock
//     is granted, sees every ending committed before, and whatever this transaction and earlier members of the same
//     commit have appended.
//   - S3: appended endings get numbers 1, 2, 3, ... without gaps; whoever reads number n can read all below it.
//   - S4: a closure that fails or panics takes none of its neighbours with it, and its appended entries go with it.
//
// A closure does no I/O, may run more than once, and touches nothing outside itself but variables it sets anew on
// every run. One that ends something returns nil with its verdict beside it: an error would roll the ending back.
// Errors: ErrNotFound, ErrConflict, ErrUnavailable, ErrUnknown, and whatever the closure returned.
type Store interface {
	// Update runs f in one transaction, which may share its commit with others.
	Update(ctx context.Context, f func(Tx) error) error
	// Join is Update for a closure that only ends what is used once, and locks nothing but the sessions it foresees. Many may
	// share one transaction, and what all of them foresee is asked at once.
	Join(ctx context.Context, asks Foresight, f func(Tx) error) error
	// View runs f, once, on one snapshot of the primary, opened after View was called.
	View(ctx context.Context, f func(View) error) error
	// Look is View without a snapshot in common: what is asked later may be answered by a later one. It is cheaper, for what
	// asks one thing, or things that need not agree; epochs that something is born under are read by View.
	Look(ctx context.Context, f func(View) error) error
	// Decide is Look and then, if that has found something to end, Join of do: what look has seen may be older than what do sees. Where one
	// process writes they are one transaction, so look, like do, computes no more than it must. look returns nil: there is nothing to do.
	Decide(ctx context.Context, look func(View) (*Foresight, error), do func(Tx) error) error
	// Now is ledger time, for limits of sessions and the like: monotone, never behind what this node has read.
	// It returns ErrClock while the clock has stepped forward more than 30 s unseen by the monotonic clock; the time
	// returned beside it goes on from the last good one.
	Now() (Time, error)
	Close() error
}

// Foresight is what a closure is going to ask for first.
type Foresight struct {
	Sessions []Name // to be locked, exclusively, and read
	Names    []Name // whether they have ended
	Requests []Hash // whether they have receipts
}

// View reads.
type View interface {
	EpochReader
	AccountReader
	SessionReader
	ClientReader
	GrantReader
	PendingReader
	CredentialReader
	KeyReader
	LedgerReader
	ReceiptReader
	DeliveryReader
	IdentityReader
	OperatorReader
	ConsoleReader
	MailReader
	LockReader
	EventReader
	SettingReader
	// Abreast runs reads that need nothing of each other, and returns the first error in their order. Where a question is a trip, they ask
	// together. They take turns, so that they may write to variables side by side, but which of them does so first is not told.
	Abreast(reads ...func(View) error) error
}

// Tx reads and writes. Lock order: account, session, grant, family, client, slot; the counter row is the store's.
type Tx interface {
	View
	Locker
	AccountWriter
	SessionWriter
	ClientWriter
	GrantWriter
	PendingWriter
	ProofWriter
	CredentialWriter
	KeyWriter
	LedgerWriter
	DeliveryWriter
	IdentityWriter
	OperatorWriter
	MailWriter
	LockWriter
	EventWriter
	SettingWriter
}

// EpochReader is the only way to current epochs.
type EpochReader interface {
	// Epochs reads the current epochs of the realm and of what is named; empty ids give zero names. A missing, locked
	// or disabled thing gives a zero name, not an error. The consent is that of account and client.
	Epochs(account AccountID, client ClientID) (Epochs, error)
}

// LockMode is how strongly a row is locked.
type LockMode int

// Lock modes.
const (
	Share     LockMode = iota // FOR SHARE: who opens something beneath
	Exclusive                 // FOR UPDATE: who ends it
)

// Locker locks rows. Locking a row that is not there returns ErrNotFound, except for LockSlot, which makes it.
type Locker interface {
	LockRealm(LockMode) error
	LockAccount(AccountID, LockMode) error
	LockSession(Name, LockMode) error
	LockClient(ClientID, LockMode) error
	LockGrant(Name, LockMode) error
	LockFamily(Name, LockMode) error
	LockHandle(Hash, LockMode) error // of a family's refresh token: the family, before it is read
	LockSlot(session Name, client ClientID) error
}

// Page asks for part of a list: what comes after the given key, at most Limit (1 to 1000).
type Page struct {
	After string
	Limit int
}

// AccountReader reads people. ErrNotFound when there is none.
type AccountReader interface {
	Account(AccountID) (Account, error)
	AccountByUsername(string) (Account, error) // folded by FoldUsername
	Language(AccountID) (string, error)        // that the person has chosen for pages and letters; "": none
	Accounts(Page) ([]Account, error)          // by username
	// Usernames reads what those who are there are called.
	Usernames([]AccountID) (map[AccountID]string, error)
	Consent(AccountID, ClientID) (Consent, error)
	Consents(AccountID) ([]Consent, error)
	// OfflineApps lists the apps that can act for a person who is away, under the account's epoch.
	OfflineApps(epoch Name) ([]ClientID, error)
}

// AccountWriter writes people.
type AccountWriter interface {
	InsertAccount(a Account, epoch Name) error // ErrConflict: username taken. A zero epoch for an account that is not active
	UpdateAccount(Account) error               // profile, username, password; never state
	PutLanguage(AccountID, string) error       // "" forgets it
	// SwapAccountEpoch replaces the epoch by compare on the old one and sets the state; a zero next leaves none.
	SwapAccountEpoch(id AccountID, old, next Name, state AccountState) (bool, error)
	PutConsent(c Consent, epoch Name) error // inserts, or replaces scopes; epoch is used only if there is none yet
	SwapConsentEpoch(account AccountID, client ClientID, old, next Name) (bool, error)
}

// SessionReader reads sessions. ErrNotFound when there is none.
type SessionReader interface {
	Session(Name) (Session, error)
	SessionByCookie(Hash) (Session, error) // what Ended says next of its names agrees with it, in Look, too
	SessionByRef(AccountID, string) (Session, error)
	// Sessions lists the live ones of an account: rooted in the given epochs, not ended, newest first. Expired ones that no sweep has met yet are included.
	Sessions(a AccountID, realm, epoch Name, p Page) ([]Session, error)
	// AppsIn lists the apps with a live grant in each of the sessions, by id.
	AppsIn([]Session) (map[Name][]AppName, error)
	// SessionsEndedWith lists those that an account's epoch took with it when it ended: rooted in it then, and not ended before,
	// newest first. Expired ones that no sweep had met are included. None while the epoch lives.
	SessionsEndedWith(a AccountID, epoch Name, p Page) ([]Session, error)
	// ExpiredSessions lists sessions past a limit at now whose ending is not written yet, for the sweep.
	ExpiredSessions(now Time, limit int) ([]Session, error)
	Slot(session Name, client ClientID) (Slot, error)
	Slots(session Name) ([]Slot, error)
	// Awaited lists the apps of a session that a browser waits for when it signs out.
	Awaited(session Name) ([]ClientID, error)
}

// AppName is an app as people know it.
type AppName struct {
	ID   ClientID
	Name string
}

// SessionWriter writes sessions.
type SessionWriter interface {
	InsertSession(Session) error
	ReRootSession(name, realm, epoch Name, r ReRoot) error
	// RenewSession replaces cookie, auth_time, methods and limits of a session whose person signed in again.
	RenewSession(Session) error
	SeeSession(name Name, at Time, ip string) error // written apart from the session's row
	PutSlot(Slot) error
}

// ClientReader reads apps. ErrNotFound when there is none; a disabled one is returned with Disabled set.
type ClientReader interface {
	Client(ClientID) (Client, error)
	ClientsNamed([]ClientID) ([]Client, error) // those that there are, in no order, in one question
	Clients(Page) ([]Client, error)            // by id
}

// ClientWriter writes apps.
type ClientWriter interface {
	InsertClient(c Client, epoch Name) error // ErrConflict: id taken
	UpdateClient(Client) error
	SwapClientEpoch(id ClientID, old, next Name) (bool, error)
}

// GrantReader reads grants, codes and families. ErrNotFound when there is none.
type GrantReader interface {
	Grant(Name) (Grant, error)
	GrantsOfSession(Name) ([]Grant, error)                      // session-bound ones, pending included
	OfflineFrom(session Name, client ClientID) ([]Grant, error) // offline grants made in a session; client "" for all
	Code(Hash) (Code, error)
	ChainOfGrant(Name) (Grant, *Session, error) // a grant with its session
	Chain(family Name) (Chain, error)
	ChainByHandle(Hash) (Chain, error)
	HeldByHandle(Hash) (Held, error)
	Parting(grant Name) (Parting, error)
}

// GrantWriter writes grants, codes and families.
type GrantWriter interface {
	InsertGrant(Grant) error
	RedeemGrant(Name, Time) error // sets RedeemedAt
	InsertCode(Code) error
	UseCode(Hash, Time) (bool, error) // false: it was used before
	InsertFamily(Family) error
	// RotateFamily writes generation, cur, prev, prev2, rotated_at and succ, if the row's cur is still was.
	RotateFamily(f Family, was Hash) (bool, error)
}

// PendingReader reads half-finished things. ErrNotFound when there is none; expiry is the caller's to compare.
type PendingReader interface {
	Pending(Hash) (Pending, error)
}

// PendingWriter writes half-finished things.
type PendingWriter interface {
	InsertPending(Pending) error
	UpdatePending(Pending) error
	TakePending(Hash) (Pending, error) // reads and deletes: single use
}

// ProofWriter remembers what may be used once, on all nodes.
type ProofWriter interface {
	// UseProof notes the use of a DPoP proof, to be remembered until then. false: it was used before, here or on another node.
	UseProof(id Hash, until Time) (bool, error)
}

// SettingReader reads what the nodes of this database have agreed on.
type SettingReader interface {
	Settings() (map[string]string, error)
}

// SettingWriter writes it. Lock the realm before.
type SettingWriter interface {
	PutSetting(key, value string) error
}

// KeyReader reads signing keys, killed ones included.
type KeyReader interface {
	Keys() ([]Key, error)
}

// KeyWriter writes signing keys.
type KeyWriter interface {
	InsertKey(Key) error
	SetKeyState(kid Name, s KeyState, retiredAt Time) error
}

// LedgerReader reads the ledger.
type LedgerReader interface {
	// Ended returns those of the names that are in the ledger. nil: all live.
	Ended(names ...Name) ([]Name, error)
	Head() (Head, error)
	LifeCap() (seconds int64, err error)
	// Holds is how long an ending at t is held: no token minted at or before t lives longer. It may be more than LifeCap.
	Holds(t Time) (time.Duration, error)
	// EntriesAfter returns entries with numbers after+1, after+2, ..., at most limit.
	EntriesAfter(after uint64, limit int) ([]Entry, error)
	// Entries lists those of the numbers after+1 to to that are still to be held at ledger time now, by about limit numbers at a time: next is
	// how far it came. Rows are only added, so that what several calls list is a snapshot as of to.
	Entries(now Time, after, to uint64, limit int) (out []Entry, next uint64, err error)
	// Tail is Head and EntriesAfter, asked at once.
	Tail(after uint64, limit int) (Head, []Entry, error)
	Endings(after uint64, limit int) ([]Ending, error) // for operators
}

// LedgerWriter appends.
type LedgerWriter interface {
	// Append writes endings with their receipt; only package door calls it. An ending whose name has already ended is
	// left out; a receipt none of whose endings was new is not written. Its id holds the name of one that was ([NewReceiptID]).
	// Numbers and time are given at commit.
	Append(r Receipt, endings []Ending) error
	// Mint returns a ledger time for tokens, not older than a second: it ticks the counter row if need be. Call it before
	// reading the names that the token will carry. ErrClock: nothing may be minted now.
	// LifeCap, asked after it, is what stood beside that time.
	Mint() (Time, error)
	// SetLifeCap says how long tokens may live from this commit on. Longer ones are minted after it; for endings a larger cap of before
	// counts until the last token minted under it is over.
	SetLifeCap(seconds int64) error
	SwapRealmEpoch(old, next Name) (bool, error)
	// Sweep deletes what has ended or expired long enough ago that nobody asks for it, at most limit rows, and says how many.
	Sweep(now Time, limit int) (int, error)
}

// ReceiptReader reads receipts. ErrNotFound when there is none.
type ReceiptReader interface {
	Receipt(ReceiptID) (Receipt, error)
	ReceiptByRequest(Hash) (Receipt, error)
	ReceiptOfEnding(Name) (Receipt, error)
	EndingsOf(ReceiptID) ([]Ending, error)
	ReceiptByNumber(uint64) (Receipt, error)
	// Receipts lists those of an account, newest first, with numbers below before (0: all); an empty account lists all.
	Receipts(a AccountID, before uint64, limit int) ([]Receipt, error)
	// ReceiptsAfter lists all with numbers above after, in the order of their numbers.
	ReceiptsAfter(after uint64, limit int) ([]Receipt, error)
	// Reached counts the sessions and the families that a receipt's endings took with them, up to 10,000.
	Reached(Receipt) (sessions, families int64, err error)
	// Owed counts the fan-outs that nobody has worked off yet.
	Owed() (int64, error)
}
