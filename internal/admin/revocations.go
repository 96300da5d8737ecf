package admin

import (
	"net/url"
	"strconv"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/web"
	"exeunt.dev/ledger"
)

// Consents that are to be taken back at providers.

type revocationList struct {
	Revocations []operate.Revocation `json:"revocations"`
	Next        string               `json:"next,omitempty"` // to be given as after
}

func (a *Admin) revocations(c *call, v idp.View) (out revocationList, err error) {
	f, err := operate.RevocationFilter(c.q.Get("provider"), c.q.Get("state"))
	if err != nil {
		return out, err
	}
	p, err := c.page()
	if err != nil {
		return out, err
	}
	rows, err := v.Revocations(f, p)
	if err != nil {
		return out, err
	}
	out.Revocations = []operate.Revocation{}
	var people []idp.AccountID
	for i := range rows {
		out.Revocations = append(out.Revocations, operate.ShowRevocation(&rows[i]))
		people = append(people, rows[i].Account)
	}
	if len(rows) == p.Limit {
		out.Next = rows[len(rows)-1].ID.String()
	}
	return out, c.name(v, people...)
}

// revocationID reads the address.
func (c *call) revocationID() (idp.Name, error) {
	id, err := ledger.ParseName(c.path("id"))
	if err != nil {
		return id, idp.ErrNotFound
	}
	return id, nil
}

func (a *Admin) revocation(c *call, v idp.View) (out operate.Revocation, err error) {
	id, err := c.revocationID()
	if err != nil {
		return out, err
	}
	if out, err = operate.ReadRevocation(v, id); err != nil {
		return out, err
	}
	return out, c.name(v, out.Subject)
}

// revoking is an act on one.
func revoking(done, word string, verb func(idp.Tx, idp.Name) (idp.Revocation, error)) act {
	return act{duty: idp.DutyDeliver, back: func(c *call) string { return "/admin/revocations/" + c.path("id") }, do: func(c *call, tx idp.Tx) (out outcome, err error) {
		id, err := c.revocationID()
		if err != nil {
			return out, err
		}
		d, err := verb(tx, id)
		return outcome{done: done, json: operate.ShowRevocation(&d),
			event: idp.Event{Kind: idp.EventOperator, Account: d.Account, Data: map[string]string{"act": word, "provider": d.Provider, "revocation": id.String()}}}, err
	}}
}

func askAgain() act { return revoking("hastened", operate.ActAsked, operate.AskAgain) }
func forgo() act    { return revoking("forgone", operate.ActForgone, operate.Forgo) }

func revocationsPage(c *call, l revocationList) web.Console {
	p := web.Console{Title: "Revocations", Lead: "Consents that providers are still to forget, and those that they will not be asked to forget any more.",
		Filter: &web.Form{Action: "/admin/revocations", Button: "Filter", Fields: []web.Field{{Key: "provider", Label: "Provider's id", Value: c.q.Get("provider")},
			{Key: "state", Label: "State", Kind: "select", Value: c.q.Get("state"), Options: states("owed", "dead", "refused", "out-of-time", "given-up")}}}}
	t := web.Table{Title: "Revocations", Empty: "Nothing is owed to a provider, and nothing was refused.", Head: []web.Words{"Id", "Provider", "Person", "State", "Since", "Attempts", "Why"}, More: c.next(l.Next)}
	for _, d := range l.Revocations {
		t.Rows = append(t.Rows, []web.Cell{{Text: d.ID, To: "/admin/revocations/" + url.PathEscape(d.ID)}, {Text: d.Provider}, c.personLink(d.Subject), stateCell(string(d.State)), {At: d.Created}, {Text: strconv.Itoa(d.Attempts)}, whyCell(d.Why)})
	}
	p.Tables = []web.Table{t}
	return p
}

func revocationPage(c *call, d operate.Revocation) web.Console {
	who := c.personLink(d.Subject)
	p := web.Console{Title: web.Say("Revocation %s", verbatim(d.ID)), Back: "/admin/revocations", Facts: []web.Fact{{Label: "State", Said: stateWords(string(d.State)), Bad: d.State.Dead()},
		{Label: "Provider", Text: d.Provider}, {Label: "Person", Text: who.Text, To: who.To}, {Label: "Since", At: d.Created}, {Label: "Attempts", Text: strconv.Itoa(d.Attempts)}}}
	if d.Receipt != 0 {
		p.Facts = append(p.Facts, web.Fact{Label: "Receipt", Text: number(d.Receipt), To: receiptLink(d.Receipt).To})
	}
	p.Facts = timed(p.Facts, web.Fact{Label: "Last attempt"}, d.Attempted)
	p.Facts = timed(p.Facts, web.Fact{Label: "Next attempt"}, d.Next)
	p.Facts = timed(p.Facts, web.Fact{Label: "Settled"}, d.Settled)
	if d.Why != "" {
		p.Facts = append(p.Facts, web.Fact{Label: "Why", Said: whyWords(d.Why)})
	}
	if !c.allowed(idp.DutyDeliver) || d.State != idp.Owed {
		return p
	}
	at := "/admin/revocations/" + url.PathEscape(d.ID)
	p.Forms = []web.Form{
		deed(web.Form{Title: "Ask again", Text: "Now, and not when the next attempt is due.", Action: at + "/resend", Button: "Ask again", Folded: true}),
		deed(web.Form{Title: "Give up", Text: "The provider is not asked, and keeps the consent. What it would be asked with is destroyed: there is no way back.", Action: at + "/give-up", Button: "Give up", Danger: true, Folded: true}),
	}
	return p
}
