package admin

import (
	"encoding/json"
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

// call is one request and who makes it.
type call struct {
	caller
	r      *http.Request
	q      url.Values     // of the address
	in     operate.Fields // of the body
	key    string         // by which an act is known again; "": it is not
	now    idp.Time
	people bool   // a page is asked for
	csrf   string // for the page's forms
	stale  bool   // the sign-in is too old to act
	names  map[idp.AccountID]string
}

// path is a part of the address.
func (c *call) path(name string) string { return c.r.PathValue(name) }

// by is who acts, and why.
func (c *call) by() operate.By {
	by := operate.By{Actor: c.actor, Reason: c.in.Get("reason")}
	if c.key != "" {
		by.Request = c.r.URL.Path + " " + c.key // a key is for one kind of act
	}
	return by
}

func (c *call) page() (idp.Page, error) {
	p := idp.Page{After: c.q.Get("after"), Limit: pageSize}
	if c.people {
		p.Limit = rowsSeen
	}
	if text := c.q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return p, idp.Invalid("limit", "A limit is a number from 1 to 1000.")
		}
		p.Limit = n
	}
	return p, nil
}

func (a *Admin) begin(w http.ResponseWriter, r *http.Request) (*call, error) {
	c := &call{r: r, people: isPage(r)}
	c.now, _ = a.Store.Now()
	var err error
	if c.caller, err = a.who(w, r); err != nil {
		return c, err
	}
	if c.people {
		c.csrf, c.stale = a.Browser.CSRF(w, r), !a.Browser.Recent(c.session)
	}
	c.q, err = edge.Query(r)
	return c, err
}

// look answers a question: what is read, in the snapshot in which the caller may read it, as JSON or as a page.
func look[T any](a *Admin, read func(*call, idp.View) (T, error), show func(*call, T) web.Console) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := a.begin(w, r)
		var out T
		if err == nil {
			err = a.Store.View(r.Context(), func(v idp.View) (err error) {
				if err = a.may(v, &c.caller, idp.DutyRead); err == nil {
					out, err = read(c, v)
				}
				return err
			})
		}
		var invalid *idp.InvalidError
		switch {
		case c.people && errors.As(err, &invalid):
			p := show(c, out)
			if p.Filter == nil {
				a.fail(w, r, c, err)
				return
			}
			p.Error, p.Tables, p.Forms = wrongWords(invalid), nil, nil // what was written stays, to be corrected
			a.render(w, r, c, http.StatusBadRequest, p)
		case err != nil:
			a.fail(w, r, c, err)
		case c.people:
			a.render(w, r, c, http.StatusOK, show(c, out))
		default:
			edge.JSON(w, http.StatusOK, out)
		}
	}
}

// body reads what a form or a JSON object says. A list in a form is written one to a line.
func (c *call) body(w http.ResponseWriter) error {
	c.in = operate.Fields{}
	if c.people {
		form, err := edge.Form(w, c.r)
		for name, values := range form {
			c.in[name] = values
			if lists(name) {
				c.in[name] = strings.FieldsFunc(values[0], func(r rune) bool { return r == '\n' || r == '\r' || r == ' ' })
			}
		}
		for _, name := range strings.Fields(c.in.Get("switches")) { // a box that is not ticked is not sent
			if !c.in.Has(name) {
				c.in[name] = []string{"false"}
			}
		}
		c.key = c.in.Get("nonce")
		return err
	}
	var err error
	if c.key, err = edge.IdempotencyKey(c.r); err != nil {
		return err
	}
	raw := map[string]json.RawMessage{}
	if err := edge.DecodeJSON(w, c.r, &raw); err != nil {
		return err
	}
	for name, value := range raw {
		var text string
		var list []string
		var on bool
		switch {
		case json.Unmarshal(value, &text) == nil:
			c.in[name] = []string{text}
		case json.Unmarshal(value, &list) == nil:
			c.in[name] = list
		case json.Unmarshal(value, &on) == nil:
			c.in[name] = []string{strconv.FormatBool(on)}
		default:
			return idp.Invalid(name, "This is a text, a list of texts, or true or false.")
		}
	}
	return nil
}

func lists(name string) bool {
	return slices.Contains([]string{"redirect_uris", "post_logout_redirect_uris", "logout_uris", "scopes", "audiences"}, name)
}

// settings are the fields without what is not about an app.
func (c *call) settings() operate.Fields {
	out := operate.Fields{}
	for name, values := range c.in {
		if !slices.Contains(everyAct, name) {
			out[name] = values
		}
	}
	return out
}

// notFound says that there is nothing at this address; a malformed name is one that nothing has.
func notFound(err error) error {
	if errors.As(err, new(*idp.InvalidError)) {
		return idp.ErrNotFound
	}
	return err
}
