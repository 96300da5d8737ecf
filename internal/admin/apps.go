package admin

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/outbound"
	"exeunt.dev/internal/web"
)

type appList struct {
	Apps []operate.Client `json:"apps"`
	Next string           `json:"next,omitempty"`
}

func (a *Admin) apps(c *call, v idp.View) (out appList, err error) {
	p, err := c.page()
	if err != nil {
		return out, err
	}
	rows, err := v.Clients(p)
	out.Apps = []operate.Client{}
	for i := range rows {
		if rows[i].Deleted && !c.q.Has("deleted") {
			continue
		}
		out.Apps = append(out.Apps, operate.ShowClient(&rows[i], c.now))
	}
	if len(rows) == p.Limit {
		out.Next = string(rows[len(rows)-1].ID)
	}
	return out, err
}

type appSheet struct {
	operate.Client
	People  idp.Counted `json:"people"` // who are signed in to it, or were lately
	Warning string      `json:"warning,omitempty"`

	objection string
}

func (a *Admin) app(c *call, v idp.View) (out appSheet, err error) {
	row, err := v.Client(idp.ClientID(c.path("id")))
	if err != nil {
		return out, err
	}
	out.Client = operate.ShowClient(&row, c.now)
	if c.q.Get("done") == "changed" || literal(row.BackchannelLogoutURI) { // a name is looked up once, not at each look
		out.objection = a.warn(c.r.Context(), &row)
		out.Warning = operate.Untold(out.objection)
	}
	out.People, err = v.PeopleOf(row.ID, 500)
	return out, err
}

// warn says, outside of any transaction, what will keep an app from being told.
func (a *Admin) warn(ctx context.Context, c *idp.Client) string {
	if c.BackchannelLogoutURI == "" {
		return ""
	}
	return outbound.Objection(ctx, a.Networks, nil, c.BackchannelLogoutURI)
}

// literal says that an address names its host by number.
func literal(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err == nil
}

func (c *call) client() idp.ClientID { return idp.ClientID(c.path("id")) }

func aboutApp(c *call) string { return "/admin/apps/" + c.path("id") }

// powerless refuses what would let a machine outlive what it was given: people give powers.
func (c *call) powerless(scopes ...string) error {
	if c.machine != nil && slices.ContainsFunc(scopes, idp.Power) {
		return errMachine
	}
	return nil
}

// powerlessApp is powerless about what an app may ask for already.
func (c *call) powerlessApp(tx idp.Tx) error {
	row, err := tx.Client(c.client())
	if err != nil {
		return err
	}
	return c.powerless(row.Scopes...)
}

func (a *Admin) register() act {
	return act{duty: idp.DutyApps, free: true, back: func(*call) string { return "/admin/apps" }, again: func(*call) web.Form { return registerForm() }, do: func(c *call, tx idp.Tx) (out outcome, err error) {
		row, err := operate.NewClient(c.settings(), a.Ring.Algs())
		if err == nil {
			err = c.powerless(row.Scopes...)
		}
		if err != nil {
			return out, err
		}
		if _, err := tx.Client(row.ID); err == nil {
			return out, idp.Invalid("client_id", "There is an app with this id already.")
		}
		out.secret, err = operate.Register(tx, &row)
		out.done, out.client, out.json = "changed", row, operate.ShowClient(&row, c.now)
		out.event = idp.Event{Kind: idp.EventClientAdded, Client: row.ID, Data: map[string]string{"kind": string(row.Kind)}}
		return out, err
	}, show: a.secretPage}
}

func (a *Admin) change() act {
	return act{duty: idp.DutyApps, free: true, back: aboutApp, again: func(c *call) web.Form { return changeForm(aboutApp(c), &idp.Client{}) }, do: func(c *call, tx idp.Tx) (out outcome, err error) {
		err = c.powerlessApp(tx)
		if err == nil {
			err = c.powerless(c.in["scopes"]...)
		}
		if err != nil {
			return out, err
		}
		row, changed, err := operate.Change(tx, c.client(), c.settings(), a.Ring.Algs())
		out.done, out.client, out.json = "changed", row, operate.ShowClient(&row, c.now)
		out.event = idp.Event{Kind: idp.EventClientChanged, Client: c.client(), Data: map[string]string{"fields": strings.Join(changed, " ")}}
		return out, err
	}}
}

