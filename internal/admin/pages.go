package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// render gives a page what all of them have, and its forms what they must carry.
func (a *Admin) render(w http.ResponseWriter, r *http.Request, c *call, status int, p web.Console) {
	p.Header = web.Header{Who: c.account.Username, CSRF: c.csrf}
	p.Role = string(c.role)
	for _, room := range [][2]string{{"Overview", "/admin"}, {"People", "/admin/people"}, {"Apps", "/admin/apps"}, {"Deliveries", "/admin/deliveries"},
		{"Receipts", "/admin/receipts"}, {"Keys", "/admin/keys"}, {"Audit log", "/admin/events"}, {"Operators", "/admin/operators"}} {
		here := r.URL.Path == room[1] || (room[1] != "/admin" && strings.HasPrefix(r.URL.Path, room[1]+"/"))
		p.Nav = append(p.Nav, web.Link{Text: room[0], To: room[1], Here: here})
	}
	if p.Flash == "" {
		p.Flash = said(c.q.Get("done"))
	}
	if c.stale && len(p.Forms) > 0 {
		p.StepUp = "/login?again=" + url.QueryEscape(r.URL.Path)
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
	a.Pages.Render(w, status, p)
}

// confirmPage asks again, with all that was said.
func confirmPage(c *call, what *act, q *question) web.Console {
	f := web.Form{Text: q.Text, Action: c.r.URL.Path, Button: "Yes, do it", Danger: true, Fields: []web.Field{{Kind: "hidden", Name: "confirm", Value: "true"}}}
	for name, values := range c.in {
		if name == "csrf" || name == "nonce" || name == "confirm" {
			continue
		}
		f.Fields = append(f.Fields, web.Field{Kind: "hidden", Name: name, Value: strings.Join(values, "\n")})
	}
	return web.Console{Title: what.title, Back: what.back(c), Forms: []web.Form{f},
		Facts: []web.Fact{{Label: "Reaches", Text: counted(q.People) + " " + q.What}, {Label: "Why", Text: c.in.Get("reason")}}}
}

func counted(c idp.Counted) string {
	text := strconv.FormatInt(c.N, 10)
	if c.More {
		text = "more than " + text
	}
	return text
}

// next is the address of the page behind this one; "" if there is none.
func (c *call) next(after string) string {
	if after == "" {
		return ""
	}
	q := url.Values{}
	for name, all := range c.q {
		if name != "done" {
			q[name] = all
		}
	}
	q.Set("after", after)
	return c.r.URL.Path + "?" + q.Encode()
}

func deed(title, text, action, button string, danger bool, fields ...web.Field) web.Form {
	return web.Form{Title: title, Text: text, Action: action, Button: button, Danger: danger, Fields: fields, Reason: true}
}

func personLink(id idp.AccountID) web.Cell {
	if id == "" {
		return web.Cell{}
	}
	return web.Cell{Text: string(id), To: "/admin/people/" + url.PathEscape(string(id))}
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

func stateCell(word string) web.Cell {
	tag := "bad"
	switch word {
	case "active", "confirmed":
		tag = "good"
	case "owed", "standby", "retired":
		tag = "plain"
	}
	return web.Cell{Word: word, Tag: tag}
}
