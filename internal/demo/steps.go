package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/idp"
)

// who is one app in one browser.
type who struct {
	name string
	of   func(*check) *visit
	site int
}

var (
	oneBooks  = who{"Books here", func(c *check) *visit { return c.books }, 0}
	oneNews   = who{"News here", func(c *check) *visit { return c.news }, 1}
	twoBooks  = who{"the other browser", func(c *check) *visit { return c.other }, 0}
	bobsBooks = who{"the other person", func(c *check) *visit { return c.bobs }, 0}
)

// step is one kind of sign-out, and what it should do.
type step struct {
	what    string
	act     func(context.Context) error
	ends    []who
	refresh bool                                 // the refresh tokens of what ended are refused, too
	told    []who                                // whose apps are told of it; nil: of all that ends
	here    *bool                                // is this browser signed in at Exeunt afterwards? nil: not asked
	there   *bool                                // and the other one
	lives   []who                                // beside the other person, who always does
	after   func(context.Context, *Result) error // what else should hold
}

func yes() *bool { t := true; return &t }
func no() *bool  { return new(bool) }

func (c *check) steps() []step {
	all := []who{oneBooks, oneNews, twoBooks}
	here := []who{oneBooks, oneNews}
	return []step{
		{what: "one app only", act: c.leaveApp, ends: []who{oneBooks}, refresh: true, here: yes(), there: yes(), lives: []who{oneNews, twoBooks}, after: c.mustAsk},
		{what: "this browser, from an app", act: c.leaveByApp, ends: here, refresh: true, here: no(), there: yes(), lives: []who{twoBooks}},
		{what: "this browser, accounts API", act: c.leaveByAPI, ends: here, refresh: true, here: no(), there: yes(), lives: []who{twoBooks}},
		{what: "that one, from the list", act: c.endOther, ends: []who{twoBooks}, refresh: true, here: yes(), there: no(), lives: here},
		{what: "all others", act: c.endOthers, ends: all, told: []who{twoBooks}, here: yes(), there: no(), after: c.renewed},
		{what: "password changed", act: c.changePassword, ends: all, told: []who{twoBooks}, here: yes(), there: no(), after: c.renewed},
		{what: "refresh token stolen", act: c.replay, ends: []who{oneBooks}, told: []who{}, here: yes(), there: yes(), lives: []who{oneNews, twoBooks}},
		{what: "refresh token revoked", act: c.revoke, ends: []who{oneBooks}, told: []who{}, refresh: true, here: yes(), there: yes(), lives: []who{oneNews, twoBooks}},
		{what: "everywhere, by bearer", act: c.everywhere, ends: all, refresh: true, here: no(), there: no()},
		{what: "everywhere, by an operator", act: c.byOperator, ends: all, refresh: true, here: no(), there: no()},
	}
}

func want(a answer, err error, status int, what string) error {
	if err == nil && a.status != status {
		err = fmt.Errorf("%s answers %d at %s", what, a.status, a.url.Path)
	}
	return err
}

// leaveApp is the link of an app that leaves that app only; a browser says where it comes from.
func (c *check) leaveApp(ctx context.Context) error {
	s := c.d.sites[0]
	q := url.Values{"client_id": {s.oauth.ClientID}, "logout_uri": {s.url + "/bye"}}
	a, err := c.one.get(ctx, s.end+"?"+q.Encode(), "Referer", s.url+"/", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "cross-site")
	if err == nil && a.url.Path != "/bye" {
		err = fmt.Errorf("leaving one app ends at %s", a.url.Path)
	}
	return want(a, err, http.StatusOK, "leaving one app")
}

// mustAsk: the app that was left does not come back without a human.
func (c *check) mustAsk(ctx context.Context, r *Result) error {
	back, err := c.one.silent(ctx, c.d.sites[0])
	if err == nil && back {
		err = errors.New("the app came back without a human")
	}
	r.Refused = append(r.Refused, "prompt=none")
	return err
}

func (c *check) leaveByApp(ctx context.Context) error {
	s := c.d.sites[0]
	a, err := c.one.post(ctx, s.url+"/logout", url.Values{"which": {"all"}})
	if err == nil && a.url.Path != "/bye" {
		err = fmt.Errorf("the sign-out ends at %s", a.url.Path)
	}
	return want(a, err, http.StatusOK, "the sign-out")
}

// csrf fetches the token that scripts send back.
func (v *visitor) csrf(ctx context.Context) (string, error) {
	a, err := v.get(ctx, v.demo.Info.Issuer+"/csrf_token/")
	if err := want(a, err, http.StatusOK, "/csrf_token/"); err != nil {
		return "", err
	}
	for _, k := range v.client.Jar.Cookies(a.url) {
		if k.Name == "csrftoken" {
			return k.Value, nil
		}
	}
	return "", errors.New("there is no cookie csrftoken")
}

func (c *check) leaveByAPI(ctx context.Context) error {
	token, err := c.one.csrf(ctx)
	if err != nil {
		return err
	}
	a, err := c.one.post(ctx, c.d.Info.Issuer+"/accounts/logout/", url.Values{"csrfmiddlewaretoken": {token}}, "Accept", "application/json")
	return want(a, err, http.StatusOK, "/accounts/logout/")
}

