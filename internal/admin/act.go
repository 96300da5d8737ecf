package admin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/web"
)

// act is one thing that operators do.
type act struct {
	duty  idp.Duty
	takes []string                                           // fields of its body, besides everyAct's
	free  bool                                               // its fields are an app's settings, which operate knows
	title web.Words                                          // of its question
	back  func(*call) string                                 // the page that it belongs to
	reach func(*call, idp.View) (question, error)            // what it asks before it is done; nil: nothing
	do    func(*call, idp.Tx) (outcome, error)               // in the transaction in which the right to it is asked
	many  func(*call, func(idp.View) error) (outcome, error) // in place of do, for what takes several: the right to it is asked in each
	after func(context.Context) error                        // what follows the commit; nil: nothing
	show  func(c *call, o outcome) (web.Console, bool)       // a page in place of a way back, for what is shown once; nil: none
	again func(*call) web.Form                               // the form, with what was written into it, for who has written something wrong; nil: they go back
}

// question is what is asked before an act that reaches more than one person, or has no way back.
type question struct {
	Text     web.Words
	People   idp.Counted
	Sessions *operate.Alive
	Of       bool // sessions are counted, not people
}

func (q *question) reaches() web.Words {
	n := verbatim(counted(q.People))
	switch {
	case q.Of:
		return sessionWords(q.Sessions)
	case q.People.More:
		return web.Say("more than %s people", n)
	case q.People.N == 0:
		return "nobody"
	case q.People.N == 1:
		return "one person"
	}
	return web.Say("%s people", n)
}

// outcome is what an act came to.
type outcome struct {
	done    string // one of said
	receipt idp.Receipt
	event   idp.Event
	count   *int   // of how many it was done, where that is to be said
	json    any    // for programs, beside done and the receipt
	secret  string // shown once
	client  idp.Client
}

// act does what a form or a program asks for: who, from one of our pages, why, whether they may, and whether they mean it.
func (a *Admin) act(what act) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := a.begin(w, r)
		if err == nil {
			err = c.body(w)
		}
		if err == nil && c.people {
			switch {
			case a.Browser.Genuine(r, c.in.Get("csrf")) != nil:
				err = errForged
			case c.stale:
				err = errStale
			}
		}
		if err != nil {
			a.failAct(w, r, c, &what, err)
			return
		}
		q, out, err := a.attempt(c, &what)
		switch {
		case err != nil:
			a.failAct(w, r, c, &what, err)
		case q != nil && c.people:
			a.render(w, r, c, http.StatusOK, confirmPage(c, &what, q))
		case q != nil:
			var reaches any = q.People
			if q.Of {
				reaches = q.Sessions
			}
			edge.JSON(w, http.StatusConflict, map[string]any{"error": "confirmation_required", "parameter": "confirm",
				"error_description": web.Plain(q.Text) + " Say \"confirm\": true to do it.", "reaches": reaches})
		default:
			a.did(w, r, c, &what, out)
		}
	}
}

// everyAct has these fields.
var everyAct = []string{"reason", "confirm", "csrf", "nonce", "switches"}

// knows refuses what is misspelled: it would be done without.
func (what *act) knows(in operate.Fields) error {
	for name := range in {
		if !what.free && !slices.Contains(everyAct, name) && !slices.Contains(what.takes, name) {
			return idp.Invalid(name, "There is no such field here.")
		}
	}
	return nil
}

// attempt asks whether the caller may, and then its question, or does it.
func (a *Admin) attempt(c *call, what *act) (q *question, out outcome, err error) {
	ctx := c.r.Context()
	allowed := func(v idp.View) error {
		if err := a.may(v, &c.caller, what.duty); err != nil {
			return err
		}
		if err := what.knows(c.in); err != nil {
			return err
		}
		return idp.ValidReason(c.in.Get("reason"))
	}
	if what.many != nil {
		out, err = what.many(c, allowed)
		return nil, out, err
	}
	if what.reach != nil && !c.in.On("confirm") {
		err = a.Store.View(ctx, func(v idp.View) error {
			if err := allowed(v); err != nil {
				return err
			}
			asked, err := what.reach(c, v)
			q = &asked
			return err
		})
		return q, out, err
	}
	err = a.Store.Update(ctx, func(tx idp.Tx) (err error) {
		if err := allowed(tx); err != nil {
			return err
		}
		if out, err = what.do(c, tx); err != nil {
			return err
		}
		return c.record(tx, a.Tell, out.event)
	})
	if err == nil && what.after != nil {
		if err := what.after(ctx); err != nil {
			edge.Note(ctx, "error", err.Error()) // it is done: nobody is told that it was not
		}
	}
	return nil, out, err
}

// record keeps who did it, why and from where, and has its person told.
func (c *call) record(tx idp.Tx, tell func(idp.Tx, idp.Event, idp.Time) error, e idp.Event) error {
	e.Actor, e.Why, e.IP, e.Device = c.actor, c.in.Get("reason"), edge.Client(c.r).IP.String(), c.r.UserAgent()
	if c.session != nil {
		e.Session = c.session.Ref
	}
	if tell != nil {
		if err := tell(tx, e, c.now); err != nil {
			return err
		}
	}
	return tx.Record(e)
}

