package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"
)

// Line is one row of what the check found.
type Line struct {
	Ended   string  `json:"ended"`
	Refused string  `json:"refused_by"`
	Millis  float64 `json:"after_ms"`
	Lived   string  `json:"lived_on"`
	Problem string  `json:"problem,omitempty"`
}

// Check does the whole main job over HTTP, each kind of sign-out in turn.
func (d *Demo) Check(ctx context.Context) []Line {
	var out []Line
	for _, c := range []struct {
		name string
		run  func(*checker)
	}{
		{"one app (Books)", (*checker).oneApp}, {"this browser", (*checker).thisBrowser}, {"everywhere, by bearer token", (*checker).everywhere},
		{"all others, by password change", (*checker).password}, {"accounts API", (*checker).accountsAPI}, {"one token (RFC 7009)", (*checker).oneToken},
		{"refresh token used twice", (*checker).reuse},
	} {
		k := &checker{ctx: ctx, d: d, line: Line{Ended: c.name}}
		k.guarded(c.run)
		out = append(out, k.line)
	}
	return out
}

// Print writes the table and says whether all is well.
func Print(w io.Writer, lines []Line) bool {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "signed out\trefused by\tafter\trightly lived on\t")
	good := true
	for _, l := range lines {
		if l.Problem != "" {
			good = false
			fmt.Fprintf(t, "%s\tFAILED: %s\t\t\t\n", l.Ended, l.Problem)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%.1f ms\t%s\t\n", l.Ended, l.Refused, l.Millis, l.Lived)
	}
	t.Flush()
	return good
}

type checker struct {
	ctx  context.Context
	d    *Demo
	line Line
}

type failed string

func (k *checker) guarded(f func(*checker)) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failed:
			k.line.Problem = string(p)
		default:
			panic(p)
		}
	}()
	f(k)
}

func (k *checker) must(ok bool, format string, args ...any) {
	if !ok {
		panic(failed(fmt.Sprintf(format, args...)))
	}
}

// person is a browser at which somebody signed in to apps.
type person struct {
	*Browser
	k *checker
}

func (k *checker) browser() *person { return &person{NewBrowser(), k} }

// signIn signs in to a website through Exeunt, by the pages that a person sees.
func (p *person) signIn(site *website, username, password string) local {
	page, err := p.Get(p.k.ctx, site.at+"/login")
	p.k.must(err == nil, "%s/login: %v", site.name, err)
	if form, ok := page.Form(); ok {
		form.Set("username", username)
		form.Set("password", password)
		page, err = p.Submit(p.k.ctx, page, form, "signin")
		p.k.must(err == nil, "sign-in: %v", err)
	}
	p.k.must(strings.HasPrefix(page.URL, site.at), "sign-in to %s ended at %s (%d)", site.name, page.URL, page.Status)
	return p.tokens(site)
}

func (p *person) tokens(site *website) (l local) {
	page, err := p.Get(p.k.ctx, site.at+"/tokens")
	p.k.must(err == nil && json.Unmarshal([]byte(page.Body), &l) == nil && l.Access != "", "%s has no tokens", site.name)
	return l
}

// refuses waits until Orders refuses a token for having ended, and notes how long that took since begin.
func (k *checker) refuses(token string, begin time.Time) {
	for {
		status, body := ask(k.ctx, k.d.API, token)
		if strings.HasPrefix(status, "401") && strings.Contains(body, "has been revoked") {
			if k.line.Millis == 0 {
				k.line.Millis = float64(time.Since(begin).Microseconds()) / 1000
			}
			return
		}
		k.must(time.Since(begin) < 5*time.Second, "Orders still says %s", status)
	}
}

func (k *checker) accepts(what, token string) {
	status, _ := ask(k.ctx, k.d.API, token)
	k.must(status == "200 OK", "%s: Orders says %s", what, status)
}

// grant asks the token endpoint as a website.
func (k *checker) grant(site *website, form url.Values) (int, map[string]any) {
	return k.post(site, "/oauth2/token", form)
}

