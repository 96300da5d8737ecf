package admin

import (
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/web"
)

// What programs call by a code, people read as words. A code that has none yet is shown as it is.

type verbatim = web.Verbatim

// stateWords are the words for what state people, apps, deliveries and keys are in.
func stateWords(code string) web.Words {
	switch code {
	case "active":
		return "active"
	case "locked":
		return "locked"
	case "disabled":
		return "disabled"
	case "deleted":
		return "deleted"
	case "owed":
		return "owed"
	case "confirmed":
		return "confirmed"
	case "refused":
		return "refused"
	case "out-of-time":
		return "out of time"
	case "given-up":
		return "given up"
	case "cannot-be-told":
		return "cannot be told"
	case "dead":
		return "not attempted any more"
	case "standby":
		return "standing by"
	case "retired":
		return "retired"
	case "killed":
		return "killed"
	}
	return verbatim(code)
}

// kindWords are the words for what kind of app it is, and useWords for what a key signs.
func kindWords(k idp.ClientKind) web.Words {
	switch k {
	case idp.KindWeb:
		return "website with a server"
	case idp.KindBrowser:
		return "page that runs in the browser"
	case idp.KindNative:
		return "mobile or desktop app"
	case idp.KindMachine:
		return "machine, without people"
	case idp.KindAPI:
		return "API"
	}
	return verbatim(k)
}

func useWords(u idp.KeyUse) web.Words {
	switch u {
	case idp.UseAccess:
		return "access tokens"
	case idp.UseID:
		return "ID tokens and logout tokens"
	case idp.UseReceipt:
		return "receipts"
	}
	return verbatim(u)
}

func roleWords(r idp.Role) web.Words {
	switch r {
	case idp.RoleViewer:
		return "viewer"
	case idp.RoleSupport:
		return "support"
	case idp.RoleAdmin:
		return "admin"
	}
	return verbatim(r)
}

// lockWords say what a lock waits for.
func lockWords(k idp.LockKind) web.Words {
	switch k {
	case idp.LockOperator:
		return "until an operator unlocks it"
	case idp.LockPassword:
		return "until a new password by mail, or an operator"
	case idp.LockDevice:
		return "opens by itself"
	}
	return verbatim(k)
}

// happenings are the kinds of events with their words, as a filter offers them.
func happenings() []web.Option {
	out := []web.Option{{Value: "", Label: "any"}}
	for _, k := range idp.EventKinds() {
		out = append(out, web.Option{Value: string(k), Label: eventWords(k)})
	}
	return out
}

// eventWords are the words for what kind of thing happened.
func eventWords(k idp.EventKind) web.Words {
	if said := web.Happened(k); said != nil {
		return said
	}
	return verbatim(k)
}

// deedWords are the words for what an operator did (an event's fact "act").
func deedWords(act string) web.Words {
	switch act {
	case "ended":
		return "ended everything"
	case "session-ended":
		return "ended one session"
	case "locked", "disabled", "deleted", "given-up", "killed":
		return stateWords(act)
	case "unlocked":
		return "unlocked"
	case "enabled":
		return "enabled"
	case "old-secret-ended":
		return "ended the old secret"
	case "owed":
		return "sent again"
	case "key-killed":
		return "killed a key"
	case "restored":
		return "restored a backup"
	case "settings-agreed":
		return "changed what all nodes have in common"
	case operate.ActAsked:
		return "asked a provider again"
	case operate.ActForgone:
		return "gave up taking a consent back"
	}
	return verbatim(act)
}

// factWords are the words for a fact of an event: what it is called, and what it says. nil: it says nothing to people.
func factWords(name, value string) web.Words {
	said := verbatim(value)
	switch name {
	case "act":
		return deedWords(value)
	case "methods":
		if words := web.Methods(strings.Fields(value)); words != nil {
			return words
		}
		return said
	case "role":
		return roleWords(idp.Role(value))
	case "kind":
		if k := idp.LockKind(value); k == idp.LockDevice || k == idp.LockPassword || k == idp.LockOperator {
			return lockWords(k)
		}
		return kindWords(idp.ClientKind(value))
	case "use":
		if value == "" || value == "all" {
			return "all"
		}
		return useWords(idp.KeyUse(value))
	case "was":
		return "was locked already"
	case "new":
		return "New browser or device"
	case "sha256", "after":
		return nil // of a seal: for who verifies it
	case "provider":
		return web.Say("Provider: %s", said)
	case "scopes":
		return web.Say("Scopes: %s", said)
	case "fields":
		return web.Say("Settings: %s", said)
	case "overlap":
		return web.Say("The old secret stays good for %s", verbatim(strings.Replace(value, "h0m0s", "h", 1)))
	case "delivery":
		return web.Say("Delivery %s", said)
	case "session":
		return web.Say("Session %s", said)
	case "revocation":
		return web.Say("Revocation %s", said)
	}
	return web.Say("%s: %s", verbatim(name), said)
}

// actorCell says who did it: an operator of the console by the name, with a link to the person; anything else in words.
func (c *call) actorCell(a idp.Actor, whose idp.AccountID) web.Cell {
	kind, name, _ := strings.Cut(string(a), ":")
	switch kind {
	case "operator":
		if user, id, console := strings.Cut(name, "/"); console {
			return web.Cell{Text: user, To: personAt(idp.AccountID(id))}
		}
		return web.Cell{Said: web.Say("%s, by command", verbatim(name))}
	case "account":
		if idp.AccountID(name) == whose {
			return web.Cell{Said: "the person"}
		}
		return c.personLink(idp.AccountID(name))
	case "client":
		return appLink(idp.ClientID(name))
	case "rule":
		return web.Cell{Said: web.Say("a rule: %s", ruleWords(name))}
	case "stranger":
		return web.Cell{Said: "somebody unknown"}
	}
	return web.Cell{Text: string(a)}
}

func ruleWords(name string) web.Words {
	switch name {
	case "expiry":
		return "expiry"
	case "lock":
		return "the lock was over"
	case "refresh-theft":
		return "a refresh token was stolen"
	case "mail":
		return "letters"
	case "audit":
		return "the audit log is sealed"
	}
	return verbatim(name)
}

// wrongWords say what is wrong with something that was written.
func wrongWords(e *idp.InvalidError) web.Words {
	if e.Pattern == "" {
		return e.Sentence
	}
	return web.Say(e.Pattern, verbatim(e.Quoted))
}
