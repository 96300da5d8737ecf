package idp

// Reach says what happens to one kind of thing when something ends. The words are those of docs/what-ends-what.md.
type Reach string

// Row is one line of the table of what ends what.
type Row struct {
	Cause     CauseKind
	Selector  SelectorKind
	Session   Reach // the acting or named SSO session
	Others    Reach // the person's other sessions
	Refresh   Reach // session-bound refresh tokens
	Offline   Reach // offline refresh tokens
	Access    Reach // access tokens at APIs
	Apps      Reach // apps told
	Pendings  Reach // pending sign-ins and links
	Providers Reach
}

// Table is what ends what: every cell is a promise. Secret rotation with overlap, key rotation and role changes are absent
// because they end nothing. Ending an ended thing writes nothing.
func Table() []Row {
	const no = "–"
	return []Row{
		{CauseAppSignOut, SelectApp, "stays; that app must ask a human again", no, "that app's here", "that app's from here", "that app's here", "that app", no, no},
		{CauseSignOut, SelectSession, "ends", no, "the session's", "stays", "the session's", "the session's", no, "offered"},
		{CauseSessionEnded, SelectSession, no, "named", "theirs", "stays", "theirs", "theirs", no, no},
		{CauseOthers, SelectOthers, "re-rooted", "all others", "theirs", "all", "all, own renewed at next refresh", "theirs", "all", no},
		{CauseEverywhere, SelectAccount, "ends", "all", "all", "all", "all", "all", "all", "offered"},
		{CauseCredential, SelectOthers, "re-rooted", "all", "others'", "all", "all, own renewed", "others' and offline", "all", no},
		{CauseReset, SelectAccount, "ends", "all", "all", "all", "all", "all", "all, and pending changes void", no},
		{CauseLock, SelectAccount, "ends", "all", "all", "all", "all", "all", "all", no},
		{CauseDisable, SelectAccount, "ends", "all", "all", "all", "all", "all", "all", no},
		{CauseDelete, SelectAccount, "ends", "all", "all", "all", "all", "all", "all", "revoke"},
		{CauseExpiry, SelectSession, "ends", no, "the session's", "stays", "the session's", "the session's", no, no},
		{CauseSomeoneElse, SelectSession, "ends", no, "the session's", "stays", "the session's", "the session's", no, no},
		{CauseReuse, SelectFamily, "stays", no, "that family", "that family", "that family's", no, no, no},
		{CauseRevoked, SelectFamily, "stays", no, "that family", "that family", "that family's", no, no, no},
		{CauseRevoked, SelectToken, "stays", no, no, no, "that token", no, no, no},
		{CauseConsentWithdrawn, SelectConsent, "stays", "stay", "that app's, everywhere", "that app's, everywhere", "that app's, everywhere", "that app", no, no},
		{CauseClientEnded, SelectClient, "stays", "stay", "that client's, all people", "that client's, all people", "that client's, all people", "that client, before it goes", no, no},
		{CauseKeyKilled, SelectKey, "stays", "stay", "stay", "stay", "all signed by it", no, no, no},
		{CauseRealmEnded, SelectRealm, "all end", "all", "all", "all", "all", "all", "all", no},
	}
}
