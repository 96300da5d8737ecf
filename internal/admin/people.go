package admin

import (
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/web"
)

type peopleList struct {
	People []operate.Person `json:"people"`
	Next   string           `json:"next,omitempty"` // to be given as after
	filter idp.AccountFilter
}

func (a *Admin) people(c *call, v idp.View) (out peopleList, err error) {
	p, err := c.page()
	if err != nil {
		return out, err
	}
	out.filter = idp.AccountFilter{Prefix: c.q.Get("username"), State: idp.AccountState(c.q.Get("state"))}
	switch out.filter.State {
	case "", idp.AccountActive, idp.AccountLocked, idp.AccountDisabled, idp.AccountDeleted:
	default:
		return out, idp.Invalid("state", "A state is active, locked, disabled or deleted.")
	}
	rows, err := v.FindAccounts(out.filter, p)
	out.People = []operate.Person{}
	for i := range rows {
		out.People = append(out.People, operate.ShowPerson(&rows[i]))
	}
	if len(rows) == p.Limit {
		out.Next = idp.FoldUsername(rows[len(rows)-1].Username)
	}
	return out, err
}

type personSheet struct {
	operate.Person
	Sessions []operate.Session `json:"sessions"`                // the newest
	More     string            `json:"sessions_next,omitempty"` // to be given as after at …/sessions
	Apps     []consent         `json:"apps"`
	Receipts []operate.Line    `json:"receipts"` // the newest
	events   []idp.Event
}

type consent struct {
	ClientID idp.ClientID `json:"client_id"`
	Scopes   []string     `json:"scopes"`
}

// few is how much of each list a person's sheet has.
const few = 10

func (a *Admin) person(c *call, v idp.View) (out personSheet, err error) {
	out.Apps = []consent{}
	err = v.Abreast(
		func(v idp.View) (err error) { out.Person, err = operate.ReadPerson(v, c.sub()); return err },
		func(v idp.View) (err error) {
			out.Sessions, out.More, err = operate.Sessions(v, c.sub(), c.now, idp.Page{Limit: few})
			return err
		},
		func(v idp.View) error {
			allowed, err := v.Consents(c.sub())
			for _, one := range allowed {
				out.Apps = append(out.Apps, consent{one.Client, one.Scopes})
			}
			return err
		},
		func(v idp.View) error { return past(c, v, &out) })
	return out, err
}

// past reads what was of a person lately.
func past(c *call, v idp.View, to *personSheet) error {
	err := v.Abreast(
		func(v idp.View) (err error) {
			to.Receipts, err = operate.Lines(v, idp.ReceiptFilter{Account: c.sub()}, 0, few)
			return err
		},
		func(v idp.View) (err error) {
			to.events, err = v.Events(idp.EventFilter{Account: c.sub()}, idp.Page{Limit: few})
			return err
		})
	if err != nil {
		return err
	}
	var people []idp.AccountID
	for _, r := range to.Receipts {
		people = append(people, whose(r.Subject, r.Actor)...)
	}
	for _, e := range to.events {
		people = append(people, whose(e.Account, e.Actor)...)
	}
	return c.name(v, people...)
}

type sessionList struct {
	Sessions []operate.Session `json:"sessions"`
	Next     string            `json:"next,omitempty"`
	person   operate.Person
}

func (a *Admin) sessions(c *call, v idp.View) (out sessionList, err error) {
	p, err := c.page()
	if err != nil {
		return out, err
	}
	err = v.Abreast(
		func(v idp.View) error {
			row, err := v.Account(c.sub())
			out.person = operate.ShowPerson(&row)
			return err
		},
		func(v idp.View) (err error) {
			out.Sessions, out.Next, err = operate.Sessions(v, c.sub(), c.now, p)
			return err
		})
	return out, err
}

type sessionSheet struct {
	operate.Session
	person operate.Person
}

func (a *Admin) session(c *call, v idp.View) (out sessionSheet, err error) {
	row, err := v.Account(c.sub())
	if err != nil {
		return out, err
	}
	out.person = operate.ShowPerson(&row)
	out.Session, err = operate.OneSession(v, row.ID, c.path("id"), c.now)
	return out, err
}

func (c *call) sub() idp.AccountID { return idp.AccountID(c.path("sub")) }

func aboutPerson(c *call) string { return "/admin/people/" + c.path("sub") }

// ending is an act that ends something of a person.
func ending(d idp.Duty, word string, kind idp.EventKind, verb func(idp.Tx, idp.AccountID, operate.By) (idp.Receipt, error), keeps bool) act {
	return act{duty: d, back: aboutPerson, do: func(c *call, tx idp.Tx) (out outcome, err error) {
		if keeps {
			if err := operate.KeepAdmin(tx, c.sub()); err != nil {
				return out, err
			}
		}
		out.receipt, err = verb(tx, c.sub(), c.by())
		out.done = gone(out.receipt, word)
		out.event = idp.Event{Kind: kind, Account: c.sub(), Data: map[string]string{"act": word}}
		return out, err
	}}
}

// lockPerson locks, as strongly as is asked.
func lockPerson() act {
	return act{duty: idp.DutyPeople, takes: []string{"kind", "for"}, back: aboutPerson, do: func(c *call, tx idp.Tx) (out outcome, err error) {
		kind, length, err := operate.LockFor(c.in.Get("kind"), c.in.Get("for"))
		if err == nil {
			err = operate.KeepAdmin(tx, c.sub())
		}
		if err != nil {
			return out, err
		}
		var lock idp.Lock
		if out.receipt, lock, err = operate.Lock(tx, c.sub(), kind, length, c.by()); err != nil {
			return out, err
		}
		out.done = "locked"
		out.event = idp.Event{Kind: idp.EventLocked, Account: c.sub(), Data: map[string]string{"act": "locked", "kind": string(lock.Kind)}}
		if out.receipt.ID == "" {
			out.done, out.event.Data["was"] = "locked-already", "locked"
		}
		return out, nil
	}}
}

// opening is an act that lets a person in again.
func opening(d idp.Duty, word string, verb func(idp.Tx, idp.AccountID) error) act {
	return act{duty: d, back: aboutPerson, do: func(c *call, tx idp.Tx) (outcome, error) {
		err := verb(tx, c.sub())
		return outcome{done: word, event: idp.Event{Kind: idp.EventUnlocked, Account: c.sub(), Data: map[string]string{"act": word}}}, err
	}}
}

func deletePerson() act {
	out := ending(idp.DutyPeople, "deleted", idp.EventAccountClosed, operate.Delete, true)
	out.title = web.Console{Title: "Delete this person?"}.Title
	out.reach = func(c *call, v idp.View) (question, error) {
		a, err := v.Account(c.sub())
		return question{Text: web.Say("Deleting %s cannot be undone.", verbatim(a.Username)), People: idp.Counted{N: 1}}, err
	}
	return out
}

func endSession() act {
	return act{duty: idp.DutyEnd, back: aboutPerson, do: func(c *call, tx idp.Tx) (out outcome, err error) {
		out.receipt, err = operate.EndSession(tx, c.sub(), c.path("id"), c.by())
		out.done = "ended"
		out.event = idp.Event{Kind: idp.EventOperator, Account: c.sub(), Data: map[string]string{"act": "session-ended", "session": c.path("id")}}
		return out, err
	}}
}
