package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
)

type clientCmd struct {
	Add     clientAddCmd     `cmd:"" help:"Add an app or an API."`
	List    clientListCmd    `cmd:"" help:"List apps and APIs."`
	Show    clientShowCmd    `cmd:"" help:"Show one app or API."`
	Change  clientChangeCmd  `cmd:"" help:"Change what is known of an app; its sign-ins go on."`
	Secret  clientSecretCmd  `cmd:"" help:"Give an app a new secret."`
	End     clientEndCmd     `cmd:"" help:"End everything of an app, for all people, once."`
	Disable clientDisableCmd `cmd:"" help:"End everything of an app and let nobody sign in to it until enable."`
	Enable  clientEnableCmd  `cmd:"" help:"Let people sign in to a disabled app again."`
	Delete  clientDeleteCmd  `cmd:"" help:"End everything of an app, for good."`
}

type app struct {
	ID string `arg:"" help:"The client id."`
}

func (a *app) find(w *world, b *server.Base) (c idp.Client, err error) {
	err = b.Store.View(w.ctx, func(v idp.View) error {
		c, err = v.Client(idp.ClientID(a.ID))
		return err
	})
	return c, a.missing(err)
}

func (a *app) missing(err error) error {
	if errors.Is(err, idp.ErrNotFound) {
		return idp.Advise(fmt.Errorf("there is no client %q", a.ID), "exeunt client list shows which there are")
	}
	return err
}

// settings are the flags that say what an app is. One that is not given says nothing.
type settings struct {
	Name        *string  `help:"What people read. Default: the id." placeholder:"TEXT"`
	Redirect    []string `help:"Where sign-ins may lead. Repeat for several." placeholder:"URI" sep:"none" aliases:"redirect-uri"`
	PostLogout  []string `help:"Where sign-outs may lead (post_logout_redirect_uri)." placeholder:"URI" sep:"none" aliases:"post-logout-uri"`
	LogoutURI   []string `help:"Where leaving this app only may lead (logout_uri)." placeholder:"URI" sep:"none" aliases:"logout"`
	Backchannel *string  `help:"Where it is told of sign-outs (backchannel_logout_uri)." placeholder:"URI" aliases:"backchannel-logout-uri"`
	SidOnly     *bool    `negatable:"" help:"Leave the person out of what it is told: for an app that would end all of the person's sessions by it."`
	Front       *string  `name:"frontchannel" help:"Where it is asked to sign out by a frame in the browser (frontchannel_logout_uri), if it has no --backchannel and the setting is on." placeholder:"URI" aliases:"frontchannel-logout-uri"`
	AwaitLogout *bool    `negatable:"" help:"Let a browser that signs out wait until it has confirmed, 800 ms at most."`
	Scope       []string `help:"What it may ask for. Default for apps: openid, profile, email. Of an API: what it takes, so that a slip of the pen in an app's is noticed."`
	Audience    []string `help:"Which APIs it may ask tokens for, the first one unasked; of an API: what it is called in tokens." placeholder:"URI" sep:"none"`
	AuthMethod  *string  `help:"How it shows its secret: client_secret_basic (in a header, the default) or client_secret_post (in the body). Browser and native apps have none, whatever is said here." placeholder:"METHOD"`
	IDTokenAlg  *string  `help:"The algorithm of its ID tokens. Default: the first of signing_algs." placeholder:"ALG"`
	InspectAlg  *string  `name:"introspection-alg" help:"The algorithm of signed introspection answers to it. Default: the first of signing_algs." placeholder:"ALG"`
	FirstParty  *bool    `negatable:"" help:"It is ours: people are not asked for consent."`
	Offline     *bool    `negatable:"" help:"It may act while people are away (offline_access)."`
	DPoP        *string  `name:"dpop" help:"Whether its tokens are bound to a key that it holds (DPoP): allowed (when it shows one, the default), required, or off (for APIs that know bearer tokens only)." placeholder:"HOW"`
	BindAddress *string  `help:"How much of its address its tokens are bound to: off (the default), exact, or the prefix lengths of IPv4 and IPv6 as in 24/56. Not for native apps, which move: bind those to a key." placeholder:"HOW"`
	AccessLife  *string  `name:"access-token-life" help:"How long its access tokens live at most, from 1s to 24h, as in 1m: it can only be shorter than lifetimes.access_token, which holds if this is empty." placeholder:"TIME"`
}

func (s *settings) fields() operate.Fields {
	f := operate.Fields{}
	for name, text := range map[string]*string{"name": s.Name, "backchannel_logout_uri": s.Backchannel, "frontchannel_logout_uri": s.Front, "token_endpoint_auth_method": s.AuthMethod,
		"id_token_signed_response_alg": s.IDTokenAlg, "introspection_signed_response_alg": s.InspectAlg, "dpop": s.DPoP, "bind_address": s.BindAddress, "access_token_life": s.AccessLife} {
		if text != nil {
			f[name] = []string{*text}
		}
	}
	for name, list := range map[string][]string{"redirect_uris": s.Redirect, "post_logout_redirect_uris": s.PostLogout, "logout_uris": s.LogoutURI, "scopes": s.Scope, "audiences": s.Audience} {
		if list != nil {
			f[name] = list
		}
	}
	for name, on := range map[string]*bool{"backchannel_sid_only": s.SidOnly, "await_logout": s.AwaitLogout, "first_party": s.FirstParty, "offline": s.Offline} {
		if on != nil {
			f[name] = []string{strconv.FormatBool(*on)}
		}
	}
	return f
}

