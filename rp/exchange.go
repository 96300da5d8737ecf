package rp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// arrival is a person who came back from a provider, checked.
type arrival struct {
	who      Identity
	sid      string
	issued   time.Time
	authTime time.Time // zero if not said
	idToken  string
	token    *oauth2.Token
	at       document
}

// signed is when the person proved who they are. A provider that does not say may have asked nobody; then it is now, which
// is all that is known.
func (a arrival) signed(now time.Time) time.Time {
	if a.authTime.IsZero() || a.authTime.After(now) {
		return now
	}
	return a.authTime
}

var errIssuer = errors.New("the answer is of another issuer")

// exchange redeems the code and finds out who came.
func (u *upstream) exchange(ctx context.Context, redirect string, answer url.Values, t trip) (arrival, error) {
	d, err := u.document(ctx)
	if err != nil {
		return arrival{}, err
	}
	// RFC 9207 section 2.4, before the code goes anywhere. With one callback for each provider it is a second lock.
	iss := answer.Get("iss")
	if u.p.IssuerPattern == "" && u.p.OIDC() && (iss != "" || d.answersWithIssuer) && iss != u.p.Issuer {
		return arrival{}, errIssuer
	}
	code := answer.Get("code")
	if code == "" || len(code) > 4096 {
		return arrival{}, errors.New("no code")
	}
	c, err := u.config(d, redirect)
	if err != nil {
		return arrival{}, err
	}
	ctx = oidc.ClientContext(ctx, u.client)
	tok, err := c.Exchange(ctx, code, oauth2.VerifierOption(t.Verifier))
	if err != nil {
		return arrival{}, err
	}
	a := arrival{who: Identity{Provider: u.name}, token: tok, at: d}
	if u.p.OIDC() {
		err = u.readIDToken(ctx, &a, iss, t.Nonce)
	} else {
		err = u.readProfile(ctx, &a)
	}
	if err != nil {
		return arrival{}, err
	}
	if a.who.Name == "" {
		a.who.Name = appleName(answer.Get("user"))
	}
	if !clean(a.who.Name, 500) {
		a.who.Name = ""
	}
	return a, nil
}

// readIDToken is OpenID Connect Core section 3.1.3.7.
func (u *upstream) readIDToken(ctx context.Context, a *arrival, iss, nonce string) error {
	a.idToken, _ = a.token.Extra("id_token").(string)
	t, err := u.verifier().Verify(ctx, a.idToken)
	if err != nil {
		return err
	}
	var c struct {
		Sid      string `json:"sid"`
		Azp      string `json:"azp"`
		Tenant   string `json:"tid"`
		AuthTime int64  `json:"auth_time"`
	}
	if err := t.Claims(&c); err != nil {
		return err
	}
	if pattern := u.p.IssuerPattern; pattern != "" {
		if !clean(c.Tenant, 100) || strings.Contains(c.Tenant, "/") || t.Issuer != strings.ReplaceAll(pattern, "{tenantid}", c.Tenant) || iss != "" && iss != t.Issuer {
			return errIssuer
		}
	}
	switch {
	case t.Nonce == "" || t.Nonce != nonce:
		return errors.New("the nonce is another one")
	case len(t.Audience) > 1 && c.Azp != u.p.ClientID, c.Azp != "" && c.Azp != u.p.ClientID:
		return errors.New("the token was issued to another client")
	case !clean(t.Subject, 255):
		return errors.New("no usable subject")
	case c.Sid != "" && !clean(c.Sid, 255):
		return errors.New("no usable sid")
	case t.IssuedAt.IsZero():
		return errors.New("no iat")
	}
	if t.AccessTokenHash != "" {
		if err := t.VerifyAccessToken(a.token.AccessToken); err != nil {
			return err
		}
	}
	a.who.Subject, a.sid, a.issued = t.Subject, c.Sid, t.IssuedAt
	if c.AuthTime > 0 {
		a.authTime = time.Unix(c.AuthTime, 0)
	}
	if err := t.Claims(&a.who.Claims); err != nil {
		return err
	}
	a.who.Name = nameOf(a.who.Claims, "name", "preferred_username")
	if a.who.Name == "" && a.at.userinfo != "" {
		u.addUserInfo(ctx, a)
	}
	return nil
}

// addUserInfo asks for what is displayed only: without it the sign-in is as good. An answer about somebody else is dropped
// (OpenID Connect Core section 5.3.2).
func (u *upstream) addUserInfo(ctx context.Context, a *arrival) {
	m, err := u.ask(ctx, a)
	if err != nil || m["sub"] != a.who.Subject {
		return
	}
	for k, v := range m {
		if _, has := a.who.Claims[k]; !has {
			a.who.Claims[k] = v
		}
	}
	a.who.Name = nameOf(m, "name", "preferred_username")
}

// readProfile asks a plain OAuth 2.0 provider whose token this is. The code was redeemed by this website with its own
// verifier, so the token was not issued to somebody else's app.
func (u *upstream) readProfile(ctx context.Context, a *arrival) error {
	m, err := u.ask(ctx, a)
	if err != nil {
		return err
	}
	switch id := m[u.p.Profile.Subject].(type) {
	case string:
		a.who.Subject = id
	case json.Number:
		a.who.Subject = id.String()
		if strings.ContainsAny(a.who.Subject, ".eE") {
			return errors.New("a subject that is no whole number")
		}
	}
	if !clean(a.who.Subject, 255) {
		return errors.New("no usable subject")
	}
	a.who.Name, a.who.Claims, a.issued = nameOf(m, u.p.Profile.Name), m, u.now()
	return nil
}

// ask makes the profile call.
func (u *upstream) ask(ctx context.Context, a *arrival) (map[string]any, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.at.userinfo, nil)
	if err != nil {
		return nil, err
	}
	a.token.SetAuthHeader(r)
	r.Header.Set("Accept", "application/json")
	res, err := u.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, errors.New("the profile was not answered with 200")
	}
	var m map[string]any
	d := json.NewDecoder(io.LimitReader(res.Body, 64<<10))
	d.UseNumber() // an id above 2^53 stays what it is
	return m, d.Decode(&m)
}

func nameOf(claims map[string]any, members ...string) string {
	for _, k := range members {
		if v, _ := claims[k].(string); v != "" {
			return v
		}
	}
	return ""
}

// appleName reads the parameter user, which Apple POSTs beside the first code only. It is the browser's word: for display.
func appleName(user string) string {
	var v struct {
		Name struct{ FirstName, LastName string }
	}
	if json.Unmarshal([]byte(user), &v) != nil {
		return ""
	}
	return strings.TrimSpace(v.Name.FirstName + " " + v.Name.LastName)
}
