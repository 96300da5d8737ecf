package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"exeunt.dev/internal/broker"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
	"exeunt.dev/ledger"
)

type providerShowCmd struct {
	ID string `arg:"" optional:"" help:"Its id in the configuration; without it, all."`
}

// shown is a provider of the configuration, with what has to be registered there.
type shown struct {
	ID           string   `json:"id"`
	Kind         string   `json:"kind"`
	Label        string   `json:"label"`
	Issuer       string   `json:"issuer,omitempty"`
	ClientID     string   `json:"client_id"`
	Scopes       []string `json:"scopes"`
	SignUp       bool     `json:"sign_up"`
	TrustMFA     bool     `json:"trust_mfa"`
	Redirect     string   `json:"redirect_uri"`
	BackChannel  string   `json:"backchannel_logout_uri,omitempty"`
	FrontChannel string   `json:"frontchannel_logout_uri,omitempty"`
	PostLogout   string   `json:"post_logout_redirect_uri,omitempty"`
}

func (c *providerShowCmd) Run(w *world) error {
	conf, err := w.settings()
	if err != nil {
		return err
	}
	all := conf.Providers
	if c.ID != "" {
		if all, err = providerOf(all, c.ID); err != nil {
			return err
		}
	}
	if len(all) == 0 && !w.json {
		return w.done(nil, "the configuration has no providers; %s", howProviders)
	}
	for i, p := range all {
		s := shownOf(conf.Issuer, p)
		if i > 0 && !w.json {
			if _, err := w.out.Write([]byte("\n")); err != nil {
				return err
			}
		}
		rows := [][]string{{"id:", s.ID}, {"kind:", s.Kind}, {"label:", s.Label}, {"client id:", s.ClientID}, {"scopes:", strings.Join(s.Scopes, " ")},
			{"sign-up:", strconv.FormatBool(s.SignUp)}, {"register there:", ""}, {"  redirect URI:", s.Redirect}}
		for _, more := range [][]string{{"  back-channel logout URI:", s.BackChannel}, {"  front-channel logout URI:", s.FrontChannel}, {"  post-logout redirect URI:", s.PostLogout}} {
			if more[1] != "" {
				rows = append(rows, more)
			}
		}
		if err := w.show(s, rows...); err != nil {
			return err
		}
	}
	return nil
}

const howProviders = "docs/providers.md says how one is written"

// providerOf finds one by its id.
func providerOf(all []config.Provider, id string) ([]config.Provider, error) {
	var there []string
	for i, p := range all {
		if p.ID == id {
			return all[i : i+1], nil
		}
		there = append(there, p.ID)
	}
	advice := howProviders
	if there != nil {
		advice = "it has " + strings.Join(there, ", ")
	}
	return nil, usage(fmt.Sprintf("the configuration has no provider %q", id), advice)
}

func shownOf(issuer string, p config.Provider) shown {
	s := shown{ID: p.ID, Kind: p.Kind, Label: p.Provider.Title, Issuer: p.Provider.Issuer, ClientID: p.Provider.ClientID, Scopes: p.Provider.Scopes, SignUp: p.SignUp, TrustMFA: p.TrustMFA,
		Redirect: broker.Callback(issuer, p.ID)}
	if p.Provider.OIDC() {
		s.BackChannel = broker.Logout(issuer, p.ID)
		if p.FrontChannel {
			s.FrontChannel = s.BackChannel
		}
	}
	if p.Provider.SignOut.Offered {
		s.PostLogout = broker.Left(issuer, p.ID)
	}
	return s
}

type revocationFilter struct {
	Provider string `help:"At this provider of the configuration only." placeholder:"ID"`
	State    string `help:"owed, dead (any of the rest), refused, out-of-time or given-up." placeholder:"STATE"`
}

