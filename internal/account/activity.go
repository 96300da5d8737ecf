package account

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/web"
)

// toldAtOnce is how many lines a page of what happened shows.
const toldAtOnce = 50

// happened is one thing that happened: an event, or a receipt of what ended.
type happened struct {
	event   *idp.Event
	receipt *idp.Receipt
}

func (h *happened) at() idp.Time {
	if h.event != nil {
		return h.event.At
	}
	return h.receipt.At
}

// place is how far a list has come in both.
type place struct {
	event   string // the last one's id
	receipt uint64 // the last one's number
}

func (p place) String() string { return p.event + "." + strconv.FormatUint(p.receipt, 10) }

func parsePlace(s string) (p place, err error) {
	if s == "" {
		return p, nil
	}
	event, number, _ := strings.Cut(s, ".")
	if p.receipt, err = strconv.ParseUint(number, 10, 62); err != nil {
		return p, idp.Invalid("after", "That page does not exist.")
	}
	p.event = event
	return p, nil
}

// activity reads a page of what happened around an account, newest first.
func (a *Account) activity(ctx context.Context, id idp.AccountID, after string) (who idp.Account, out []happened, apps map[idp.ClientID]idp.Client, more string, err error) {
	from, err := parsePlace(after)
	if err != nil {
		return who, nil, nil, "", err
	}
	err = a.Store.Look(ctx, func(v idp.View) error {
		out, more = nil, ""
		if who, err = v.Account(id); err != nil {
			return err
		}
		events, err := v.Events(idp.EventFilter{Account: id}, idp.Page{After: from.event, Limit: toldAtOnce})
		if err != nil {
			return err
		}
		receipts, err := v.Receipts(id, from.receipt, toldAtOnce)
		if err != nil {
			return err
		}
		at, ids := from, []idp.ClientID{}
		for len(out) < toldAtOnce && len(events)+len(receipts) > 0 {
			if len(receipts) == 0 || (len(events) > 0 && events[0].At >= receipts[0].At) {
				e := events[0]
				out, events, at.event, ids = append(out, happened{event: &e}), events[1:], e.ID.String(), append(ids, e.Client)
			} else {
				r := receipts[0]
				out, receipts, at.receipt, ids = append(out, happened{receipt: &r}), receipts[1:], r.Number, append(ids, r.Client)
			}
		}
		if len(out) == toldAtOnce {
			more = at.String()
		}
		apps, err = named(v, ids)
		return err
	})
	return who, out, apps, more, err
}

func (a *Account) activityPage(w http.ResponseWriter, r *http.Request, s *idp.Session, q url.Values) {
	who, all, apps, more, err := a.activity(r.Context(), s.Account, q.Get("after"))
	if err != nil {
		if status, sentence := a.problem(w, r, err); status != 0 {
			who, err := a.who(r.Context(), s.Account)
			if err != nil {
				a.Pages.Fail(w, r, err)
				return
			}
			a.Pages.Render(w, r, status, web.Activity{Header: a.Header(w, r, who.Username), Error: sentence, Further: true})
		}
		return
	}
	p := web.Activity{Header: a.Header(w, r, who.Username), More: more, Further: q.Get("after") != ""}
	for i := range all {
		if e := all[i].event; e == nil || e.Kind != idp.EventMailSent || e.Data["asked"] != "" {
			p.Rows = append(p.Rows, a.told(&all[i], apps))
		}
	}
	a.Pages.Render(w, r, http.StatusOK, p)
}

// told puts what happened into words.
func (a *Account) told(h *happened, apps map[idp.ClientID]idp.Client) web.ActivityLine {
	if r := h.receipt; r != nil {
		return web.ActivityLine{What: web.Ended(r.Cause), By: by(r.Actor, r.Account), App: apps[r.Client].Name, At: r.At.Time(), Receipt: "/signout/" + string(r.ID), Bad: r.Cause == idp.CauseReuse}
	}
	e := h.event
	l := web.ActivityLine{What: what(e), By: by(e.Actor, e.Account), App: apps[e.Client].Name, Name: e.Data["name"], Left: e.Data["left_out"], At: e.At.Time(),
		Bad: e.Kind == idp.EventSignInFailed || e.Kind == idp.EventStrayed || newDevice(e)}
	if near(e) {
		l.Agent, l.IP = e.Device, e.IP
	}
	if id := e.Data["provider"]; id != "" {
		l.Name = a.Provider(id)
	}
	if m := e.Data["methods"]; m != "" {
		l.How = web.Methods(strings.Fields(m))
	}
	return l
}