func (a *Admin) rotateSecret() act {
	return act{duty: idp.DutyApps, takes: []string{"overlap"}, back: aboutApp, do: func(c *call, tx idp.Tx) (out outcome, err error) {
		if err := c.powerlessApp(tx); err != nil {
			return out, err
		}
		overlap, err := operate.Overlap(c.in.Get("overlap"))
		if err != nil {
			return out, err
		}
		out.secret, out.client, err = operate.Rotate(tx, c.client(), overlap)
		out.done, out.json = "changed", operate.ShowClient(&out.client, c.now)
		out.event = idp.Event{Kind: idp.EventSecretRotated, Client: c.client(), Data: map[string]string{"overlap": overlap.String()}}
		return out, err
	}, show: a.secretPage}
}

func endOldSecret() act {
	return act{duty: idp.DutyApps, back: aboutApp, do: func(c *call, tx idp.Tx) (outcome, error) {
		if err := c.powerlessApp(tx); err != nil {
			return outcome{}, err
		}
		row, err := operate.EndOldSecret(tx, c.client())
		return outcome{done: "old-secret-ended", json: operate.ShowClient(&row, c.now),
			event: idp.Event{Kind: idp.EventClientChanged, Client: c.client(), Data: map[string]string{"act": "old-secret-ended"}}}, err
	}}
}

// ofEverybody is an act that ends what an app has of everybody, after a question.
func ofEverybody(word string, ask func(string) (title, text web.Words), verb func(idp.Tx, idp.ClientID, operate.By) (idp.Receipt, error)) act {
	title, _ := ask("")
	return act{duty: idp.DutyApps, title: title, back: aboutApp,
		reach: func(c *call, v idp.View) (question, error) {
			row, err := v.Client(c.client())
			if err != nil {
				return question{}, err
			}
			if err := c.powerless(row.Scopes...); err != nil {
				return question{}, err
			}
			_, text := ask(row.Name)
			people, err := v.PeopleOf(row.ID, idp.CountedTo)
			return question{Text: text, People: people}, err
		},
		do: func(c *call, tx idp.Tx) (out outcome, err error) {
			if err := c.powerlessApp(tx); err != nil {
				return out, err
			}
			out.receipt, err = verb(tx, c.client(), c.by())
			out.done = gone(out.receipt, word)
			out.event = idp.Event{Kind: idp.EventClientChanged, Client: c.client(), Data: map[string]string{"act": word}}
			return out, err
		}}
}

func endApp() act {
	return ofEverybody("ended", func(app string) (title, text web.Words) {
		return web.Console{Title: "End all of this app's sign-ins?"}.Title, web.Say("This ends all that %s has, of everybody. People may sign in to it again.", verbatim(app))
	}, operate.EndClient)
}

func disableApp() act {
	return ofEverybody("disabled", func(app string) (title, text web.Words) {
		return web.Console{Title: "Disable this app?"}.Title, web.Say("This ends all that %s has, of everybody, and nobody can sign in to it until it is enabled.", verbatim(app))
	}, operate.DisableClient)
}

func deleteApp() act {
	return ofEverybody("deleted", func(app string) (title, text web.Words) {
		return web.Console{Title: "Delete this app?"}.Title, web.Say("This ends all that %s has, of everybody, for good. Its id is never given again.", verbatim(app))
	}, operate.DeleteClient)
}

func enableApp() act {
	return act{duty: idp.DutyApps, back: aboutApp, do: func(c *call, tx idp.Tx) (outcome, error) {
		if err := c.powerlessApp(tx); err != nil {
			return outcome{}, err
		}
		err := operate.EnableClient(tx, c.client())
		return outcome{done: "enabled", event: idp.Event{Kind: idp.EventClientChanged, Client: c.client(), Data: map[string]string{"act": "enabled"}}}, err
	}}
}

// secretPage shows a secret, once.
func (a *Admin) secretPage(c *call, out outcome) (web.Console, bool) {
	p := web.Console{Title: out.client.Name, Flash: "This is the only time that the secret is shown.", Secret: out.secret, Back: "/admin/apps/" + string(out.client.ID), Facts: []web.Fact{{Label: "Client id", Text: string(out.client.ID)}}}
	p.Warning = untold(a.warn(c.r.Context(), &out.client))
	if out.secret == "" {
		p.Flash = web.Console{Flash: "Registered. It has no secret, for it could not keep one."}.Flash
		return p, true
	}
	if !out.client.OldSecret.IsZero() {
		p.Facts = append(p.Facts, web.Fact{Label: "The old secret is good until", At: out.client.OldSecretUntil.Time()})
	}
	return p, true
}

// overlaps are what the page offers.
func overlaps() []web.Option {
	day := 24 * time.Hour
	return []web.Option{{Value: day.String(), Label: "stays good for a day"}, {Value: (7 * day).String(), Label: "stays good for a week"}, {Value: "0", Label: "ends now"}}
}
