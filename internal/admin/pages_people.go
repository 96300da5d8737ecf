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

func overviewPage(_ *call, o operate.Overview) web.Console {
	p := web.Console{Title: "Overview"}
	oldest := web.Fact{Label: "Oldest owed", Said: "none"}
	if o.Oldest != nil {
		oldest = web.Fact{Label: "Oldest owed", At: *o.Oldest, Bad: o.As.Sub(*o.Oldest).Minutes() > 5}
	}
	label := []web.Words{"Sessions", "Deliveries owed", "Deliveries that nobody attempts any more"}
	dead := about(label[2], o.Dead)
	dead.Bad = o.Dead.N > 0
	p.Facts = []web.Fact{
		{Label: "Endings that guards hold", Text: strconv.FormatInt(o.Held, 10)},
		{Label: "Endings in the ledger", Text: number(o.Endings)},
		about(label[0], o.Sessions),
		about(label[1], o.Owed),
		oldest,
		dead,
		{Label: "Sign-outs that are being worked out", Text: strconv.FormatInt(o.Working, 10)},
	}
	var bars []web.Bar
	good, wrong := int64(0), int64(0)
	for _, h := range o.Hours {
		bars = append(bars, web.Bar{Label: h.From.UTC().Format("15:04 UTC"), Good: h.SignIns.N, Wrong: h.Failed.N})
		good, wrong = good+h.SignIns.N, wrong+h.Failed.N
	}
	said := web.Say("%s sign-ins, %s failures", strconv.FormatInt(good, 10), strconv.FormatInt(wrong, 10))
	p.Charts = []web.Chart{web.NewChart(web.Console{Title: "Sign-ins of the last 24 hours"}.Title, said, bars)}
	guards := web.Table{Title: "Guards connected to this node", Empty: "No API follows the ledger here just now.", Head: []web.Words{"API", "Streams", "Behind", "Last question"}}
	for _, g := range o.Guards {
		asked := web.Cell{Said: "none"}
		if g.Asked != nil {
			asked = web.Cell{At: *g.Asked}
		}
		behind := web.Cell{Text: number(g.Behind)}
		if g.Behind > 0 {
			behind.Tag = "bad"
		}
		guards.Rows = append(guards.Rows, []web.Cell{appLink(g.ClientID), {Text: strconv.Itoa(g.Streams)}, behind, asked})
	}
	p.Tables = []web.Table{guards}
	return p
}

func peoplePage(c *call, l peopleList) web.Console {
	p := web.Console{Title: "People", Filter: &web.Form{Action: "/admin/people", Button: "Search", Fields: []web.Field{
		{Key: "username", Label: "Username begins with", Value: l.filter.Prefix},
		{Key: "state", Label: "State", Kind: "select", Value: string(l.filter.State), Options: []web.Option{{Value: "", Label: "any"}, {Value: "active", Label: "active"}, {Value: "locked", Label: "locked"}, {Value: "disabled", Label: "disabled"}, {Value: "deleted", Label: "deleted"}}}}}}
	t := web.Table{Title: "People", Empty: "Nobody is like that.", Head: []web.Words{"Username", "Name", "State", "Since"}, More: c.next(l.Next)}
	for _, one := range l.People {
		t.Rows = append(t.Rows, []web.Cell{{Text: one.Username, To: "/admin/people/" + url.PathEscape(string(one.Subject))}, {Text: one.Name}, stateCell(string(one.State)), {At: one.Created}})
	}
	p.Tables = []web.Table{t}
	return p
}

