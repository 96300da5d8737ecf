package upstream

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

// Arrival is a person who came back from a provider, checked. Issuer and Subject together, and nothing else, say who it is;
// Name and Claims are what the provider says about the person, for display.
type Arrival struct {
	Issuer, Subject, Name string
	Claims                map[string]any

	SID      string
	Issued   time.Time // iat of the ID token
	AuthTime time.Time // zero if not said
	IDToken  string
	Token    *oauth2.Token
	At       Document
}

// lag is by how much the clock of a provider that says when it asked may differ.
const lag = 2 * time.Minute

// Proved says that the provider has asked the person since a moment. One that tells no time may have asked nobody: a session there
// answers without a word.
func (a Arrival) Proved(since time.Time) bool {
	return !a.AuthTime.IsZero() && !a.AuthTime.Before(since.Add(-lag))
}

// ErrIssuer says that an answer or a token came from somebody else: a mix-up.
var ErrIssuer = errors.New("the answer is of another issuer")

// Redeem exchanges the code of an answer and finds out who came.
func (u *Upstream) Redeem(ctx context.Context, redirect string, answer url.Values, t Trip) (Arrival, error) {
	d, err := u.Document(ctx)
	if err != nil {
		return Arrival{}, err
	}
	// RFC 9207 section 2.4, before the code goes anywhere. With one callback for each provider it is a second lock.
	iss := answer.Get("iss")
	if u.P.IssuerPattern == "" && u.P.OIDC() && (iss != "" || d.answersWithIssuer) && iss != u.P.Issuer {
		return Arrival{}, ErrIssuer
	}
	code := answer.Get("code")
	if code == "" || len(code) > 4096 {
		return Arrival{}, errors.New("no code")
	}
	c, err := u.config(d, redirect)
	if err != nil {
		return Arrival{}, err
	}
	ctx = oidc.ClientContext(ctx, u.client)
	tok, err := c.Exchange(ctx, code, oauth2.VerifierOption(t.Verifier))
	if err != nil {
		return Arrival{}, err
	}
	a := Arrival{Token: tok, At: d}
	if u.P.OIDC() {
		err = u.readIDToken(ctx, &a, iss, t.Nonce)
	} else {
		err = u.readProfile(ctx, &a)
	}
	if err != nil {
		return Arrival{}, err
	}
	if a.Name == "" {
		a.Name = appleName(answer.Get("user"))
	}
	if !Clean(a.Name, 500) {
		a.Name = ""
	}
	return a, nil
}

// readIDToken is OpenID Connect Core section 3.1.3.7.
func (u *Upstream) readIDToken(ctx context.Context, a *Arrival, iss, nonce string) error {
	a.IDToken, _ = a.Token.Extra("id_token").(string)
	t, err := u.verifier().Verify(ctx, a.IDToken)
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
	if pattern := u.P.IssuerPattern; pattern != "" {
		if !Clean(c.Tenant, 100) || strings.Contains(c.Tenant, "/") || t.Issuer != strings.ReplaceAll(pattern, "{tenantid}", c.Tenant) || iss != "" && iss != t.Issuer {
			return ErrIssuer
		}
	}
	switch {
	case t.Nonce == "" || t.Nonce != nonce:
		return errors.New("the nonce is another one")
	case len(t.Audience) > 1 && c.Azp != u.P.ClientID, c.Azp != "" && c.Azp != u.P.ClientID:
		return errors.New("the token was issued to another client")
	case !Clean(t.Subject, 255):
		return errors.New("no usable subject")
	case c.Sid != "" && !Clean(c.Sid, 255):
		return errors.New("no usable sid")
	case t.IssuedAt.IsZero():
		return errors.New("no iat")
	}
	if t.AccessTokenHash != "" {
		if err := t.VerifyAccessToken(a.Token.AccessToken); err != nil {
			return err
		}
	}
	a.Issuer, a.Subject, a.SID, a.Issued = t.Issuer, t.Subject, c.Sid, t.IssuedAt
	if c.AuthTime > 0 {
		a.AuthTime = time.Unix(c.AuthTime, 0)
	}
	if err := t.Claims(&a.Claims); err != nil {
		return err
	}
	a.Name = nameOf(a.Claims, "name", "preferred_username")
	if a.Name == "" && a.At.userinfo != "" {
		u.addUserInfo(ctx, a)
	}
	return nil
}

// addUserInfo asks for what is displayed only: without it the sign-in is as good. An answer about somebody else is dropped
// (OpenID Connect Core section 5.3.2).
func (u *Upstream) addUserInfo(ctx context.Context, a *Arrival) {
	m, err := u.ask(ctx, a)
	if err != nil || m["sub"] != a.Subject {
		return
	}
	for k, v := range m {
		if _, has := a.Claims[k]; !has {
			a.Claims[k] = v
		}
	}
	a.Name = nameOf(m, "name", "preferred_username")
}

// readProfile asks a plain OAuth 2.0 provider whose token this is. The code was redeemed by this website with its own
// verifier, so the token was not issued to somebody else's app.
func (u *Upstream) readProfile(ctx context.Context, a *Arrival) error {
	m, err := u.ask(ctx, a)
	if err != nil {
		return err
	}
	switch id := m[u.P.Profile.Subject].(type) {
	case string:
		a.Subject = id
	case json.Number:
		a.Subject = id.String()
		if strings.ContainsAny(a.Subject, ".eE") {
			return errors.New("a subject that is no whole number")
		}
	}
	if !Clean(a.Subject, 255) {
		return errors.New("no usable subject")
	}
	a.Name, a.Claims, a.Issued = nameOf(m, u.P.Profile.Name), m, u.now()
	return nil
}

// ask makes the profile call.
func (u *Upstream) ask(ctx context.Context, a *Arrival) (map[string]any, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.At.userinfo, nil)
	if err != nil {
		return nil, err
	}
	a.Token.SetAuthHeader(r)
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
