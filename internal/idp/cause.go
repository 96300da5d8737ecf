package idp

import "strings"

// CauseKind says why something ended. See [Table] for what each one ends.
type CauseKind string

// Causes.
const (
	CauseAppSignOut       CauseKind = "app-sign-out"       // this app, in this session
	CauseSignOut          CauseKind = "sign-out"           // this browser
	CauseSessionEnded     CauseKind = "session-ended"      // that one, from the list
	CauseOthers           CauseKind = "others"             // all others
	CauseEverywhere       CauseKind = "everywhere"         // all sessions of the person
	CauseCredential       CauseKind = "credential-changed" // password, factor, mail or identity changed while signed in
	CauseReset            CauseKind = "reset"              // credential replaced by recovery or by an operator
	CauseLock             CauseKind = "lock"
	CauseDisable          CauseKind = "disable"
	CauseDelete           CauseKind = "delete"
	CauseExpiry           CauseKind = "expiry"
	CauseSomeoneElse      CauseKind = "someone-else" // another person signed in on this browser
	CauseReuse            CauseKind = "reuse"        // refresh token or code used twice
	CauseRevoked          CauseKind = "revoked"      // RFC 7009
	CauseConsentWithdrawn CauseKind = "consent-withdrawn"
	CauseClientEnded      CauseKind = "client-ended" // disabled, deleted, leaked
	CauseKeyKilled        CauseKind = "key-killed"
	CauseRealmEnded       CauseKind = "realm-ended"
	CauseUpstream         CauseKind = "upstream"          // the provider that the person came from has signed them out
	CauseUpstreamDisabled CauseKind = "upstream-disabled" // the provider has disabled or deleted the person
)

// Actor says who did it: "account:ID", "client:ID", "operator:NAME", or "rule:NAME".
type Actor string

// Makers of actors.
func ActorAccount(id AccountID) Actor { return Actor("account:" + string(id)) }
func ActorClient(id ClientID) Actor   { return Actor("client:" + string(id)) }
func ActorOperator(name string) Actor { return Actor("operator:" + strings.ToValidUTF8(name, "")) }
func ActorRule(name string) Actor     { return Actor("rule:" + name) }

// Cause is the why and the who of one call at the door.
type Cause struct {
	Kind  CauseKind
	Actor Actor
	// Request identifies the act, so that a retry returns the first receipt and ends nothing made in between: a form's
	// nonce or an Idempotency-Key. It is only ever compared together with Actor. Empty: the act is not repeatable by its caller.
	Request string
	Reason  string // an operator's words
}
