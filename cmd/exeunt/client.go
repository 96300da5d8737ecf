package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

type clientCmd struct {
	Add  clientAdd  `cmd:"" help:"Register an app or an API; prints its secret once."`
	List clientList `cmd:"" help:"List apps and APIs."`
	Show clientShow `cmd:"" help:"Show one."`
	End  clientEnd  `cmd:"" help:"End everything of an app, for all people."`
}

type clientAdd struct {
	ID         string   `arg:"" help:"Its client_id."`
	Kind       string   `enum:"web,browser,native,machine,api" default:"web" help:"web, browser, native, machine or api."`
	Name       string   `help:"As people read it."`
	Redirect   []string `help:"Redirect URI; may be repeated."`
	PostLogout []string `help:"post_logout_redirect_uri; may be repeated."`
	Logout     []string `help:"logout_uri, for leaving this app only; may be repeated."`
	Audience   []string `help:"Resource it may ask tokens for (the first is the default), or, for an api, what it is."`
	Scope      []string `help:"Scope it may ask for; default openid, profile, email." sep:" "`
	FirstParty bool     `help:"Ours: no consent page."`
	Offline    bool     `help:"May be granted offline_access."`
}

func (x clientAdd) Run(r *run) error {
	c := idp.Client{ID: idp.ClientID(x.ID), Kind: idp.ClientKind(x.Kind), Name: x.Name, RedirectURIs: x.Redirect, PostLogoutURIs: x.PostLogout,
		LogoutURIs: x.Logout, Audiences: x.Audience, Scopes: x.Scope, FirstParty: x.FirstParty, Offline: x.Offline}
	return r.with(func(core *server.Core) error {
		secret, err := server.AddClient(r.ctx, core.Store, c)
		if errors.Is(err, idp.ErrConflict) {
			return fmt.Errorf("there is a client %q already", x.ID)
		}
		if err != nil {
			return err
		}
		out := map[string]string{"client_id": x.ID, "client_secret": secret}
		return r.print(out, func(w io.Writer) {
			fmt.Fprintf(w, "client_id:     %s\n", x.ID)
			if secret != "" {
				fmt.Fprintf(w, "client_secret: %s   (shown once)\n", secret)
			}
		})
	})
}

type clientList struct{}

func (clientList) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		out := []idp.Client{}
		err := view(c, r, func(v idp.View) error {
			for after := ""; ; {
				page, err := v.Clients(idp.Page{After: after, Limit: 1000})
				if err != nil {
					return err
				}
				out = append(out, page...)
				if len(page) < 1000 {
					return nil
				}
				after = string(page[len(page)-1].ID)
			}
		})
		if err != nil {
			return err
		}
		return r.print(out, func(w io.Writer) {
			if len(out) == 0 {
				fmt.Fprintln(w, "none yet: exeunt client add ID --redirect https://app.example.com/callback")
			}
			for _, a := range out {
				fmt.Fprintf(w, "%-28s %-8s %s%s\n", a.ID, a.Kind, a.Name, map[bool]string{true: " (disabled)"}[a.Disabled])
			}
		})
	})
}

type clientShow struct {
	ID string `arg:""`
}

func (x clientShow) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		var a idp.Client
		err := view(c, r, func(v idp.View) (err error) {
			a, err = v.Client(idp.ClientID(x.ID))
			return err
		})
		if errors.Is(err, idp.ErrNotFound) {
			return &hinted{fmt.Errorf("there is no client %q", x.ID), "exeunt client list"}
		}
		if err != nil {
			return err
		}
		return r.print(a, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %s, %s\nredirect URIs: %s\npost-logout:   %s\nlogout:        %s\nscopes:        %s\naudiences:     %s\n", a.ID, a.Name, a.Kind,
				strings.Join(a.RedirectURIs, " "), strings.Join(a.PostLogoutURIs, " "), strings.Join(a.LogoutURIs, " "), strings.Join(a.Scopes, " "), strings.Join(a.Audiences, " "))
		})
	})
}

type clientEnd struct {
	ID      string `arg:""`
	Disable bool   `help:"And let it begin nothing new."`
	Reason  string `help:"Why, for the record."`
}

func (x clientEnd) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		receipt, err := c.Door.End(r.ctx, idp.EndClient(idp.ClientID(x.ID), x.Disable), cause(idp.CauseClientEnded, x.Reason))
		if errors.Is(err, idp.ErrNotFound) {
			return &hinted{fmt.Errorf("there is no client %q", x.ID), "exeunt client list"}
		}
		if err != nil {
			return err
		}
		return r.ended(x.ID, receipt)
	})
}

type sessionCmd struct {
	List sessionList `cmd:"" help:"List a person's sessions."`
	End  sessionEnd  `cmd:"" help:"End one session of a person."`
}

type sessionJSON struct {
	ID       string `json:"id"`
	IP       string `json:"ip"`
	Agent    string `json:"user_agent"`
	Created  string `json:"created_at"`
	LastSeen string `json:"last_seen_at"`
	Expires  string `json:"expires_at"`
}

