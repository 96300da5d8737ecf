package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

type clientCmd struct {
	Add  clientAddCmd  `cmd:"" help:"Add an app or an API."`
	List clientListCmd `cmd:"" help:"List apps and APIs."`
	Show clientShowCmd `cmd:"" help:"Show one app or API."`
	End  clientEndCmd  `cmd:"" help:"End everything of an app, for all people."`
}

type app struct {
	ID string `arg:"" help:"The client id."`
}

func (a *app) find(w *world, b *server.Base) (c idp.Client, err error) {
	err = b.Store.View(w.ctx, func(v idp.View) error {
		c, err = v.Client(idp.ClientID(a.ID))
		return err
	})
	if errors.Is(err, idp.ErrNotFound) {
		err = hint(fmt.Errorf("there is no client %q", a.ID), "exeunt client list shows which there are")
	}
	return c, err
}

type clientAddCmd struct {
	app
	Kind        string   `help:"web (has a server), browser (single-page), native (mobile, desktop), machine (no people), api (checks tokens)." enum:"web,browser,native,machine,api" default:"web"`
	Name        string   `help:"What people read. Default: the id." placeholder:"TEXT"`
	Redirect    []string `help:"Where sign-ins may lead. Repeat for several." placeholder:"URI" sep:"none" aliases:"redirect-uri"`
	PostLogout  []string `help:"Where sign-outs may lead (post_logout_redirect_uri)." placeholder:"URI" sep:"none" aliases:"post-logout-uri"`
	LogoutURI   []string `help:"Where leaving this app only may lead (logout_uri)." placeholder:"URI" sep:"none" aliases:"logout"`
	Backchannel string   `help:"Where it is told of sign-outs (backchannel_logout_uri)." placeholder:"URI" aliases:"backchannel-logout-uri"`
	SidOnly     bool     `help:"Leave the person out of what it is told: for an app that would end all of the person's sessions by it."`
	Front       string   `name:"frontchannel" help:"Where it is asked to sign out by a frame in the browser (frontchannel_logout_uri), if it has no --backchannel and the setting is on." placeholder:"URI" aliases:"frontchannel-logout-uri"`
	AwaitLogout bool     `help:"Let a browser that signs out wait until it has confirmed, 800 ms at most."`
	Scope       []string `help:"What it may ask for. Default for apps: openid, profile, email."`
	Audience    []string `help:"Which APIs it may ask tokens for, the first one unasked; of an API: what it is called in tokens." placeholder:"URI" sep:"none"`
	AuthMethod  string   `help:"How it shows its secret: client_secret_basic (in a header) or client_secret_post (in the body). Browser and native apps have none, whatever is said here." enum:"client_secret_basic,client_secret_post" default:"client_secret_basic"`
	IDTokenAlg  string   `help:"The algorithm of its ID tokens. Default: the first of signing_algs." placeholder:"ALG"`
	InspectAlg  string   `name:"introspection-alg" help:"The algorithm of signed introspection answers to it. Default: the first of signing_algs." placeholder:"ALG"`
	FirstParty  bool     `help:"It is ours: people are not asked for consent."`
	Offline     bool     `help:"It may act while people are away (offline_access)."`
	DPoP        string   `name:"dpop" help:"Whether its tokens are bound to a key that it holds (DPoP): allowed (when it shows one), required, or off (for APIs that know bearer tokens only)." enum:"allowed,required,off" default:"allowed"`
	BindAddress string   `help:"How much of its address its tokens are bound to: off, exact, or the prefix lengths of IPv4 and IPv6 as in 24/56. Not for native apps, which move: bind those to a key." placeholder:"HOW"`
}

func (c *clientAddCmd) Run(w *world) error {
	row, err := c.client()
	if err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		for _, alg := range []string{row.IDTokenAlg, row.IntrospectionAlg} {
			if alg != "" && !slices.Contains(b.Config.Algs, alg) {
				return usage("nothing can be signed in "+alg, "signing_algs in the configuration says what there is")
			}
		}
		secret, err := b.AddClient(w.ctx, &row)
		if errors.Is(err, idp.ErrConflict) {
			return hint(fmt.Errorf("there is a client %q already", c.ID), "exeunt client show "+c.ID+" shows it")
		}
		if err != nil {
			return err
		}
		out := map[string]any{"client_id": row.ID, "kind": row.Kind, "issuer": b.Config.Issuer}
		text := ""
		if secret != "" {
			out["client_secret"] = secret
			text = "\nclient_secret: " + secret + "\nThis is the only time that the secret is shown."
		}
		if err := w.done(out, "issuer: %s\nclient_id: %s%s", b.Config.Issuer, row.ID, text); err != nil {
			return err
		}
		if row.FrontchannelLogoutURI != "" && !b.Config.FrontChannel {
			fmt.Fprintln(w.errOut, "note: no app is asked in browsers yet; front_channel: true under apps: in the configuration turns it on")
		}
		return c.nobodyIs(w, b, &row)
	})
}