func (k *checker) post(site *website, path string, form url.Values) (int, map[string]any) {
	r, err := http.NewRequestWithContext(k.ctx, "POST", k.d.Issuer+path, strings.NewReader(form.Encode()))
	k.must(err == nil, "%v", err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(site.id, site.oauth.ClientSecret)
	res, err := http.DefaultClient.Do(r)
	k.must(err == nil, "%v", err)
	defer res.Body.Close()
	out := map[string]any{}
	_ = json.NewDecoder(res.Body).Decode(&out) // an empty body is one without members
	return res.StatusCode, out
}

func (k *checker) refresh(site *website, l local) (local, bool) {
	status, out := k.grant(site, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {l.Refresh}})
	if status != 200 {
		k.must(status == 400 && out["error"] == "invalid_grant", "refresh: %d %v", status, out)
		return l, false
	}
	l.Access, _ = out["access_token"].(string)
	l.Refresh, _ = out["refresh_token"].(string)
	return l, true
}

// signedIn asks Exeunt whether this browser's cookie is somebody's.
func (p *person) signedIn() bool {
	page, err := p.Get(p.k.ctx, p.k.d.Issuer+"/session/")
	p.k.must(err == nil && page.Status == 200, "/session/: %v", err)
	return !strings.Contains(page.Body, `"user":null`)
}

func (k *checker) alice() (string, string) { return k.d.Username, k.d.Password }

func (k *checker) oneApp() {
	b := k.browser()
	u, pw := k.alice()
	books := b.signIn(k.d.books, u, pw)
	news := b.signIn(k.d.news, u, pw)
	begin := time.Now()
	page, err := b.Navigate(k.ctx, k.d.books.at+"/", k.d.Issuer+"/logout?"+url.Values{"client_id": {"books"}, "logout_uri": {k.d.books.at + "/left"}}.Encode())
	k.must(err == nil && strings.HasPrefix(page.URL, k.d.books.at+"/left"), "the browser is at %s", page.URL)
	k.refuses(books.Access, begin)
	_, ok := k.refresh(k.d.books, books)
	k.must(!ok, "Books' refresh token still works")
	k.accepts("News", news.Access)
	k.must(b.signedIn(), "the browser is signed out of Exeunt, too")
	page, err = b.Get(k.ctx, k.d.books.at+"/login")
	k.must(err == nil && strings.HasPrefix(page.URL, k.d.Issuer) && strings.Contains(page.Body, "Continue as"), "Books slipped back in without a human act")
	k.line.Refused, k.line.Lived = "Orders, refresh; Books must ask a human", "News, the browser's session"
}

func (k *checker) thisBrowser() {
	b, other := k.browser(), k.browser()
	u, pw := k.alice()
	books, news := b.signIn(k.d.books, u, pw), b.signIn(k.d.news, u, pw)
	elsewhere := other.signIn(k.d.books, u, pw)
	stolen := b.Copy(k.d.Issuer)
	begin := time.Now()
	page, err := b.Navigate(k.ctx, k.d.news.at+"/", k.d.Issuer+"/logout?"+url.Values{"id_token_hint": {news.ID}, "post_logout_redirect_uri": {k.d.news.at + "/"}, "state": {"s1"}}.Encode())
	k.must(err == nil && page.URL == k.d.news.at+"/?state=s1", "the browser is at %s", page.URL)
	k.refuses(books.Access, begin)
	k.refuses(news.Access, begin)
	_, ok := k.refresh(k.d.news, news)
	k.must(!ok, "News' refresh token still works")
	thief := &person{stolen, k}
	k.must(!thief.signedIn(), "a copy of the cookie still works")
	k.accepts("the other browser", elsewhere.Access)
	k.must(other.signedIn(), "the other browser is signed out")
	k.line.Refused, k.line.Lived = "Orders, refresh, a stolen copy of the cookie", "the other browser"
}

func (k *checker) everywhere() {
	b, other, bob := k.browser(), k.browser(), k.browser()
	u, pw := k.alice()
	books, news := b.signIn(k.d.books, u, pw), other.signIn(k.d.news, u, pw)
	his := bob.signIn(k.d.books, k.d.SecondUsername, k.d.SecondPassword)
	begin := time.Now()
	status, _ := k.bearer("/v1/customers/me/logout", books.Access)
	k.must(status == 200, "answer %d", status)
	k.refuses(books.Access, begin)
	k.refuses(news.Access, begin)
	k.must(!b.signedIn() && !other.signedIn(), "a browser is still signed in")
	status, body := k.bearer("/customers/me/logout", news.Access)
	k.must(status == 400 && strings.Contains(body, "Access Token has been revoked"), "an ended token gets %d %s", status, body)
	k.accepts("the other person", his.Access)
	k.line.Refused, k.line.Lived = "Orders, both browsers, the API itself (400)", "the other person"
}

