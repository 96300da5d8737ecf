package demo

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
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
	all := []who{oneBooks, oneNews, twoBooks} // of the person
	here := []who{oneBooks, oneNews}
	bob := []who{bobsBooks}
	others := []who{oneNews, twoBooks, bobsBooks}
	return []step{
		{what: "one app only", act: c.leaveApp, ends: []who{oneBooks}, refresh: true, here: yes(), there: yes(), lives: others, after: c.mustAsk},
		{what: "this browser, from an app", act: c.leaveByApp, ends: here, refresh: true, here: no(), there: yes(), lives: []who{twoBooks, bobsBooks}},
		{what: "this browser, accounts API", act: c.leaveByAPI, ends: here, refresh: true, here: no(), there: yes(), lives: []who{twoBooks, bobsBooks}},
		{what: "that one, from the list", act: c.endOther, ends: []who{twoBooks}, refresh: true, here: yes(), there: no(), lives: []who{oneBooks, oneNews, bobsBooks}},
		{what: "all others", act: c.endOthers, ends: all, told: []who{twoBooks}, here: yes(), there: no(), lives: bob, after: c.renewed},
		{what: "password changed", act: c.changePassword, ends: all, told: []who{twoBooks}, here: yes(), there: no(), lives: bob, after: c.renewed},
		{what: "an app's access withdrawn", act: c.withdraw, ends: []who{oneBooks, twoBooks}, refresh: true, here: yes(), there: yes(), lives: []who{oneNews, bobsBooks}},
		{what: "refresh token stolen", act: c.replay, ends: []who{oneBooks}, told: []who{}, here: yes(), there: yes(), lives: others},
		{what: "refresh token revoked", act: c.revoke, ends: []who{oneBooks}, told: []who{}, refresh: true, here: yes(), there: yes(), lives: others},
		{what: "access token revoked", act: c.revokeAccess, ends: []who{oneBooks}, told: []who{}, here: yes(), there: yes(), lives: others, after: c.refreshes},
		{what: "everywhere, by bearer", act: c.everywhere, ends: all, refresh: true, here: no(), there: no(), lives: bob},
		{what: "everywhere, by an operator", act: c.byOperator, ends: all, refresh: true, here: no(), there: no(), lives: bob},
		{what: "account locked", act: c.lock, ends: all, refresh: true, here: no(), there: no(), lives: bob, after: c.locked},
		{what: "an app ended, by an operator", act: c.endApp, ends: []who{oneBooks, twoBooks, bobsBooks}, refresh: true, here: yes(), there: yes(), lives: []who{oneNews}},
		{what: "signing key killed", act: c.killKey, ends: everybody(), told: []who{}, here: yes(), there: yes(), after: c.refreshes},
		{what: "everybody, by an operator", act: c.endRealm, ends: everybody(), refresh: true, here: no(), there: no()},
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
	q := url.Values{"client_id": {s.id}, "logout_uri": {s.url + "/"}}
	a, err := c.one.get(ctx, s.issuer+"/logout?"+q.Encode(), "Referer", s.url+"/", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "cross-site")
	if err == nil && a.url.Host != strings.TrimPrefix(s.url, "http://") {
		err = fmt.Errorf("leaving one app ends at %s", a.url)
	}
	return want(a, err, http.StatusOK, "leaving one app")
}

// mustAsk: the app that was left does not come back without a human.
func (c *check) mustAsk(ctx context.Context, r *Result) error {
	back, err := c.one.tokens(ctx, c.d.sites[0])
	if err == nil && back != nil {
		err = errors.New("the app came back without a human")
	}
	r.Refused = append(r.Refused, "prompt=none")
	return err
}

