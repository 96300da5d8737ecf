package admin

import (
	"errors"
	"slices"
	"strings"

	"exeunt.dev/internal/audit"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/web"
)

func (a *Admin) overview(c *call, v idp.View) (operate.Overview, error) {
	return a.Looker.Look(v, c.now)
}

type deliveryList struct {
	Deliveries []operate.Delivery `json:"deliveries"`
	Next       string             `json:"next,omitempty"` // to be given as after
}

func (a *Admin) deliveries(c *call, v idp.View) (out deliveryList, err error) {
	f, err := operate.Filter(v, c.q.Get("client_id"), c.q.Get("state"))
	if err != nil {
		return out, err
	}
	p, err := c.page()
	if err != nil {
		return out, err
	}
	rows, err := v.Deliveries(f, p)
	out.Deliveries = []operate.Delivery{}
	for i := range rows {
		out.Deliveries = append(out.Deliveries, operate.ShowDelivery(&rows[i]))
	}
	if len(rows) == p.Limit {
		out.Next = rows[len(rows)-1].ID().String()
	}
	return out, err
}

func (a *Admin) delivery(c *call, v idp.View) (operate.Delivery, error) {
	id, err := idp.ParseDeliveryID(c.path("id"))
	if err != nil {
		return operate.Delivery{}, notFound(err)
	}
	d, err := v.Delivery(id)
	if err != nil {
		return operate.Delivery{}, err
	}
	out, err := operate.ReadDelivery(v, &d)
	if err != nil {
		return out, err
	}
	return out, c.name(v, d.Account)
}

// delivering is an act on one delivery.
func delivering(word string, verb func(idp.Tx, idp.DeliveryID) (idp.Delivery, error)) act {
	return act{duty: idp.DutyDeliver, back: func(c *call) string { return "/admin/deliveries/" + c.path("id") }, do: func(c *call, tx idp.Tx) (out outcome, err error) {
		id, err := idp.ParseDeliveryID(c.path("id"))
		if err != nil {
			return out, notFound(err)
		}
		d, err := verb(tx, id)
		done := word
		if d.State == idp.Confirmed {
			done = "confirmed-before"
		}
		return outcome{done: done, json: operate.ShowDelivery(&d), event: operate.Acted(&d, word)}, err
	}}
}

func resend() act { return delivering(operate.ActResent, operate.Resend) }
func giveUp() act { return delivering(operate.ActGivenUp, operate.GiveUp) }

// resendMany is resend of all that a filter finds among the dead.
func (a *Admin) resendMany() act {
	return act{duty: idp.DutyDeliver, takes: []string{"client_id", "state"}, back: func(*call) string { return "/admin/deliveries" }, again: func(*call) web.Form { return resendForm("", "") },
		many: func(c *call, allowed func(idp.View) error) (out outcome, err error) {
			var f idp.DeliveryFilter
			err = a.Store.View(c.r.Context(), func(v idp.View) (err error) {
				if err = allowed(v); err == nil {
					f, err = operate.DeadFilter(v, c.in.Get("client_id"), c.in.Get("state"))
				}
				return err
			})
			if err != nil {
				return out, err
			}
			resent, err := operate.ResendAll(c.r.Context(), a.Store, f, operate.MostResent, func(tx idp.Tx, again []idp.Delivery) error {
				err := allowed(tx)
				for i := range again {
					if err == nil {
						err = c.record(tx, a.Tell, operate.Acted(&again[i], operate.ActResent))
					}
				}
				return err
			})
			if err != nil && resent.N > 0 {
				edge.Note(c.r.Context(), "error", err.Error()) // that much is done: nobody is told that nothing was
				err = nil
			}
			out = outcome{done: "sent-again", count: &resent.N, json: resent}
			if resent.More {
				out.done = "sent-some-again"
			}
			return out, err
		}}
}

type receiptList struct {
	Receipts []operate.Line `json:"receipts"`
	Next     string         `json:"next,omitempty"`
	filter   idp.ReceiptFilter
}

