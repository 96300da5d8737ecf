package admin

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"exeunt.dev/internal/audit"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/receipt"
	"exeunt.dev/internal/web"
)

func deliveriesPage(c *call, l deliveryList) web.Console {
	p := web.Console{Title: "Deliveries", Lead: "What apps are still to be told of sign-outs, and what they will not be told any more.",
		Filter: &web.Form{Action: "/admin/deliveries", Button: "Filter", Fields: []web.Field{{Key: "client_id", Label: "App", Value: c.q.Get("client_id")},
			{Key: "state", Label: "State", Kind: "select", Value: c.q.Get("state"), Options: states("owed", "dead", "refused", "out-of-time", "given-up")}}}}
	t := deliveryTable(l.Deliveries)
	t.Empty, t.More = web.Table{Empty: "Nothing is owed, and nothing was given up."}.Empty, c.next(l.Next)
	p.Tables = []web.Table{t}
	if c.allowed(idp.DutyDeliver) && len(l.Deliveries) > 0 && c.q.Get("state") != string(idp.Owed) {
		p.Forms = []web.Form{resendForm(c.q.Get("client_id"), c.q.Get("state"))}
	}
	return p
}

func resendForm(client, state string) web.Form {
	return deed(web.Form{Title: "Send many again", Text: "All that nobody attempts any more, now and for as long as at first, up to 10,000 at a time.", Action: "/admin/deliveries/resend", Button: "Send again", Folded: true,
		Fields: []web.Field{{Key: "client_id", Label: "App", Value: client},
			{Key: "state", Label: "State", Kind: "select", Value: state, Options: states("refused", "out-of-time", "given-up")}}})
}

func deliveryTable(all []operate.Delivery) web.Table {
	t := web.Table{Title: "Deliveries", Head: []web.Words{"Id", "App", "State", "Since", "Confirmed", "Attempts", "Next attempt", "Why"}}
	for _, d := range all {
		t.Rows = append(t.Rows, []web.Cell{{Text: d.ID, To: "/admin/deliveries/" + url.PathEscape(d.ID)}, appLink(d.ClientID), stateCell(string(d.State)), {At: d.Created},
			timeCell(d.Confirmed), {Text: strconv.Itoa(d.Attempts)}, timeCell(d.Next), whyCell(d.Why)})
	}
	return filled(t)
}

func deliveryPage(c *call, d operate.Delivery) web.Console {
	who := c.personLink(d.Subject)
	p := web.Console{Title: web.Say("Delivery %s", verbatim(d.ID)), Back: "/admin/deliveries", Facts: []web.Fact{{Label: "State", Said: stateWords(string(d.State)), Bad: d.State.Dead()},
		{Label: "App", Text: string(d.ClientID), To: appLink(d.ClientID).To}, {Label: "Person", Text: who.Text, To: who.To},
		{Label: "Receipt", Text: number(d.Receipt), To: receiptLink(d.Receipt).To}, {Label: "Since", At: d.Created}, {Label: "Attempts", Text: strconv.Itoa(d.Attempts)}}}
	if d.URI != "" {
		p.Facts = append(p.Facts, web.Fact{Label: "Address", Text: d.URI})
	}
	if sending(&d, c.now.Time()) {
		p.Lead, p.Again = web.Console{Lead: "It is being sent. What comes of it is shown here as soon as it is known."}.Lead, true
	}
	p.Facts = timed(p.Facts, web.Fact{Label: "Last attempt"}, d.Attempted)
	p.Facts = timed(p.Facts, web.Fact{Label: "Next attempt"}, d.Next)
	p.Facts = timed(p.Facts, web.Fact{Label: "Confirmed"}, d.Confirmed)
	if d.Status != 0 {
		p.Facts = append(p.Facts, web.Fact{Label: "Last answer", Text: strconv.Itoa(d.Status)})
	}
	if d.Why != "" {
		p.Facts = append(p.Facts, web.Fact{Label: "Why", Said: whyWords(d.Why)})
	}
	at := "/admin/deliveries/" + url.PathEscape(d.ID)
	if c.allowed(idp.DutyDeliver) && d.State != idp.Confirmed {
		p.Forms = append(p.Forms, deed(web.Form{Title: "Send again", Text: "Now, and for as long as at first.", Action: at + "/resend", Button: "Send again", Folded: true}))
	}
	if c.allowed(idp.DutyDeliver) && d.State == idp.Owed {
		p.Forms = append(p.Forms, deed(web.Form{Title: "Give up", Text: "The app is not told, and keeps what it has.", Action: at + "/give-up", Button: "Give up", Danger: true, Folded: true}))
	}
	return p
}