// leaveByApp presses the website's own button: it ends its session and sends the browser to Exeunt and back.
func (c *check) leaveByApp(ctx context.Context) error {
	s := c.d.sites[0]
	a, err := c.one.get(ctx, s.url+"/")
	if err := want(a, err, http.StatusOK, "the website"); err != nil {
		return err
	}
	form := hidden(a.body)
	form.Set("provider", "on")
	a, err = c.one.post(ctx, s.url+"/auth/signout", form)
	if err == nil && a.url.Path != "/auth/logout/exeunt/return" {
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

// renewed: this browser's apps are refreshed and go on, the websites by themselves; the others' are not.
func (c *check) renewed(ctx context.Context, r *Result) error {
	for _, w := range []who{oneBooks, oneNews} {
		if err := c.refreshed(ctx, w, r); err != nil {
			return err
		}
		a, err := c.one.get(ctx, c.at(w).url+"/")
		if err == nil && !strings.Contains(a.body, "200 OK") {
			err = fmt.Errorf("%s no longer reaches the API Orders: %s", w.name, a.body)
		}
		if err != nil {
			return err
		}
	}
	status, t, err := c.at(twoBooks).refresh(ctx, c.other.refresh)
	if err == nil && (status != http.StatusBadRequest || t.Error != "invalid_grant") {
		err = fmt.Errorf("a refresh token of the other browser: %d %s", status, t.Error)
	}
	r.Refused = append(r.Refused, "token endpoint", "cookie (others)")
	return err
}

// withdraw takes back what the person allowed an app, in every browser.
func (c *check) withdraw(ctx context.Context) error {
	return c.one.erase(ctx, "/account/apps/"+c.d.sites[0].id)
}

// replay presents a refresh token that was used long ago: a thief, or the owner behind one.
func (c *check) replay(ctx context.Context) error {
	s := c.d.sites[0]
	first := c.books.refresh
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

func (c *check) revoke(ctx context.Context) error { return c.giveBack(ctx, c.books.refresh) }

func (c *check) revokeAccess(ctx context.Context) error { return c.giveBack(ctx, c.books.access) }

func (c *check) giveBack(ctx context.Context, token string) error {
	status, _, err := c.d.sites[0].post(ctx, "/oauth2/revoke", url.Values{"token": {token}})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("revoke answers %d", status)
	}
	return err
}

// refreshes: only tokens ended.
func (c *check) refreshes(ctx context.Context, r *Result) error { return c.refreshed(ctx, oneBooks, r) }

// refreshed: an app gets another token and goes on.
func (c *check) refreshed(ctx context.Context, w who, r *Result) error {
	status, t, err := c.at(w).refresh(ctx, (*w.of(c)).refresh)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s is not refreshed: %d %s", w.name, status, t.Error)
	}
	if err != nil {
		return err
	}
	if ok, err := c.one.admits(ctx, t.Access); err != nil || !ok {
		return errors.Join(err, errors.New("the API Orders refuses what was refreshed after the end"))
	}
	r.Lived = append(r.Lived, w.name+" (renewed)")
	return c.stayed(ctx, w)
}

func (c *check) everywhere(ctx context.Context) error {
	a, err := c.one.post(ctx, c.d.Info.Issuer+"/customers/me/logout", nil, "Authorization", "Bearer "+c.books.access)
	if err := want(a, err, http.StatusOK, "/customers/me/logout"); err != nil {
		return err
	}
	a, err = c.two.post(ctx, c.d.Info.Issuer+"/customers/me/logout", nil, "Authorization", "Bearer "+c.other.access)
	return want(a, err, http.StatusBadRequest, "/customers/me/logout with an ended token")
}

// operator ends through a door that does not wake the feed, as a command beside the server does.
func (c *check) operator(ctx context.Context, s idp.Selector, kind idp.CauseKind) error {
	_, err := c.d.base.Door().End(ctx, s, idp.Cause{Kind: kind, Actor: idp.ActorOperator("demo")})
	return err
}

func (c *check) account(ctx context.Context) (id idp.AccountID, err error) {
	err = c.d.base.Store.View(ctx, func(v idp.View) error {
		a, err := v.AccountByUsername(c.one.username)
		id = a.ID
		return err
	})
	return id, err
}

func (c *check) byOperator(ctx context.Context) error {
	id, err := c.account(ctx)
	if err != nil {
		return err
	}
	return c.operator(ctx, idp.EndAccount(id, idp.AccountActive), idp.CauseEverywhere)
}

func (c *check) lock(ctx context.Context) error {
	id, err := c.account(ctx)
	if err != nil {
		return err
	}
	return c.operator(ctx, idp.EndAccount(id, idp.AccountLocked), idp.CauseLock)
}

// locked: nobody gets in, and what ended stays ended when the account is unlocked.
func (c *check) locked(ctx context.Context, r *Result) error {
	if _, err := c.one.signIn(ctx, c.d.sites[0]); err == nil {
		return errors.New("a locked account signs in")
	}
	r.Refused = append(r.Refused, "sign-in")
	id, err := c.account(ctx)
	if err == nil {
		err = c.d.base.Door().Unlock(ctx, id)
	}
	if err != nil {
		return err
	}
	if ok, err := c.admitted(ctx, oneNews); err != nil || ok {
		return errors.Join(err, errors.New("unlocking revives a token"))
	}
	return nil
}

func (c *check) endApp(ctx context.Context) error {
	return c.operator(ctx, idp.EndClient(idp.ClientID(c.d.sites[0].id), false), idp.CauseClientEnded)
}

// killKey kills the key that has signed the tokens of everybody.
func (c *check) killKey(ctx context.Context) error {
	head, _, _ := strings.Cut(c.books.access, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return err
	}
	var jose struct{ Kid string }
	if err := decode(bytes.NewReader(raw), &jose); err != nil {
		return err
	}
	err = c.d.base.Store.Update(ctx, func(tx idp.Tx) error {
		_, err := operate.KillKey(tx, jose.Kid, operate.By{Actor: idp.ActorOperator("demo")})
		return err
	})
	if err != nil {
		return err
	}
	return c.d.base.Ring.Refill(ctx)
}

func (c *check) endRealm(ctx context.Context) error {
	return c.operator(ctx, idp.EndRealm(), idp.CauseRealmEnded)
}