func (a *Admin) receipts(c *call, v idp.View) (out receiptList, err error) {
	p, err := c.page()
	if err != nil {
		return out, err
	}
	before, err := operate.Before(p.After)
	if err != nil {
		return out, err
	}
	if out.filter, err = c.receiptFilter(v); err != nil {
		return out, err
	}
	if out.Receipts, err = operate.Lines(v, out.filter, before, p.Limit); err != nil {
		return out, err
	}
	people := []idp.AccountID{out.filter.Account}
	for _, r := range out.Receipts {
		people = append(people, whose(r.Subject, r.Actor)...)
	}
	if len(out.Receipts) == p.Limit {
		out.Next = number(out.Receipts[len(out.Receipts)-1].Number)
	}
	return out, c.name(v, people...)
}

func (c *call) receiptFilter(v idp.View) (f idp.ReceiptFilter, err error) {
	if f.Owed, err = operate.Owing(c.q.Get("owed")); err == nil {
		f.Account, err = c.of(v)
	}
	return f, err
}

// of is whose receipts or events are asked for: by id, or by username.
func (c *call) of(v idp.View) (idp.AccountID, error) {
	username := c.q.Get("username")
	if username == "" {
		return idp.AccountID(c.q.Get("sub")), nil
	}
	a, err := v.AccountByUsername(username)
	if errors.Is(err, idp.ErrNotFound) {
		err = idp.Invalid("username", "There is nobody with this username.")
	}
	return a.ID, err
}

func (a *Admin) receipt(c *call, v idp.View) (out operate.ReceiptPage, err error) {
	p, err := c.page()
	if err != nil {
		return out, err
	}
	n, err := operate.Before(c.path("number"))
	if err != nil {
		return out, idp.ErrNotFound
	}
	row, err := v.ReceiptByNumber(n)
	if err != nil {
		return out, err
	}
	if out, err = operate.ReadReceipt(v, &row, c.now, p); err != nil {
		return out, err
	}
	return out, c.name(v, whose(row.Account, row.Actor)...)
}

type keyList struct {
	Keys []operate.Key `json:"keys"`
}

func (a *Admin) keys(_ *call, v idp.View) (out keyList, err error) {
	out.Keys, err = operate.Keys(v)
	return out, err
}

func aboutKeys(*call) string { return "/admin/keys" }

func (a *Admin) rotateKeys() act {
	return act{duty: idp.DutyKeys, takes: []string{"use"}, back: aboutKeys, after: a.Ring.Refill, do: func(c *call, tx idp.Tx) (outcome, error) {
		uses, err := operate.Uses(c.in.Get("use"))
		if err != nil {
			return outcome{}, err
		}
		return outcome{done: "rotated", event: idp.Event{Kind: idp.EventKeyRotated, Data: map[string]string{"use": c.in.Get("use")}}}, operate.RotateKeys(tx, uses, false)
	}}
}

func (a *Admin) killKey() act {
	return act{duty: idp.DutyKeys, title: web.Console{Title: "Kill this key?"}.Title, back: aboutKeys, after: a.Ring.Refill,
		reach: func(c *call, v idp.View) (question, error) {
			keys, err := operate.Keys(v)
			if err != nil {
				return question{}, err
			}
			if !slices.ContainsFunc(keys, func(k operate.Key) bool { return k.Kid == c.path("kid") }) {
				return question{}, idp.ErrNotFound
			}
			alive, err := a.Looker.Census.Alive(v, c.now)
			return question{Text: web.Say("Everything that %s has signed is refused from then on, for ever, by everybody. Apps get new tokens with the next key at their next refresh.", verbatim(c.path("kid"))), Sessions: alive, Of: true}, err
		},
		do: func(c *call, tx idp.Tx) (out outcome, err error) {
			out.receipt, err = operate.KillKey(tx, c.path("kid"), c.by())
			out.done = "killed"
			out.event = idp.Event{Kind: idp.EventOperator, Data: map[string]string{"act": "key-killed", "kid": c.path("kid")}}
			return out, err
		}}
}

