package admin

import (
	"net/url"
	"strconv"
	"strings"

	"exeunt.dev/internal/audit"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/web"
)

func peoplePage(c *call, l peopleList) web.Console {
	p := web.Console{Title: "People", Filter: &web.Form{Action: "/admin/people", Button: "Search", Fields: []web.Field{
		{Key: "username", Label: "Username begins with", Value: l.filter.Prefix},
		{Key: "state", Label: "State", Kind: "select", Value: string(l.filter.State), Options: states("active", "locked", "disabled", "deleted")}}}}
	t := web.Table{Title: "People", Empty: "Nobody is like that. Write less of the name, or choose any state.", Head: []web.Words{"Username", "Name", "State", "Since"}, More: c.next(l.Next)}
	for _, one := range l.People {
		t.Rows = append(t.Rows, []web.Cell{{Text: one.Username, To: "/admin/people/" + url.PathEscape(string(one.Subject))}, {Text: one.Name}, stateCell(string(one.State)), {At: one.Created}})
	}
	p.Tables = []web.Table{t}
	return p
}

func personPage(c *call, s personSheet) web.Console {
	at := "/admin/people/" + url.PathEscape(string(s.Subject))
	p := web.Console{Title: s.Username, Facts: []web.Fact{{Label: "Id", Text: string(s.Subject)}, {Label: "State", Said: stateWords(string(s.State)), Bad: s.State != idp.AccountActive}}}
	if s.Lock != nil {
		p.Facts = append(p.Facts, lockFacts(s.Lock)...)
	}
	for _, f := range []web.Fact{{Label: "Name", Text: s.Name}, {Label: "Mail", Text: s.Email}} {
		if f.Text != "" {
			p.Facts = append(p.Facts, f)
		}
	}
	p.Facts = append(p.Facts, web.Fact{Label: "Since", At: s.Created})
	if s.Role != "" {
		p.Facts = append(p.Facts, web.Fact{Label: "Operator", Said: roleWords(s.Role), To: "/admin/operators"})
	}
	more := ""
	if s.More != "" {
		more = at + "/sessions"
	}
	apps := web.Table{Title: "Apps", Empty: "No app was allowed anything.", Head: []web.Words{"App", "May"}}
	for _, one := range s.Apps {
		apps.Rows = append(apps.Rows, []web.Cell{appLink(one.ClientID), {Text: strings.Join(one.Scopes, " ")}})
	}
	lines := make([]audit.Line, len(s.events))
	for i := range s.events {
		lines[i] = audit.Show(&s.events[i])
	}
	receipts, events := c.receiptTable(s.Receipts, true), c.eventTable(lines, true)
	if len(s.Receipts) == few {
		receipts.All = "/admin/receipts?sub=" + url.QueryEscape(string(s.Subject))
	}
	if len(s.events) == few {
		events.All = "/admin/events?sub=" + url.QueryEscape(string(s.Subject))
	}
	sessions := sessionTable(c, at, s.Sessions, "")
	sessions.All = more
	p.Tables = []web.Table{sessions, apps, receipts, events}
	p.Forms = personForms(c, at, &s)
	return p
}

func personForms(c *call, at string, s *personSheet) (out []web.Form) {
	add := func(d idp.Duty, f web.Form) {
		if c.allowed(d) {
			out = append(out, f)
		}
	}
	switch s.State {
	case idp.AccountActive:
		add(idp.DutyEnd, deed(web.Form{Title: "Sign out everywhere", Text: "Ends all sessions and everything that apps have. The person may sign in again.", Action: at + "/end", Button: "Sign out everywhere", Folded: true}))
		add(idp.DutyPeople, lockForm(at, web.Form{Text: "Signs out everywhere and lets nobody in until the lock opens."}))
	case idp.AccountLocked:
		add(idp.DutyUnlock, deed(web.Form{Title: "Unlock", Text: "Lets the person sign in again. Nothing that ended comes back.", Action: at + "/unlock", Button: "Unlock", Folded: true}))
		if s.Lock == nil || s.Lock.Kind != idp.LockOperator {
			add(idp.DutyPeople, lockForm(at, web.Form{Text: "It is locked. A stronger lock takes the place of this one; a weaker one changes nothing."}))
		}
	case idp.AccountDisabled:
		add(idp.DutyPeople, deed(web.Form{Title: "Enable", Text: "Lets the person sign in again. Nothing that ended comes back.", Action: at + "/enable", Button: "Enable", Folded: true}))
	}
	if s.State == idp.AccountActive || s.State == idp.AccountLocked {
		add(idp.DutyPeople, deed(web.Form{Title: "Disable", Text: "Signs out everywhere and lets nobody in until an admin enables it.", Action: at + "/disable", Button: "Disable", Danger: true, Folded: true}))
	}
	if s.State != idp.AccountDeleted {
		add(idp.DutyPeople, deed(web.Form{Title: "Delete", Text: "Signs out everywhere, for good. You are asked again.", Action: at + "/delete", Button: "Delete", Danger: true, Folded: true}))
	}
	return out
}

func lockForm(at string, f web.Form) web.Form {
	kind := web.Field{Key: "kind", Label: "What opens it", Kind: "select", Value: string(idp.LockOperator), Options: []web.Option{
		{Value: string(idp.LockOperator), Label: "an operator, nothing else"},
		{Value: string(idp.LockPassword), Label: "somebody has the password: a new one by mail opens it"},
		{Value: string(idp.LockDevice), Label: "a device is lost: it opens by itself"}}}
	length := web.Field{Key: "for", Label: "If a device is lost: for how long", Hint: "Such as 12h. Empty: as long as a token may live, and a minute."}
	return deed(web.Form{Title: "Lock", Text: f.Text, Action: at + "/lock", Button: "Lock", Danger: true, Folded: true, Fields: []web.Field{kind, length}})
}

