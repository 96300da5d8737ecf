package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"exeunt.dev/internal/broker"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
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
	conf, err := loadConfig(w.config, config.LoadBeside)
	if err != nil {
		return err
	}
	all := conf.Providers
	if c.ID != "" {
		all = slices.DeleteFunc(slices.Clone(all), func(p config.Provider) bool { return p.ID != c.ID })
	}
	if len(all) == 0 {
		return usage("the configuration has no such provider", "write it under providers:, see docs/providers.md")
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

type providerOwedCmd struct{}

// owed is a consent that is to be taken back, for programs.
type owed struct {
	ID       string            `json:"id"`
	Provider string            `json:"provider"`
	Account  idp.AccountID     `json:"account"`
	State    idp.DeliveryState `json:"state"`
	Since    time.Time         `json:"since"`
	Attempts int               `json:"attempts"`
	Why      string            `json:"why,omitempty"`
}

func (c *providerOwedCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		out := w.list("ID", "PROVIDER", "ACCOUNT", "STATE", "SINCE", "ATTEMPTS", "NEXT", "WHY")
		err := every(w, b, func(v idp.View, p idp.Page) ([]idp.Revocation, error) { return v.Revocations(p) }, func(r *idp.Revocation) string { return r.ID.String() },
			func(r *idp.Revocation) error {
				o := owed{r.ID.String(), r.Provider, r.Account, r.State, r.CreatedAt.Time(), r.Attempts, r.Error}
				return out.add(o, o.ID, o.Provider, string(o.Account), string(o.State), stamp(r.CreatedAt), strconv.Itoa(o.Attempts), stamp(r.Due), o.Why)
			})
		if err != nil {
			return err
		}
		if !w.json && len(out.rows) == 1 {
			return w.done(nil, "nothing is owed to a provider, and nothing was refused")
		}
		return out.print()
	})
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
	by, err := c.by()
	if err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		n := 0
		err := every(w, b, func(v idp.View, p idp.Page) ([]idp.Revocation, error) { return v.Revocations(p) }, func(r *idp.Revocation) string { return r.ID.String() },
			func(r *idp.Revocation) error {
				if !c.All && r.ID.String() != c.ID {
					return nil
				}
				hastened := false
				err := b.Store.Update(w.ctx, func(tx idp.Tx) error {
					now, err := tx.Mint()
					if err != nil {
						return err
					}
					if hastened, err = tx.HastenRevocation(r.ID, now); err != nil || !hastened {
						return err
					}
					return tx.Record(idp.Event{Kind: idp.EventOperator, Actor: by.Actor, Why: by.Reason, Account: r.Account, Data: map[string]string{"act": "provider resend", "provider": r.Provider}})
				})
				if hastened {
					n++
				}
				return err
			})
		if err != nil {
			return err
		}
		if n == 0 && !c.All {
			return hint(errors.New("nothing is owed under that id"), "exeunt provider owed shows what is; what a provider has refused cannot be asked for again")
		}
		return w.done(map[string]any{"hastened": n}, "%d to be asked for now", n)
	})
}
