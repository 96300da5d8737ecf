package idp

import "time"

// Consent is what a person allowed an app. First-party apps have one too, without being asked.
type Consent struct {
	Account AccountID
	Client  ClientID
	Scopes  []string
	GivenAt Time
}

// Grant is one app within one session; its name is the `sid` that the app sees. An offline grant hangs on account and
// consent, not on a session.
type Grant struct {
	Name    Name
	Account AccountID
	Client  ClientID

	Session Name   // of an offline grant: zero
	Here    Name   // of an offline grant: the session it was made in, for "from here"; it does not hang on it
	Epochs  Epochs // as inherited: client and consent always; realm and account only for offline grants (else the session's row says)

	CreatedAt  Time
	RedeemedAt Time // of the newest code, for a grant is used again by the next sign-in; 0: pending, no code has been redeemed
}

// Offline says that the grant does not hang on a session.
func (g *Grant) Offline() bool { return g.Session.IsZero() }

// Names of what the grant hangs on, itself included. s is its session's row, nil for an offline grant.
//
// R: names are inherited, never looked up.
func (g *Grant) Names(s *Session) Names {
	if s == nil {
		return NamesOf(g.Epochs.Realm, g.Epochs.Account, g.Epochs.Client, g.Epochs.Consent, g.Name)
	}
	return NamesOf(s.Realm, s.Epoch, g.Epochs.Client, g.Epochs.Consent, s.Name, g.Name)
}

// Code is an authorization code, kept until it has expired so that its reuse is noticed.
type Code struct {
	Hash        Hash
	Grant       Name // the session's grant: the sid
	Offline     Name // the offline grant, if offline_access was granted
	Family      Name // given at birth, so that reuse can end it whatever exists
	Client      ClientID
	RedirectURI string
	Challenge   string // PKCE S256; empty only for confidential clients that sent none
	Nonce       string
	Scopes      []string
	Resources   []string // audience of the access token
	Bond        Bond     // of whoever may redeem it
	IssuedAt    Time
	ExpiresAt   Time
	UsedAt      Time // 0: not yet
}

// Family is one redeemed code and everything refreshed from it.
type Family struct {
	Name   Name
	Grant  Name // the offline grant if there is one, else the session's
	Sid    Name // the session's grant, for ID tokens at refresh
	Client ClientID

	Handle     Hash // zero: no refresh token was issued
	Generation int64
	Cur        Hash
	Prev       Hash
	Prev2      Hash
	RotatedAt  Time
	Succ       []byte // the current secret, encrypted under a key derived from the previous one

	Scopes    []string
	Audience  []string
	Bond      Bond // of who may refresh. A confidential client's has no key (RFC 9449 section 5): it authenticates
	CreatedAt Time
	ExpiresAt Time          // absolute end of refreshing
	Idle      time.Duration // refreshing ends when unused for so long; 0: no such limit
}

// Chain is a family with all that it hangs on, read at once.
type Chain struct {
	Family  Family
	Grant   Grant
	Session *Session // nil when the grant is offline
}

// Names of what the family hangs on, itself included: a token's ends_with.
func (c *Chain) Names() Names { return append(c.Grant.Names(c.Session), c.Family.Name) }

// Held is a family as whoever gives its refresh token back has to know it. Whose it is never changes.
type Held struct {
	Name    Name
	Client  ClientID
	Account AccountID
	Session Name // of its grant; zero when that is offline
	Over    bool // one of the names that it hangs on has ended
}

// Parting is a grant as a sign-out that names it has to know it. Whose it is never changes.
type Parting struct {
	Account AccountID
	Client  ClientID
	Session Name       // zero when it is offline
	Awaited []ClientID // the apps of its session that a browser waits for when it signs out
}