// nobodyIs says which APIs of an app there are not (yet): a slip of the pen would show only when the API refuses the app's tokens.
func (c *clientAddCmd) nobodyIs(w *world, b *server.Base, row *idp.Client) error {
	if row.Kind == idp.KindAPI || len(row.Audiences) == 0 {
		return nil
	}
	known := slices.Clone(b.Config.Resources)
	err := every(w, b, idp.View.Clients, func(c *idp.Client) string { return string(c.ID) }, func(c *idp.Client) error {
		if c.Kind == idp.KindAPI {
			known = append(known, c.Audiences...)
		}
		return nil
	})
	for _, a := range row.Audiences {
		if err == nil && !slices.Contains(known, a) {
			fmt.Fprintf(w.errOut, "note: no API is called %s yet; exeunt client add ID --kind api --audience %s adds it\n", a, a)
		}
	}
	return err
}

func (c *clientAddCmd) client() (idp.Client, error) {
	if err := idp.ValidClientID(c.ID); err != nil {
		return idp.Client{}, err
	}
	row := idp.Client{
		ID: idp.ClientID(c.ID), Kind: idp.ClientKind(c.Kind), Name: c.Name, AuthMethod: c.AuthMethod, RedirectURIs: c.Redirect,
		PostLogoutURIs: c.PostLogout, LogoutURIs: c.LogoutURI, Scopes: c.Scope, Audiences: c.Audience, FirstParty: c.FirstParty,
		Offline: c.Offline, IDTokenAlg: c.IDTokenAlg, IntrospectionAlg: c.InspectAlg, BackchannelLogoutURI: c.Backchannel, BackchannelLogoutSessionRequired: c.Backchannel != "", AwaitLogout: c.AwaitLogout, BackchannelSidOnly: c.SidOnly,
		FrontchannelLogoutURI: c.Front, FrontchannelLogoutSessionRequired: c.Front != "",
	}
	if row.Name == "" {
		row.Name = c.ID
	}
	if c.DPoP != "allowed" {
		row.DPoP = idp.DPoP(c.DPoP)
	}
	var err error
	if row.BindAddress, err = idp.ParseNetworks(c.BindAddress); err != nil {
		return row, err
	}
	if err := row.ValidBinding(); err != nil {
		return row, err
	}
	people := false
	switch row.Kind {
	case idp.KindBrowser, idp.KindNative:
		row.AuthMethod, people = idp.AuthNone, true
	case idp.KindWeb:
		people = true
	case idp.KindMachine:
		row.GrantTypes = []string{"client_credentials"}
	}
	switch {
	case people && len(row.RedirectURIs) == 0:
		return row, usage("an app that people sign in to needs an address to come back to", "add --redirect https://…")
	case !people && len(row.RedirectURIs)+len(row.PostLogoutURIs)+len(row.LogoutURIs)+len(row.BackchannelLogoutURI)+len(row.FrontchannelLogoutURI) > 0:
		return row, usage("people do not sign in to a client of kind "+c.Kind, "leave the addresses out, or choose another --kind")
	case row.Kind == idp.KindAPI && len(row.Audiences) == 0:
		return row, usage("an API needs the name that tokens for it carry", "add --audience https://…")
	case row.Offline && (!people || row.Kind == idp.KindBrowser):
		return row, usage("a client of kind "+c.Kind+" cannot have offline access", "leave --offline out")
	}
	for _, s := range row.Scopes {
		// RFC 6749 section 3.3.
		if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return row, usage(fmt.Sprintf("%q is no scope: it has visible ASCII characters without quotes and backslashes", s), "repeat --scope for several, or part them by commas")
		}
	}
	if i := slices.IndexFunc(row.Scopes, idp.Power); i >= 0 && row.Kind != idp.KindMachine {
		return row, usage("only a machine may have the scope "+row.Scopes[i]+": it reaches everybody", "give it to a client of its own, with --kind machine")
	}
	for _, list := range [][]string{row.RedirectURIs, row.PostLogoutURIs, row.LogoutURIs} {
		for _, uri := range list {
			if err := idp.ValidRedirectURI(uri, row.Kind); err != nil {
				return row, err
			}
		}
	}
	if row.BackchannelLogoutURI != "" {
		if err := idp.ValidBackchannelURI(row.BackchannelLogoutURI); err != nil {
			return row, err
		}
	} else if row.AwaitLogout || row.BackchannelSidOnly {
		return row, usage("an app that is not told needs neither --await-logout nor --sid-only", "add --backchannel https://…")
	}
	if row.FrontchannelLogoutURI != "" {
		if err := idp.ValidFrontchannelURI(row.FrontchannelLogoutURI, row.RedirectURIs); err != nil {
			return row, err
		}
	}
	if people {
		row.GrantTypes = []string{"authorization_code", "refresh_token"}
		if len(row.Scopes) == 0 {
			row.Scopes = []string{"openid", "profile", "email"}
		}
		if row.Offline && !slices.Contains(row.Scopes, "offline_access") {
			row.Scopes = append(row.Scopes, "offline_access")
		}
	}
	return row, nil
}