func lockFacts(l *operate.Held) []web.Fact {
	f := web.Fact{Label: "Locked", Said: lockWords(l.Kind), Bad: true}
	switch {
	case l.Opens == nil:
	case l.Kind == idp.LockDevice:
		f.At = *l.Opens
	default:
		return []web.Fact{f, {Label: "No letter opens it before", At: *l.Opens}}
	}
	return []web.Fact{f}
}

// states are the options of a filter.
func states(codes ...string) []web.Option {
	out := []web.Option{{Value: "", Label: "any"}}
	for _, code := range codes {
		out = append(out, web.Option{Value: code, Label: stateWords(code)})
	}
	return out
}

func sessionTable(c *call, at string, all []operate.Session, more string) web.Table {
	t := web.Table{Title: "Sessions", Empty: "Not signed in anywhere.", Head: []web.Words{"Device", "Address", "Since", "Last seen", "Apps"}, More: more}
	if c.allowed(idp.DutyEnd) {
		t.Head = append(t.Head, []web.Words{"End"}...)
	}
	for i, s := range all {
		var apps []string
		for _, a := range s.Apps {
			apps = append(apps, string(a))
		}
		row := []web.Cell{{Said: web.DeviceWords(s.UserAgent), To: at + "/sessions/" + url.PathEscape(s.ID)}, {Text: s.IP}, {At: s.Created}, {At: s.LastSeen}, {Text: strings.Join(apps, ", ")}}
		if c.allowed(idp.DutyEnd) {
			f := web.Form{ID: "session" + strconv.Itoa(i), Action: at + "/sessions/" + url.PathEscape(s.ID) + "/end", Button: "End", Reason: true, CSRF: c.csrf, Nonce: idp.NewSecret(16)}
			row = append(row, web.Cell{Form: &f})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func sessionPage(c *call, s sessionSheet) web.Console {
	person := aboutPerson(c)
	p := web.Console{Title: web.Say("Session %s", verbatim(s.ID)), Back: person, Facts: []web.Fact{{Label: "Person", Text: s.person.Username, To: person}, {Label: "Device", Said: web.DeviceWords(s.UserAgent)}, {Label: "Address", Text: s.IP},
		{Label: "Signed in by", Said: web.Methods(s.Methods, s.Providers...)}, {Label: "Since", At: s.Created}, {Label: "Last seen", At: s.LastSeen}, {Label: "Proved who they are", At: s.AuthTime}, {Label: "Ends by itself", At: s.Expires}}}
	apps := web.Table{Title: "Apps", Empty: "No app was entered in it.", Head: []web.Words{"App"}}
	for _, id := range s.Apps {
		apps.Rows = append(apps.Rows, []web.Cell{appLink(id)})
	}
	p.Tables = []web.Table{apps}
	if c.allowed(idp.DutyEnd) {
		p.Forms = []web.Form{deed(web.Form{Title: "End this session", Text: "And everything that apps have of it. The person may sign in again.", Action: person + "/sessions/" + url.PathEscape(s.ID) + "/end", Button: "End"})}
	}
	return p
}

func sessionsPage(c *call, l sessionList) web.Console {
	at := "/admin/people/" + url.PathEscape(string(l.person.Subject))
	return web.Console{Title: web.Say("Sessions of %s", verbatim(l.person.Username)), Back: at, Tables: []web.Table{sessionTable(c, at, l.Sessions, c.next(l.Next))}}
}

func operatorsPage(c *call, l operatorList) web.Console {
	p := web.Console{Title: "Operators", Lead: "A viewer reads. Support ends sessions, unlocks and resends. An admin does everything."}
	t := web.Table{Title: "Operators", Empty: "There is none. exeunt operator add makes the first one.", Head: []web.Words{"Username", "Role", "Given by", "At", "Why"}, More: c.next(l.Next)}
	if c.allowed(idp.DutyRoles) {
		t.Head = append(t.Head, []web.Words{"Remove"}...)
	}
	for i, o := range l.Operators {
		row := []web.Cell{{Text: o.Username, To: "/admin/people/" + url.PathEscape(string(o.Subject))}, {Said: roleWords(o.Role)}, c.actorCell(o.GivenBy, ""), {At: o.GivenAt}, {Text: o.Why}}
		if c.allowed(idp.DutyRoles) {
			f := web.Form{ID: "operator" + strconv.Itoa(i), Action: "/admin/operators/" + url.PathEscape(string(o.Subject)) + "/remove", Button: "Remove", Reason: true, CSRF: c.csrf, Nonce: idp.NewSecret(16)}
			row = append(row, web.Cell{Form: &f})
		}
		t.Rows = append(t.Rows, row)
	}
	p.Tables = []web.Table{t}
	if c.allowed(idp.DutyRoles) {
		p.Forms = []web.Form{roleForm()}
	}
	return p
}

func roleForm() web.Form {
	role := web.Field{Key: "role", Label: "Role", Kind: "select", Value: string(idp.RoleViewer)}
	for _, r := range []idp.Role{idp.RoleViewer, idp.RoleSupport, idp.RoleAdmin} {
		role.Options = append(role.Options, web.Option{Value: string(r), Label: roleWords(r)})
	}
	return deed(web.Form{Title: "Give a role", Action: "/admin/operators", Button: "Give", Fields: []web.Field{{Key: "username", Label: "Username", Required: true}, role}})
}