// sending says that what was sent again is on its way, and its state one of before. After a while nobody waits for it, and who writes
// into a form is not disturbed any more.
func sending(d *operate.Delivery, now time.Time) bool {
	return d.State == idp.Owed && d.Resent != nil && now.Sub(*d.Resent) < 10*time.Second
}

// receiptTable lists receipts. Where all are of one person, the person is not said again; so in eventTable.
func (c *call) receiptTable(lines []operate.Line, ofOne bool) web.Table {
	t := web.Table{Title: "Receipts", Empty: "Nothing has ended yet.", Head: []web.Words{"Number", "At", "What", "By", "App", "Owed", "Not told", "Why", "Person"}}
	for _, l := range lines {
		t.Rows = append(t.Rows, []web.Cell{receiptLink(l.Number), {At: l.At}, {Said: web.Ended(l.Cause)}, c.actorCell(l.Actor, l.Subject), appLink(l.ClientID), owedCell(&l), deadCell(l.Dead), {Text: l.Reason}, c.personLink(l.Subject)})
	}
	return filled(shorter(t, ofOne))
}

func owedCell(l *operate.Line) web.Cell {
	switch {
	case l.Working:
		return web.Cell{Said: "being worked out", Tag: "plain"}
	case l.Owed.N == 0:
		return web.Cell{}
	}
	n := about(nil, l.Owed, "")
	return web.Cell{Text: n.Text, Said: n.Said}
}

// deadCell is how many an act did not reach, and nobody attempts any more.
func deadCell(c idp.Counted) web.Cell {
	if c.N == 0 {
		return web.Cell{}
	}
	n := about(nil, c, "")
	return web.Cell{Text: n.Text, Said: n.Said, Tag: "bad"}
}

// shorter leaves out the last column.
func shorter(t web.Table, yes bool) web.Table {
	if yes {
		t.Head = t.Head[:len(t.Head)-1]
		for i, row := range t.Rows {
			t.Rows[i] = row[:len(row)-1]
		}
	}
	return t
}

// filled leaves out the columns that are empty in every row.
func filled(t web.Table) web.Table {
	for i := len(t.Head) - 1; i >= 0; i-- {
		if !slices.ContainsFunc(t.Rows, func(row []web.Cell) bool { return !row[i].Empty() }) {
			t.Head = slices.Delete(t.Head, i, i+1)
			for n, row := range t.Rows {
				t.Rows[n] = slices.Delete(row, i, i+1)
			}
		}
	}
	return t
}

func receiptsPage(c *call, l receiptList) web.Console {
	t := c.receiptTable(l.Receipts, l.filter.Account != "")
	q := url.Values{}
	if l.filter.Account != "" {
		q.Set("sub", string(l.filter.Account))
		t.Empty = web.Table{Empty: "Nothing of this person has ended yet."}.Empty
	}
	if l.filter.Owed {
		t.Empty = web.Table{Empty: "No such sign-out owes anything to an app."}.Empty
		q.Set("owed", "true")
	}
	t.More, t.Export = c.next(l.Next), strings.TrimSuffix("/admin/receipts/export?"+q.Encode(), "?")
	return web.Console{Title: "Receipts", Lead: "What each sign-out ended, reached and still owes.", Tables: []web.Table{t},
		Filter: &web.Form{Action: "/admin/receipts", Button: "Filter", Fields: []web.Field{{Key: "username", Label: "Username", Value: cmp.Or(c.names[l.filter.Account], c.q.Get("username"))},
			{Key: "owed", Label: "Only those that still owe something to an app", Kind: "check", Checked: l.filter.Owed}}}}
}

func receiptPage(c *call, r operate.ReceiptPage) web.Console {
	by := c.actorCell(r.Actor, r.Subject)
	p := web.Console{Title: web.Say("Receipt %s", verbatim(number(r.Number))), Back: "/admin/receipts", Facts: []web.Fact{{Label: "At", At: r.EndedAt}, {Label: "What", Said: web.Ended(r.Cause)}, {Label: "By", Text: by.Text, Said: by.Said, To: by.To},
		{Label: "Sessions", Text: fmt.Sprint(r.Sessions)}, {Label: "Refresh families", Text: fmt.Sprint(r.Families)}, {Label: "Owed", Text: fmt.Sprint(r.Owed), Bad: r.Owed > 0},
		{Label: "Other APIs until", At: r.APIs}}}
	if r.Reason != "" {
		p.Facts = append(p.Facts, web.Fact{Label: "Why", Text: r.Reason})
	}
	if r.Subject != "" {
		who := c.personLink(r.Subject)
		p.Facts = append(p.Facts, web.Fact{Label: "Person", Text: who.Text, To: who.To})
	}
	if r.ClientID != "" {
		p.Facts = append(p.Facts, web.Fact{Label: "App", Text: string(r.ClientID), To: appLink(r.ClientID).To})
	}
	t := deliveryTable(r.Deliveries)
	t.Empty, t.More = web.Table{Empty: "No app was to be told."}.Empty, c.next(r.Next)
	if r.Working {
		t.Empty = web.Table{Empty: "Whom to tell is still being worked out."}.Empty
	}
	p.Tables = []web.Table{t}
	if len(r.Consents) > 0 {
		p.Tables = append(p.Tables, consentTable(r.Consents))
	}
	return p
}