type clientListCmd struct{}

func clientLine(c *idp.Client) string {
	if c.Disabled {
		return "ended"
	}
	return "active"
}

func (c *clientListCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		out := w.list("ID", "KIND", "STATE", "NAME", "CREATED")
		err := every(w, b, idp.View.Clients, func(c *idp.Client) string { return string(c.ID) }, func(c *idp.Client) error {
			return out.add(clientJSON(c), string(c.ID), string(c.Kind), clientLine(c), c.Name, stamp(c.CreatedAt))
		})
		if err != nil {
			return err
		}
		return out.print()
	})
}

type clientView struct {
	*idp.Client
	State     string `json:"state"`
	CreatedAt string `json:"created_at"`
}

func clientJSON(c *idp.Client) clientView { return clientView{c, clientLine(c), stamp(c.CreatedAt)} }

type clientShowCmd struct{ app }

func (c *clientShowCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		row, err := c.find(w, b)
		if err != nil {
			return err
		}
		words := func(list []string) string { return strings.Join(list, " ") }
		return w.show(clientJSON(&row), []string{"id", string(row.ID)}, []string{"kind", string(row.Kind)}, []string{"state", clientLine(&row)}, []string{"name", row.Name},
			[]string{"authentication", row.AuthMethod}, []string{"grant types", words(row.GrantTypes)}, []string{"scopes", words(row.Scopes)}, []string{"audiences", words(row.Audiences)},
			[]string{"redirect URIs", words(row.RedirectURIs)}, []string{"post-logout URIs", words(row.PostLogoutURIs)}, []string{"logout URIs", words(row.LogoutURIs)},
			[]string{"told of sign-outs at", cmp.Or(row.BackchannelLogoutURI, "nowhere: it cannot be told")}, []string{"asked in browsers at", cmp.Or(row.FrontchannelLogoutURI, "nowhere")},
			[]string{"first party", fmt.Sprint(row.FirstParty)}, []string{"offline", fmt.Sprint(row.Offline)},
			[]string{"bound to a key", cmp.Or(string(row.DPoP), "allowed")}, []string{"bound to its address", row.BindAddress.String()}, []string{"created", stamp(row.CreatedAt)})
	})
}

type clientEndCmd struct {
	app
	reason
	Disable bool `help:"For good: let nobody sign in to it any more, either. There is no way back."`
}

func (c *clientEndCmd) Run(w *world) error {
	why, err := c.cause(idp.CauseClientEnded)
	if err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		row, err := c.find(w, b)
		if err != nil {
			return err
		}
		if row.Disabled && !c.Disable {
			return fmt.Errorf("%s was ended for good", row.ID)
		}
		r, err := b.Door().End(w.ctx, idp.EndClient(row.ID, c.Disable), why)
		if err != nil {
			return err
		}
		done := "ended"
		if c.Disable {
			done = "ended for good"
		}
		return w.ended(b, r, c.ID, done, map[string]any{"disabled": c.Disable})
	})
}
