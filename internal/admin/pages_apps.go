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
	t := web.Table{Title: "Apps and APIs", Empty: "There is none yet. An admin registers the first one here, or by command.", Head: []web.Words{"Name", "Id", "Kind", "State", "Since"}, More: c.next(l.Next)}
	for _, one := range l.Apps {
		t.Rows = append(t.Rows, []web.Cell{{Text: one.Name, To: appLink(one.ID).To}, {Text: string(one.ID)}, {Said: kindWords(one.Kind)}, stateCell(one.State), {At: one.Created}})
	}
	p.Tables = []web.Table{t}
	if c.allowed(idp.DutyApps) {
		p.Forms = []web.Form{registerForm()}
	}
	return p
}

func registerForm() web.Form {
	kind := web.Field{Key: "kind", Label: "Kind", Kind: "select", Value: string(idp.KindWeb)}
	for _, k := range []idp.ClientKind{idp.KindWeb, idp.KindBrowser, idp.KindNative, idp.KindMachine, idp.KindAPI} {
		kind.Options = append(kind.Options, web.Option{Value: string(k), Label: kindWords(k)})
	}
	id := web.Field{Key: "client_id", Label: "Client id", Required: true, Hint: "It never changes: short, of letters, digits and dashes."}
	return deed(web.Form{Title: "Register an app", Action: "/admin/apps", Button: "Register", Folded: true, Fields: append([]web.Field{id, kind}, settings(&idp.Client{})...)})
}

func changeForm(at string, c *idp.Client) web.Form {
	return deed(web.Form{Title: "Settings", Action: at, Button: "Save", Folded: true, Fields: settings(c)})
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
		{Key: "access_token_life", Label: "Life of access tokens", Value: c.AccessLife.String(), Hint: "Such as 1m, to make it shorter than this server's. Empty: as this server's."},
		{Key: "first_party", Label: "It is ours: people are not asked for consent", Kind: "check", Checked: c.FirstParty},
		{Key: "offline", Label: "It may act while people are away", Kind: "check", Checked: c.Offline},
		{Key: "await_logout", Label: "A browser that signs out waits for it, for a moment", Kind: "check", Checked: c.AwaitLogout},
		{Key: "backchannel_sid_only", Label: "Its logout tokens name no person", Kind: "check", Checked: c.BackchannelSidOnly},
		{Kind: "hidden", Key: "switches", Value: "first_party offline await_logout backchannel_sid_only"},
	}
}

func appPage(c *call, s appSheet) web.Console {
	at := "/admin/apps/" + url.PathEscape(string(s.ID))
	p := web.Console{Title: s.Name, Warning: untold(s.objection), Facts: []web.Fact{{Label: "Client id", Text: string(s.ID)}, {Label: "Kind", Said: kindWords(s.Kind)}, {Label: "State", Said: stateWords(s.State), Bad: s.State != operate.Active},
		{Label: "Since", At: s.Created}, about(web.Fact{Label: "People"}.Label, s.People, ""), {Label: "Secret", Said: "none"}}}
	if s.Confidential() {
		p.Facts[len(p.Facts)-1] = web.Fact{Label: "Shows its secret by", Text: s.AuthMethod}
	}
	if s.BackchannelLogoutURI != "" {
		p.Facts = append(p.Facts, web.Fact{Label: "Deliveries", Said: "what is owed, and what was given up", To: "/admin/deliveries?client_id=" + url.QueryEscape(string(s.ID))})
	}
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
	p.Forms = append(p.Forms, changeForm(at, s.Client.Client))
	switch {
	case !s.Confidential():
	case s.TwoUntil != nil:
		p.Forms = append(p.Forms, deed(web.Form{Title: "End the old secret now", Text: "Two secrets are good. This ends the older one.", Action: at + "/secret/end-old", Button: "End the old secret", Folded: true}))
	default:
		p.Forms = append(p.Forms, deed(web.Form{Title: "New secret", Text: "Nobody is signed out.", Action: at + "/secret", Button: "Make a new secret", Folded: true,
			Fields: []web.Field{{Key: "overlap", Label: "The old secret", Kind: "select", Value: overlaps()[0].Value, Options: overlaps()}}}))
	}
	if s.State == operate.Disabled {
		p.Forms = append(p.Forms, deed(web.Form{Title: "Enable", Text: "People may sign in to it again. Nothing that ended comes back.", Action: at + "/enable", Button: "Enable", Folded: true}))
	} else {
		p.Forms = append(p.Forms, deed(web.Form{Title: "End all of its sign-ins", Text: "Of everybody. They may sign in again.", Action: at + "/end", Button: "End all", Danger: true, Folded: true}),
			deed(web.Form{Title: "Disable", Text: "Ends all of its sign-ins, and lets nobody sign in to it.", Action: at + "/disable", Button: "Disable", Danger: true, Folded: true}))
	}
	p.Forms = append(p.Forms, deed(web.Form{Title: "Delete", Text: "For good. You are asked again.", Action: at + "/delete", Button: "Delete", Danger: true, Folded: true}))
	return p
}
