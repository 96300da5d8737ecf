package idp

// PendingKind says what a half-finished thing waits for.
type PendingKind string

// Kinds of half-finished things.
const (
	PendingAuthorize PendingKind = "authorize" // an authorization request waiting for a human
	PendingPosted    PendingKind = "posted"    // an authorization request that another site's page has POSTed
	PendingPAR       PendingKind = "par"       // a pushed authorization request waiting for its browser (RFC 9126)
	PendingLogout    PendingKind = "logout"    // an end-of-session request waiting for an answer
	PendingProvider  PendingKind = "provider"  // a round trip to a provider
	PendingSignUp    PendingKind = "sign-up"   // somebody who came from a provider and has no account yet
	PendingLeft      PendingKind = "left"      // a browser that has gone to sign out at a provider
	PendingSignIn    PendingKind = "sign-in"   // a person who has shown one factor and owes the second
	PendingPasskey   PendingKind = "passkey"   // a passkey's ceremony: its challenge
	PendingTOTP      PendingKind = "totp"      // an authenticator app that has not shown a code yet
)

// Kinds of links in letters.
const (
	PendingReset PendingKind = "reset"        // sets a new password
	PendingMail  PendingKind = "mail-address" // confirms a new mail address
	PendingLock  PendingKind = "lock"         // locks the account; it gives nothing, so it outlives all that a thief may end
)

// Link is what a Pending of a letter's link holds, as JSON.
type Link struct {
	Account AccountID `json:"account"`
	Email   string    `json:"email"`         // to which the letter went
	Lock    Name      `json:"lock,omitzero"` // that stood when it was written
}

// Pending is a half-finished thing: what one HTTP package hands to another.
//
// R: it records every epoch known when it began and dies with it.
type Pending struct {
	ID        Hash // of the random text in the address
	Kind      PendingKind
	Browser   Hash // of the browser-id cookie it is bound to; zero for PAR
	Client    ClientID
	Born      Epochs // known when it began; the account's is that of who was signed in then, or of who has acted on it since
	Session   Name   // the session in which a human acted on it; zero: nobody yet
	ActedAt   Time
	Data      []byte // JSON of the kind's own type
	CreatedAt Time
	ExpiresAt Time
}