type operatorList struct {
	Operators []operate.Operator `json:"operators"`
	Next      string             `json:"next,omitempty"`
}

func (a *Admin) operators(c *call, v idp.View) (out operatorList, err error) {
	p, err := c.page()
	if err != nil {
		return out, err
	}
	if out.Operators, err = operate.Operators(v, p); err != nil {
		return out, err
	}
	var people []idp.AccountID
	for _, o := range out.Operators {
		people = append(people, whose("", o.GivenBy)...)
	}
	if len(out.Operators) == p.Limit {
		out.Next = string(out.Operators[len(out.Operators)-1].Subject)
	}
	return out, c.name(v, people...)
}

func aboutOperators(*call) string { return "/admin/operators" }

func giveRole() act {
	return act{duty: idp.DutyRoles, takes: []string{"role", "username"}, back: aboutOperators, again: func(*call) web.Form { return roleForm() }, do: func(c *call, tx idp.Tx) (out outcome, err error) {
		role, err := idp.ParseRole(c.in.Get("role"))
		if err != nil {
			return out, err
		}
		who, err := tx.AccountByUsername(c.in.Get("username"))
		if errors.Is(err, idp.ErrNotFound) {
			err = idp.Invalid("username", "There is nobody with this username.")
		}
		if err == nil && role != idp.RoleAdmin {
			err = operate.KeepAdmin(tx, who.ID)
		}
		if err == nil {
			err = operate.Give(tx, who.ID, role, c.by())
		}
		return outcome{done: "given", event: idp.Event{Kind: idp.EventRoleGiven, Account: who.ID, Data: map[string]string{"role": string(role)}}}, err
	}}
}

func takeRole() act {
	return act{duty: idp.DutyRoles, back: aboutOperators, do: func(c *call, tx idp.Tx) (out outcome, err error) {
		if err := operate.KeepAdmin(tx, c.sub()); err != nil {
			return out, err
		}
		had, err := tx.Operator(c.sub())
		if err == nil {
			err = operate.Take(tx, c.sub())
		}
		return outcome{done: "taken", event: idp.Event{Kind: idp.EventRoleTaken, Account: c.sub(), Data: map[string]string{"role": string(had.Role)}}}, err
	}}
}

type eventList struct {
	Events []audit.Line `json:"events"`
	Next   string       `json:"next,omitempty"`
	filter idp.EventFilter
}

func (a *Admin) events(c *call, v idp.View) (out eventList, err error) {
	p, err := c.page()
	if err != nil {
		return out, err
	}
	if out.filter, err = c.eventFilter(v); err != nil {
		return out, err
	}
	rows, err := v.Events(out.filter, p)
	if err != nil {
		return out, err
	}
	out.Events = []audit.Line{}
	people := []idp.AccountID{out.filter.Account}
	for i := range rows {
		out.Events = append(out.Events, audit.Show(&rows[i]))
		people = append(people, whose(rows[i].Account, rows[i].Actor)...)
	}
	if len(rows) == p.Limit {
		out.Next = rows[len(rows)-1].ID.String()
	}
	return out, c.name(v, people...)
}

func (c *call) eventFilter(v idp.View) (f idp.EventFilter, err error) {
	f.Actor = idp.Actor(c.q.Get("actor"))
	if f.Kind, err = operate.EventKind(c.q.Get("kind")); err != nil {
		return f, err
	}
	if f.Account, err = c.of(v); err == nil {
		err = findable(f)
	}
	return f, err
}

// findable refuses a question that only a walk through the whole log could answer.
func findable(f idp.EventFilter) error {
	actor := string(f.Actor)
	if actor == "" || f.Account != "" || f.Kind != "" || strings.HasPrefix(actor, "operator:") || strings.HasPrefix(actor, "client:") {
		return nil
	}
	return idp.Invalid("actor", "An actor is operator:NAME or client:ID; what people did is found by their id.")
}
