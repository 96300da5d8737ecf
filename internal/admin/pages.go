package admin

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// rooms are the console's.
func rooms() []web.NavItem {
	return []web.NavItem{{Path: "/admin", Name: "Overview"}, {Path: "/admin/people", Name: "People"}, {Path: "/admin/apps", Name: "Apps"}, {Path: "/admin/deliveries", Name: "Deliveries"},
		{Path: "/admin/revocations", Name: "Revocations"}, {Path: "/admin/receipts", Name: "Receipts"}, {Path: "/admin/keys", Name: "Keys"}, {Path: "/admin/events", Name: "Audit log"}, {Path: "/admin/operators", Name: "Operators"},
		{Path: "/account", Name: "Your account"}}
}

// render gives a page what all of them have, and its forms what they must carry.
func (a *Admin) render(w http.ResponseWriter, r *http.Request, c *call, status int, p web.Console) {
	p.Header = web.Header{Who: c.account.Username, CSRF: c.csrf, Nav: rooms()}
	for i, room := range p.Nav {
		p.Nav[i].Here = r.URL.Path == room.Path || (room.Path != "/admin" && strings.HasPrefix(r.URL.Path, room.Path+"/"))
	}
	if p.Flash == nil {
		n, _ := strconv.Atoi(c.q.Get("n"))
		p.Flash = said(c.q.Get("done"), n)
	}
	if c.stale && len(p.Forms) > 0 {
		p.StepUp = "/login?again=" + url.QueryEscape(r.URL.Path)
	}
	if p.Again {
		w.Header().Set("Refresh", "2; url="+r.URL.EscapedPath()) // without what was said of the act
	}
	dress := func(f *web.Form, i int) {
		f.CSRF, f.Nonce = c.csrf, idp.NewSecret(16)
		f.ID = "act" + strconv.Itoa(i)
	}
	for i := range p.Forms {
		dress(&p.Forms[i], i)
	}
	if p.Filter != nil {
		p.Filter.ID = "filter"
	}
	a.Pages.Render(w, r, status, p)
}

// confirmPage asks again, with all that was said.
func confirmPage(c *call, what *act, q *question) web.Console {
	f := web.Form{Text: q.Text, Action: c.r.URL.Path, Button: "Yes, do it", Danger: true, Fields: []web.Field{{Kind: "hidden", Key: "confirm", Value: "true"}}}
	for name, values := range c.in {
		if name == "csrf" || name == "nonce" || name == "confirm" {
			continue
		}
		f.Fields = append(f.Fields, web.Field{Kind: "hidden", Key: name, Value: strings.Join(values, "\n")})
	}
	return web.Console{Title: what.title, Back: what.back(c), Forms: []web.Form{f}, Facts: []web.Fact{{Label: "Reaches", Said: q.reaches()}, {Label: "Why", Text: c.in.Get("reason")}}}
}

// about is a number that may not have been counted to its end.
func about(label web.Words, c idp.Counted, to string) web.Fact {
	if c.More {
		return web.Fact{Label: label, Said: web.Say("more than %s", counted(c)), To: to}
	}
	return web.Fact{Label: label, Text: counted(c), To: to}
}

func counted(c idp.Counted) string {
	return strconv.FormatInt(c.N, 10)
}

// next is the address of the page behind this one; "" if there is none.
func (c *call) next(after string) string {
	if after == "" {
		return ""
	}
	q := url.Values{}
	for name, all := range c.q {
		if name != "done" && name != "n" {
			q[name] = all
		}
	}
	q.Set("after", after)
	return c.r.URL.Path + "?" + q.Encode()
}

// deed is a form that asks why.
func deed(f web.Form) web.Form {
	f.Reason = true
	return f
}

func personAt(id idp.AccountID) string { return "/admin/people/" + url.PathEscape(string(id)) }

// personLink says the username, of whom name has read it.
func (c *call) personLink(id idp.AccountID) web.Cell {
	if id == "" {
		return web.Cell{}
	}
	return web.Cell{Text: cmp.Or(c.names[id], string(id)), To: personAt(id)}
}

// name reads, for a page, what people are called; programs know them by their ids.
func (c *call) name(v idp.View, ids ...idp.AccountID) (err error) {
	if c.people {
		slices.Sort(ids)
		c.names, err = v.Usernames(slices.Compact(ids))
	}
	return err
}

// whose are the people of a receipt or an event: whom it is about, and who did it.
func whose(about idp.AccountID, by idp.Actor) []idp.AccountID {
	out := []idp.AccountID{about}
	if id, account := strings.CutPrefix(string(by), "account:"); account {
		out = append(out, idp.AccountID(id))
	}
	return out
}

// timed adds a fact that has a time, if it has one.
func timed(to []web.Fact, f web.Fact, at *time.Time) []web.Fact {
	if at == nil {
		return to
	}
	f.At = *at
	return append(to, f)
}

func timeCell(at *time.Time) web.Cell {
	if at == nil {
		return web.Cell{}
	}
	return web.Cell{At: *at}
}

func appLink(id idp.ClientID) web.Cell {
	if id == "" {
		return web.Cell{}
	}
	return web.Cell{Text: string(id), To: "/admin/apps/" + url.PathEscape(string(id))}
}

func receiptLink(n uint64) web.Cell {
	if n == 0 {
		return web.Cell{}
	}
	return web.Cell{Text: number(n), To: "/admin/receipts/" + number(n)}
}

func stateCell(code string) web.Cell {
	tag := "bad"
	switch code {
	case "active", "confirmed":
		tag = "good"
	case "owed", "standby", "retired":
		tag = "plain"
	}
	return web.Cell{Said: stateWords(code), Tag: tag}
}
