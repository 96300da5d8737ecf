package admin

import (
	"net/url"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/web"
)

func appsPage(c *call, l appList) web.Console {
	p := web.Console{Title: "Apps"}
	t := web.Table{Title: "Apps and APIs", Empty: "There is none yet. Register the first one below.", Head: []string{"Id", "Name", "Kind", "State", "Since"}, More: c.next(l.Next)}
	for _, one := range l.Apps {
		t.Rows = append(t.Rows, []web.Cell{appLink(one.ID), {Text: one.Name}, {Word: string(one.Kind)}, stateCell(one.State), {At: one.Created}})
	}
	p.Tables = []web.Table{t}
	if c.allowed(idp.DutyApps) {
		fields := []web.Field{{Name: "client_id", Label: "Client id", Required: true}, {Name: "kind", Label: "Kind", Kind: "select", Value: "web", Options: [][2]string{{"web", "web: has a server"},
			{"browser", "browser: a single page"}, {"native", "native: mobile or desktop"}, {"machine", "machine: no people"}, {"api", "api: checks tokens"}}}}
		p.Forms = []web.Form{deed("Register", "", "/admin/apps", "Register", false, append(fields, settings(&idp.Client{})...)...)}
	}
	return p
}

// settings are the fields of an app that may change.
func settings(c *idp.Client) []web.Field {
	lines := func(l []string) string { return strings.Join(l, "\n") }
	return []web.Field{
		{Name: "name", Label: "Name", Value: c.Name, Hint: "What people read."},
		{Name: "redirect_uris", Label: "Redirect URIs", Kind: "area", Value: lines(c.RedirectURIs), Hint: "Where sign-ins may lead, one to a line."},
		{Name: "post_logout_redirect_uris", Label: "Post-logout redirect URIs", Kind: "area", Value: lines(c.PostLogoutURIs), Hint: "Where sign-outs may lead."},
		{Name: "logout_uris", Label: "Logout URIs", Kind: "area", Value: lines(c.LogoutURIs), Hint: "Where leaving this app only may lead."},
		{Name: "backchannel_logout_uri", Label: "Back-channel logout URI", Value: c.BackchannelLogoutURI, Hint: "Where it is told of sign-outs."},
		{Name: "frontchannel_logout_uri", Label: "Front-channel logout URI", Value: c.FrontchannelLogoutURI},
		{Name: "scopes", Label: "Scopes", Kind: "area", Value: lines(c.Scopes), Hint: "What it may ask for, one to a line."},
		{Name: "audiences", Label: "Audiences", Kind: "area", Value: lines(c.Audiences), Hint: "Which APIs it may ask tokens for; of an API, what it is called in them."},
		{Name: "first_party", Label: "It is ours: people are not asked for consent", Kind: "check", Checked: c.FirstParty},
		{Name: "offline", Label: "It may act while people are away", Kind: "check", Checked: c.Offline},
		{Name: "await_logout", Label: "A browser that signs out waits for it, for a moment", Kind: "check", Checked: c.AwaitLogout},
		{Name: "backchannel_sid_only", Label: "Its logout tokens name no person", Kind: "check", Checked: c.BackchannelSidOnly},
		{Kind: "hidden", Name: "switches", Value: "first_party offline await_logout backchannel_sid_only"},
	}
}

func appPage(c *call, s appSheet) web.Console {
	at := "/admin/apps/" + url.PathEscape(string(s.ID))
	p := web.Console{Title: s.Name, Warning: s.Warning, Facts: []web.Fact{{Label: "Client id", Text: string(s.ID)}, {Label: "Kind", Text: string(s.Kind)}, {Label: "State", Text: s.State, Bad: s.State != operate.Active},
		{Label: "Since", At: s.Created}, {Label: "People", Text: counted(s.People)}, {Label: "Shows its secret by", Text: s.AuthMethod}}}
	if s.Registers {
		p.Facts = append(p.Facts, web.Fact{Label: "Registered", Text: "by itself"})
	}
	if s.TwoUntil != nil {
		p.Facts = append(p.Facts, web.Fact{Label: "Two secrets are good until", At: *s.TwoUntil})
	}
	if !c.allowed(idp.DutyApps) || s.State == operate.Deleted {
		for _, f := range settings(s.Client.Client) {
			if f.Label != "" && f.Kind != "check" && f.Value != "" {
				p.Facts = append(p.Facts, web.Fact{Label: f.Label, Text: f.Value})
			}
		}
		return p
	}
	p.Forms = append(p.Forms, deed("Settings", "", at, "Save", false, settings(s.Client.Client)...))
	switch {
	case !s.Confidential():
	case s.TwoUntil != nil:
		p.Forms = append(p.Forms, deed("End the old secret now", "Two secrets are good. This ends the older one.", at+"/secret/end-old", "End the old secret", false))
	default:
		p.Forms = append(p.Forms, deed("New secret", "Nobody is signed out.", at+"/secret", "Make a new secret", false,
			web.Field{Name: "overlap", Label: "The old secret", Kind: "select", Value: overlaps()[0][0], Options: overlaps()}))
	}
	if s.State == operate.Disabled {
		p.Forms = append(p.Forms, deed("Enable", "People may sign in to it again. Nothing that ended comes back.", at+"/enable", "Enable", false))
	} else {
		p.Forms = append(p.Forms, deed("End all of its sign-ins", "Of everybody. They may sign in again.", at+"/end", "End all", true),
			deed("Disable", "Ends all of its sign-ins, and lets nobody sign in to it.", at+"/disable", "Disable", true))
	}
	p.Forms = append(p.Forms, deed("Delete", "For good. You are asked again.", at+"/delete", "Delete", true))
	return p
}
