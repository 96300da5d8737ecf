package demo

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// Browser is a browser without a screen: it keeps cookies, follows redirects, sends what browsers send about where a request comes from,
// and fills in forms.
type Browser struct {
	client *http.Client
	jar    *cookiejar.Jar
}

// NewBrowser returns one without cookies.
func NewBrowser() *Browser {
	jar, _ := cookiejar.New(nil) // never fails
	return &Browser{&http.Client{Jar: jar, Timeout: 20 * time.Second}, jar}
}

// Copy is what a thief has who copied the cookies that the given sites can see.
func (b *Browser) Copy(sites ...string) *Browser {
	c := NewBrowser()
	for _, at := range sites {
		if u, err := url.Parse(at); err == nil {
			c.jar.SetCookies(u, b.jar.Cookies(u))
		}
	}
	return c
}

// Cookie reads a cookie.
func (b *Browser) Cookie(at, name string) string {
	u, err := url.Parse(at)
	if err != nil {
		return ""
	}
	for _, c := range b.jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// Page is where the browser is.
type Page struct {
	URL    string
	Status int
	Body   string
	Header http.Header
}

// Get opens an address, as if it had been typed.
func (b *Browser) Get(ctx context.Context, at string) (*Page, error) {
	return b.do(ctx, "GET", at, nil, map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
}

// Navigate follows a link on a page.
func (b *Browser) Navigate(ctx context.Context, from, to string) (*Page, error) {
	return b.do(ctx, "GET", to, nil, map[string]string{"Referer": from, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
}

// Post posts from a page of the same origin.
func (b *Browser) Post(ctx context.Context, at string, form url.Values) (*Page, error) {
	u, err := url.Parse(at)
	if err != nil {
		return &Page{}, err
	}
	return b.do(ctx, "POST", at, form, map[string]string{"Origin": u.Scheme + "://" + u.Host, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
}

func (b *Browser) do(ctx context.Context, method, at string, form url.Values, header map[string]string) (*Page, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return &Page{}, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("User-Agent", "Exeunt demo check")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	res, err := b.client.Do(r)
	if err != nil {
		return &Page{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return &Page{res.Request.URL.String(), res.StatusCode, string(text), res.Header}, err
}

// Form is a form with its fields as the page filled them in.
type Form struct {
	Action string
	url.Values
}

// Form returns the form that asks for a password or an answer: the first one with a button of the main part.
func (p *Page) Form() (Form, bool) { return p.FormTo("") }

// FormTo returns the first form whose action is the given path; "" for any.
func (p *Page) FormTo(action string) (Form, bool) {
	doc, err := html.Parse(strings.NewReader(p.Body))
	if err != nil {
		return Form{}, false
	}
	for n := range doc.Descendants() {
		if n.Data != "form" || (action != "" && attr(n, "action") != action) {
			continue
		}
		f := Form{attr(n, "action"), url.Values{}}
		for in := range n.Descendants() {
			if in.Data == "input" && attr(in, "name") != "" && attr(in, "type") != "checkbox" {
				f.Set(attr(in, "name"), attr(in, "value"))
			}
		}
		return f, true
	}
	return Form{}, false
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// Submit presses a button of a form on a page.
func (b *Browser) Submit(ctx context.Context, p *Page, f Form, act string) (*Page, error) {
	base, err := url.Parse(p.URL)
	if err != nil {
		return &Page{}, err
	}
	to, err := base.Parse(f.Action)
	if err != nil {
		return &Page{}, err
	}
	if act != "" {
		f.Set("act", act)
	}
	return b.Post(ctx, to.String(), f.Values)
}
