package idp

// Row is one line of the table of what ends what.
type Row struct {
	Cause    CauseKind
	Selector SelectorKind
	What     string // what happens, in words
	How      string // by what it is done

	Session   Reach // the SSO session that the act is done in; where it is done in none, the one it names
	Others    Reach // other sessions
	Refresh   Reach // session-bound refresh tokens
	Offline   Reach // offline refresh tokens
	Access    Reach // access tokens at APIs
	Apps      Reach // apps told, by back-channel logout
	Pendings  Reach // pending sign-ins, and pushed requests
	Providers Reach // at the provider that the person came from
}

// Cells are the row's eight, in the order of the table's columns.
func (r *Row) Cells() [8]Reach {
	return [8]Reach{r.Session, r.Others, r.Refresh, r.Offline, r.Access, r.Apps, r.Pendings, r.Providers}
}

// Columns are the heads of the eight cells.
func Columns() [8]string {
	return [8]string{"SSO session", "other sessions", "session-bound refresh", "offline refresh", "access tokens at APIs", "apps told", "pending sign-ins", "provider"}
}

// Table is what ends what: every cell is a promise and a question of TestWhatEndsWhat. A row whose act is not built yet is not here.
func Table() []Row {
	return []Row{
		{CauseAppSignOut, SelectApp, "one app is left, in one browser", "`/logout` with `logout_uri`; “this app only”",
			MustAsk, None, OfApp, OfApp, OfApp, OfApp, None, None},
		{CauseSignOut, SelectSession, "sign-out in one browser", "`/logout` with `id_token_hint`; “Sign out”; `POST /accounts/logout/`",
			Ends, None, OfSession, Offered, OfSession, OfSession, OfBrowser, AtProvider},
		{CauseSessionEnded, SelectSession, "one session is ended from elsewhere", "the account page and its JSON; the console; `exeunt session end`",
			Stays, OfSession, OfSession, Offered, OfSession, OfSession, None, None},
		{CauseOthers, SelectOthers, "all other sessions are ended", "the account page and its JSON",
			ReRooted, OfOthers, OfOthers, OfPerson, Renewed, OfOthers, OfPerson, None},
		{CauseEverywhere, SelectAccount, "sign-out everywhere", "the account page and its JSON; `/logout`, “everywhere”; `POST /customers/me/logout`; Global Token Revocation; the console; `exeunt account end`",
			Ends, OfPerson, OfPerson, OfPerson, OfPerson, OfPerson, OfPerson, AtProvider},
		{CauseCredential, SelectOthers, "the person changes the password or the mail address, or adds or removes what they sign in with (a passkey, an authenticator app, new recovery codes, a provider)", "the account pages and their JSON",
			ReRooted, OfOthers, OfOthers, OfPerson, Renewed, OfOthers, OfPerson, None},
		{CauseReset, SelectAccount, "a new password is set by a link in a letter, or by an operator", "`/login/reset`; `exeunt account password`",
			Ends, OfPerson, OfPerson, OfPerson, OfPerson, OfPerson, OfPerson, None},
		{CauseLock, SelectAccount, "an account is locked", "the account page; a link in a letter; `exeunt account lock`; by rule, where a refresh token is used twice",
			Ends, OfPerson, OfPerson, OfPerson, OfPerson, OfPerson, OfPerson, None},
		{CauseDisable, SelectAccount, "an account is disabled", "`exeunt account disable`; the console",
			Ends, OfPerson, OfPerson, OfPerson, OfPerson, OfPerson, OfPerson, None},
		{CauseDelete, SelectAccount, "an account is deleted", "the account page; `exeunt account delete`; the console",
			Ends, OfPerson, OfPerson, OfPerson, OfPerson, OfPerson, OfPerson, TakenBack},
		{CauseExpiry, SelectSession, "a session expires", "its idle or absolute limit: refused at once, in the ledger within a minute",
			Ends, None, OfSession, Offered, OfSession, OfSession, None, None},
		{CauseSomeoneElse, SelectSession, "somebody else signs in in that browser", "the sign-in page; `POST /accounts/login/`",
			Ends, None, OfSession, Offered, OfSession, OfSession, None, None},
		{CauseUpstream, SelectUpstream, "the provider signs its person out", "a logout token, or a front-channel call if that is switched on, at `/login/{provider}/logout`",
			Ends, OfOrigin, OfOrigin, Offered, OfOrigin, OfOrigin, None, None},
		{CauseUpstreamDisabled, SelectUpstream, "the provider closes its person's account", "a logout token that says so (RISC account-disabled, account-purged)",
			Ends, OfOrigin, OfOrigin, OfOriginAway, OfOriginAway, OfOrigin, None, None},
		{CauseReuse, SelectFamily, "a code or a used-up refresh token comes back", "the token endpoint",
			Stays, None, OfFamily, OfFamily, OfFamily, None, None, None},
		{CauseRevoked, SelectFamily, "an app revokes a refresh token", "RFC 7009",
			Stays, None, OfFamily, OfFamily, OfFamily, None, None, None},
		{CauseRevoked, SelectToken, "an app revokes an access token", "RFC 7009",
			Stays, None, None, None, OfToken, None, None, None},
		{CauseConsentWithdrawn, SelectConsent, "a person takes back what an app was allowed", "the account page and its JSON",
			Stays, None, OfConsent, OfConsent, OfConsent, OfConsent, None, None},
		{CauseClientEnded, SelectClient, "a client is ended, for once or for good", "`exeunt client end`, `disable`, `delete`; the console; a self-registered client deletes itself (RFC 7592)",
			Stays, None, OfClient, OfClient, OfClient, OfClient, OfClient, None},
		{CauseKeyKilled, SelectKey, "a signing key is killed", "`exeunt key kill`; the console",
			Stays, None, None, None, OfKey, None, None, None},
		{CauseRealmEnded, SelectRealm, "everything is ended", "`exeunt backup restore`",
			Ends, OfRealm, OfRealm, OfRealm, OfRealm, OfRealm, OfRealm, None},
	}
}

// TableNotes are what goes with the table (TestBesidesTheTable, and the tests that they name).
func TableNotes() []string {
	return []string{
		"Rotating signing keys ends nothing (`exeunt key rotate`); neither does a new secret of an app, with its old one or without, nor a change of an operator's role.",
		"Ending an ended thing writes nothing, and tells nobody again.",
		"A code that nobody has redeemed yet ends with the session that it was given in; one that asks for offline access ends by what ends that, too.",
		"Browser-only apps never get offline access.",
		"A locked, disabled or deleted account has no epoch: nobody signs in to it. Unlocking revives nothing.",
		"Links in letters that set a new password or confirm an address end with all that ends the account, and with any lock (`TestLinks_DieWithEnds`). A link that locks the account gives nothing: it outlives what a thief may end, and ends with its use, with a recovery, with unlocking, and when everything is ended (`TestNewDevice`).",
		"A locked account that is locked once more is locked at least as strongly (`TestLock_OnlyStronger`). It opens by itself at its time, by recovery or by an operator, as it was locked; failed sign-ins lock nobody (`TestLock_NotByFailures`).",
		"A code or refresh token that is bound to a key or an address ends nothing when somebody else shows it, used up or not.",
		"An app is never told of a sign-in that lives: when all others end, offline access that was given in the session that goes on ends too, and its app learns of that when it uses it.",
		"A sign-in that was under way when its provider ended it makes no session, and neither does one that began before its account ended everything. What was taken away by unlinking a provider is taken back there, too.",
		"An app is told with one logout token for each of its sign-ins that ended (`sid`), also when it was disabled with them.",
	}
}
