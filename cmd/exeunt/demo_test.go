package main

import (
	"context"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// stranger is a program that knows the demo by its line of JSON only, with a client library that is not ours: it registers itself, signs
// both people in, calls the API with their tokens, and signs the first one out.
type stranger struct {
	t    *testing.T
	info map[string]any
	app  oauth2.Config
	op   *oidc.Provider
}

func (s *stranger) says(key string) string {
	s.t.Helper()
	v, _ := s.info[key].(string)
	if v == "" {
		s.t.Fatalf("the line has no %s: %v", key, s.info)
	}
	return v
}

func newStranger(t *testing.T, line []byte) *stranger {
	t.Helper()
	s := &stranger{t: t}
	if err := json.Unmarshal(line, &s.info); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.op, err = oidc.NewProvider(t.Context(), s.says("issuer")); err != nil {
		t.Fatal(err)
	}
	s.app = oauth2.Config{RedirectURL: "http://127.0.0.1:1/cb", Endpoint: s.op.Endpoint(), Scopes: []string{"openid"}}
	r, err := http.NewRequest("POST", s.says("issuer")+"/oauth2/register", strings.NewReader(`{"client_name": "Stranger", "redirect_uris": ["`+s.app.RedirectURL+`"], "grant_types": ["authorization_code", "refresh_token"]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.says("registration_token"))
	status, body := send(t, http.DefaultClient, r)
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := json.Unmarshal(body, &made); err != nil || status != 201 || made.ID == "" {
		t.Fatalf("registration: %d %s", status, body)
	}
	s.app.ClientID, s.app.ClientSecret = made.ID, made.Secret
	return s
}

func send(t *testing.T, c *http.Client, r *http.Request) (int, []byte) {
	t.Helper()
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, append(body, []byte(res.Header.Get("WWW-Authenticate"))...)
}

// signedIn is a person in a browser, with what the program got.
type signedIn struct {
	browser *http.Client
	tokens  *oauth2.Token
	id      string
	subject string
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

func (s *stranger) signIn(name, password string) *signedIn {
	s.t.Helper()
	jar, _ := cookiejar.New(nil)
	back := ""
	in := &signedIn{browser: &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), s.app.RedirectURL) {
			back = r.URL.Query().Get("code")
			return http.ErrUseLastResponse
		}
		return nil
	}}}
	verifier := oauth2.GenerateVerifier()
	r, err := http.NewRequest("GET", s.app.AuthCodeURL("a state", oidc.Nonce("a nonce"), oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("resource", s.says("api"))), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	_, page := send(s.t, in.browser, r)
	for _, act := range []string{"signin", "continue"} { // who it is; and that the app may
		form := url.Values{}
		for _, m := range hiddenInput.FindAllStringSubmatch(string(page), -1) {
			form.Set(m[1], html.UnescapeString(m[2]))
		}
		form.Set("act", act)
		form.Set("username", name)
		form.Set("password", password)
		if r, err = http.NewRequest("POST", s.says("issuer")+"/login", strings.NewReader(form.Encode())); err != nil {
			s.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", s.says("issuer"))
		_, page = send(s.t, in.browser, r)
	}
	if in.tokens, err = s.app.Exchange(s.t.Context(), back, oauth2.VerifierOption(verifier)); err != nil {
		s.t.Fatalf("%s: %v, after %s", name, err, page)
	}
	in.id, _ = in.tokens.Extra("id_token").(string)
	token, err := s.op.Verifier(&oidc.Config{ClientID: s.app.ClientID}).Verify(s.t.Context(), in.id)
	if err != nil || token.Nonce != "a nonce" {
		s.t.Fatal("the ID token:", err)
	}
	in.subject = token.Subject
	return in
}

// call calls the API.
func (s *stranger) call(in *signedIn) (int, string) {
	s.t.Helper()
	r, err := http.NewRequest("GET", s.says("api"), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	in.tokens.SetAuthHeader(r)
	status, body := send(s.t, http.DefaultClient, r)
	return status, string(body)
}

func (s *stranger) mainJob() {
	s.t.Helper()
	first, second := s.signIn(s.says("username"), s.says("password")), s.signIn(s.says("second_username"), s.says("second_password"))
	for _, in := range []*signedIn{first, second} {
		if status, body := s.call(in); status != 200 || !strings.Contains(body, `"sub":"`+in.subject+`"`) {
			s.t.Fatalf("the API: %d %s, of %s", status, body, in.subject)
		}
	}
	r, err := http.NewRequest("GET", s.says("issuer")+"/logout?"+url.Values{"id_token_hint": {first.id}}.Encode(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if status, body := send(s.t, first.browser, r); status != 200 {
		s.t.Fatalf("sign-out: %d %s", status, body)
	}
	for status, body, end := 0, "", time.Now().Add(time.Minute); status != 401 || !strings.Contains(body, "Access Token has been revoked"); {
		if status, body = s.call(first); time.Now().After(end) {
			s.t.Fatalf("after the sign-out the API says %d %s", status, body)
		}
	}
	var refused *oauth2.RetrieveError
	renew := func(in *signedIn) error {
		_, err := s.app.TokenSource(context.Background(), &oauth2.Token{RefreshToken: in.tokens.RefreshToken}).Token()
		return err
	}
	if err := renew(first); !errors.As(err, &refused) || refused.ErrorCode != "invalid_grant" {
		s.t.Errorf("the refresh token of who signed out: %v", err)
	}
	if status, body := s.call(second); status != 200 || renew(second) != nil {
		s.t.Errorf("somebody else: %d %s", status, body)
	}
}