// wrong turns what is wrong with a field into what is wrong with the command line.
func wrongField(err error) error {
	var invalid *idp.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	advice := map[string]string{
		"client_id": "write for example shop", "kind": "leave the addresses out, or choose another --kind", "name": "--name is what people read",
		"redirect_uris": "add --redirect https://shop.example/callback", "post_logout_redirect_uris": "write for example --post-logout https://shop.example/",
		"logout_uris": "write for example --logout-uri https://shop.example/left", "backchannel_logout_uri": "write for example --backchannel https://shop.example/backchannel",
		"frontchannel_logout_uri": "write for example --frontchannel https://shop.example/frontchannel", "scopes": "repeat --scope for several, or part them by commas; a power has a client of its own, with --kind machine",
		"audiences": "add --audience https://api.example.com", "offline": "leave --offline out", "await_logout": "add --backchannel https://shop.example/backchannel, or --no-await-logout",
		"backchannel_sid_only": "add --backchannel https://shop.example/backchannel", "token_endpoint_auth_method": "leave --auth-method out",
		"id_token_signed_response_alg": "signing_algs in the configuration says what there is", "introspection_signed_response_alg": "signing_algs in the configuration says what there is",
		"dpop": "write for example --dpop required", "bind_address": "write for example --bind-address 24/56, or leave it out",
		"access_token_life": "write for example --access-token-life 1m; an API has none",
		"overlap":           "write for example --overlap 12h",
	}[invalid.Field]
	return usage(plain(invalid.Sentence), advice)
}

type clientAddCmd struct {
	app
	settings
	reason
	Kind string `help:"web (has a server), browser (single-page), native (mobile, desktop), machine (no people), api (checks tokens)." enum:"web,browser,native,machine,api" default:"web"`
}

func (c *clientAddCmd) Run(w *world) error {
	by, err := c.by()
	if err != nil {
		return err
	}
	fields := c.fields()
	fields["client_id"], fields["kind"] = []string{c.ID}, []string{c.Kind}
	return w.with(func(b *server.Base) error {
		row, err := operate.NewClient(fields, b.Config.Algs)
		if err != nil {
			return wrongField(err)
		}
		secret, err := b.AddClient(w.ctx, &row, idp.Event{Kind: idp.EventClientAdded, Actor: by.Actor, Why: by.Reason, Data: map[string]string{"kind": c.Kind}})
		if errors.Is(err, idp.ErrConflict) {
			return idp.Advise(fmt.Errorf("there is a client %q already", c.ID), "exeunt client show "+c.ID+" shows it")
		}
		if err != nil {
			return err
		}
		out := map[string]any{"client_id": row.ID, "kind": row.Kind, "issuer": b.Config.Issuer}
		if err := w.secret(out, secret, "issuer: %s\nclient_id: %s", b.Config.Issuer, row.ID); err != nil {
			return err
		}
		return w.notes(b, &row, fields)
	})
}

// secret is done, with a secret that is shown once.
func (w *world) secret(out map[string]any, secret, format string, args ...any) error {
	if secret != "" {
		out["client_secret"] = secret
		format += "\nclient_secret: %s\nThis is the only time that the secret is shown."
		args = append(args, secret)
	}
	return w.done(out, format, args...)
}

type clientListCmd struct {
	All bool `help:"Also those that were deleted."`
}

func (c *clientListCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		out, all := w.list("ID", "KIND", "STATE", "NAME", "CREATED"), c.All
		empty := "there is no app and no API; exeunt client add ID adds one"
		now, _ := b.Store.Now()
		err := every(w, b, idp.View.Clients, func(c *idp.Client) string { return string(c.ID) }, func(c *idp.Client) error {
			if c.Deleted && !all {
				empty = "there is no app and no API but those that were deleted, which --all shows"
				return nil
			}
			return out.add(operate.ShowClient(c, now), string(c.ID), string(c.Kind), operate.ClientState(c), c.Name, stamp(c.CreatedAt))
		})
		if err != nil {
			return err
		}
		return out.print(empty)
	})
}

type clientShowCmd struct{ app }

func (c *clientShowCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		row, err := c.find(w, b)
		if err != nil {
			return err
		}
		life, err := accessLife(w, b, &row)
		if err != nil {
			return err
		}
		now, _ := b.Store.Now()
		view := operate.ShowClient(&row, now)
		until := "" // two secrets are good
		if view.TwoUntil != nil {
			until = moment(*view.TwoUntil)
		}
		words := func(list []string) string { return strings.Join(list, " ") }
		return w.show(view, []string{"id", string(row.ID)}, []string{"kind", string(row.Kind)}, []string{"state", view.State}, []string{"name", row.Name},
			[]string{"authentication", row.AuthMethod}, []string{"old secret good until", until}, []string{"grant types", words(row.GrantTypes)}, []string{"scopes", words(row.Scopes)}, []string{"audiences", words(row.Audiences)},
			[]string{"redirect URIs", words(row.RedirectURIs)}, []string{"post-logout URIs", words(row.PostLogoutURIs)}, []string{"logout URIs", words(row.LogoutURIs)},
			[]string{"told of sign-outs at", cmp.Or(row.BackchannelLogoutURI, "nowhere: it cannot be told")}, []string{"asked in browsers at", cmp.Or(row.FrontchannelLogoutURI, "nowhere")},
			[]string{"browsers wait for it", fmt.Sprint(row.AwaitLogout)}, []string{"told without the person", fmt.Sprint(row.BackchannelSidOnly)},
			[]string{"first party", fmt.Sprint(row.FirstParty)}, []string{"offline", fmt.Sprint(row.Offline)},
			[]string{"bound to a key", cmp.Or(string(row.DPoP), "allowed")}, []string{"bound to its address", row.BindAddress.String()},
			[]string{"access tokens live at most", life}, []string{"created", stamp(row.CreatedAt)})
	})
}
