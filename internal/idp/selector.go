package idp

import "time"

// SelectorKind says what an end reaches.
type SelectorKind string

// Selectors.
const (
	SelectToken   SelectorKind = "token"
	SelectFamily  SelectorKind = "family"
	SelectApp     SelectorKind = "app" // one app in one session, with its offline access from there; that app must ask a human again
	SelectSession SelectorKind = "session"
	SelectOthers  SelectorKind = "others"
	SelectAccount SelectorKind = "account"
	SelectConsent SelectorKind = "consent"
	SelectClient  SelectorKind = "client"
	SelectKey     SelectorKind = "key"
	SelectRealm   SelectorKind = "realm"
	// SelectUpstream is what came from a provider, by the provider's word.
	SelectUpstream SelectorKind = "upstream"
)

// Selector names what is to end. Make one with the functions below.
type Selector struct {
	Kind    SelectorKind
	Name    Name         // token, family, session, key; others: the acting session
	Account AccountID    // others, account, consent; session: its account, if that is known
	Client  ClientID     // app, consent, client
	State   AccountState // account: what it is afterwards; active begins the next epoch at once
	Disable bool         // client: no next epoch
	Acting  *ReRoot      // others
	From    *UpstreamEnd // upstream
	Family  *Held        // family: what is known of it; nil: nothing but its name
	Away    bool         // upstream: offline access, too
}

// ReRoot is what happens to the acting session of "others" and of a credential change.
type ReRoot struct {
	Cookie   Hash // of the cookie that replaces the old one; zero keeps the cookie (a bearer's session)
	AuthTime Time // when the person last proved who they are; 0 keeps it
}

// Once says that the selector reaches the same names however often it is asked, since it names what is used once. The
// others reach a current epoch, and a retry would reach the next one.
func (s Selector) Once() bool {
	switch s.Kind {
	case SelectToken, SelectFamily, SelectSession, SelectKey:
		return true
	}
	return false
}

// Tells says that apps are told of what the selector ends.
func (s Selector) Tells() bool {
	return s.Kind != SelectToken && s.Kind != SelectFamily && s.Kind != SelectKey
}

// EndToken ends one access token by its jti.
func EndToken(jti Name) Selector { return Selector{Kind: SelectToken, Name: jti} }

// EndFamily ends one family.
func EndFamily(family Name) Selector { return Selector{Kind: SelectFamily, Name: family} }

// EndHeld ends a family that was read, and not only heard of.
func EndHeld(f Held) Selector { return Selector{Kind: SelectFamily, Name: f.Name, Family: &f} }

// EndApp ends one app in one session.
func EndApp(session Name, client ClientID) Selector {
	return Selector{Kind: SelectApp, Name: session, Client: client}
}

// EndSession ends one session.
func EndSession(session Name) Selector { return Selector{Kind: SelectSession, Name: session} }

// EndThis ends a session that was read: whose it is never changes, and is not asked again.
func EndThis(s *Session) Selector {
	return Selector{Kind: SelectSession, Name: s.Name, Account: s.Account}
}

// EndOthers ends the account's epoch and re-roots the acting session, which must be alive.
func EndOthers(account AccountID, acting Name, r ReRoot) Selector {
	return Selector{Kind: SelectOthers, Account: account, Name: acting, Acting: &r}
}

// EndAccount ends the account's epoch; after is the state it is in then.
func EndAccount(account AccountID, after AccountState) Selector {
	return Selector{Kind: SelectAccount, Account: account, State: after}
}

// EndConsent ends what a person allowed an app, everywhere.
func EndConsent(account AccountID, client ClientID) Selector {
	return Selector{Kind: SelectConsent, Account: account, Client: client}
}

// EndClient ends everything of one client; disable leaves it without an epoch.
func EndClient(client ClientID, disable bool) Selector {
	return Selector{Kind: SelectClient, Client: client, Disable: disable}
}

// EndKey ends everything signed by one key.
func EndKey(kid Name) Selector { return Selector{Kind: SelectKey, Name: kid} }

// EndRealm ends everything.
func EndRealm() Selector { return Selector{Kind: SelectRealm} }

// EndUpstream ends the sessions that a provider's word is about, by one receipt; with away also the offline access that was given in
// any session of its Subject.
func EndUpstream(e UpstreamEnd, away bool) Selector {
	return Selector{Kind: SelectUpstream, From: &e, Away: away}
}

// Policy is how long things live. All values are the operator's; the defaults are in package config.
type Policy struct {
	AccessLife      time.Duration // of an access token; at most LifeCap
	IDTokenLife     time.Duration
	CodeLife        time.Duration // of an authorization code
	SessionIdle     time.Duration // of a session that is not persistent
	SessionAbsolute time.Duration
	StayIdle        time.Duration // of a session whose person asked to stay signed in
	StayAbsolute    time.Duration
	RefreshIdle     time.Duration
	RefreshAbsolute time.Duration
	Grace           time.Duration // in which a lost answer of a refresh may be fetched again
	PendingLife     time.Duration // of half-finished things
	RecentSignIn    time.Duration // how fresh a sign-in must be for dangerous acts
}