func personPage(c *call, s personSheet) web.Console {
	at := "/admin/people/" + url.PathEscape(string(s.Subject))
	p := web.Console{Title: s.Username, Facts: []web.Fact{{Label: "Id", Text: string(s.Subject)}, {Label: "State", Text: string(s.State), Bad: s.State != idp.AccountActive}}}
	for _, f := range []web.Fact{{Label: "Name", Text: s.Name}, {Label: "Mail", Text: s.Email}} {
		if f.Text != "" {
			p.Facts = append(p.Facts, f)
		}
	}
	p.Facts = append(p.Facts, web.Fact{Label: "Since", At: s.Created})
	if s.Role != "" {
		p.Facts = append(p.Facts, web.Fact{Label: "Operator", Text: string(s.Role), To: "/admin/operators"})
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
	receipts, events := receiptTable(s.Receipts), eventTable(lines)
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
		add(idp.DutyEnd, deed(web.Form{Title: "Sign out everywhere", Text: "Ends all sessions and everything that apps have. The person may sign in again.", Action: at + "/end", Button: "Sign out everywhere", Danger: false, Folded: true}))
		add(idp.DutyPeople, deed(web.Form{Title: "Lock", Text: "Signs out everywhere and lets nobody in until it is unlocked.", Action: at + "/lock", Button: "Lock", Danger: true, Folded: true}))
	case idp.AccountLocked:
		add(idp.DutyUnlock, deed(web.Form{Title: "Unlock", Text: "Lets the person sign in again. Nothing that ended comes back.", Action: at + "/unlock", Button: "Unlock", Danger: false, Folded: true}))
	case idp.AccountDisabled:
		add(idp.DutyPeople, deed(web.Form{Title: "Enable", Text: "Lets the person sign in again. Nothing that ended comes back.", Action: at + "/enable", Button: "Enable", Danger: false, Folded: true}))
	}
	if s.State == idp.AccountActive || s.State == idp.AccountLocked {
		add(idp.DutyPeople, deed(web.Form{Title: "Disable", Text: "Signs out everywhere and lets nobody in until an admin enables it.", Action: at + "/disable", Button: "Disable", Danger: true, Folded: true}))
	}
	if s.State != idp.AccountDeleted {
		add(idp.DutyPeople, deed(web.Form{Title: "Delete", Text: "Signs out everywhere, for good. You are asked again.", Action: at + "/delete", Button: "Delete", Danger: true, Folded: true}))
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
		row := []web.Cell{{Said: web.DeviceWords(s.UserAgent)}, {Text: s.IP}, {At: s.Created}, {At: s.LastSeen}, {Text: strings.Join(apps, ", ")}}
		if c.allowed(idp.DutyEnd) {
			f := web.Form{ID: "session" + strconv.Itoa(i), Action: at + "/sessions/" + url.PathEscape(s.ID) + "/end", Button: "End", Reason: true, CSRF: c.csrf, Nonce: idp.NewSecret(16)}
			row = append(row, web.Cell{Form: &f})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func sessionsPage(c *call, l sessionList) web.Console {
	at := "/admin/people/" + url.PathEscape(string(l.person.Subject))
	return web.Console{Title: web.Say("Sessions of %s", l.person.Username), Back: at, Tables: []web.Table{sessionTable(c, at, l.Sessions, c.next(l.Next))}}
}

func operatorsPage(c *call, l operatorList) web.Console {
	p := web.Console{Title: "Operators", Lead: "A viewer reads. Support ends sessions, unlocks and resends. An admin does everything."}
	t := web.Table{Title: "Operators", Empty: "There is none.", Head: []web.Words{"Username", "Role", "Given by", "At", "Why"}, More: c.next(l.Next)}
	if c.allowed(idp.DutyRoles) {
		t.Head = append(t.Head, []web.Words{"Remove"}...)
	}
	for i, o := range l.Operators {
		row := []web.Cell{{Text: o.Username, To: "/admin/people/" + url.PathEscape(string(o.Subject))}, {Text: string(o.Role)}, {Text: string(o.GivenBy)}, {At: o.GivenAt}, {Text: o.Why}}
		if c.allowed(idp.DutyRoles) {
			f := web.Form{ID: "operator" + strconv.Itoa(i), Action: "/admin/operators/" + url.PathEscape(string(o.Subject)) + "/remove", Button: "Remove", Reason: true, CSRF: c.csrf, Nonce: idp.NewSecret(16)}
			row = append(row, web.Cell{Form: &f})
		}
		t.Rows = append(t.Rows, row)
	}
	p.Tables = []web.Table{t}
	if c.allowed(idp.DutyRoles) {
		p.Forms = []web.Form{deed(web.Form{Title: "Give a role", Action: "/admin/operators", Button: "Give", Fields: []web.Field{{Key: "username", Label: "Username", Required: true},
			{Key: "role", Label: "Role", Kind: "select", Value: "viewer", Options: []web.Option{{Value: "viewer", Label: "viewer"}, {Value: "support", Label: "support"}, {Value: "admin", Label: "admin"}}}}})}
	}
	return p
}