func consentTable(all []receipt.Consent) web.Table {
	t := web.Table{Title: "Revocations", Head: []web.Words{"Provider", "State", "Attempts", "Why"}}
	for _, d := range all {
		t.Rows = append(t.Rows, []web.Cell{{Text: d.Provider, To: "/admin/revocations/" + url.PathEscape(d.ID)}, stateCell(string(d.State)), {Text: strconv.Itoa(d.Attempts)}, whyCell(d.Why)})
	}
	return t
}

func keysPage(c *call, l keyList) web.Console {
	p := web.Console{Title: "Keys", Lead: "Rotating is quiet: nobody is signed out. Killing ends everything that a key has signed, for ever."}
	t := web.Table{Title: "Signing keys", Head: []web.Words{"Kid", "Use", "Algorithm", "State", "Since", "Retired"}}
	if c.allowed(idp.DutyKeys) {
		t.Head = append(t.Head, []web.Words{"Kill"}...)
	}
	for i, k := range l.Keys {
		row := []web.Cell{{Text: k.Kid}, {Said: useWords(k.Use)}, {Text: k.Alg}, stateCell(k.State), {At: k.Created}, {}}
		if k.Retired != nil {
			row[5].At = *k.Retired
		}
		if c.allowed(idp.DutyKeys) {
			cell := web.Cell{}
			if k.State != operate.Killed {
				cell.Form = &web.Form{ID: "key" + strconv.Itoa(i), Action: "/admin/keys/" + url.PathEscape(k.Kid) + "/kill", Button: "Kill", Reason: true, CSRF: c.csrf, Nonce: idp.NewSecret(16)}
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	p.Tables = []web.Table{t}
	if c.allowed(idp.DutyKeys) {
		use := web.Field{Key: "use", Label: "What they sign", Kind: "select", Value: "all", Options: []web.Option{{Value: "all", Label: "all"}}}
		for _, u := range operate.AllUses() {
			use.Options = append(use.Options, web.Option{Value: string(u), Label: useWords(u)})
		}
		p.Forms = []web.Form{deed(web.Form{Title: "Rotate", Text: "The next key signs from now on.", Action: "/admin/keys/rotate", Button: "Rotate", Fields: []web.Field{use}})}
	}
	return p
}

func (c *call) eventTable(all []audit.Line, ofOne bool) web.Table {
	t := web.Table{Title: "Events", Empty: "Nothing like that has happened yet.", Head: []web.Words{"At", "What", "By", "App", "Why", "More", "Address", "Person"}}
	for _, e := range all {
		what, more := eventWords(e.Kind), []web.Words(nil)
		for _, k := range sorted(e.Data) {
			if k == "act" && e.Kind == idp.EventOperator {
				what = deedWords(e.Data[k])
			} else if words := factWords(k, e.Data[k]); words != nil {
				more = append(more, words)
			}
		}
		var said web.Words // nil: nothing
		if more != nil {
			said = web.List(more...)
		}
		t.Rows = append(t.Rows, []web.Cell{{At: idp.Time(e.AtMS).Time()}, {Said: what}, c.actorCell(e.Actor, e.Account), appLink(e.Client), {Text: e.Why}, {Said: said}, {Text: e.IP}, c.personLink(e.Account)})
	}
	return shorter(t, ofOne)
}

func eventsPage(c *call, l eventList) web.Console {
	t := c.eventTable(l.Events, l.filter.Account != "")
	q := url.Values{}
	for name, value := range map[string]string{"sub": string(l.filter.Account), "kind": string(l.filter.Kind), "actor": string(l.filter.Actor)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	t.More, t.Export = c.next(l.Next), "/admin/events/export?"+q.Encode()
	return web.Console{Title: "Audit log", Lead: "What happened around accounts, apps and keys. exeunt audit verify shows whether what was sealed has been changed.", Tables: []web.Table{t},
		Filter: &web.Form{Action: "/admin/events", Button: "Filter", Fields: []web.Field{{Key: "username", Label: "Username", Value: cmp.Or(c.names[l.filter.Account], c.q.Get("username"))},
			{Key: "kind", Label: "What", Kind: "select", Value: string(l.filter.Kind), Options: happenings()}, {Key: "actor", Label: "By (operator:NAME or client:ID)", Value: string(l.filter.Actor)}}}}
}