// did answers for an act that is done.
func (a *Admin) did(w http.ResponseWriter, r *http.Request, c *call, what *act, out outcome) {
	a.Door.Committed()
	a.Wake()
	if c.people {
		if what.show != nil {
			if page, ok := what.show(c, out); ok {
				a.render(w, r, c, http.StatusOK, page)
				return
			}
		}
		to := what.back(c) + "?done=" + url.QueryEscape(out.done)
		if out.count != nil {
			to += "&n=" + strconv.Itoa(*out.count)
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	answer := map[string]any{"done": out.done}
	if out.receipt.ID != "" {
		answer["receipt"] = a.Browser.ReceiptAddress(out.receipt.ID)
	}
	if out.secret != "" {
		answer["client_secret"] = out.secret
	}
	if warning := operate.Untold(a.warn(r.Context(), &out.client)); warning != "" {
		answer["warning"] = warning
	}
	if out.json != nil {
		answer["now"] = out.json
	}
	edge.JSON(w, http.StatusOK, answer)
}

// failAct answers for an act that was not done. A person whose sign-in is too old is asked again who they are; one who has written
// something wrong finds it in the form again, and one whom the state of things refuses, the way back to the thing.
func (a *Admin) failAct(w http.ResponseWriter, r *http.Request, c *call, what *act, err error) {
	var invalid *idp.InvalidError
	refuse := func(status int, why web.Words, forms ...web.Form) {
		a.render(w, r, c, status, web.Console{Title: "This was not done", Error: why, Back: what.back(c), Forms: forms})
	}
	switch state := stateOf(err); {
	case !c.people:
		a.fail(w, r, c, err)
	case errors.Is(err, errStale):
		http.Redirect(w, r, "/login?again="+url.QueryEscape(what.back(c)), http.StatusSeeOther)
	case errors.As(err, &invalid) && what.again != nil:
		refuse(http.StatusBadRequest, wrongWords(invalid), written(what.again(c), c.in))
	case errors.As(err, &invalid):
		refuse(http.StatusBadRequest, wrongWords(invalid))
	case state != nil:
		refuse(http.StatusConflict, state.Sentence)
	default:
		a.fail(w, r, c, err)
	}
}

// written puts into a form what was sent with it.
func written(f web.Form, in operate.Fields) web.Form {
	f.Folded, f.Why = false, in.Get("reason")
	for i := range f.Fields {
		one := &f.Fields[i]
		switch {
		case one.Kind == "hidden" || !in.Has(one.Key):
		case one.Kind == "check":
			one.Checked = in.On(one.Key)
		default:
			one.Value = strings.Join(in[one.Key], "\n")
		}
	}
	return f
}

// said is what people read when something is done, n times if it says of how many.
func said(done string, n int) web.Words {
	switch done {
	case "sent-again":
		return sentAgain(n)
	case "sent-some-again":
		if n < 1 {
			return "Nothing so far was to be sent again. There is more: name an app."
		}
		return web.Say("%s deliveries are owed again: their apps are told at once. There may be more: send again for the rest, or name an app.", verbatim(strconv.Itoa(n)))
	case "ended":
		return "Ended. The receipt tells who was told."
	case "nothing":
		return "Nothing was alive that could end."
	case "locked":
		return "Locked: signed out everywhere, and nobody gets in."
	case "locked-already":
		return "It was locked already, and is locked at least as strongly now."
	case "unlocked":
		return "Unlocked. Nothing that ended comes back."
	case "disabled":
		return "Disabled: everything has ended, and nothing new begins."
	case "enabled":
		return "Enabled. Nothing that ended comes back."
	case "deleted":
		return "Deleted."
	case "changed":
		return "Saved."
	case "old-secret-ended":
		return "The old secret is good for nothing any more."
	case "owed":
		return "Owed again: the app is told at once."
	case "confirmed-before":
		return "It is not attempted any more. Its app had confirmed it."
	case "given-up":
		return "Given up. The app keeps what it has."
	case "hastened":
		return "Due now: the provider is asked at once."
	case "forgone":
		return "Given up. The provider keeps the consent."
	case "rotated":
		return "Rotated. What was signed before stays good."
	case "killed":
		return "Killed: what it signed is refused everywhere."
	case "given":
		return "Saved. It holds from the next request on."
	case "taken":
		return "No operator any more, from the next request on."
	}
	return nil
}

func sentAgain(n int) web.Words {
	switch {
	case n < 1:
		return "Nothing was to be sent again. What an app refused that cannot be told any more stays so."
	case n == 1:
		return "One delivery is owed again: its app is told at once."
	}
	return web.Say("%s deliveries are owed again: their apps are told at once.", verbatim(strconv.Itoa(n)))
}

// gone is the word for what an end came to.
func gone(r idp.Receipt, word string) string {
	if r.ID == "" && word == "ended" {
		return "nothing"
	}
	return word
}

func stateOf(err error) *operate.StateError {
	var s *operate.StateError
	if errors.As(err, &s) {
		return s
	}
	return nil
}