// near says that where an event came from is its person's to know: it was they, or whoever tried to be them. Where the site's own people work is not.
func near(e *idp.Event) bool {
	kind, _, _ := strings.Cut(string(e.Actor), ":")
	return e.Actor == idp.ActorAccount(e.Account) || kind == "stranger"
}

func newDevice(e *idp.Event) bool { return e.Kind == idp.EventSignIn && e.Data["new"] != "" }

// what says what kind of thing happened.
func what(e *idp.Event) web.Words {
	if newDevice(e) {
		return "Signed in from a new browser or device"
	}
	if e.Kind == idp.EventOperator {
		return acted(e)
	}
	if said := web.Happened(e.Kind); said != nil {
		return said
	}
	return web.Happened(idp.EventOperator)
}

// acted says what an operator did, where it has words of its own.
func acted(e *idp.Event) web.Words {
	switch act := e.Data["act"]; {
	case act == operate.ActAsked:
		return "A provider was to be asked again to forget what you allowed"
	case act == operate.ActForgone:
		return "Asking a provider to forget what you allowed was given up"
	case e.Data["delivery"] == "":
		return web.Happened(idp.EventOperator)
	case act == operate.ActGivenUp:
		return "Telling an app of a sign-out was given up"
	}
	return "An app was to be told of a sign-out again"
}

// by says who did it, if it was not the person.
func by(actor idp.Actor, id idp.AccountID) web.Words {
	kind, _, _ := strings.Cut(string(actor), ":")
	switch {
	case actor == idp.ActorAccount(id), kind == "stranger":
		return nil
	case kind == "operator":
		return "by the people who run this site"
	case kind == "client":
		return "by an app"
	case kind == "rule":
		return "by itself"
	}
	return "by somebody else"
}

type happenedJSON struct {
	Kind    string            `json:"kind"` // an event's kind, or "ended"
	Cause   idp.CauseKind     `json:"cause,omitempty"`
	At      string            `json:"at"`
	By      string            `json:"by"` // you, stranger, operator, client, rule, other
	Client  idp.ClientID      `json:"client_id,omitempty"`
	IP      string            `json:"ip,omitempty"`
	Browser string            `json:"browser,omitempty"`
	Data    map[string]string `json:"data,omitempty"`
	Receipt string            `json:"receipt,omitempty"`
}

func (a *Account) activityJSON(w http.ResponseWriter, r *http.Request, c caller) {
	_, all, _, more, err := a.activity(r.Context(), c.account, r.URL.Query().Get("after"))
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	out := struct {
		Activity []happenedJSON `json:"activity"`
		Next     string         `json:"next,omitempty"` // for ?after=
	}{[]happenedJSON{}, more}
	for _, h := range all {
		j := happenedJSON{At: stamp(h.at())}
		actor := idp.Actor("")
		if x := h.receipt; x != nil {
			actor, j.Kind, j.Cause, j.Client, j.Receipt = x.Actor, "ended", x.Cause, x.Client, a.Browser.ReceiptAddress(x.ID)
		} else {
			e := h.event
			actor, j.Kind, j.Client, j.Data = e.Actor, string(e.Kind), e.Client, e.Data
			if near(e) {
				j.IP = e.IP
				if e.Device != "" {
					j.Browser = web.Device(e.Device)
				}
			}
		}
		if j.By, _, _ = strings.Cut(string(actor), ":"); actor == idp.ActorAccount(c.account) {
			j.By = "you"
		} else if j.By == "account" {
			j.By = "other"
		}
		out.Activity = append(out.Activity, j)
	}
	edge.JSON(w, http.StatusOK, out)
}
