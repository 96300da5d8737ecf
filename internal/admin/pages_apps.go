package admin

import (
	"cmp"
	"net/url"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/web"
)

func appsPage(c *call, l appList) web.Console {
	p := web.Console{Title: "Apps"}
	t := web.Table{Title: "Apps and APIs", Empty: "There is none yet. Register the first one below.", Head: []web.Words{"Id", "Name", "Kind", "State", "Since"}, More: c.next(l.Next)}
	for _, one := range l.Apps {
		t.Rows = append(t.Rows, []web.Cell{appLink(one.ID), {Text: one.Name}, {Text: string(one.Kind)}, stateCell(one.State), {At: one.Created}})
	}
	p.Tables = []web.Table{t}
	if c.allowed(idp.DutyApps) {
		fields := []web.Field{{Key: "client_id", Label: "Client id", Required: true}, {Key: "kind", Label: "Kind", Kind: "select", Value: "web", Options: []web.Option{{Value: "web", Label: "web: has a server"},
			{Value: "browser", Label: "browser: a single page"}, {Value: "native", Label: "native: mobile or desktop"}, {Value: "machine", Label: "machine: no people"}, {Value: "api", Label: "api: checks tokens"}}}}
		p.Forms = []web.Form{deed(web.Form{Title: "Register", Action: "/admin/apps", Button: "Register", Folded: true, Fields: append(fields, settings(&idp.Client{})...)})}
	}
	return p
}

// settings are the fields of an app that may change.
func settings(c *idp.Client) []web.Field {
	lines := func(l []string) string { return strings.Join(l, "\n") }
	return []web.Field{
		{Key: "name", Label: "Name", Value: c.Name, Hint: "What people read."},
		{Key: "redirect_uris", Label: "Redirect URIs", Kind: "area", Value: lines(c.RedirectURIs), Hint: "Where sign-ins may lead, one to a line."},
		{Key: "post_logout_redirect_uris", Label: "Post-logout redirect URIs", Kind: "area", Value: lines(c.PostLogoutURIs), Hint: "Where sign-outs may lead."},
		{Key: "logout_uris", Label: "Logout URIs", Kind: "area", Value: lines(c.LogoutURIs), Hint: "Where leaving this app only may lead."},
		{Key: "backchannel_logout_uri", Label: "Back-channel logout URI", Value: c.BackchannelLogoutURI, Hint: "Where it is told of sign-outs."},
		{Key: "frontchannel_logout_uri", Label: "Front-channel logout URI", Value: c.FrontchannelLogoutURI},
		{Key: "scopes", Label: "Scopes", Kind: "area", Value: lines(c.Scopes), Hint: "What it may ask for, one to a line."},
		{Key: "audiences", Label: "Audiences", Kind: "area", Value: lines(c.Audiences), Hint: "Which APIs it may ask tokens for; of an API, what it is called in them."},
		{Key: "dpop", Label: "Tokens bound to a key (DPoP)", Kind: "select", Value: cmp.Or(string(c.DPoP), "allowed"), Options: []web.Option{{Value: "allowed", Label: "when it shows one"}, {Value: "required", Label: "always"}, {Value: "off", Label: "never"}}},
		{Key: "bind_address", Label: "Tokens bound to its address", Value: c.BindAddress.String(), Hint: "off, exact, or the prefix lengths of IPv4 and IPv6 as in 24/56."},
		{Key: "first_party", Label: "It is ours: people are not asked for consent", Kind: "check", Checked: c.FirstParty},
		{Key: "offline", Label: "It may act while people are away", Kind: "check", Checked: c.Offline},
		{Key: "await_logout", Label: "A browser that signs out waits for it, for a moment", Kind: "check", Checked: c.AwaitLogout},
		{Key: "backchannel_sid_only", Label: "Its logout tokens name no person", Kind: "check", Checked: c.BackchannelSidOnly},
		{Kind: "hidden", Key: "switches", Value: "first_party offline await_logout backchannel_sid_only"},
	}
}

func appPage(c *call, s appSheet) web.Console {
	at := "/admin/apps/" + url.PathEscape(string(s.ID))
	p := web.Console{Title: s.Name, Warning: untold(s.objection), Facts: []web.Fact{{Label: "Client id", Text: string(s.ID)}, {Label: "Kind", Text: string(s.Kind)}, {Label: "State", Text: s.State, Bad: s.State != operate.Active},
		{Label: "Since", At: s.Created}, about(web.Console{Lead: "People"}.Lead, s.People), {Label: "Shows its secret by", Text: s.AuthMethod}}}
	if s.Registers {
		p.Facts = append(p.Facts, web.Fact{Label: "Registered", Said: "by itself"})
	}
	if s.TwoUntil != nil {
		p.Facts = append(p.Facts, web.Fact{Label: "Two secrets are good until", At: *s.TwoUntil})
	}
	if !c.allowed(idp.DutyApps) || s.State == operate.Deleted {
		for _, f := range settings(s.Client.Client) {
			if f.Label != nil && f.Kind != "check" && f.Value != "" {
				p.Facts = append(p.Facts, web.Fact{Label: f.Label, Text: f.Value})
			}
		}
		return p
	}
	p.Forms = append(p.Forms, deed(web.Form{Title: "Settings", Action: at, Button: "Save", Folded: true, Fields: settings(s.Client.Client)}))
	switch {
	case !s.Confidential():
	case s.TwoUntil != nil:
		p.Forms = append(p.Forms, deed(web.Form{Title: "End the old secret now", Text: "Two secrets are good. This ends the older one.", Action: at + "/secret/end-old", Button: "End the old secret", Danger: false, Folded: true}))
	default:
		p.Forms = append(p.Forms, deed(web.Form{Title: "New secret", Text: "Nobody is signed out.", Action: at + "/secret", Button: "Make a new secret", Folded: true,
			Fields: []web.Field{{Key: "overlap", Label: "The old secret", Kind: "select", Value: overlaps()[0].Value, Options: overlaps()}}}))
	}
	if s.State == operate.Disabled {
		p.Forms = append(p.Forms, deed(web.Form{Title: "Enable", Text: "People may sign in to it again. Nothing that ended comes back.", Action: at + "/enable", Button: "Enable", Danger: false, Folded: true}))
	} else {
		p.Forms = append(p.Forms, deed(web.Form{Title: "End all of its sign-ins", Text: "Of everybody. They may sign in again.", Action: at + "/end", Button: "End all", Danger: true, Folded: true}),
			deed(web.Form{Title: "Disable", Text: "Ends all of its sign-ins, and lets nobody sign in to it.", Action: at + "/disable", Button: "Disable", Danger: true, Folded: true}))
	}
	p.Forms = append(p.Forms, deed(web.Form{Title: "Delete", Text: "For good. You are asked again.", Action: at + "/delete", Button: "Delete", Danger: true, Folded: true}))
	return p
}
