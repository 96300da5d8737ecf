package web

import "exeunt.dev/internal/idp"

// Ended says in short, for lists, what a cause ended.
func Ended(k idp.CauseKind) Words {
	short, _ := ended(k)
	return short
}

// EndedInFull says it in a sentence, for its receipt.
func EndedInFull(k idp.CauseKind) Words {
	_, sentence := ended(k)
	return sentence
}

func ended(k idp.CauseKind) (short, sentence Words) {
	one, others := "The session of one browser was ended, with everything in it.", "All other sessions of the account were ended."
	all, access := "All sessions of the account were ended.", "Access was ended."
	switch k {
	case idp.CauseAppSignOut:
		return "Signed out of an app", "One app was signed out in this browser."
	case idp.CauseSignOut:
		return "Signed out", one
	case idp.CauseSessionEnded:
		return "One session was ended", one
	case idp.CauseExpiry:
		return "A session expired", one
	case idp.CauseSomeoneElse:
		return "A session was ended, because somebody else signed in in its browser", one
	case idp.CauseOthers:
		return "All other sessions were ended", others
	case idp.CauseCredential:
		return "All other sessions were ended, because a credential was changed", others
	case idp.CauseEverywhere:
		return "Signed out everywhere", all
	case idp.CauseReset:
		return "All sessions were ended, because a credential was replaced", all
	case idp.CauseLock:
		return "All sessions were ended, because the account was locked", "The account was locked. All its sessions were ended."
	case idp.CauseDisable:
		return "All sessions were ended, because the account was disabled", "The account was disabled. All its sessions were ended."
	case idp.CauseDelete:
		return "All sessions were ended, because the account was closed", "The account was closed. All its sessions were ended."
	case idp.CauseReuse:
		return "A sign-in of an app was ended, because something of it was used twice: it may have been stolen", access
	case idp.CauseRevoked:
		return "An app gave back its access", access
	case idp.CauseConsentWithdrawn:
		return "Access was taken away from an app", access
	case idp.CauseClientEnded:
		return "All sign-ins of an app were ended", access
	case idp.CauseKeyKilled:
		return "A key was killed", access
	case idp.CauseRealmEnded:
		return "Everything was ended", access
	case idp.CauseUpstream:
		return "A provider's sign-out ended what came from there", "The provider signed its person out. What came from there was ended."
	case idp.CauseUpstreamDisabled:
		return "A provider closed an account, which ended what came from there", "The provider has closed its person's account. What came from there was ended."
	}
	return "Access was ended", access
}

// Happened says what kind of thing happened; nil: it has no words yet.
func Happened(k idp.EventKind) Words {
	switch k {
	case idp.EventSignIn:
		return "Signed in"
	case idp.EventSignInAgain:
		return "Signed in again"
	case idp.EventSignInFailed:
		return "An attempt to sign in failed"
	case idp.EventStrayed:
		return "Something that an app signs in with was used from elsewhere, and refused: it may have been stolen"
	case idp.EventAccountCreated:
		return "The account was made"
	case idp.EventAccountClosed:
		return "The account was closed"
	case idp.EventLocked:
		return "The account was locked"
	case idp.EventUnlocked:
		return "The account was unlocked"
	case idp.EventDisabled:
		return "The account was disabled"
	case idp.EventProfileChanged:
		return "The profile was changed"
	case idp.EventPasswordChanged:
		return "The password was changed"
	case idp.EventPasswordReset:
		return "The password was set anew"
	case idp.EventMailChanged:
		return "The mail address was changed"
	case idp.EventFactorAdded:
		return "A way to sign in was added"
	case idp.EventFactorRemoved:
		return "A way to sign in was removed"
	case idp.EventRecoveryMade:
		return "New recovery codes were made"
	case idp.EventRecoveryUsed:
		return "A recovery code was used"
	case idp.EventIdentityLinked:
		return "An account at another provider was linked"
	case idp.EventIdentityRemoved:
		return "An account at another provider was unlinked"
	case idp.EventConsentGiven:
		return "An app was given access"
	case idp.EventMailSent:
		return "A mail was sent"
	case idp.EventLinkOpened:
		return "A link in a mail was opened"
	case idp.EventClientAdded:
		return "An app was registered"
	case idp.EventClientChanged:
		return "An app was changed"
	case idp.EventSecretRotated:
		return "An app was given a new secret"
	case idp.EventKeyRotated:
		return "Keys were rotated"
	case idp.EventRoleGiven:
		return "A role was given"
	case idp.EventRoleTaken:
		return "A role was taken away"
	case idp.EventOperator:
		return "Something was done by the people who run this site"
	case idp.EventLedgerSealed:
		return "The ledger was sealed"
	}
	return nil
}