// sessionsOf lists the live sessions of a person.
func sessionsOf(c *server.Core, r *run, a *idp.Account) ([]sessionJSON, error) {
	out := []sessionJSON{}
	now, _ := c.Store.Now()
	err := view(c, r, func(v idp.View) error {
		e, err := v.Epochs(a.ID, "")
		if err != nil {
			return err
		}
		rows, err := v.Sessions(a.ID, e.Realm, e.Account, idp.Page{Limit: 1000})
		for _, s := range rows {
			if !s.Expired(now) {
				out = append(out, sessionJSON{s.Ref, s.LastIP, s.UserAgent, when(s.CreatedAt), when(s.LastSeen), when(s.ExpiresAt)})
			}
		}
		return err
	})
	return out, err
}

func printSessions(w io.Writer, all []sessionJSON) {
	if len(all) == 0 {
		fmt.Fprintln(w, "no sessions")
	}
	for _, s := range all {
		fmt.Fprintf(w, "%s  %s  last seen %s  %s\n", s.ID, s.IP, s.LastSeen, s.Agent)
	}
}

type sessionList struct {
	Username string `arg:""`
}

func (x sessionList) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		a, err := person(c, r, x.Username)
		if err != nil {
			return err
		}
		all, err := sessionsOf(c, r, &a)
		if err != nil {
			return err
		}
		return r.print(all, func(w io.Writer) { printSessions(w, all) })
	})
}

type sessionEnd struct {
	Username string `arg:""`
	ID       string `arg:"" help:"As session list prints it."`
	Reason   string `help:"Why, for the record."`
}

func (x sessionEnd) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		a, err := person(c, r, x.Username)
		if err != nil {
			return err
		}
		var s idp.Session
		err = view(c, r, func(v idp.View) (err error) {
			s, err = v.SessionByRef(a.ID, x.ID)
			return err
		})
		if errors.Is(err, idp.ErrNotFound) {
			return &hinted{fmt.Errorf("%s has no session %q", a.Username, x.ID), "exeunt session list " + a.Username}
		}
		if err != nil {
			return err
		}
		receipt, err := c.Door.End(r.ctx, idp.EndSession(s.Name), cause(idp.CauseSessionEnded, x.Reason))
		if err != nil {
			return err
		}
		return r.ended("session "+x.ID, receipt)
	})
}

type keyCmd struct {
	List   keyList   `cmd:"" help:"List signing keys."`
	Rotate keyRotate `cmd:"" help:"Sign with the next key; nobody is signed out."`
	Kill   keyKill   `cmd:"" help:"End everything that a key signed, at once and for ever."`
}

type keyJSON struct {
	Kid     string `json:"kid"`
	Use     string `json:"use"`
	Alg     string `json:"alg"`
	State   string `json:"state"`
	Created string `json:"created_at"`
	Retired string `json:"retired_at"`
}

type keyList struct{}

func (keyList) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		out := []keyJSON{}
		err := view(c, r, func(v idp.View) error {
			rows, err := v.Keys()
			if err != nil {
				return err
			}
			for _, k := range rows {
				killed, err := v.Ended(k.Kid)
				if err != nil {
					return err
				}
				j := keyJSON{k.Kid.String(), string(k.Use), k.Alg, string(k.State), when(k.CreatedAt), when(k.RetiredAt)}
				if len(killed) > 0 {
					j.State = "killed"
				}
				out = append(out, j)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return r.print(out, func(w io.Writer) {
			for _, k := range out {
				fmt.Fprintf(w, "%s  %-6s  %-5s  %-8s  made %s\n", k.Kid, k.Use, k.Alg, k.State, k.Created)
			}
		})
	})
}

type keyRotate struct {
	Use string `enum:"access,id,all" default:"all" help:"access, id or all."`
}

func (x keyRotate) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		for _, use := range []idp.KeyUse{idp.UseAccess, idp.UseID} {
			if x.Use != "all" && x.Use != string(use) {
				continue
			}
			if err := c.Ring.Rotate(r.ctx, use); err != nil {
				return err
			}
		}
		return r.print(map[string]string{"rotated": x.Use}, func(w io.Writer) { fmt.Fprintln(w, "rotated; what the old keys signed is good until it expires") })
	})
}

type keyKill struct {
	Kid    string `arg:""`
	Reason string `help:"Why, for the record."`
}

func (x keyKill) Run(r *run) error {
	kid, err := parseName(x.Kid)
	if err != nil {
		return &hinted{fmt.Errorf("%q is no key id", x.Kid), "exeunt key list"}
	}
	return r.with(func(c *server.Core) error {
		receipt, err := c.Ring.Kill(r.ctx, kid, cause(idp.CauseKeyKilled, x.Reason))
		if errors.Is(err, idp.ErrNotFound) {
			return &hinted{fmt.Errorf("there is no key %s", x.Kid), "exeunt key list"}
		}
		if err != nil {
			return err
		}
		return r.ended("key "+x.Kid, receipt)
	})
}