// erase is a DELETE by cookie.
func (v *visitor) erase(ctx context.Context, path string) error {
	token, err := v.csrf(ctx)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, "DELETE", v.demo.Info.Issuer+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("X-CSRFToken", token)
	r.Header.Set("Origin", v.demo.Info.Issuer)
	a, err := v.do(r)
	return want(a, err, http.StatusOK, path)
}

func (c *check) endOther(ctx context.Context) error {
	a, err := c.one.get(ctx, c.d.Info.Issuer+"/account/sessions", "Accept", "application/json")
	if err := want(a, err, http.StatusOK, "/account/sessions"); err != nil {
		return err
	}
	var list struct {
		Sessions []struct {
			ID      string
			Current bool
		}
	}
	if err := decode(strings.NewReader(a.body), &list); err != nil {
		return err
	}
	for _, s := range list.Sessions {
		if !s.Current {
			return c.one.erase(ctx, "/account/sessions/"+s.ID)
		}
	}
	return errors.New("the list has no other session")
}

func (c *check) endOthers(ctx context.Context) error {
	return c.one.erase(ctx, "/account/sessions?which=others")
}

func (c *check) changePassword(ctx context.Context) error {
	a, err := c.one.get(ctx, c.d.Info.Issuer+"/account")
	if err := want(a, err, http.StatusOK, "/account"); err != nil {
		return err
	}
	form := hidden(a.body)
	next := password()
	form.Set("old", c.one.password)
	form.Set("new", next)
	a, err = c.one.post(ctx, c.d.Info.Issuer+"/account/password", form)
	if err := want(a, err, http.StatusOK, "/account/password"); err != nil {
		return err
	}
	c.one.password, c.two.password = next, next
	return nil
}

// renewed: this browser's apps are refreshed and go on; the others' are not.
func (c *check) renewed(ctx context.Context, r *Result) error {
	for _, w := range []who{oneBooks, oneNews} {
		status, t, err := c.d.sites[w.site].refresh(ctx, w.of(c).Token.RefreshToken)
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("%s is not refreshed: %d %s", w.name, status, t.Error)
		}
		if !c.d.sites[w.site].knows(w.of(c)) {
			return fmt.Errorf("%s was told that it is over", w.name)
		}
		ok, err := c.one.admits(ctx, t.Access)
		if err != nil || !ok {
			return errors.Join(err, errors.New("the API Orders refuses what was refreshed after the end"))
		}
		r.Lived = append(r.Lived, w.name+" (renewed)")
	}
	status, t, err := c.d.sites[0].refresh(ctx, c.other.Token.RefreshToken)
	if err == nil && (status != http.StatusBadRequest || t.Error != "invalid_grant") {
		err = fmt.Errorf("a refresh token of the other browser: %d %s", status, t.Error)
	}
	r.Refused = append(r.Refused, "token endpoint", "cookie (others)")
	return err
}

// replay presents a refresh token that was used long ago: a thief, or the owner behind one.
func (c *check) replay(ctx context.Context) error {
	s := c.d.sites[0]
	first := c.books.Token.RefreshToken
	last := first
	for range 3 {
		status, t, err := s.refresh(ctx, last)
		if err != nil || status != http.StatusOK {
			return errors.Join(err, fmt.Errorf("refresh: %d %s", status, t.Error))
		}
		last = t.Refresh
	}
	for _, dead := range []string{first, last} {
		status, t, err := s.refresh(ctx, dead)
		if err != nil || status != http.StatusBadRequest || t.Error != "invalid_grant" {
			return errors.Join(err, fmt.Errorf("a token of a stolen family: %d %s", status, t.Error))
		}
	}
	return nil
}

func (c *check) revoke(ctx context.Context) error {
	status, _, err := c.d.sites[0].ask(ctx, c.d.Info.Issuer+"/oauth2/revoke", url.Values{"token": {c.books.Token.RefreshToken}})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("revoke answers %d", status)
	}
	return err
}

func (c *check) everywhere(ctx context.Context) error {
	a, err := c.one.post(ctx, c.d.Info.Issuer+"/customers/me/logout", nil, "Authorization", "Bearer "+c.books.Token.AccessToken)
	if err := want(a, err, http.StatusOK, "/customers/me/logout"); err != nil {
		return err
	}
	a, err = c.two.post(ctx, c.d.Info.Issuer+"/customers/me/logout", nil, "Authorization", "Bearer "+c.other.Token.AccessToken)
	return want(a, err, http.StatusBadRequest, "/customers/me/logout with an ended token")
}

// byOperator ends through a door that does not wake the feed: a command beside the server.
func (c *check) byOperator(ctx context.Context) error {
	_, err := c.d.base.Door().End(ctx, idp.EndAccount(idp.AccountID(c.books.Subject), idp.AccountActive), idp.Cause{Kind: idp.CauseEverywhere, Actor: idp.ActorOperator("demo")})
	return err
}