func (k *checker) bearer(path, token string) (int, string) {
	r, err := http.NewRequestWithContext(k.ctx, "POST", k.d.Issuer+path, nil)
	k.must(err == nil, "%v", err)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	k.must(err == nil, "%v", err)
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
	return res.StatusCode, string(text)
}

func (k *checker) password() {
	b, other := k.browser(), k.browser()
	u, pw := k.alice()
	own, theirs := b.signIn(k.d.books, u, pw), other.signIn(k.d.news, u, pw)
	page, err := b.Get(k.ctx, k.d.Issuer+"/account")
	k.must(err == nil, "%v", err)
	form, ok := page.FormTo("/account/password")
	k.must(ok, "the account page has no password form")
	changed := pw + "!"
	form.Set("old", pw)
	form.Set("new", changed)
	begin := time.Now()
	page, err = b.Submit(k.ctx, page, form, "")
	k.must(err == nil && page.Status == 200 && strings.Contains(page.URL, "done=password"), "the page is %s (%d)", page.URL, page.Status)
	k.d.Password = changed
	k.refuses(theirs.Access, begin)
	k.must(!other.signedIn(), "the other browser is still signed in")
	k.must(b.signedIn(), "this browser is signed out")
	renewed, ok := k.refresh(k.d.books, own)
	k.must(ok, "this browser's app cannot refresh")
	k.accepts("this browser's app, renewed", renewed.Access)
	k.line.Refused, k.line.Lived = "Orders, the other browser", "this browser, its app after a refresh"
}

func (k *checker) accountsAPI() {
	b := k.browser()
	u, pw := k.alice()
	books := b.signIn(k.d.books, u, pw)
	_, err := b.Get(k.ctx, k.d.Issuer+"/csrf_token/")
	k.must(err == nil, "%v", err)
	for _, made := range []string{"a", ""} {
		page, err := b.Post(k.ctx, k.d.Issuer+"/accounts/logout/", url.Values{"csrfmiddlewaretoken": {made}})
		k.must(err == nil && page.Status == 403 && b.signedIn(), "CSRF token %q: %d", made, page.Status)
	}
	begin := time.Now()
	page, err := b.Post(k.ctx, k.d.Issuer+"/accounts/logout/", url.Values{"csrfmiddlewaretoken": {b.Cookie(k.d.Issuer, "csrftoken")}})
	k.must(err == nil && page.Status < 400, "sign-out: %d", page.Status)
	k.refuses(books.Access, begin)
	k.must(!b.signedIn(), "the browser is still signed in")
	k.line.Refused, k.line.Lived = "Orders, the browser", "the session, under a forged CSRF token"
}

func (k *checker) oneToken() {
	b := k.browser()
	u, pw := k.alice()
	books := b.signIn(k.d.books, u, pw)
	second, ok := k.refresh(k.d.books, books)
	k.must(ok, "refresh")
	begin := time.Now()
	status, _ := k.post(k.d.books, "/oauth2/revoke", url.Values{"token": {books.Access}})
	k.must(status == 200, "revocation: %d", status)
	k.refuses(books.Access, begin)
	k.accepts("the second token", second.Access)
	k.line.Refused, k.line.Lived = "Orders", "the token renewed before, the session"
}

func (k *checker) reuse() {
	b := k.browser()
	u, pw := k.alice()
	first := b.signIn(k.d.books, u, pw)
	news := b.signIn(k.d.news, u, pw)
	second, ok := k.refresh(k.d.books, first)
	k.must(ok, "refresh")
	again, ok := k.refresh(k.d.books, first) // the answer was lost: the same successor
	k.must(ok && again.Refresh == second.Refresh, "a lost answer cannot be fetched again")
	third, ok := k.refresh(k.d.books, second)
	k.must(ok, "refresh")
	fourth, ok := k.refresh(k.d.books, third)
	k.must(ok, "refresh")
	begin := time.Now()
	_, ok = k.refresh(k.d.books, first) // three behind: a thief
	k.must(!ok, "a used token works")
	k.refuses(fourth.Access, begin)
	_, ok = k.refresh(k.d.books, fourth)
	k.must(!ok, "the family lives on")
	k.accepts("News", news.Access)
	k.line.Refused, k.line.Lived = "Orders, the whole family", "News, the session; a lost answer was given again"
}