// every calls each for all that match.
func (f *revocationFilter) every(w *world, b *server.Base, each func(*idp.Revocation) error) error {
	filter, err := operate.RevocationFilter(f.Provider, f.State)
	var invalid *idp.InvalidError
	if errors.As(err, &invalid) {
		return usage(plain(invalid.Sentence), "leave --state out for all")
	}
	return every(w, b, func(v idp.View, p idp.Page) ([]idp.Revocation, error) { return v.Revocations(filter, p) }, func(r *idp.Revocation) string { return r.ID.String() }, each)
}

type providerOwedCmd struct{ revocationFilter }

func (c *providerOwedCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		out := w.list("ID", "PROVIDER", "ACCOUNT", "STATE", "SINCE", "ATTEMPTS", "NEXT", "WHY")
		err := c.every(w, b, func(r *idp.Revocation) error {
			return out.add(operate.ShowRevocation(r), r.ID.String(), r.Provider, string(r.Account), string(r.State), stamp(r.CreatedAt), strconv.Itoa(r.Attempts), stamp(r.Due), r.Error)
		})
		if err != nil {
			return err
		}
		if c.Provider != "" || c.State != "" {
			return out.print("there is no such consent")
		}
		return out.print("nothing is owed to a provider, and nothing was refused")
	})
}

// oneRevocation is a consent that is to be taken back.
type oneRevocation struct {
	id, why string
}

// change does an act to it, and records it.
func (o oneRevocation) change(w *world, b *server.Base, word string, act func(idp.Tx, idp.Name) (idp.Revocation, error)) error {
	id, err := ledger.ParseName(o.id)
	if err != nil {
		return idp.Advise(fmt.Errorf("%q is no id of one", o.id), "exeunt provider owed shows which there are")
	}
	err = b.Store.Update(w.ctx, func(tx idp.Tx) error {
		d, err := act(tx, id)
		if err != nil {
			return err
		}
		return tx.Record(idp.Event{Kind: idp.EventOperator, Actor: operator(), Why: o.why, Account: d.Account, Data: map[string]string{"act": word, "provider": d.Provider, "revocation": o.id}})
	})
	if errors.Is(err, idp.ErrNotFound) {
		return idp.Advise(fmt.Errorf("nothing is owed under %s", o.id), "exeunt provider owed shows what is")
	}
	return err
}

type providerResendCmd struct {
	ID  string `arg:"" optional:"" help:"Its id, as exeunt provider owed shows it; or --all."`
	All bool   `help:"All that is owed."`
	reason
}

// Run hastens what is owed. What was refused or ran out of time has no tokens any more to ask with.
func (c *providerResendCmd) Run(w *world) error {
	if (c.ID == "") != c.All {
		return usage("which one?", "name one by its id, or say --all")
	}
	if _, err := c.by(); err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		ids := []string{c.ID}
		if c.All {
			ids = nil
			owed := revocationFilter{State: string(idp.Owed)}
			if err := owed.every(w, b, func(r *idp.Revocation) error { ids = append(ids, r.ID.String()); return nil }); err != nil {
				return err
			}
		}
		n := 0
		for _, id := range ids {
			err := oneRevocation{id, c.Reason}.change(w, b, operate.ActAsked, operate.AskAgain)
			switch {
			case err == nil:
				n++
			case c.All && errors.Is(err, idp.ErrConflict):
				// It has changed since it was listed.
			default:
				return plainState(err)
			}
		}
		return w.done(map[string]any{"hastened": n}, "%d to be asked for now", n)
	})
}

type providerGiveUpCmd struct {
	ID string `arg:"" help:"Its id, as exeunt provider owed shows it."`
	reason
}

func (c *providerGiveUpCmd) Run(w *world) error {
	if _, err := c.by(); err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		if err := (oneRevocation{c.ID, c.Reason}).change(w, b, operate.ActForgone, operate.Forgo); err != nil {
			return plainState(err)
		}
		return w.done(map[string]any{"given_up": true}, "%s: given up; the provider keeps the consent", c.ID)
	})
}
