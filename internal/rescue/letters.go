package rescue

import (
	"cmp"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/mail"
)

func moment(t idp.Time) string { return t.Time().UTC().Format("2006-01-02 15:04 UTC") }

func to(a *idp.Account, kind string, subject mail.Line) mail.Letter {
	return mail.Letter{Kind: kind, Account: a.ID, To: a.Email, Name: cmp.Or(a.Name, a.Username), Subject: subject}
}

func letterReset(a *idp.Account, link string) mail.Letter {
	l := to(a, "reset", mail.L("Set a new password"))
	l.Stranger = true
	l.Lines = []mail.Line{mail.L("Somebody, hopefully you, has asked to set a new password for the account %s.", a.Username)}
	l.Link, l.Press = link, mail.L("Set a new password")
	l.Below = []mail.Line{mail.L("The link works once, within 30 minutes. A new password signs the account out everywhere."), mail.L("If that was not you, do nothing: without this letter nobody can do anything.")}
	return l
}

func letterNoReset(a *idp.Account, lock *idp.Lock) mail.Letter {
	l := to(a, "no-reset", mail.L("Your account is locked"))
	l.Stranger = true
	l.Lines = []mail.Line{mail.L("Somebody, hopefully you, has asked to set a new password for the account %s.", a.Username)}
	if lock.Kind == idp.LockOperator {
		l.Lines = append(l.Lines, mail.L("It is locked, and only the people who run this site can open it. Please ask them."))
	} else {
		l.Lines = append(l.Lines, mail.L("It is locked until %s. Nothing opens it before. Ask again then.", moment(lock.OpensAt)))
	}
	return l
}

// changed says what a person signs in with otherwise than before; false: nothing that a letter tells of.
func changed(e idp.Event) (mail.Line, bool) {
	added := e.Kind == idp.EventFactorAdded
	switch totp := e.Data["factor"] == string(idp.CredentialTOTP); {
	case e.Kind == idp.EventPasswordChanged, e.Kind == idp.EventPasswordReset:
		return mail.L("Your password was changed"), true
	case e.Kind == idp.EventRecoveryMade:
		return mail.L("New recovery codes were made"), true
	case e.Kind == idp.EventIdentityLinked:
		return mail.L("An account at another provider was linked"), true
	case e.Kind == idp.EventIdentityRemoved:
		return mail.L("An account at another provider was unlinked"), true
	case added && totp:
		return mail.L("An authenticator app was added"), true
	case added:
		return mail.L("A passkey was added"), true
	case e.Kind == idp.EventFactorRemoved && totp:
		return mail.L("The authenticator app was removed"), true
	case e.Kind == idp.EventFactorRemoved && e.Data["factor"] == string(idp.CredentialPasskey):
		return mail.L("A passkey was removed"), true
	}
	return mail.Line{}, false
}

func letterReplaced(a *idp.Account, link string) mail.Letter {
	l := to(a, "password-reset", mail.L("Your password was changed"))
	l.Lines = []mail.Line{mail.L("The password of the account %s was set anew, by a link in a letter to this address. All devices were signed out.", a.Username)}
	return notYou(l, link)
}

// letterOperator has no link: what operators did, they undo.
func letterOperator(a *idp.Account, kind string, said mail.Line) mail.Letter {
	l := to(a, kind, said)
	l.Lines = []mail.Line{mail.L("The people who run this site have changed something at the account %s:", a.Username), said, mail.L("All devices were signed out."), mail.L("If you have not asked for that, please ask them.")}
	return l
}

func letterDevice(a *idp.Account, device, ip string, at idp.Time, link string) mail.Letter {
	l := to(a, "new-device", mail.L("A new device has signed in to your account"))
	l.Lines = []mail.Line{mail.L("Somebody has signed in to the account %s from a device that was not known before:", a.Username), mail.L("%s, from %s, at %s.", device, ip, moment(at))}
	return notYou(l, link)
}

// notYou ends a letter about something that its person should have done.
func notYou(l mail.Letter, link string) mail.Letter {
	l.Lines = append(l.Lines, mail.L("If that was you, there is nothing to do."))
	l.Link, l.Press = link, mail.L("It was not me: lock my account")
	l.Below = []mail.Line{mail.L("This signs the account out everywhere and lets nobody in, until a new password is set by a letter to this address. The link works for 7 days.")}
	return l
}

func letterConfirm(a *idp.Account, address, link string) mail.Letter {
	l := to(a, "confirm", mail.L("Confirm your mail address"))
	l.To, l.Stranger = address, true
	l.Name = a.Username // whoever reads this knows nobody here: no text that a stranger has chosen
	l.Lines = []mail.Line{mail.L("The account %s is to have this mail address.", a.Username)}
	l.Link, l.Press = link, mail.L("Confirm this address")
	l.Below = []mail.Line{mail.L("Open the link in the browser in which you are signed in. It works once, within an hour."), mail.L("If you do not know this account, do nothing.")}
	return l
}

func letterMoved(a *idp.Account, old, link string) mail.Letter {
	l := to(a, "mail-address-changed", mail.L("Your mail address was changed"))
	l.To = old
	l.Lines = []mail.Line{mail.L("The account %s has another mail address now. Letters about it no longer come here.", a.Username), mail.L("If that was you, there is nothing to do.")}
	l.Link, l.Press = link, mail.L("It was not me: lock my account")
	l.Below = []mail.Line{mail.L("This signs the account out everywhere and lets nobody in, until the people who run this site open it. The link works for 7 days.")}
	return l
}

func letterLocked(a *idp.Account, lock *idp.Lock) mail.Letter {
	l := to(a, "locked", mail.L("Your account is locked"))
	l.Lines = []mail.Line{mail.L("The account %s was locked at %s. It is signed out everywhere, and nobody can sign in.", a.Username, moment(lock.At))}
	l.Lines = append(l.Lines, opens(lock))
	return l
}

func letterDisabled(a *idp.Account) mail.Letter {
	l := to(a, "disabled", mail.L("Your account is disabled"))
	l.Lines = []mail.Line{mail.L("The people who run this site have disabled the account %s. It is signed out everywhere, and nobody can sign in.", a.Username),
		mail.L("Only the people who run this site can open it. Please ask them.")}
	return l
}

// opens says what opens a lock.
func opens(lock *idp.Lock) mail.Line {
	switch {
	case lock.Kind == idp.LockDevice:
		return mail.L("It opens by itself at %s. Then you can sign in as before.", moment(lock.OpensAt))
	case lock.Kind == idp.LockPassword && lock.OpensAt > lock.At:
		return mail.L("It opens when you set a new password by a letter, which you can do from %s on.", moment(lock.OpensAt))
	case lock.Kind == idp.LockPassword:
		return mail.L("It opens when you set a new password by a letter: use “Forgot your password?” on the sign-in page.")
	}
	return mail.L("Only the people who run this site can open it. Please ask them.")
}
